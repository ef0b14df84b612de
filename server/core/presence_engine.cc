// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/presence_engine.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace lifesign {
namespace {

ShardOptions OptionsOfShards(const PresenceEngine::Options& options,
                             const Listings& listings) {
  SessionShard::Options shard;
  shard.policy = std::make_shared<const Policy>(options.policy);
  shard.epoch = options.epoch;
  shard.hash_seed = options.hash_seed;
  shard.max_sessions_per_user = options.max_sessions_per_user;
  shard.max_retained_users = options.max_retained_users;
  shard.listings = &listings;
  shard.max_declared_availabilities = options.max_declared_availabilities;
  return shard;
}

// Signals of one call by their shard, those of a shard in their order: a
// counting sort, which is exact up to so many shards and beyond them lets some
// locks be taken more than once.
constexpr std::size_t kBuckets = 64;

void SortByShard(absl::Span<BoundSignal> signals,
                 std::array<BoundSignal*, limits::kSignalsPerLock>& sorted) {
  // ends[b]: where the next one of bucket b goes.
  std::array<std::uint16_t, kBuckets + 1> ends = {};
  for (const BoundSignal& one : signals) ++ends[one.ref.shard % kBuckets + 1];
  for (std::size_t b = 1; b <= kBuckets; ++b) {
    ends[b] = static_cast<std::uint16_t>(ends[b] + ends[b - 1]);
  }
  for (BoundSignal& one : signals) {
    sorted[ends[one.ref.shard % kBuckets]++] = &one;
  }
}

}  // namespace

PresenceEngine::PresenceEngine(Options options, const Now& start)
    : options_(std::move(options)),
      reconverging_until_(
          SaturatingAdd(start.presence, options_.policy.Reconvergence())),
      map_(options_.shards, OptionsOfShards(options_, listings_), start),
      rooms_(options_.epoch, start.real, options_.encode_rooms),
      published_up_to_(options_.epoch),
      policy_(options_.policy),
      counts_as_of_(start),
      counts_of_shards_(map_.size()),
      last_exchange_(start.presence),
      next_exchange_(
          SaturatingAdd(start.presence, options_.policy.LongestTtl())) {}

void PresenceEngine::AnnounceChanges() {
  if (changes_announced_.exchange(true, std::memory_order_acq_rel)) return;
  if (options_.on_changes) options_.on_changes();
}

OpenOutcome PresenceEngine::Open(const OpenRequest& request, const Now& now) {
  if (!request.guest.empty()) return OpenForGuest(request, now);
  const SessionMap::Place place = map_.Find(request.name.user);
  const OpenOutcome outcome = place.shard.Open(request, place.hash, now);
  Announce(place.shard);
  return outcome;
}

SignalOutcome PresenceEngine::Apply(const SessionRef& ref, const Signal& signal,
                                    const Now& now) {
  SessionShard& shard = map_.shard(ref.shard);
  shard.Prefetch(ref);
  const SignalOutcome outcome = shard.Apply(ref, signal, now);
  Announce(shard);
  return outcome;
}

void PresenceEngine::ApplyAll(absl::Span<BoundSignal> signals, const Now& now) {
  if (signals.size() == 1) {
    signals[0].outcome = Apply(signals[0].ref, signals[0].signal, now);
    return;
  }
  assert(signals.size() <= limits::kSignalsPerLock);
  // Their memory is on its way while they are sorted and the first are applied.
  for (const BoundSignal& one : signals) {
    map_.shard(one.ref.shard).Prefetch(one.ref);
  }
  std::array<BoundSignal*, limits::kSignalsPerLock> sorted;
  SortByShard(signals, sorted);
  for (std::size_t begin = 0; begin < signals.size();) {
    const std::uint32_t index = sorted[begin]->ref.shard;
    std::size_t end = begin + 1;
    while (end < signals.size() && sorted[end]->ref.shard == index) ++end;
    SessionShard& shard = map_.shard(index);
    shard.ApplyAll(absl::MakeConstSpan(&sorted[begin], end - begin), now);
    Announce(shard);
    begin = end;
  }
}

