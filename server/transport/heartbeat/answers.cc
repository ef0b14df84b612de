// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/heartbeat/answers.h"

#include <grpcpp/support/slice.h>

#include <algorithm>
#include <utility>

#include "lifesign/v1/presence_service.pb.h"
#include "server/base/limits.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode.h"
#include "server/transport/codec/times.h"

namespace lifesign {
namespace {

// Up to so many updates are looked through one by one.
constexpr std::size_t kFewUpdates = 8;
// Of errors, in one response: what a client's default limit of 4 MiB takes
// together with an update for every session a stream may hold.
constexpr std::size_t kErrorBytesPerResponse = 1u << 20;

}  // namespace

Answers::Waiting& Answers::Ensure() {
  if (waiting_ == nullptr) waiting_ = std::make_unique<Waiting>();
  return *waiting_;
}

Answers::Update* Answers::FindUpdate(std::uint32_t handle) {
  auto& updates = waiting_->updates;
  if (updates.size() <= kFewUpdates) {
    const auto found =
        std::find_if(updates.begin(), updates.end(),
                     [&](const Update& u) { return u.handle == handle; });
    return found == updates.end() ? nullptr : &*found;
  }
  const auto found = waiting_->by_handle.find(handle);
  return found == waiting_->by_handle.end() ? nullptr : &updates[found->second];
}

void Answers::AddUpdate(const Update& update) {
  Waiting& waiting = Ensure();
  if (Update* held = FindUpdate(update.handle)) {
    const auto opened = update.opened ? update.opened : held->opened;
    *held = update;
    held->opened = opened;
    return;
  }
  waiting.updates.push_back(update);
  const std::size_t size = waiting.updates.size();
  if (size == kFewUpdates + 1) {
    for (std::size_t i = 0; i < size; ++i) {
      waiting.by_handle.emplace(waiting.updates[i].handle, i);
    }
  } else if (size > kFewUpdates + 1) {
    waiting.by_handle.emplace(update.handle, size - 1);
  }
}

void Answers::AddError(std::uint64_t message, std::uint32_t handle,
                       const ApiError& error) {
  v1::HeartbeatResponse response;
  v1::HeartbeatError& told = *response.add_errors();
  told.set_message(message);
  told.set_handle(handle);
  *told.mutable_status() = ToRpcStatus(error);
  Ensure().errors.push_back({message, response.SerializeAsString()});
}

void Answers::DropOldErrors() {
  if (waiting_ == nullptr) return;
  while (waiting_->errors.size() >
         static_cast<std::size_t>(limits::kMaxQueuedErrors)) {
    waiting_->errors.pop_front();
    ++errors_dropped_;
  }
}

void Answers::SetDrain(Duration reconnect_delay) {
  Ensure().drain = reconnect_delay;
}

grpc::ByteBuffer Answers::Take(std::uint64_t acked) {
  ScratchArena arena;
  auto& response = arena.Create<v1::HeartbeatResponse>();
  const std::unique_ptr<Waiting> waiting = std::move(waiting_);
  std::string errors;
  if (waiting != nullptr) {
    for (const Update& update : waiting->updates) {
      v1::SessionUpdate& to = *response.add_updates();
      to.set_handle(update.handle);
      to.set_state(EncodeState(update.state));
      if (update.next_interval.count() > 0) {
        EncodeDuration(update.next_interval, *to.mutable_next_interval());
      }
      if (!update.opened.has_value()) continue;
      v1::OpenResult& opened = *to.mutable_opened();
      opened.set_attachment(update.opened->attachment);
      opened.set_resumed(update.opened->resumed);
      EncodeDuration(update.opened->report_after,
                     *opened.mutable_report_after());
    }
    auto& queue = waiting->errors;
    while (!queue.empty() &&
           (errors.empty() || errors.size() + queue.front().wire.size() <=
                                  kErrorBytesPerResponse)) {
      errors += queue.front().wire;
      queue.pop_front();
    }
    if (waiting->drain.has_value()) {
      EncodeDuration(*waiting->drain,
                     *response.mutable_drain()->mutable_reconnect_delay());
    }
    if (!errors.empty() || waiting->drain.has_value()) {
      response.set_errors_dropped(errors_dropped_);
    }
    if (!queue.empty()) {
      // A message counts as dealt with once its errors are told.
      for (const Error& error : queue) {
        if (error.message == 0) continue;
        acked = std::min(acked, error.message - 1);
        break;
      }
      Ensure().errors = std::move(queue);
    }
  }
  response.set_acked(acked);
  if (errors.empty()) return SerializeToBytes(response);
  const grpc::Slice pieces[] = {SerializeToSlice(response),
                                grpc::Slice(errors)};
  return grpc::ByteBuffer(pieces, 2);
}

}  // namespace lifesign
