// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/health/health.h"

#include "lifesign/v1/presence_service.grpc.pb.h"

namespace lifesign {
namespace {

// gRPC's name for the server as a whole.
constexpr char kWholeServer[] = "";

}  // namespace

Health::Health(grpc::Server& server)
    : service_(*server.GetHealthCheckService()) {
  SetServing(false);
}

void Health::SetServing(bool serving) {
  service_.SetServingStatus(v1::PresenceService::service_full_name(), serving);
  service_.SetServingStatus(kWholeServer, serving);
}

}  // namespace lifesign
