// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Gives a listener's connections to gRPC.
#ifndef LIFESIGN_SERVER_TRANSPORT_LISTENER_GRPC_ACCEPTOR_H_
#define LIFESIGN_SERVER_TRANSPORT_LISTENER_GRPC_ACCEPTOR_H_

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <memory>

#include "server/transport/listener/listener.h"

namespace lifesign {

// What to start a listener with, so that its connections are served by the
// server that `builder` builds, with `credentials`. Start the listener after
// the server was built, and let it stop accepting before the server is shut
// down: gRPC closes what it is given outside of that.
Listener::HandOver AddAcceptor(
    grpc::ServerBuilder& builder,
    std::shared_ptr<grpc::ServerCredentials> credentials);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_LISTENER_GRPC_ACCEPTOR_H_
