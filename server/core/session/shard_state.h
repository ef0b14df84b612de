// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a shard of the session map holds.
#ifndef LIFESIGN_SERVER_CORE_SESSION_SHARD_STATE_H_
#define LIFESIGN_SERVER_CORE_SESSION_SHARD_STATE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "server/base/limits.h"
#include "server/base/mutex.h"
#include "server/base/timing_wheel.h"
#include "server/core/availability/availability_table.h"
#include "server/core/availability/veil.h"
#include "server/core/derive/confidence.h"
#include "server/core/policy/policy.h"
#include "server/core/query/counts_by_view.h"
#include "server/core/query/list.h"
#include "server/core/room/member_change.h"
#include "server/core/session/hidden_users.h"
#include "server/core/session/intent_table.h"
#include "server/core/session/policy_table.h"
#include "server/core/session/records.h"
#include "server/core/session/room_table.h"
#include "server/core/session/slab.h"
#include "server/core/session/slot_stamps.h"
#include "server/core/signal/signal.h"
#include "server/core/time.h"
#include "server/core/watch/change.h"
#include "server/core/watch/outbox.h"
#include "server/core/watch/watch.h"

namespace lifesign {

struct ShardOptions {
  std::uint32_t index = 0;  // of this shard, for SessionRef
  std::shared_ptr<const Policy> policy;
  Revision epoch = 0;
  // Attachments are numbered from here.
  Attachment first_attachment = 1;
  std::uint64_t hash_seed = 0;
  int max_sessions_per_user = limits::kMaxSessionsPerUser;
  std::int64_t max_retained_users = limits::kMaxRetainedUsers;
  std::int64_t max_declared_availabilities = limits::kMaxDeclaredAvailabilities;
  // Outlives the shard.
  const Listings* listings = nullptr;
};

// A shard's lock, what it guards, and how that is found: no more. What it means
// and how it changes is SessionShard's, which this is the base of.
class ShardState {
 public:
  ShardState(const ShardState&) = delete;
  ShardState& operator=(const ShardState&) = delete;

  // The hash by which users are sharded and found.
  static std::uint64_t HashUser(absl::string_view user, std::uint64_t seed);

 protected:
  // Users are found by their ids and kept as slots: half the size of pointers.
  struct UserHash {
    using is_transparent = void;
    const Slab<User>* users;
    std::uint64_t seed;
    std::size_t operator()(std::uint32_t slot) const;
    std::size_t operator()(absl::string_view id) const;
  };
  struct UserEq {
    using is_transparent = void;
    const Slab<User>* users;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
    bool operator()(std::uint32_t slot, absl::string_view id) const;
    bool operator()(absl::string_view id, std::uint32_t slot) const {
      return (*this)(slot, id);
    }
  };

  // Of the current policy and a class of device.
  struct Usual {
    std::uint32_t interval_ms;  // promised to who is active
    Duration silence;           // the longest that is not counted
    Duration active;            // ACTIVE for so long after an activity
  };
  static std::array<Usual, kDeviceClasses> UsualOf(const Policy& policy);

  // A copy by the log that is under way, and whom it visits next.
  struct LogWalk {
    const Watch* watch;
    std::uint32_t next;
  };

  ShardState(const ShardOptions& options, const Now& start);
  ~ShardState();

  // `now`, but not before any that was held.
  Now Hold(const Now& now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    last_presence_ = std::max(last_presence_, now.presence);
    last_real_ = std::max(last_real_, now.real);
    return {last_presence_, last_real_, now.wall};
  }
  // The public record of `user`, all that there is of most.
  User* FindUser(absl::string_view user, std::uint64_t hash)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Session* FindSession(const User& user, absl::string_view session)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Asks for the memory of a user's sessions, of all at once if they are two.
  void PrefetchSessions(const User& user) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  const Policy& PolicyOf(const Session& session) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return policies_[session.policy];
  }
  const PolicyRow& RowOf(const Session& session) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return PolicyOf(session).RowFor(session.device);
  }
  bool Ended(const Session& session, const Now& now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return session.Ended(RowOf(session), now.presence);
  }
  std::uint32_t SlotOf(const Session& session, const User& user) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Constant after construction.
  const Listings* const listings_;

  // Before the interest index and the watches.
  mutable Mutex mutex_;
  mutable PresenceTime last_presence_ ABSL_GUARDED_BY(mutex_);
  mutable RealTime last_real_ ABSL_GUARDED_BY(mutex_);
  PolicyTable policies_ ABSL_GUARDED_BY(mutex_);
  std::array<Usual, kDeviceClasses> usual_ ABSL_GUARDED_BY(mutex_);
  Slab<Session, SessionChunk> sessions_ ABSL_GUARDED_BY(mutex_);
  Slab<User> users_ ABSL_GUARDED_BY(mutex_);
  // Full and not made huge, or null.
  void* small_pages_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // By listing numbers: which listings a user was there before.
  SlotStamps user_stamps_ ABSL_GUARDED_BY(mutex_);
  // Likewise, of those who are invisible: since when no public record of them
  // was there to be met before.
  SlotStamps hidden_stamps_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::uint32_t, UserHash, UserEq> by_id_
      ABSL_GUARDED_BY(mutex_);
  TimingWheelOf<SessionRest> wheel_ ABSL_GUARDED_BY(mutex_);
  // Users in the order of their last change; those without sessions, in the
  // order in which they became so.
  SlabList<User, &User::in_log> log_ ABSL_GUARDED_BY(mutex_);
  SlabList<User, &User::links> retained_ ABSL_GUARDED_BY(mutex_);
  // The newest revision of those forgotten; and of what they were in truth.
  Revision forgotten_up_to_ ABSL_GUARDED_BY(mutex_) = 0;
  Revision forgotten_beside_up_to_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<LogWalk> log_walks_ ABSL_GUARDED_BY(mutex_);
  AvailabilityTable availability_ ABSL_GUARDED_BY(mutex_);
  HiddenUsers hidden_ ABSL_GUARDED_BY(mutex_);
  // Of public records, by their slots.
  absl::flat_hash_map<std::uint32_t, Veil> veils_ ABSL_GUARDED_BY(mutex_);
  CountsByView counts_ ABSL_GUARDED_BY(mutex_);
  // Since they were last left with a tick.
  bool counts_moved_ ABSL_GUARDED_BY(mutex_) = false;
  Outbox outbox_ ABSL_GUARDED_BY(mutex_);
  RoomTable rooms_ ABSL_GUARDED_BY(mutex_);
  // Sessions of guests that are about to go over, by their slots.
  absl::flat_hash_set<std::uint32_t> merging_ ABSL_GUARDED_BY(mutex_);
  // Of users who are User::merged: whom they turned out to be.
  absl::flat_hash_map<std::uint32_t, std::shared_ptr<const std::string>>
      merged_into_ ABSL_GUARDED_BY(mutex_);
  IntentTable intents_ ABSL_GUARDED_BY(mutex_);
  RoomNews news_ ABSL_GUARDED_BY(mutex_);
  Attachment next_attachment_ ABSL_GUARDED_BY(mutex_);
  // Of users who are invisible: those of others do not tell of them.
  Attachment next_hidden_attachment_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const ConfidenceTable> confidence_ ABSL_GUARDED_BY(mutex_);
  // For silences that began before confidence_since_.
  std::shared_ptr<const ConfidenceTable> confidence_before_
      ABSL_GUARDED_BY(mutex_);
  PresenceTime confidence_since_ ABSL_GUARDED_BY(mutex_);
  SilenceCounts silences_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_SHARD_STATE_H_