SignalOutcome PresenceEngine::ApplyDeclaring(const SessionRef& ref,
                                             const Signal& signal,
                                             const Declaration& declaration,
                                             const Now& now) {
  SessionShard& shard = map_.shard(ref.shard);
  const SignalOutcome outcome =
      shard.ApplyDeclaring(ref, signal, declaration, now);
  Announce(shard);
  return outcome;
}

SignalOutcome PresenceEngine::ApplyUnary(const SessionName& name,
                                         Attachment attachment,
                                         const Signal& signal, const Now& now,
                                         const Declaration& declaration) {
  const SessionMap::Place place = map_.Find(name.user);
  const SignalOutcome outcome = place.shard.ApplyUnary(
      name, place.hash, attachment, signal, declaration, now);
  Announce(place.shard);
  return outcome;
}

Refusal PresenceEngine::Declare(absl::string_view user,
                                const AvailabilityDeclaration& declaration,
                                const Now& now) {
  const SessionMap::Place place = map_.Find(user);
  const Refusal refusal =
      place.shard.Declare(user, place.hash, declaration, now);
  Announce(place.shard);
  return refusal;
}

void PresenceEngine::Disconnect(const SessionRef& ref, const Now& now) {
  map_.shard(ref.shard).Disconnect(ref, now);
}

bool PresenceEngine::IsBound(const SessionRef& ref, const Now& now) const {
  return map_.shard(ref.shard).IsBound(ref, now);
}

UserView PresenceEngine::GetUser(absl::string_view user, const Now& now,
                                 View view) {
  const SessionMap::Place place = map_.Find(user);
  UserView read = place.shard.GetUser(user, place.hash, view, now);
  Announce(place.shard);
  return read;
}

std::vector<SessionView> PresenceEngine::ListSessions(absl::string_view user,
                                                      const Now& now,
                                                      View view) {
  const SessionMap::Place place = map_.Find(user);
  std::vector<SessionView> views =
      place.shard.ListSessions(user, place.hash, view, now);
  Announce(place.shard);
  return views;
}

UserExplanation PresenceEngine::Explain(absl::string_view user, const Now& now,
                                        absl::string_view room, View view) {
  const SessionMap::Place place = map_.Find(user);
  UserExplanation explanation =
      place.shard.Explain(user, place.hash, room, view, now);
  Announce(place.shard);
  return explanation;
}

PresencePage PresenceEngine::List(const ListFilter& filter,
                                  const absl::optional<ListPlace>& from,
                                  std::size_t most, const Now& now) {
  if (!filter.room.empty()) return ListRoom(filter, from, most, now);
  PresencePage page;
  ListPlace place = from.value_or(ListPlace());
  if (!from.has_value()) place.listing = listings_.Begin();
  std::uint32_t budget = limits::kListedSlotsPerPage;
  while (place.shard < map_.size() && budget > 0 && page.users.size() < most) {
    SessionShard& shard = map_.shard(place.shard);
    const std::uint32_t begin = place.slot;
    const bool more = shard.List(filter, place.listing, most,
                                 std::min(budget, limits::kListedSlotsPerLock),
                                 place.slot, now, page.users);
    Announce(shard);
    // The lock is counted too: there may be many shards with nobody in them.
    budget -= std::min(
        budget, std::min(place.slot - begin, limits::kListedSlotsPerLock) + 1);
    if (!more) place = {place.listing, place.shard + 1, 0};
  }
  if (place.shard < map_.size()) page.next = place;
  return page;
}

TickReport PresenceEngine::Tick(const Now& now) {
  TickReport report;
  int fell_stale = 0;
  // At most one of them a tick.
  SessionShard* has_small_pages = nullptr;
  bool counts_moved = false;
  // One turn of each shard at a time, so that a crowd in one does not keep the
  // others waiting.
  bool more = true;
  while (more) {
    more = false;
    for (std::size_t i = 0; i < map_.size(); ++i) {
      SessionShard& shard = map_.shard(i);
      const SessionShard::TickResult result =
          shard.Tick(now, counts_of_shards_[i]);
      report.deadlines += result.deadlines;
      report.worst_lag = std::max(report.worst_lag, result.worst_lag);
      fell_stale += result.fell_stale;
      more |= result.more;
      counts_moved |= result.counts_moved;
      if (result.has_small_pages && has_small_pages == nullptr) {
        has_small_pages = &shard;
      }
      Announce(shard);
    }
  }
  SumCounts(counts_moved, now);
  if (has_small_pages != nullptr) has_small_pages->MakeMemoryHuge();
  TickRooms(now);
  report.sessions = sessions();
  report.mass_silence =
      silence_watch_.Observe(fell_stale, report.sessions, now.presence);
  report.fell_silent = silence_watch_.fell();
  if (now.presence >= next_exchange_) ExchangeConfidence(now);
  return report;
}

