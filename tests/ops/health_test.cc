// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/health/health.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "server/transport/channel/channel_settings.h"
#include "tests/testing/generic_call.h"

namespace lifesign {
namespace {

using testing::GenericCall;

// Field 1 of HealthCheckResponse, an enum.
const std::string kServing = "\x08\x01";
const std::string kNotServing = "\x08\x02";

// A HealthCheckRequest for `service`.
std::string RequestFor(const std::string& service) {
  return service.empty()
             ? ""
             : "\x0a" + std::string(1, static_cast<char>(service.size())) +
                   service;
}

class HealthTest : public ::testing::Test {
 protected:
  HealthTest() {
    grpc::ServerBuilder builder;
    ApplyChannelSettings(ChannelSettings(), builder);
    builder.RegisterCallbackGenericService(&no_methods_);
    server_ = builder.BuildAndStart();
  }
  ~HealthTest() override { server_->Shutdown(); }

  std::string Of(const std::string& service) {
    GenericCall call(*server_, "/grpc.health.v1.Health/Check",
                     RequestFor(service));
    const grpc::Status status = call.Await();
    return status.ok() ? call.Response() : status.error_message();
  }

  grpc::CallbackGenericService no_methods_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(HealthTest, IsNotServingUntilToldAndAgainWhileDraining) {
  Health health(*server_);
  for (const bool serving : {false, true, false}) {
    health.SetServing(serving);
    EXPECT_EQ(Of(""), serving ? kServing : kNotServing);
    EXPECT_EQ(Of("lifesign.v1.PresenceService"),
              serving ? kServing : kNotServing);
  }
}

TEST_F(HealthTest, IsNotServingFromTheStart) {
  const Health health(*server_);
  EXPECT_EQ(Of(""), kNotServing);
}

}  // namespace
}  // namespace lifesign
