// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/conformance/runner_cc/interpreter.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace lifesign::conformance {
namespace {

constexpr char kService[] = "/lifesign.v1.PresenceService/";
constexpr auto kPatience = std::chrono::seconds(30);

const std::string& Text(const Value* value) {
  static const std::string none;
  return value == nullptr ? none : value->string_value();
}

Value ListOf(std::vector<Value> elements) {
  Value list;
  auto* values = list.mutable_list_value()->mutable_values();
  for (Value& element : elements) *values->Add() = std::move(element);
  return list;
}

// Which of several users comes first is the server's choice.
void SortByUser(std::vector<Value>& records) {
  std::stable_sort(
      records.begin(), records.end(), [](const Value& one, const Value& other) {
        return Text(Find(one, "user_id")) < Text(Find(other, "user_id"));
      });
}

using Members = google::protobuf::Map<std::string, Value>;
Members& MembersOf(Value& object) {
  return *object.mutable_struct_value()->mutable_fields();
}

Differences Obeyed(bool obeyed) {
  if (obeyed) return {};
  return {"the server did not obey"};
}

template <typename Request, typename Response>
grpc::Status CallTyped(v1::PresenceService::Stub& stub,
                       grpc::Status (v1::PresenceService::Stub::*method)(
                           grpc::ClientContext*, const Request&, Response*),
                       const Value& request, Value& answer) {
  Request message;
  if (!ToMessage(request, message)) {
    return {grpc::StatusCode::UNKNOWN, "the scenario's request is not one"};
  }
  grpc::ClientContext context;
  LimitPatience(context);
  Response response;
  const grpc::Status status = (stub.*method)(&context, message, &response);
  if (status.ok()) answer = OfMessage(response);
  return status;
}

}  // namespace

Interpreter::Interpreter(ServerProcess& server) : server_(server) { Connect(); }

void Interpreter::Connect() {
  channel_ = grpc::CreateChannel(server_.address(),
                                 grpc::InsecureChannelCredentials());
  stub_ = v1::PresenceService::NewStub(channel_);
}

Differences Interpreter::Do(const Value& step) {
  using Verb = Differences (Interpreter::*)(const Value&);
  static const std::vector<std::pair<std::string, Verb>> verbs = {
      {"advance", &Interpreter::Advance},
      {"drain", &Interpreter::Drain},
      {"restart", &Interpreter::Restart},
      {"stream", &Interpreter::BeginStream},
      {"send", &Interpreter::Send},
      {"told", &Interpreter::Told},
      {"close", &Interpreter::Close},
      {"cancel", &Interpreter::Cancel},
      {"ended", &Interpreter::Ended},
      {"call", &Interpreter::Call},
      {"awaiting", &Interpreter::BeginAwait},
      {"awaited", &Interpreter::Awaited},
      {"watch", &Interpreter::BeginWatch},
      {"follow", &Interpreter::BeginFollow},
      {"watched", &Interpreter::Watched},
  };
  for (const auto& [name, verb] : verbs) {
    if (Find(step, name) != nullptr) return (this->*verb)(step);
  }
  return {"no such step"};
}

Differences Interpreter::Advance(const Value& step) {
  return Obeyed(
      server_.Tell(absl::StrCat("advance ", Text(Find(step, "advance")))));
}

Differences Interpreter::Drain(const Value& step) {
  return Obeyed(
      server_.Tell(absl::StrCat("drain ", Text(Find(step, "drain")))));
}

Differences Interpreter::Restart(const Value& /*step*/) {
  streams_.clear();
  watches_.clear();
  awaits_.clear();
  const bool obeyed = server_.Restart();
  Connect();
  return Obeyed(obeyed);
}

Differences Interpreter::BeginStream(const Value& step) {
  const Value* raw = Find(step, "raw");
  streams_[Text(Find(step, "stream"))] = std::make_unique<HeartbeatStream>(
      channel_, *stub_, raw != nullptr && raw->bool_value());
  return {};
}

HeartbeatStream& Interpreter::StreamOf(const Value& name) {
  return *streams_.at(name.string_value());
}

Differences Interpreter::Send(const Value& step) {
  const auto follow = watches_.find(Text(Find(step, "send")));
  if (follow != watches_.end()) return SendFollow(*follow->second, step);
  HeartbeatStream& stream = StreamOf(*Find(step, "send"));
  if (const Value* bytes = Find(step, "bytes")) {
    stream.SendBytes(absl::HexStringToBytes(bytes->string_value()));
  } else {
    v1::HeartbeatRequest message;
    if (!ToMessage(Resolved(*Find(step, "message"), saved_), message)) {
      return {"the scenario's message is not one"};
    }
    stream.Send(message);
  }
  const Value* expected = Find(step, "answer");
  if (expected == nullptr) return {};
  Value response;
  if (!stream.Next(response)) {
    return {absl::StrCat("the stream ended: ", Show(OfRpcError(stream.End())))};
  }
  return Matches(step, *expected, response);
}

