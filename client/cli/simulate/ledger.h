// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What the watchers of a simulation were told, and whether it was true.
//
// Knows no gRPC: it is told what the fleet did and what came over the wire,
// each with the instant, and counts. Two figures come of it:
//
//  * changes: distinct (user, revision) that any watcher received, in snapshots
//    or after; what the server says of users it does not remember is none.
//
//  * false_offline: such records that say OFFLINE of a user who had, at the
//    instant from which the server says so (`since`), a session that was alive
//    and beating: its open had been answered, and it had neither left nor
//    broken its promise. A session that lost its network or died keeps its
//    promise until the promised interval has run out; from then on, and as long
//    as it is not back and answered, nothing is counted. That the interval is
//    kept at all is the doing of the client library.
//
//  * delays: of the changes that watchers received as they happened, how long
//    after `since` the first of them did.
//
// `since` is of the server's clock. How far that is from ours is read off what
// the server sends: of all its times, the one that came with the least delay.
// The rest of the error is a message's delay, so within kClockMargin of the
// session's beginning and end nothing is counted either.
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_LEDGER_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_LEDGER_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "client/cli/simulate/behaviour.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/base/mutex.h"

namespace lifesign::simulate {

inline constexpr Duration kClockMargin = std::chrono::milliseconds(250);

// Instants are durations since the simulation began, on a clock that never
// jumps; those of one session must not run backwards. Thread-safe.
class Ledger {
 public:
  // Names a session of the simulation.
  using SessionNumber = std::uint32_t;

  // The server answered an open of the session, at latest at `at`.
  void Answered(absl::string_view user, SessionNumber session, Duration at);

  // The session's promise holds until `until`, unless it is answered again:
  // it left (then at once), lost its network, or died.
  void SilentFrom(absl::string_view user, SessionNumber session,
                  Duration until);

  // A watcher received `response` at `at`.
  void Received(const v1::WatchPresenceResponse& response, Duration at);

  struct Totals {
    std::uint64_t messages = 0;  // of watches
    std::uint64_t records = 0;   // in them, also what other watchers had
    std::uint64_t changes = 0;
    std::uint64_t false_offline = 0;
  };
  Totals totals() const;
  // The longest delay of 99 in 100 of the last changes; 0 before the first.
  // Delays are above the least one, which is taken for none.
  Duration delay_p99() const;
  // The users of false_offline, the first few: whom to explain.
  std::vector<std::string> falsely_offline() const;

 private:
  struct Alive {
    Duration from;
    Duration until;
  };
  struct Session {
    SessionNumber number;
    // The newest last.
    std::deque<Alive> alive;
  };
  struct User {
    std::vector<Session> sessions;
    // The newest revisions received.
    std::set<std::uint64_t> revisions;
  };

  Session& SessionOf(absl::string_view user, SessionNumber session)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Learn(const google::protobuf::Timestamp& server_time, Duration at)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // True if it is news.
  bool Take(const v1::PresenceRecord& record, Duration at)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of the server's clock, on ours.
  Duration OnOurClock(const google::protobuf::Timestamp& server_time) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static bool IsNew(User& user, std::uint64_t revision);
  static bool WasAlive(const User& user, Duration at);

  mutable Mutex mutex_;
  absl::flat_hash_map<std::string, User> users_ ABSL_GUARDED_BY(mutex_);
  // What the server's clock says when ours says 0: at least this.
  absl::optional<absl::Time> server_start_ ABSL_GUARDED_BY(mutex_);
  Totals totals_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> falsely_offline_ ABSL_GUARDED_BY(mutex_);
  // The newest last.
  std::deque<Duration> delays_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_LEDGER_H_
