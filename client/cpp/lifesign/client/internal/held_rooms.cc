// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/held_rooms.h"

#include "absl/strings/str_cat.h"
#include "server/base/limits.h"

namespace lifesign::client::internal {
namespace {

template <typename Names>
std::size_t BytesOf(const Names& names) {
  constexpr std::size_t kTagAndLength = 3;
  std::size_t bytes = 2 * kTagAndLength;
  for (const std::string& name : names) bytes += kTagAndLength + name.size();
  return bytes;
}

template <typename Names>
void Erase(Names& names, absl::string_view name) {
  const auto found = names.find(name);
  if (found != names.end()) names.erase(found);
}

}  // namespace

HeldRooms::HeldRooms(const absl::optional<std::set<std::string>>& given)
    : given_(given.has_value()) {
  if (given_) joined_.insert(given->begin(), given->end());
}

absl::Status HeldRooms::Join(absl::string_view room) {
  if (joined_.find(room) != joined_.end()) return absl::OkStatus();
  if (joined_.size() >= std::size_t{limits::kMaxRoomsPerSession}) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a session is in at most ", limits::kMaxRoomsPerSession, " rooms"));
  }
  joined_.emplace(room);
  to_join_.emplace(room);
  Erase(left_, room);
  Erase(to_leave_, room);
  return absl::OkStatus();
}

void HeldRooms::Leave(absl::string_view room) {
  const bool was_joined = joined_.find(room) != joined_.end();
  Erase(joined_, room);
  Erase(to_join_, room);
  if (given_ ? !was_joined : left_.find(room) != left_.end()) return;
  // A signal names no more; whoever leaves so many without an answer has other
  // worries.
  constexpr std::size_t kMost = limits::kMaxRoomsPerSession;
  if (to_leave_.size() >= kMost) return;
  to_leave_.emplace(room);
  if (given_) return;
  if (left_.size() >= kMost) left_.erase(left_.begin());
  left_.emplace(room);
}

void HeldRooms::TellOpen(v1::OpenOptions& options) {
  if (!given_) {
    to_join_ = joined_;
    to_leave_ = left_;
    return;
  }
  v1::RoomSet& rooms = *options.mutable_rooms();
  for (const std::string& room : joined_) rooms.add_room_ids(room);
  to_join_.clear();
  to_leave_.clear();
}

void HeldRooms::TellSignal(v1::RoomChange& change) {
  for (const std::string& room : to_join_) change.add_join(room);
  for (const std::string& room : to_leave_) change.add_leave(room);
  to_join_.clear();
  to_leave_.clear();
}

std::size_t HeldRooms::OpenBytes() const {
  return given_ ? BytesOf(joined_) : 0;
}

std::size_t HeldRooms::SignalBytes() const {
  return HasNews() ? BytesOf(to_join_) + BytesOf(to_leave_) : 0;
}

}  // namespace lifesign::client::internal
