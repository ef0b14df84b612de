// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/integration/testing/unary_client.h"

#include <grpcpp/client_context.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>

#include <chrono>

#include "absl/strings/str_cat.h"

namespace lifesign::testing {

UnaryClient::UnaryClient(const std::shared_ptr<grpc::Channel>& channel)
    : channel_(channel), stub_(v1::PresenceService::NewStub(channel)) {}

v1::SendSignalResponse UnaryClient::Open(const std::string& user,
                                         const std::string& session,
                                         v1::SignalKind kind,
                                         std::uint64_t instance) {
  v1::SendSignalRequest request;
  request.set_user_id(user);
  request.set_session_id(session);
  request.mutable_open()->set_instance(instance);
  request.set_kind(kind);
  v1::SendSignalResponse answer;
  const grpc::Status status = Send(request, answer);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return answer;
}

grpc::Status UnaryClient::Send(const v1::SendSignalRequest& request,
                               v1::SendSignalResponse& answer) {
  grpc::ClientContext context;
  return stub_->SendSignal(&context, request, &answer);
}

grpc::Status UnaryClient::Signal(const std::string& user,
                                 const std::string& session,
                                 std::uint64_t attachment,
                                 v1::SignalKind kind) {
  v1::SendSignalRequest request;
  request.set_user_id(user);
  request.set_session_id(session);
  request.set_attachment(attachment);
  request.set_kind(kind);
  v1::SendSignalResponse answer;
  return Send(request, answer);
}

v1::GetPresenceResponse UnaryClient::Get(const std::string& user) {
  grpc::ClientContext context;
  v1::GetPresenceRequest request;
  request.set_user_id(user);
  v1::GetPresenceResponse answer;
  const grpc::Status status = stub_->GetPresence(&context, request, &answer);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return answer;
}

grpc::Status UnaryClient::Batch(const std::vector<std::string>& users,
                                v1::BatchGetPresencesResponse& answer) {
  grpc::ClientContext context;
  v1::BatchGetPresencesRequest request;
  for (const auto& user : users) request.add_user_ids(user);
  return stub_->BatchGetPresences(&context, request, &answer);
}

grpc::Status UnaryClient::List(const v1::ListPresencesRequest& request,
                               v1::ListPresencesResponse& answer) {
  grpc::ClientContext context;
  return stub_->ListPresences(&context, request, &answer);
}

v1::CountPresencesResponse UnaryClient::Count() {
  v1::CountPresencesResponse answer;
  const grpc::Status status = Count({}, answer);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return answer;
}

grpc::Status UnaryClient::Count(const v1::CountPresencesRequest& request,
                                v1::CountPresencesResponse& answer) {
  grpc::ClientContext context;
  return stub_->CountPresences(&context, request, &answer);
}

grpc::Status UnaryClient::Await(const v1::AwaitPresenceRequest& request,
                                v1::AwaitPresenceResponse& answer,
                                Duration patience) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + patience);
  return stub_->AwaitPresence(&context, request, &answer);
}

grpc::Status UnaryClient::AwaitFails(const v1::AwaitPresenceRequest& request) {
  v1::AwaitPresenceResponse answer;
  grpc::Status status = Await(request, answer);
  EXPECT_FALSE(status.ok());
  return status;
}

v1::ListSessionsResponse UnaryClient::ListSessions(const std::string& user) {
  grpc::ClientContext context;
  v1::ListSessionsRequest request;
  request.set_user_id(user);
  v1::ListSessionsResponse answer;
  const grpc::Status status = stub_->ListSessions(&context, request, &answer);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return answer;
}

v1::ExplainPresenceResponse UnaryClient::Explain(const std::string& user) {
  grpc::ClientContext context;
  v1::ExplainPresenceRequest request;
  request.set_user_id(user);
  v1::ExplainPresenceResponse answer;
  const grpc::Status status =
      stub_->ExplainPresence(&context, request, &answer);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return answer;
}

grpc::Status UnaryClient::CallWithBytes(const std::string& method,
                                        const std::string& bytes) {
  const std::string name =
      absl::StrCat("/lifesign.v1.PresenceService/", method);
  const grpc::internal::RpcMethod rpc(name.c_str(),
                                      grpc::internal::RpcMethod::NORMAL_RPC);
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer answer;
  grpc::ClientContext context;
  return grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
      channel_.get(), rpc, &context, request, &answer);
}

}  // namespace lifesign::testing