void PresenceEngine::SumCounts(bool moved, const Now& now) {
  CountsByView sum;
  if (moved) {
    for (const CountsByView& counts : counts_of_shards_) sum += counts;
  }
  MutexLock lock(counts_mutex_);
  if (moved) counts_ = sum;
  counts_as_of_ = now;
}

CountsView PresenceEngine::Counts(View view) const {
  MutexLock lock(counts_mutex_);
  return {counts_.In(view), counts_as_of_};
}

Duration PresenceEngine::LongestTtlInUse() const {
  Duration longest = policy().LongestTtl();
  for (std::size_t i = 0; i < map_.size(); ++i) {
    longest = std::max(longest, map_.shard(i).LongestTtl());
  }
  return longest;
}

void PresenceEngine::ExchangeConfidence(const Now& now) {
  // Not sooner: then a silence meets one exchange at most, and keeps the table
  // that was in force when it began. A policy before this one may have had a
  // longer ttl, and sessions that have not spoken since.
  next_exchange_ = SaturatingAdd(last_exchange_, LongestTtlInUse());
  if (now.presence < next_exchange_) return;
  // Two passes would be needed to learn also from what this exchange brings;
  // it serves the next table instead.
  const auto table = std::make_shared<const ConfidenceTable>(
      learned_.Learn(ShippedConfidence(), limits::kShippedConfidenceWeight));
  // A small server remembers for longer: what it has seen must outweigh what it
  // was shipped with.
  if (learned_.total() > limits::kSilencesRemembered) learned_.Halve();
  for (std::size_t i = 0; i < map_.size(); ++i) {
    learned_.Merge(map_.shard(i).ExchangeConfidence(table, now));
  }
  last_exchange_ = now.presence;
  next_exchange_ = SaturatingAdd(now.presence, policy().LongestTtl());
}

absl::optional<PresenceTime> PresenceEngine::ReconvergingUntil(
    const Now& now) const {
  if (now.presence >= reconverging_until_) return absl::nullopt;
  return reconverging_until_;
}

void PresenceEngine::SetPolicy(const Policy& policy) {
  const auto shared = std::make_shared<const Policy>(policy);
  {
    MutexLock lock(policy_mutex_);
    policy_ = policy;
  }
  for (std::size_t i = 0; i < map_.size(); ++i) map_.shard(i).SetPolicy(shared);
}

Policy PresenceEngine::policy() const {
  MutexLock lock(policy_mutex_);
  return policy_;
}

std::vector<PresenceRecord> PresenceEngine::CopyAndRegister(
    const std::shared_ptr<Watch>& watch, absl::Span<const std::string> users,
    const Now& now, Revision since) {
  std::vector<PresenceRecord> records;
  if (since == 0) records.reserve(users.size());
  for (const std::string& user : users) {
    const SessionMap::Place place = map_.Find(user);
    place.shard.CopyAndRegister(watch, user, place.hash, since, now, records);
    Announce(place.shard);
  }
  return records;
}

void PresenceEngine::Unregister(const Watch& watch,
                                absl::Span<const std::string> users) {
  for (const std::string& user : users) {
    map_.Find(user).shard.Unregister(watch, user);
  }
}

