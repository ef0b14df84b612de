// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Does what a scenario says, step by step, with what protoc and gRPC's plugin
// make of the proto files.
#ifndef LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_INTERPRETER_H_
#define LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_INTERPRETER_H_

#include <grpcpp/channel.h>

#include <map>
#include <memory>
#include <string>

#include "lifesign/v1/presence_service.grpc.pb.h"
#include "tests/conformance/runner_cc/matching.h"
#include "tests/conformance/runner_cc/plain.h"
#include "tests/conformance/runner_cc/server_process.h"
#include "tests/conformance/runner_cc/streams.h"

namespace lifesign::conformance {

class Interpreter {
 public:
  // `server` outlives it.
  explicit Interpreter(ServerProcess& server);

  // What came out otherwise than the step says; empty if nothing did.
  Differences Do(const Value& step);

 private:
  // The steps, by their verbs.
  Differences Advance(const Value& step);
  Differences Drain(const Value& step);
  Differences Restart(const Value& step);
  Differences BeginStream(const Value& step);
  Differences Send(const Value& step);
  Differences Told(const Value& step);
  Differences Close(const Value& step);
  Differences Cancel(const Value& step);
  Differences Ended(const Value& step);
  Differences Call(const Value& step);
  Differences BeginAwait(const Value& step);
  Differences Awaited(const Value& step);
  Differences BeginWatch(const Value& step);
  Differences BeginFollow(const Value& step);
  Differences Watched(const Value& step);

  void Connect();
  HeartbeatStream& StreamOf(const Value& name);
  // A unary call: how it ended, and its answer.
  grpc::Status CallOnce(const Value& step, Value& answer);
  grpc::Status CallBytes(const std::string& method, const std::string& bytes);
  // Says something on a follow.
  Differences SendFollow(Watch& follow, const Value& step);
  // `watch`, which is complete with the part called `last`.
  Differences Begun(const Value& name, std::unique_ptr<Watch> watch,
                    const Value& step, const std::string& last);
  // Everything up to and including the part called `last`.
  Differences ReadUntil(Watch& watch, const Value& step,
                        const std::string& last, const Value& expected);
  // As many changes as are expected; progress may come between them.
  Differences ReadChanges(Watch& watch, const Value& step,
                          const Value& expected);
  // Next comes the end of the stream, as the step says.
  template <typename Stream>
  Differences EndOf(Stream& stream, const Value& step);
  // The outcome of a call or of a whole stream.
  Differences Compare(const Value& step, const grpc::Status& status,
                      const Value& answer);
  // `actual`; what matches is also saved.
  Differences Matches(const Value& step, const Value& expected,
                      const Value& actual);

  ServerProcess& server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::PresenceService::Stub> stub_;
  std::map<std::string, std::unique_ptr<HeartbeatStream>> streams_;
  std::map<std::string, std::unique_ptr<Watch>> watches_;
  std::map<std::string, std::unique_ptr<Await>> awaits_;
  Saved saved_;
};

}  // namespace lifesign::conformance

#endif  // LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_INTERPRETER_H_
