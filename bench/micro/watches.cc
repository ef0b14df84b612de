// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/watches.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/json.h"
#include "bench/micro/memory.h"
#include "bench/micro/population.h"
#include "server/base/limits.h"
#include "server/transport/watch/selection.h"

namespace lifesign::bench {
namespace {

std::string UserOf(std::size_t number) {
  const auto id = IdOf<kUserIdBytes>(number);
  return std::string(id.data(), id.size());
}

std::shared_ptr<Watch> NewWatch() {
  return std::make_shared<Watch>(std::weak_ptr<WatchListener>());
}

// `pairs` / `set` watches of `set` users each, of whom there are `users`.
void MeasurePairs(std::size_t pairs, std::size_t set, std::size_t users,
                  int shards) {
  PresenceEngine::Options options;
  options.epoch = 1;
  options.shards = shards;
  const Now now = StartOfTime();
  PresenceEngine engine(options, now);
  std::vector<std::unique_ptr<SetSelection>> selections;
  selections.reserve(pairs / set);
  const double before = AllocatedBytes();
  const auto began = std::chrono::steady_clock::now();
  std::size_t next = 0;
  for (std::size_t watch = 0; watch < pairs / set; ++watch) {
    std::vector<std::string> whom;
    whom.reserve(set);
    for (std::size_t i = 0; i < set; ++i)
      whom.push_back(UserOf(next++ % users));
    std::sort(whom.begin(), whom.end());
    selections.push_back(
        std::make_unique<SetSelection>(engine, NewWatch(), whom));
    SetSelection& selection = *selections.back();
    selection.BeginCopy(0);
    while (!selection.copied()) {
      selection.CopySlice(limits::kSnapshotSliceUsers, now);
    }
  }
  const std::chrono::duration<double, std::nano> took =
      std::chrono::steady_clock::now() - began;
  const auto count = static_cast<double>(pairs);
  JsonLine()
      .Add("bench", "\"watch_pairs\"")
      .Add("pairs", pairs)
      .Add("users", users)
      .Add("users_per_watch", set)
      .Add("watches_per_user", count / static_cast<double>(users))
      .Add("bytes_per_pair", (AllocatedBytes() - before) / count)
      .Add("register_ns", took.count() / count)
      .Print();
  for (const auto& selection : selections) selection->Release();
}

double Percentile(const std::vector<double>& sorted, double part) {
  return sorted[static_cast<std::size_t>(
      static_cast<double>(sorted.size() - 1) * part)];
}

// Copies those who changed after `since`, or everyone.
void MeasureCopy(const char* what, PresenceEngine& engine, const Now& now,
                 Revision since) {
  TenantSelection selection(engine, NewWatch());
  selection.BeginCopy(since);
  std::vector<double> slices;
  std::size_t records = 0;
  while (!selection.copied()) {
    const auto began = std::chrono::steady_clock::now();
    const auto slice = selection.CopySlice(limits::kSnapshotSliceUsers, now);
    const std::chrono::duration<double, std::micro> took =
        std::chrono::steady_clock::now() - began;
    slices.push_back(took.count());
    records += slice.records.size();
  }
  selection.Release();
  double all = 0;
  for (const double slice : slices) all += slice;
  std::sort(slices.begin(), slices.end());
  JsonLine()
      .Add("bench", "\"tenant_copy\"")
      .Add("of", absl::StrCat("\"", what, "\""))
      .Add("records", records)
      .Add("slices", slices.size())
      .Add("all_ms", all / 1'000)
      .Add("slice_us_median", Percentile(slices, 0.5))
      .Add("slice_us_p99", Percentile(slices, 0.99))
      .Add("slice_us_worst", slices.back())
      .Print();
}

void MeasureCopies(const WatchesOptions& options) {
  Population population({options.users, 1, options.shards});
  PresenceEngine& engine = population.engine();
  population.Tick();
  engine.Publish(population.now(), [](const Change&, Detail) {
    return std::shared_ptr<const void>();
  });
  MeasureCopy("everyone", engine, population.now(), 0);
  MeasureCopy("everyone", engine, population.now(), 0);
  const Revision since = engine.published_up_to();
  Signal leave;
  leave.kind = SignalKind::kLeave;
  const std::size_t step = std::max<std::size_t>(options.users / 10'000, 1);
  for (std::size_t i = 0; i < options.users; i += step) {
    engine.Apply(population.refs()[i], leave, population.now());
  }
  MeasureCopy("10,000 who changed", engine, population.now(), since);
}

}  // namespace

int RunWatches(const WatchesOptions& options) {
  constexpr std::size_t kSet = limits::kMaxWatchedUsers;
  // Users whom one watch is of, and ten; small sets; ten users whom all are of.
  MeasurePairs(options.pairs, kSet, options.pairs, options.shards);
  MeasurePairs(options.pairs, 1'000, options.pairs / 10, options.shards);
  MeasurePairs(options.pairs, 10, options.pairs / 10, options.shards);
  MeasurePairs(options.pairs, 10, 10, options.shards);
  MeasureCopies(options);
  return 0;
}

}  // namespace lifesign::bench
