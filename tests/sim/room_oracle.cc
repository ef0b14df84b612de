// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/room_oracle.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode.h"
#include "tests/property/step.h"

namespace lifesign::sim {

void RoomOracle::OnOpened(const std::string& user, const std::string& session,
                          bool resumed,
                          const std::vector<absl::string_view>* rooms) {
  auto& held = rooms_[user][session];
  // The end of a session, and its new start, leave all.
  if (!resumed || rooms != nullptr) held.clear();
  if (rooms == nullptr) return;
  for (const absl::string_view room : *rooms) {
    held.insert(std::string(room));
    names_.insert(std::string(room));
  }
}

void RoomOracle::OnChange(const std::string& user, const std::string& session,
                          const RoomChange& change) {
  auto& held = rooms_[user][session];
  for (const absl::string_view room : change.leave) {
    held.erase(std::string(room));
  }
  for (const absl::string_view room : change.join) {
    held.insert(std::string(room));
    names_.insert(std::string(room));
  }
}

std::set<std::string> RoomOracle::RoomsOf(const std::string& user,
                                          const std::string& session) const {
  const auto held = rooms_.find(user);
  if (held == rooms_.end()) return {};
  const auto found = held->second.find(session);
  return found == held->second.end() ? std::set<std::string>() : found->second;
}

void RoomOracle::Recount(View view) {
  for (const std::string& room : names_) Recount(room, view);
}

void RoomOracle::Recount(const std::string& room, View view) {
  std::array<int, kStates> users{};
  int sessions = 0;
  for (const auto& [user, held] : rooms_) {
    State state = State::kOffline;
    for (const auto& session : truth_.model().Read(user, view, now_).sessions) {
      const SessionView& there = session.explanation.session;
      const auto found = held.find(there.session);
      if (found == held.end() || !found->second.contains(room)) continue;
      if (!IsLive(there.state)) continue;
      state = Higher(state, there.state);
      ++sessions;
    }
    if (IsLive(state)) ++users[static_cast<std::size_t>(state)];
  }
  v1::GetRoomRequest request;
  request.set_room_id(room);
  request.set_see_through(view == View::kTrue);
  grpc::ByteBuffer bytes;
  v1::GetRoomResponse response;
  if (!calls_.GetRoom(SerializeToBytes(request), bytes).ok() ||
      !ParseMessage(bytes, response)) {
    verdict_.Fail("GetRoom is refused");
  }
  const v1::Occupancy& told = response.occupancy();
  std::string expected = absl::StrCat(sessions, " sessions");
  int all = 0;
  for (std::size_t i = 0; i < kStates; ++i) {
    if (users[i] == 0) continue;
    all += users[i];
    absl::StrAppend(&expected, ", ", users[i], " ",
                    v1::PresenceState_Name(EncodeState(static_cast<State>(i))));
  }
  std::string actual = absl::StrCat(told.sessions(), " sessions");
  for (const auto& count : told.user_counts()) {
    absl::StrAppend(&actual, ", ", count.users(), " ",
                    v1::PresenceState_Name(count.state()));
  }
  if (expected != actual || all != told.users()) {
    verdict_.Fail(absl::StrCat(
        "room ", room, view == View::kTrue ? " truly" : "", " has ", expected,
        "; told were ", actual, " of ", told.users(), " users"));
  }
  for (const auto& lately : told.windows()) {
    if (lately.peak_users() >= all && lately.mean_users() >= 0 &&
        lately.mean_users() <= lately.peak_users()) {
      continue;
    }
    verdict_.Fail(absl::StrCat("room ", room, " of ", all,
                               " users lately: ", lately.ShortDebugString()));
  }
  journal_.Count(all > 0 ? "room recounted" : "empty room recounted");
}

}  // namespace lifesign::sim
