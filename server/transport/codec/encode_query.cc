// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/encode_query.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "server/transport/codec/encode.h"
#include "server/transport/codec/times.h"

namespace lifesign {
namespace {

// `states` of `to`, and the sums of both as its `users` and `sessions`.
template <typename Message>
void EncodeStates(const StateCounts& users, const StateCounts& sessions,
                  Message& to) {
  std::int64_t all_users = 0;
  std::int64_t all_sessions = 0;
  for (std::size_t i = 0; i < kStates; ++i) {
    const auto state = static_cast<State>(i);
    if (!IsLive(state) || (users[i] == 0 && sessions[i] == 0)) continue;
    v1::StateCount& count = *to.add_states();
    count.set_state(EncodeState(state));
    count.set_users(users[i]);
    count.set_sessions(sessions[i]);
    all_users += users[i];
    all_sessions += sessions[i];
  }
  to.set_users(all_users);
  to.set_sessions(all_sessions);
}

}  // namespace

void EncodeCounts(const CountsView& view, const Now& now,
                  v1::CountPresencesResponse& to) {
  const PresenceCounts& counts = view.counts;
  StateCounts sessions{};
  for (std::size_t d = 0; d < kDeviceClasses; ++d) {
    const auto device = static_cast<DeviceClass>(d);
    const StateCounts& on_device = counts.sessions_on(device);
    for (std::size_t i = 0; i < kStates; ++i) sessions[i] += on_device[i];
    v1::DeviceCount& count = *to.add_devices();
    count.set_device_class(EncodeDevice(device));
    EncodeStates(counts.users_on(device), on_device, count);
    if (count.states().empty()) to.mutable_devices()->RemoveLast();
  }
  EncodeStates(counts.users(), sessions, to);
  to.set_remembered_users(
      to.users() + counts.users()[static_cast<std::size_t>(State::kOffline)]);
  EncodeTime(WallAt(view.as_of.real, now), *to.mutable_as_of());
}

void EncodeRoomCounts(const Occupancy& occupancy, const Now& now,
                      v1::CountPresencesResponse& to) {
  for (std::size_t i = 0; i < kStates; ++i) {
    const auto state = static_cast<State>(i);
    if (!IsLive(state) || occupancy.users_by_state[i] == 0) continue;
    v1::StateCount& count = *to.add_states();
    count.set_state(EncodeState(state));
    count.set_users(occupancy.users_by_state[i]);
  }
  to.set_users(occupancy.users);
  to.set_remembered_users(occupancy.users);
  to.set_sessions(occupancy.sessions);
  EncodeTime(now.wall, *to.mutable_as_of());
}

void EncodeAwait(const Await& await, v1::AwaitPresenceResponse& to) {
  for (const PredicateView& view : await.Views()) {
    v1::PredicateResult& result = *to.add_results();
    result.set_satisfied(view.satisfied);
    if (view.satisfied) to.set_satisfied(true);
    result.set_matching(static_cast<std::int32_t>(view.count));
    for (const std::uint32_t user : view.matching) {
      result.add_user_ids(await.terms().users[user]);
    }
    for (const std::string& user : view.from) result.add_user_ids(user);
  }
}

}  // namespace lifesign
