// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Calls to the server, and what their errors mean to the caller of `lifesign`.
#ifndef LIFESIGN_CLIENT_CLI_CALLS_H_
#define LIFESIGN_CLIENT_CLI_CALLS_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <memory>

#include "client/cli/exit_codes.h"
#include "client/cli/settings.h"
#include "lifesign/client/error.h"
#include "lifesign/v1/presence_service.grpc.pb.h"

namespace lifesign::cli {

// Which exit code an error is.
ExitCode ExitCodeFor(const client::Error& error);

// Says `error` to a person, on standard error, and returns its exit code.
ExitCode Report(const Settings& settings, const client::Error& error);
// Says that the server did not answer within --timeout; `last`, if not OK, says
// why.
ExitCode ReportNoAnswer(const Settings& settings, const client::Error& last);

// The server named by `settings`.
class Server {
 public:
  explicit Server(const Settings& settings);

  // Makes one unary call, at most settings.timeout long, and `wait` if the
  // server is asked to wait so long before it answers:
  //   server.Call(&v1::PresenceService::Stub::GetPresence, request, &response)
  template <typename Request, typename Response>
  client::Error Call(grpc::Status (v1::PresenceService::Stub::*method)(
                         grpc::ClientContext*, const Request&, Response*),
                     const Request& request, Response* response,
                     Duration wait = Duration::zero()) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout_ + wait);
    return client::ErrorFrom(((*stub_).*method)(&context, request, response));
  }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  const Duration timeout_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::PresenceService::Stub> stub_;
};

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_CALLS_H_