Differences Interpreter::SendFollow(Watch& follow, const Value& step) {
  v1::FollowPresenceRequest message;
  if (!ToMessage(Resolved(*Find(step, "message"), saved_), message)) {
    return {"the scenario's message is not one"};
  }
  follow.Send(message);
  const Value* expected = Find(step, "answer");
  if (expected == nullptr) return {};
  return ReadUntil(follow, step, "acked", *expected);
}

Differences Interpreter::Told(const Value& step) {
  HeartbeatStream& stream = StreamOf(*Find(step, "told"));
  Value response;
  if (!stream.Next(response)) {
    return {absl::StrCat("the stream ended: ", Show(OfRpcError(stream.End())))};
  }
  return Matches(step, *Find(step, "answer"), response);
}

Differences Interpreter::Close(const Value& step) {
  HeartbeatStream& stream = StreamOf(*Find(step, "close"));
  stream.HalfClose();
  Value ignored;
  while (stream.Next(ignored)) {
  }
  const grpc::Status status = stream.End();
  streams_.erase(Text(Find(step, "close")));
  if (status.ok()) return {};
  return {absl::StrCat("ended with ", Show(OfRpcError(status)))};
}

Differences Interpreter::Cancel(const Value& step) {
  const std::string& name = Text(Find(step, "cancel"));
  streams_.erase(name);
  watches_.erase(name);
  awaits_.erase(name);
  return {};
}

Differences Interpreter::Ended(const Value& step) {
  const std::string& name = Text(Find(step, "ended"));
  const auto watch = watches_.find(name);
  const Differences found = watch != watches_.end()
                                ? EndOf(*watch->second, step)
                                : EndOf(*streams_.at(name), step);
  streams_.erase(name);
  watches_.erase(name);
  return found;
}

template <typename Stream>
Differences Interpreter::EndOf(Stream& stream, const Value& step) {
  Value response;
  while (stream.Next(response)) {
    const Value* changes = Find(response, "changes");
    if (Find(response, "progress") == nullptr ||
        (changes != nullptr && changes->list_value().values_size() > 0)) {
      return {absl::StrCat("it goes on: ", Show(response))};
    }
  }
  return Compare(step, stream.End(), Value());
}

Differences Interpreter::Call(const Value& step) {
  Value answer;
  const Value* eventually = Find(step, "eventually");
  if (eventually == nullptr) {
    const grpc::Status status = CallOnce(step, answer);
    return Compare(step, status, answer);
  }
  const auto give_up_at = std::chrono::steady_clock::now() + kPatience;
  Differences found;
  do {
    const grpc::Status status = CallOnce(step, answer);
    if (!status.ok()) return Compare(step, status, answer);
    found = Matches(step, *eventually, answer);
  } while (!found.empty() && std::chrono::steady_clock::now() < give_up_at);
  return found;
}

grpc::Status Interpreter::CallOnce(const Value& step, Value& answer) {
  using Stub = v1::PresenceService::Stub;
  const std::string& method = Text(Find(step, "call"));
  if (const Value* bytes = Find(step, "bytes")) {
    return CallBytes(method, absl::HexStringToBytes(bytes->string_value()));
  }
  const Value request = Resolved(*Find(step, "request"), saved_);
  if (method == "SendSignal") {
    return CallTyped(*stub_, &Stub::SendSignal, request, answer);
  }
  if (method == "GetPresence") {
    return CallTyped(*stub_, &Stub::GetPresence, request, answer);
  }
  if (method == "BatchGetPresences") {
    return CallTyped(*stub_, &Stub::BatchGetPresences, request, answer);
  }
  if (method == "ListPresences") {
    return CallTyped(*stub_, &Stub::ListPresences, request, answer);
  }
  if (method == "CountPresences") {
    return CallTyped(*stub_, &Stub::CountPresences, request, answer);
  }
  if (method == "AwaitPresence") {
    return CallTyped(*stub_, &Stub::AwaitPresence, request, answer);
  }
  if (method == "ListSessions") {
    return CallTyped(*stub_, &Stub::ListSessions, request, answer);
  }
  if (method == "GetRoom") {
    return CallTyped(*stub_, &Stub::GetRoom, request, answer);
  }
  if (method == "ExplainPresence") {
    return CallTyped(*stub_, &Stub::ExplainPresence, request, answer);
  }
  return {grpc::StatusCode::UNKNOWN, "the scenario's method is not one"};
}

grpc::Status Interpreter::CallBytes(const std::string& method,
                                    const std::string& bytes) {
  const std::string path = kService + method;
  const grpc::internal::RpcMethod rpc(
      path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC, channel_);
  grpc::ClientContext context;
  LimitPatience(context);
  const grpc::ByteBuffer request = BytesOf(bytes);
  grpc::ByteBuffer response;
  return grpc::internal::BlockingUnaryCall(channel_.get(), rpc, &context,
                                           request, &response);
}

Differences Interpreter::BeginAwait(const Value& step) {
  v1::AwaitPresenceRequest request;
  if (!ToMessage(Resolved(*Find(step, "request"), saved_), request)) {
    return {"the scenario's request is not one"};
  }
  awaits_[Text(Find(step, "awaiting"))] =
      std::make_unique<Await>(*stub_, std::move(request));
  const Value* awaits = Find(step, "awaits");
  return Obeyed(server_.Tell(
      absl::StrCat("awaits ", awaits == nullptr ? 1 : awaits->number_value())));
}

