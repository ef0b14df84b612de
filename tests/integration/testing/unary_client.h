// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The unary methods, as tests call them.
#ifndef LIFESIGN_TESTS_INTEGRATION_TESTING_UNARY_CLIENT_H_
#define LIFESIGN_TESTS_INTEGRATION_TESTING_UNARY_CLIENT_H_

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lifesign/v1/presence_service.grpc.pb.h"
#include "server/base/time.h"

namespace lifesign::testing {

// What returns an answer fails the test when there is none.
class UnaryClient {
 public:
  explicit UnaryClient(const std::shared_ptr<grpc::Channel>& channel);

  v1::SendSignalResponse Open(const std::string& user,
                              const std::string& session, v1::SignalKind kind,
                              std::uint64_t instance);
  grpc::Status Send(const v1::SendSignalRequest& request,
                    v1::SendSignalResponse& answer);
  grpc::Status Signal(const std::string& user, const std::string& session,
                      std::uint64_t attachment, v1::SignalKind kind);
  v1::GetPresenceResponse Get(const std::string& user);
  grpc::Status Batch(const std::vector<std::string>& users,
                     v1::BatchGetPresencesResponse& answer);
  grpc::Status List(const v1::ListPresencesRequest& request,
                    v1::ListPresencesResponse& answer);
  v1::CountPresencesResponse Count();
  grpc::Status Count(const v1::CountPresencesRequest& request,
                     v1::CountPresencesResponse& answer);
  // Within `patience` of real time, which is the call's deadline.
  grpc::Status Await(const v1::AwaitPresenceRequest& request,
                     v1::AwaitPresenceResponse& answer,
                     Duration patience = seconds(600));
  // Of a request that is not to be answered; fails the test if it is.
  grpc::Status AwaitFails(const v1::AwaitPresenceRequest& request);
  v1::ListSessionsResponse ListSessions(const std::string& user);
  v1::ExplainPresenceResponse Explain(const std::string& user);

  // A call of `method` with any bytes.
  grpc::Status CallWithBytes(const std::string& method,
                             const std::string& bytes);

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::PresenceService::Stub> stub_;
};

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_INTEGRATION_TESTING_UNARY_CLIENT_H_
