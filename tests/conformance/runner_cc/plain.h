// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Messages and errors as the plain values that scenarios speak of.
#ifndef LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_PLAIN_H_
#define LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_PLAIN_H_

#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>
#include <grpcpp/support/status.h>

#include <string>

#include "google/rpc/status.pb.h"
#include "lifesign/v1/presence_service.pb.h"

namespace lifesign::conformance {

using google::protobuf::Value;

// Protobuf's JSON of `value`.
std::string Show(const Value& value);

// The member of an object; null if it is none, or has none of that name.
const Value* Find(const Value& object, const std::string& name);

// Protobuf's JSON, its timestamps as "@15s" since the server's start.
Value OfMessage(const google::protobuf::Message& message);
// Likewise, its errors as OfStatus has them.
Value OfAnswer(v1::HeartbeatResponse response);
Value OfAnswer(v1::WatchPresenceResponse response);

// The code's name, and what the details say.
Value OfStatus(const google::rpc::Status& status);
// How a call ended.
Value OfRpcError(const grpc::Status& status);

// `value`, which is protobuf's JSON of `message`. False if it is not.
bool ToMessage(const Value& value, google::protobuf::Message& message);

}  // namespace lifesign::conformance

#endif  // LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_PLAIN_H_