PresenceEngine::AllSlice PresenceEngine::CopyAllAndRegister(
    const std::shared_ptr<Watch>& watch, std::size_t most, AllCopy& copy,
    const Now& now) {
  AllSlice slice;
  SessionShard& shard = map_.shard(copy.shard);
  auto step = SessionShard::CopyStep::kMore;
  if (copy.order == CopyOrder::kBySlot) {
    step = shard.CopyBySlot(
        watch, copy.told.empty() ? nullptr : &copy.told[copy.shard], most,
        copy.slot, now, slice.records);
  } else {
    step = shard.CopyByLog(watch, copy.told[copy.shard], most, copy.slot == 0,
                           now, slice.records);
    copy.slot = 1;
  }
  Announce(shard);
  slice.compacted = step == SessionShard::CopyStep::kCompacted;
  if (step == SessionShard::CopyStep::kDone) {
    ++copy.shard;
    copy.slot = 0;
  }
  return slice;
}

Revision PresenceEngine::forgotten_up_to(View view) const {
  Revision up_to = 0;
  for (std::size_t i = 0; i < map_.size(); ++i) {
    up_to = std::max(up_to, map_.shard(i).forgotten_up_to(view));
  }
  return up_to;
}

PresenceEngine::AllTold PresenceEngine::UnregisterAll(const Watch& watch,
                                                      Revision since) {
  AllTold told(map_.size());
  for (std::size_t i = 0; i < map_.size(); ++i) {
    if (auto known = map_.shard(i).UnregisterAll(watch)) {
      told[i] = *std::move(known);
    } else {
      told[i].up_to = since;
    }
  }
  return told;
}

void PresenceEngine::NoteTold(const Watch& watch, const Change& change) {
  map_.Find(change.after.user)
      .shard.NoteTold(watch, change.after.user, change.after.revision);
}

void PresenceEngine::TellAndRegister(const std::shared_ptr<Await>& await,
                                     const Now& now) {
  const std::vector<std::string>& users = await->terms().users;
  for (std::size_t i = 0; i < users.size(); ++i) {
    const SessionMap::Place place = map_.Find(users[i]);
    place.shard.TellAndRegister(await, i, place.hash, now);
    Announce(place.shard);
  }
  const std::vector<Predicate>& predicates = await->terms().predicates;
  for (std::size_t i = 0; i < predicates.size(); ++i) {
    if (predicates[i].place.has_value()) rooms_.TellAndRegister(await, i, now);
  }
}

void PresenceEngine::Unregister(const Await& await) {
  for (const std::string& user : await.terms().users) {
    map_.Find(user).shard.Unregister(await, user);
  }
  for (const Predicate& predicate : await.terms().predicates) {
    if (predicate.place.has_value()) {
      rooms_.Unregister(predicate.place->room, await);
    }
  }
}

void PresenceEngine::Publish(const Now& now, const Encode& encode) {
  // Before looking: a change that comes after its shard was looked at announces
  // itself again.
  changes_announced_.store(false, std::memory_order_release);
  // What their users were told lies in the outboxes by now, and is told first.
  const std::vector<Merge> merges = TakeMerges();
  ToWake to_wake;
  Revision up_to = UINT64_MAX;
  for (std::size_t i = 0; i < map_.size(); ++i) {
    up_to = std::min(up_to, PublishShard(map_.shard(i), now, encode, to_wake));
  }
  for (const Merge& merge : merges) FinishMerge(merge, now, encode, to_wake);
  published_up_to_.store(up_to, std::memory_order_release);
  if (!ReconvergingUntil(now).has_value()) {
    rooms_reconverged_.store(true, std::memory_order_release);
  }
  to_wake.WakeAll();
}

Revision PresenceEngine::PublishShard(SessionShard& shard, const Now& now,
                                      const Encode& encode, ToWake& to_wake) {
  const Revision up_to =
      shard.Publish(now, encode, to_wake.watches, to_wake.awaits);
  if (shard.HasRoomNews()) {
    rooms_.Apply(shard.TakeRoomNews(), now, encode, to_wake);
  }
  return up_to;
}

std::int64_t PresenceEngine::sessions() const {
  std::int64_t sessions = 0;
  for (std::size_t i = 0; i < map_.size(); ++i) {
    sessions += map_.shard(i).sessions();
  }
  return sessions;
}

std::int64_t PresenceEngine::users() const {
  std::int64_t users = 0;
  for (std::size_t i = 0; i < map_.size(); ++i) users += map_.shard(i).users();
  return users;
}

}  // namespace lifesign
