// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/simulate/ledger.h"

#include <algorithm>

namespace lifesign::simulate {
namespace {

// Of a session: what is older is older than any record under way.
constexpr std::size_t kKeptStretches = 8;
// Of a user: below the oldest one kept every revision counts as received.
constexpr std::size_t kKeptRevisions = 256;
constexpr std::size_t kKeptNames = 10;
constexpr std::size_t kKeptDelays = 1'000;

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

}  // namespace

Ledger::Session& Ledger::SessionOf(absl::string_view user,
                                   SessionNumber session) {
  std::vector<Session>& sessions = users_[user].sessions;
  for (Session& known : sessions) {
    if (known.number == session) return known;
  }
  sessions.push_back({session, {}});
  return sessions.back();
}

void Ledger::Answered(absl::string_view user, SessionNumber session,
                      Duration at) {
  MutexLock lock(mutex_);
  std::deque<Alive>& alive = SessionOf(user, session).alive;
  if (!alive.empty() && alive.back().until >= at) {
    // Back before its promise had run out: it never broke it.
    alive.back().until = Duration::max();
    return;
  }
  alive.push_back({at, Duration::max()});
  if (alive.size() > kKeptStretches) alive.pop_front();
}

void Ledger::SilentFrom(absl::string_view user, SessionNumber session,
                        Duration until) {
  MutexLock lock(mutex_);
  std::deque<Alive>& alive = SessionOf(user, session).alive;
  if (alive.empty()) return;
  alive.back().until = std::min(alive.back().until, until);
}

void Ledger::Received(const v1::WatchPresenceResponse& response, Duration at) {
  MutexLock lock(mutex_);
  ++totals_.messages;
  if (response.has_synced()) Learn(response.synced().read_time(), at);
  if (response.has_progress()) Learn(response.progress().read_time(), at);
  // A change is told after it was made: its time is a lower bound, too.
  for (const v1::PresenceRecord& record : response.changes()) {
    if (record.has_since()) Learn(record.since(), at);
  }
  for (const v1::PresenceRecord& record : response.snapshot()) {
    Take(record, at);
  }
  for (const v1::PresenceRecord& record : response.changes()) {
    if (!Take(record, at) || !record.has_since()) continue;
    delays_.push_back(at - OnOurClock(record.since()));
    if (delays_.size() > kKeptDelays) delays_.pop_front();
  }
}

Duration Ledger::OnOurClock(
    const google::protobuf::Timestamp& server_time) const {
  return absl::ToChronoMicroseconds(TimeOf(server_time) - *server_start_);
}

void Ledger::Learn(const google::protobuf::Timestamp& server_time,
                   Duration at) {
  const absl::Time start = TimeOf(server_time) - absl::FromChrono(at);
  server_start_ = std::max(server_start_.value_or(start), start);
}

bool Ledger::Take(const v1::PresenceRecord& record, Duration at) {
  ++totals_.records;
  User& user = users_[record.user_id()];
  if (record.revision() != 0 && !IsNew(user, record.revision())) return false;
  // Of a user whom the server does not remember it says no `since`, and what
  // revision it says is its shard's: nothing has changed.
  if (record.has_since()) ++totals_.changes;
  if (record.state() != v1::PRESENCE_STATE_OFFLINE) return true;
  Duration since = at;
  if (record.has_since() && server_start_.has_value()) {
    since = OnOurClock(record.since());
  }
  if (!WasAlive(user, since)) return true;
  ++totals_.false_offline;
  if (falsely_offline_.size() < kKeptNames) {
    falsely_offline_.push_back(record.user_id());
  }
  return true;
}

bool Ledger::IsNew(User& user, std::uint64_t revision) {
  std::set<std::uint64_t>& revisions = user.revisions;
  if (revisions.size() == kKeptRevisions && revision < *revisions.begin()) {
    return false;
  }
  if (!revisions.insert(revision).second) return false;
  if (revisions.size() > kKeptRevisions) revisions.erase(revisions.begin());
  return true;
}

bool Ledger::WasAlive(const User& user, Duration at) {
  for (const Session& session : user.sessions) {
    for (const Alive& alive : session.alive) {
      // `until` may be the end of time: nothing is added to it.
      if (at - kClockMargin >= alive.from && at < alive.until - kClockMargin) {
        return true;
      }
    }
  }
  return false;
}

Ledger::Totals Ledger::totals() const {
  MutexLock lock(mutex_);
  return totals_;
}

Duration Ledger::delay_p99() const {
  MutexLock lock(mutex_);
  if (delays_.empty()) return Duration::zero();
  std::vector<Duration> delays(delays_.begin(), delays_.end());
  const auto p99 = delays.begin() +
                   static_cast<std::ptrdiff_t>((delays.size() - 1) * 99 / 100);
  std::nth_element(delays.begin(), p99, delays.end());
  return *p99;
}

std::vector<std::string> Ledger::falsely_offline() const {
  MutexLock lock(mutex_);
  return falsely_offline_;
}

}  // namespace lifesign::simulate
