// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A recount. docs/concepts.md § 10.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/property/model.h"

namespace lifesign::property {
namespace {

absl::optional<std::string> Difference(const std::string& of,
                                       const StateCounts& expected,
                                       const StateCounts& actual) {
  if (expected == actual) return absl::nullopt;
  return absl::StrCat("counts of ", of, ": ", absl::StrJoin(actual, ","),
                      " where there are ", absl::StrJoin(expected, ","));
}

}  // namespace

ModelCounts Model::Count(View view, const Now& instant) {
  ModelCounts counts;
  for (const auto& [name, user] : users_) {
    if (!user.IsKnownIn(view)) continue;
    const PresenceTime now = Forward(name, instant).presence;
    DeviceStates devices = kNoDevices;
    for (const ModelSession& session : user.sessions) {
      if (view == View::kPublic && user.invisible) break;
      const State state = session.StateAt(now);
      const auto device = static_cast<std::size_t>(session.device);
      devices[device] = Higher(devices[device], state);
      if (!IsLive(state)) continue;
      ++counts.sessions_on[device][static_cast<std::size_t>(state)];
    }
    State highest = State::kOffline;
    for (std::size_t d = 0; d < kDeviceClasses; ++d) {
      highest = Higher(highest, devices[d]);
      if (!IsLive(devices[d])) continue;
      ++counts.users_on[d][static_cast<std::size_t>(devices[d])];
    }
    ++counts.users[static_cast<std::size_t>(highest)];
  }
  return counts;
}

absl::optional<std::string> Difference(const ModelCounts& expected,
                                       const PresenceCounts& actual) {
  auto found = Difference("users", expected.users, actual.users());
  for (std::size_t d = 0; d < kDeviceClasses && !found; ++d) {
    const auto device = static_cast<DeviceClass>(d);
    const std::string on = absl::StrCat(" on ", DeviceClassName(device));
    found =
        Difference("users" + on, expected.users_on[d], actual.users_on(device));
    if (found) break;
    found = Difference("sessions" + on, expected.sessions_on[d],
                       actual.sessions_on(device));
  }
  return found;
}

}  // namespace lifesign::property