Differences Interpreter::Awaited(const Value& step) {
  const std::string& name = Text(Find(step, "awaited"));
  Value answer;
  const grpc::Status status = awaits_.at(name)->End(answer);
  awaits_.erase(name);
  return Compare(step, status, answer);
}

Differences Interpreter::BeginWatch(const Value& step) {
  v1::WatchPresenceRequest request;
  if (!ToMessage(Resolved(*Find(step, "request"), saved_), request)) {
    return {"the scenario's request is not one"};
  }
  return Begun(*Find(step, "watch"), std::make_unique<Watch>(*stub_, request),
               step, "synced");
}

Differences Interpreter::BeginFollow(const Value& step) {
  v1::FollowPresenceRequest first;
  if (!ToMessage(Resolved(*Find(step, "request"), saved_),
                 *first.mutable_watch())) {
    return {"the scenario's request is not one"};
  }
  auto follow = std::make_unique<Watch>(*stub_);
  follow->Send(first);
  return Begun(*Find(step, "follow"), std::move(follow), step, "acked");
}

Differences Interpreter::Begun(const Value& name, std::unique_ptr<Watch> watch,
                               const Value& step, const std::string& last) {
  Differences found;
  if (const Value* expected = Find(step, "answer")) {
    found = ReadUntil(*watch, step, last, *expected);
  } else if (Find(step, "error") != nullptr) {
    return EndOf(*watch, step);
  }
  watches_[name.string_value()] = std::move(watch);
  return found;
}

Differences Interpreter::Watched(const Value& step) {
  Watch& watch = *watches_.at(Text(Find(step, "watched")));
  if (const Value* changes = Find(step, "changes")) {
    return ReadChanges(watch, step, *changes);
  }
  if (const Value* progress = Find(step, "progress")) {
    Value expected;
    MembersOf(expected)["changes"] = ListOf({});
    MembersOf(expected)["progress"] = *progress;
    return ReadUntil(watch, step, "progress", expected);
  }
  return ReadUntil(watch, step, Text(Find(step, "until")),
                   *Find(step, "answer"));
}

Differences Interpreter::ReadUntil(Watch& watch, const Value& step,
                                   const std::string& last,
                                   const Value& expected) {
  Value read;
  std::vector<Value> snapshot;
  std::vector<Value> changes;
  std::vector<Value> refused;
  std::string name;
  while (name != last) {
    Value content;
    if (!watch.NextPart(name, content)) {
      return {absl::StrCat("the watch ended: ", Show(OfRpcError(watch.End())))};
    }
    if (name == "snapshot") {
      snapshot.push_back(std::move(content));
    } else if (name == "changes") {
      changes.push_back(std::move(content));
    } else if (name == "refused") {
      refused.push_back(std::move(content));
    } else {
      MembersOf(read)[name] = std::move(content);
    }
  }
  SortByUser(snapshot);
  MembersOf(read)["snapshot"] = ListOf(std::move(snapshot));
  MembersOf(read)["changes"] = ListOf(std::move(changes));
  MembersOf(read)["refused"] = ListOf(std::move(refused));
  MembersOf(read)["resume_token"] = watch.token();
  return Matches(step, expected, read);
}

Differences Interpreter::ReadChanges(Watch& watch, const Value& step,
                                     const Value& expected) {
  std::vector<Value> changes;
  while (static_cast<int>(changes.size()) <
         expected.list_value().values_size()) {
    std::string name;
    Value content;
    if (!watch.NextPart(name, content)) {
      return {absl::StrCat("the watch ended: ", Show(OfRpcError(watch.End())))};
    }
    if (name != "progress") changes.push_back(std::move(content));
  }
  SortByUser(changes);
  Value wanted;
  MembersOf(wanted)["changes"] = expected;
  Value read;
  MembersOf(read)["changes"] = ListOf(std::move(changes));
  MembersOf(read)["resume_token"] = watch.token();
  return Matches(step, wanted, read);
}

Differences Interpreter::Compare(const Value& step, const grpc::Status& status,
                                 const Value& answer) {
  const Value* error = Find(step, "error");
  if (error == nullptr) {
    if (status.ok()) return Matches(step, *Find(step, "answer"), answer);
    return {absl::StrCat("failed with ", Show(OfRpcError(status)))};
  }
  if (status.ok()) return {absl::StrCat("was answered ", Show(answer))};
  return Matches(step, *error, OfRpcError(status));
}

Differences Interpreter::Matches(const Value& step, const Value& expected,
                                 const Value& actual) {
  Differences found = Differ(expected, &actual, saved_);
  if (!found.empty()) {
    found.push_back(absl::StrCat("the whole: ", Show(actual)));
    return found;
  }
  if (const Value* save = Find(step, "save")) {
    for (const auto& [name, path] : save->struct_value().fields()) {
      saved_[name] = At(actual, path.string_value());
    }
  }
  return {};
}

}  // namespace lifesign::conformance
