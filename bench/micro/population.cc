// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/population.h"

#include <algorithm>
#include <memory>

#include "bench/micro/beat_order.h"
#include "server/core/policy/policy.h"

namespace lifesign::bench {
namespace {

constexpr std::uint64_t kOpenSeed = 1;
constexpr std::uint64_t kHashSeed = 2;
// A publisher is never further behind.
constexpr std::size_t kOpensPerPublish = 1'000;

PresenceEngine::Options EngineOptions(int shards) {
  PresenceEngine::Options options;
  options.shards = shards;
  options.hash_seed = kHashSeed;
  return options;
}

std::shared_ptr<const void> EncodeNothing(const Change&, Detail) {
  return nullptr;
}

}  // namespace

Now StartOfTime() {
  constexpr Duration kStart = hours(24);
  return {PresenceTime(kStart), RealTime(kStart), WallTime(kStart)};
}

Now Later(const Now& now, Duration by) {
  return {now.presence + by, now.real + by, now.wall + by};
}

Signal UsualHeartbeat() {
  Signal signal;
  signal.kind = SignalKind::kActive;
  return signal;
}

Population::Population(const Options& options)
    : now_(StartOfTime()),
      gap_(std::max(Policy().defaults.active_interval /
                        static_cast<Duration::rep>(options.sessions),
                    Duration(1))),
      engine_(EngineOptions(options.shards), now_),
      sessions_(options.sessions),
      refs_(options.sessions) {
  BeatOrder order(options.sessions, kOpenSeed);
  std::size_t opened = 0;
  for (std::size_t step = 0; step < BeatOrder::kStepsPerPass; ++step) {
    for (const std::uint32_t index : order.Next()) {
      Advance(gap_);
      OpenSession& session = sessions_[index];
      session.ids = IdsOf(index, options.sessions_per_user);
      OpenRequest request;
      request.name = session.ids.name();
      request.binding = {index + 1, 1};
      request.device = DeviceClass::kWeb;
      request.signal = UsualHeartbeat();
      refs_[index] = engine_.Open(request, now_).ref;
      session.attachment = refs_[index].attachment;
      if (++opened % kOpensPerPublish == 0) {
        engine_.Publish(now_, EncodeNothing);
      }
    }
    Tick();
  }
}

void Population::ForgetNames() {
  std::vector<OpenSession>().swap(sessions_);
  std::vector<SessionRef>().swap(refs_);
}

void Population::Advance(Duration by) { now_ = Later(now_, by); }

void Population::Tick() {
  engine_.Tick(now_);
  engine_.Publish(now_, EncodeNothing);
}

}  // namespace lifesign::bench
