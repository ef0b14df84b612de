// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What load balancers and probes are told (grpc.health.v1).
#ifndef LIFESIGN_SERVER_OPS_HEALTH_HEALTH_H_
#define LIFESIGN_SERVER_OPS_HEALTH_HEALTH_H_

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>

namespace lifesign {

// Speaks for the whole server ("") and for lifesign.v1.PresenceService, which
// are always of one mind. SERVING means: new calls are taken. NOT_SERVING while
// starting and while draining, so that a balancer sends nobody here; what is
// already connected goes on. A server that reconverges after a restart is
// SERVING: its answers say so themselves.
//
// Thread-safe.
class Health {
 public:
  // Says NOT_SERVING. `server` was built with the default health service
  // (ApplyChannelSettings), takes no connections yet, and outlives this.
  explicit Health(grpc::Server& server);

  void SetServing(bool serving);

 private:
  grpc::HealthCheckServiceInterface& service_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_HEALTH_HEALTH_H_
