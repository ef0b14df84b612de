// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/session/session_shard.h"

#include <algorithm>
#include <utility>

#include "server/base/limits.h"

namespace lifesign {

SessionShard::SessionShard(Options options, const Now& start)
    : RoomedState(options, start),
      options_(std::move(options)),
      start_(start.presence) {}

SessionShard::~SessionShard() = default;

// --- Time ---

void SessionShard::FileDeadline(Session& session, PresenceTime next_change) {
  PresenceTime next = std::min(next_change, session.LingerUntil());
  if (session.Has(kWaiting)) next = std::min(next, session.TokenAt());
  if (next == kNever) return;
  const std::int64_t deadline = next.time_since_epoch().count();
  // A later one is left where it is: when the filed one fires, this one is
  // looked up again. So the usual heartbeat does not touch the wheel.
  if (session.deadline <= deadline) return;
  wheel_.File(session.rest(), deadline);
}

void SessionShard::End(Session& session, const Now& now) {
  User& user = UserOf(session);
  if (MayLearnFrom(session)) {
    silences_.Count(session.SilenceAt(PolicyOf(session), now.presence), false);
  }
  SetEvaluated(session, State::kOffline);
  if (user.in_rooms) LeaveRooms(user, session, LeftBy(session, now));
  KeepTimesOf(session, user);
  std::uint32_t before = kNoSlot;
  std::uint32_t slot = user.first_session();
  while (&sessions_[slot] != &session) {
    before = slot;
    slot = sessions_[slot].rest().next_of_user;
  }
  const std::uint32_t after = session.rest().next_of_user;
  (before == kNoSlot ? user.links.before
                     : sessions_[before].rest().next_of_user) = after;
  if (after == kNoSlot) user.links.after = before;
  --user.sessions;
  wheel_.Cancel(session.rest());
  session.deadline = Session::kNotFiled;
  policies_.Release(session.policy);
  session.rest().user = kNoSlot;
  session.attachment = kNoAttachment;
  session.flags = 0;
  session.rest().extras.reset();
  session.rest().id.Assign("");
  if (!merging_.empty()) merging_.erase(slot);
  sessions_.Free(slot);
  session_count_.fetch_sub(1, std::memory_order_relaxed);
}

SessionShard::TickResult SessionShard::Tick(const Now& now,
                                            CountsByView& counts) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  TickResult result;
  int budget = limits::kDeadlinesPerLock;
  const std::int64_t presence = held.presence.time_since_epoch().count();
  // All, then their users, then those users' sessions are asked for before any
  // is looked at: so memory is waited for once, not once each.
  std::array<Session*, limits::kDeadlinesPerLock> due;
  std::size_t count = 0;
  while (SessionRest* timer = wheel_.PopDue(presence, budget)) {
    const Duration lag(presence - timer->deadline());
    result.worst_lag = std::max(result.worst_lag, lag);
    timer->set_deadline(Session::kNotFiled);
    __builtin_prefetch(&UserOf(timer->session()), /*for writing*/ 1);
    due[count++] = &timer->session();
  }
  for (std::size_t i = 0; i < count; ++i) {
    PrefetchSessions(UserOf(*due[i]));
  }
  for (std::size_t i = 0; i < count; ++i) HandleDeadline(*due[i], held, result);
  result.deadlines = static_cast<int>(count);
  result.more = budget <= 0;
  // Who is visible again is not forgotten.
  if (!availability_.empty()) RevertAvailabilities(held, budget, result);
  result.more |= ForgetUsers(held);
  if (hidden_.retained() > 0) result.more |= ForgetHiddenUsers(held);
  if (small_pages_ == nullptr) small_pages_ = sessions_.TakeFullRegion();
  if (small_pages_ == nullptr) small_pages_ = users_.TakeFullRegion();
  result.has_small_pages = small_pages_ != nullptr;
  if (!result.more && counts_moved_) {
    counts = counts_;
    counts_moved_ = false;
    result.counts_moved = true;
  }
  return result;
}

void SessionShard::MakeMemoryHuge() {
  void* region = nullptr;
  {
    MutexLock lock(mutex_);
    region = std::exchange(small_pages_, nullptr);
  }
  if (region != nullptr) HugePageRegions::MakeHuge(region);
}

void SessionShard::HandleDeadline(Session& session, const Now& now,
                                  TickResult& result) {
  SettleUserOf(session, now);
  ApplyWaitingOf(UserOf(session), now);
  User& user = UserOf(session);
  if (!Ended(session, now)) {
    const Derivation derived = DeriveAt(session, now.presence);
    if (derived.state == State::kStale) ++result.fell_stale;
    FileDeadline(session, derived.next_change);
    Evaluate(user, now);
    return;
  }
  const Left left[] = {LeftBy(session, now)};
  End(session, now);
  Evaluate(user, now, left);
}

void SessionShard::SetPolicy(std::shared_ptr<const Policy> policy) {
  MutexLock lock(mutex_);
  usual_ = UsualOf(*policy);
  policies_.Set(std::move(policy));
}

Duration SessionShard::LongestTtl() const {
  MutexLock lock(mutex_);
  return policies_.LongestTtl();
}

Revision SessionShard::Publish(const Now& now, const ChangeEncoder& encode,
                               std::vector<std::shared_ptr<Watch>>& to_wake,
                               std::vector<std::shared_ptr<Await>>& decided) {
  std::vector<Change> changes;
  Revision watermark = 0;
  {
    MutexLock lock(mutex_);
    changes = outbox_.TakeAll();
    has_changes_.store(false, std::memory_order_relaxed);
    watermark = outbox_.Watermark(Hold(now).real);
  }
  // Without the shard's lock: heartbeats go on meanwhile. A watch that is
  // registered between has copied these changes already, and the index knows.
  for (Change& change : changes) {
    awaits_.Tell(change, decided);
    interest_.Deliver(std::move(change), encode, to_wake);
  }
  return watermark;
}

SilenceCounts SessionShard::ExchangeConfidence(
    std::shared_ptr<const ConfidenceTable> table, const Now& now) {
  MutexLock lock(mutex_);
  confidence_before_ = std::exchange(confidence_, std::move(table));
  confidence_since_ = Hold(now).presence;
  return std::exchange(silences_, SilenceCounts());
}

RoomNews SessionShard::TakeRoomNews() {
  MutexLock lock(mutex_);
  has_room_news_.store(false, std::memory_order_relaxed);
  return std::exchange(news_, RoomNews());
}

std::int64_t SessionShard::users() const {
  MutexLock lock(mutex_);
  return static_cast<std::int64_t>(by_id_.size());
}

}  // namespace lifesign
