// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/load/watchers.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "bench/load/messages.h"
#include "bench/load/wait.h"

namespace lifesign::bench {
namespace {

// One watch in so many measures latency: a histogram takes 60 KB.
constexpr int kMeasuredShare = 100;
constexpr std::size_t kUserPrefix = 5;  // "user-"

int UserOf(const std::string& id) {
  return std::atoi(id.c_str() + kUserPrefix);
}

grpc::ByteBuffer Request(const WatchersOptions& options) {
  v1::WatchPresenceRequest request;
  for (int i = 0; i < options.users; ++i) {
    request.mutable_users()->add_user_ids(UserId(options.first_user + i));
  }
  if (options.batching_delay_seconds > 0) {
    request.mutable_batching_delay()->set_nanos(
        static_cast<std::int32_t>(options.batching_delay_seconds * 1e9));
  }
  return ToBytes(request);
}

}  // namespace

struct Watchers::Watcher {
  std::atomic<bool> synced{false};
  std::atomic<std::int64_t> changes{0};
  std::atomic<std::int64_t> messages{0};
  Mutex mutex;
  std::unique_ptr<Histogram> latency ABSL_GUARDED_BY(mutex);
  std::unique_ptr<RawCall> call;
};

Watchers::Watchers(const WatchersOptions& options)
    : options_(options), intended_(static_cast<std::size_t>(options.users)) {
  const auto channels = MakeChannels(options.target, options.connections);
  const grpc::ByteBuffer request = Request(options);
  for (int i = 0; i < options.watchers; ++i) {
    auto& watcher = *watchers_.emplace_back(std::make_unique<Watcher>());
    if (i % kMeasuredShare == 0) {
      MutexLock lock(watcher.mutex);
      watcher.latency = std::make_unique<Histogram>();
    }
    watcher.call = std::make_unique<RawCall>(
        channels[static_cast<std::size_t>(i % options.connections)],
        kWatchMethod, [this, &watcher](const grpc::ByteBuffer& bytes) {
          options_.relayed ? OnRelayed(watcher, bytes)
                           : OnMessage(watcher, bytes);
        });
    watcher.call->Send(request);
    watcher.call->SendNoMore();
  }
}

Watchers::~Watchers() {
  for (auto& watcher : watchers_) watcher->call->Cancel();
}

bool Watchers::AwaitSynced() {
  return options_.floor || WaitUntil([this] {
           return std::all_of(watchers_.begin(), watchers_.end(),
                              [](const auto& w) { return w->synced.load(); });
         });
}

bool Watchers::AllTold() const {
  return std::all_of(watchers_.begin(), watchers_.end(),
                     [](const auto& w) { return w->changes > 0; });
}

void Watchers::OnMessage(Watcher& watcher, const grpc::ByteBuffer& bytes) {
  static thread_local v1::WatchPresenceResponse response;
  response.Clear();
  if (!FromBytes(bytes, response)) return;
  if (response.has_synced()) watcher.synced = true;
  if (response.changes_size() > 0) ++watcher.messages;
  for (const auto& change : response.changes()) {
    Told(watcher, UserOf(change.user_id()));
  }
}

void Watchers::OnRelayed(Watcher& watcher, const grpc::ByteBuffer& bytes) {
  static thread_local v1::HeartbeatRequest request;
  request.Clear();
  if (!FromBytes(bytes, request)) return;
  ++watcher.messages;
  Told(watcher,
       UserWithHandle(request.opens_size() > 0 ? request.opens(0).handle()
                                               : request.signals(0).handle()));
}

void Watchers::Told(Watcher& watcher, int user) {
  ++watcher.changes;
  const auto index = static_cast<std::size_t>(user - options_.first_user);
  if (index >= intended_.size()) return;
  const std::int64_t intended = intended_[index];
  MutexLock lock(watcher.mutex);
  if (watcher.latency == nullptr || intended == 0) return;
  watcher.latency->Record(Nanoseconds(SteadyNow().time_since_epoch()) -
                          intended);
}

std::int64_t Watchers::changes() const {
  std::int64_t sum = 0;
  for (const auto& watcher : watchers_) sum += watcher->changes;
  return sum;
}

std::int64_t Watchers::messages() const {
  std::int64_t sum = 0;
  for (const auto& watcher : watchers_) sum += watcher->messages;
  return sum;
}

bool Watchers::AnyEnded() {
  return std::any_of(watchers_.begin(), watchers_.end(),
                     [](const auto& w) { return w->call->ended(); });
}

void Watchers::ResetLatency() {
  for (auto& watcher : watchers_) {
    MutexLock lock(watcher->mutex);
    if (watcher->latency != nullptr) *watcher->latency = Histogram();
  }
}

std::unique_ptr<Histogram> Watchers::Latency() {
  auto all = std::make_unique<Histogram>();
  for (auto& watcher : watchers_) {
    MutexLock lock(watcher->mutex);
    if (watcher->latency != nullptr) all->Merge(*watcher->latency);
  }
  return all;
}

}  // namespace lifesign::bench
