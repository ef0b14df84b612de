// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/count_oracle.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode.h"
#include "server/transport/codec/read_time.h"
#include "server/transport/codec/times.h"

namespace lifesign::sim {
namespace {

std::int64_t LiveOf(const StateCounts& counts) {
  std::int64_t live = 0;
  for (std::size_t i = 0; i < kStates; ++i) {
    if (IsLive(static_cast<State>(i))) live += counts[i];
  }
  return live;
}

template <typename Message>
void Tell(const StateCounts& users, const StateCounts& sessions, Message& to) {
  to.set_users(LiveOf(users));
  to.set_sessions(LiveOf(sessions));
  for (std::size_t i = 0; i < kStates; ++i) {
    const auto state = static_cast<State>(i);
    if (!IsLive(state) || users[i] + sessions[i] == 0) continue;
    v1::StateCount& count = *to.add_states();
    count.set_state(EncodeState(state));
    count.set_users(users[i]);
    count.set_sessions(sessions[i]);
  }
}

}  // namespace

void CountOracle::Ticked() {
  as_of_ = now_;
  journal_.Count("counts recounted");
  for (const View view : {View::kPublic, View::kTrue}) {
    auto& counts = counts_.at(static_cast<std::size_t>(view));
    counts = truth_.model().Count(view, now_);
    const auto difference =
        property::Difference(counts, engine_.Counts(view).counts);
    if (!difference.has_value()) continue;
    verdict_.Fail(absl::StrCat(view == View::kPublic ? "" : "seen through: ",
                               *difference));
  }
}

void CountOracle::Read(View view) {
  const auto& counted = counts_.at(static_cast<std::size_t>(view));
  v1::CountPresencesRequest request;
  request.set_see_through(view == View::kTrue);
  grpc::ByteBuffer bytes;
  v1::CountPresencesResponse told;
  if (!calls_.CountPresences(SerializeToBytes(request), bytes).ok() ||
      !ParseMessage(bytes, told)) {
    verdict_.Fail("CountPresences is refused");
  }
  v1::CountPresencesResponse expected;
  StateCounts all{};
  for (std::size_t d = 0; d < kDeviceClasses; ++d) {
    const StateCounts& sessions = counted.sessions_on[d];
    if (LiveOf(sessions) == 0) continue;
    for (std::size_t i = 0; i < kStates; ++i) all[i] += sessions[i];
    v1::DeviceCount& count = *expected.add_devices();
    count.set_device_class(EncodeDevice(static_cast<DeviceClass>(d)));
    Tell(counted.users_on[d], sessions, count);
  }
  Tell(counted.users, all, expected);
  expected.set_remembered_users(
      expected.users() +
      counted.users[static_cast<std::size_t>(State::kOffline)]);
  EncodeTime(WallAt(as_of_.real, now_), *expected.mutable_as_of());
  EncodeReadTime(engine_, now_, expected);
  if (expected.ShortDebugString() == told.ShortDebugString()) return;
  verdict_.Fail(
      absl::StrCat("counts\n    model:  ", expected.ShortDebugString(),
                   "\n    server: ", told.ShortDebugString()));
}

}  // namespace lifesign::sim
