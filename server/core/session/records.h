// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a shard keeps of a session and of a user. Packed: a session and its
// share of a user take at most 200 bytes beside their ids.
#ifndef LIFESIGN_SERVER_CORE_SESSION_RECORDS_H_
#define LIFESIGN_SERVER_CORE_SESSION_RECORDS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "server/base/inline_id.h"
#include "server/base/limits.h"
#include "server/base/timing_wheel.h"
#include "server/core/availability/availability.h"
#include "server/core/derive/confidence.h"
#include "server/core/derive/derive_state.h"
#include "server/core/policy/policy.h"
#include "server/core/presence_state.h"
#include "server/core/reduce/reduce_user.h"
#include "server/core/session/slab.h"
#include "server/core/signal/signal.h"
#include "server/core/time.h"
#include "server/core/watch/change.h"

namespace lifesign {

// The rate at which a session's signals are looked at: one each kRateInterval,
// and up to limits::kSignalBurst at once.
inline constexpr Duration kRateInterval =
    Duration(seconds(1)) / limits::kSignalsPerSecond;
inline constexpr Duration kRateTolerance =
    kRateInterval * (limits::kSignalBurst - 1);
inline constexpr Duration kRateUnit = microseconds(50);
static_assert((kRateTolerance + 2 * kRateInterval) / kRateUnit <= UINT16_MAX);

inline constexpr int kHandleBits = 21;
static_assert(limits::kMaxHandle == (1u << kHandleBits) - 1);

// What few sessions have.
struct SessionExtras {
  Metadata metadata;
  // When a LEAVE with linger ends the session, if one runs (kLingering).
  PresenceTime linger_until = kNever;
  // The last take-overs, oldest first; kNever where there was none.
  std::array<PresenceTime, limits::kMaxTakeOvers> take_overs;
  // Declared by a signal that waits (kWaiting).
  absl::optional<Availability> availability;
  // The attachment is older than that its user is visible: no news of theirs.
  bool attached_unseen = false;

  SessionExtras() { take_overs.fill(kNever); }
};

// One bit each.
enum SessionFlag : std::uint8_t {
  // A stream holds it, or it was attached by a unary open: not detached since.
  kAttached = 1,
  // Its stream is open. Of a unary attachment see Session::Connected.
  kStreamOpen = 2,
  // Nothing but an open without a signal has been heard.
  kNoSignalYet = 4,
  // A signal was merged: `waiting` has not been looked at.
  kWaiting = 8,
  // The client does not know of the interval it is promised.
  kUntoldInterval = 16,
  // A LEAVE with linger runs: see SessionExtras.
  kLingering = 32,
  // It is its user's only session, and nothing else of the user runs out.
  kAlone = 64,
  // Its linger ran out, and its user was evaluated since.
  kToldGone = 128,
};

// Packs a presence time into 32 bits, rounded down: 16,384 µs a unit since
// `start`. Held at the last one, in 814 days.
constexpr std::uint32_t PackTime(PresenceTime time, PresenceTime start) {
  const auto units = static_cast<std::uint64_t>(
      std::max<Duration::rep>((time - start).count(), 0) >> 14);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(units, UINT32_MAX));
}

// The first instant that PackTime packs into `packed`.
constexpr PresenceTime UnpackTime(std::uint32_t packed, PresenceTime start) {
  return start + Duration(static_cast<Duration::rep>(packed) << 14);
}

struct Session;

// What of a session a usual heartbeat does not look at, and its place in the
// wheel.
struct SessionRest : TimingWheelHook {
  std::uint32_t user = kNoSlot;
  std::uint32_t next_of_user = kNoSlot;
  InlineId id;
  // Of SessionTimes; kNever both while the session is not capped.
  PresenceTime idle_cap_since = kNever;
  PresenceTime background_cap_since = kNever;
  Instance instance = kNoInstance;
  std::uint64_t packed_binding = 0;
  std::unique_ptr<SessionExtras> extras;
  // RealTime: 56 bits of microseconds are a thousand years.
  std::int64_t opened_at_micros : 56 = 0;
  // Where it lies in its chunk.
  std::uint64_t index : 8 = 0;

  RealTime opened_at() const { return RealTime(Duration(opened_at_micros)); }
  void set_opened_at(RealTime at) {
    opened_at_micros = at.time_since_epoch().count();
  }

  Session& session();
  const Session& session() const {
    return const_cast<SessionRest*>(this)->session();
  }
  // For the wheel: where every heartbeat sees it.
  std::int64_t deadline() const;
  void set_deadline(std::int64_t deadline);
  void PrefetchDeadline() const;
};
static_assert(sizeof(SessionRest) <= 72 + sizeof(InlineId));

// A session: what every heartbeat looks at, in one cache line. Free when its
// user is kNoSlot.
struct alignas(64) Session {
  static constexpr std::int64_t kNotFiled = INT64_MAX;

  // Of SessionTimes.
  PresenceTime last_signal{};
  PresenceTime last_activity{};
  // When it was last heard of (LEAVE included) and last active, for people;
  // kNeverReal if it never was active.
  RealTime last_seen{};
  RealTime last_active = kNeverReal;
  Attachment attachment = kNoAttachment;
  // The deadline in microseconds that its timer is filed under.
  std::int64_t deadline = kNotFiled;
  std::uint32_t interval_ms = 0;  // promised
  // Until when no session of its user changes by time alone: a time of
  // PackTime, as of the user's last evaluation.
  std::uint32_t quiet_until = 0;
  // How far the signals heard have used up their rate, beyond last_signal: the
  // theoretical arrival time of GCRA (ITU-T I.371), relative, in kRateUnit.
  std::uint16_t rate_debt = 0;
  std::uint16_t policy = 0;
  State told : 3 = State::kOffline;  // to the client
  // At the user's last evaluation; kOffline while it is free.
  State evaluated : 3 = State::kOffline;
  Lifecycle lifecycle : 2 = Lifecycle::kIdle;
  SignalKind waiting : 3 = SignalKind::kActive;
  DeviceClass device : 3 = DeviceClass::kOther;
  bool capped : 1 = false;  // see SessionRest
  std::uint8_t flags = 0;
  // Where it lies in its chunk.
  std::uint8_t index = 0;

  SessionRest& rest();
  const SessionRest& rest() const { return const_cast<Session*>(this)->rest(); }

  bool Has(SessionFlag flag) const { return (flags & flag) != 0; }
  void Set(SessionFlag flag) {
    flags = static_cast<std::uint8_t>(flags | flag);
  }
  void Clear(SessionFlag flag) {
    flags = static_cast<std::uint8_t>(flags & ~flag);
  }

  // A handle takes 21 bits, which leaves 43 for the stream: a million new ones
  // a second for a hundred days.
  Binding binding() const {
    const std::uint64_t packed = rest().packed_binding;
    return {packed >> kHandleBits,
            static_cast<std::uint32_t>(packed & limits::kMaxHandle)};
  }
  void Bind(Binding to) {
    rest().packed_binding = (to.stream << kHandleBits) | to.handle;
  }

  std::uint32_t& free_link() { return rest().next_of_user; }

  SessionTimes Times() const {
    if (!capped) return {last_signal, last_activity, kNever, kNever};
    return {last_signal, last_activity, rest().idle_cap_since,
            rest().background_cap_since};
  }
  void SetCaps(PresenceTime idle, PresenceTime background) {
    rest().idle_cap_since = idle;
    rest().background_cap_since = background;
    capped = idle != kNever || background != kNever;
  }

  Duration Promised() const { return milliseconds(interval_ms); }
  PresenceTime LingerUntil() const {
    return Has(kLingering) ? rest().extras->linger_until : kNever;
  }
  SessionExtras& Extras() {
    auto& extras = rest().extras;
    if (extras == nullptr) extras = std::make_unique<SessionExtras>();
    return *extras;
  }
  // When the signal that waits may be looked at.
  PresenceTime TokenAt() const;
  bool LingerRanOut(PresenceTime now) const { return now >= LingerUntil(); }
  // Whether it ended, be it that no tick has come by since.
  bool Ended(const PolicyRow& row, PresenceTime now) const {
    return SaturatingDifference(now, last_signal) >= row.ttl ||
           LingerRanOut(now);
  }
  // The current attachment's stream is open, or the interval promised at its
  // last unary signal has not run out.
  bool Connected(const Policy& by, PresenceTime now) const;
  Silence SilenceAt(const Policy& by, PresenceTime now) const;
};
static_assert(sizeof(Session) == 64);

// Sessions, and then the rest of each: one is found from the other by its
// index.
struct SessionChunk {
  static constexpr std::uint32_t kSize = 256;

  SessionChunk() {
    for (std::uint32_t i = 0; i < kSize; ++i) {
      sessions[i].index = static_cast<std::uint8_t>(i);
      rests[i].index = i;
    }
  }
  Session& operator[](std::uint32_t i) { return sessions[i]; }

  Session sessions[kSize];
  SessionRest rests[kSize];
};
static_assert(sizeof(SessionChunk) ==
              SessionChunk::kSize * (sizeof(Session) + sizeof(SessionRest)));

inline SessionRest& Session::rest() {
  return reinterpret_cast<SessionChunk*>(this - index)->rests[index];
}

inline Session& SessionRest::session() {
  // The first rest lies behind the last session.
  auto* const behind = reinterpret_cast<Session*>(this - index);
  return behind[static_cast<int>(index) -
                static_cast<int>(SessionChunk::kSize)];
}

inline std::int64_t SessionRest::deadline() const { return session().deadline; }

inline void SessionRest::PrefetchDeadline() const {
  __builtin_prefetch(&session(), /*for writing*/ 1);
}

inline void SessionRest::set_deadline(std::int64_t deadline) {
  session().deadline = deadline;
}

// A user: what was last told, and the maxima of sessions that ended.
struct User {
  InlineId id;
  // Its first and its last session; while it has none and is retained, its
  // place among those who are.
  SlabLinks links;
  // While anything was told of it.
  SlabLinks in_log;
  Revision revision = 0;  // 0: nothing was told
  RealTime since{};
  RealTime last_seen = kNeverReal;
  RealTime last_active = kNeverReal;
  std::uint32_t slot = kNoSlot;
  std::uint16_t sessions = 0;
  bool retained : 1 = false;
  bool in_rooms : 1 = false;  // see RoomTable
  // Its last session went over to another user.
  bool merged : 1 = false;
  bool has_intents : 1 = false;  // see IntentTable
  // AvailabilityTable holds something of it.
  bool declared : 1 = false;
  // It was invisible: a Veil lies over part of what it is.
  bool veiled : 1 = false;
  Cause cause = Cause::kNone;
  Aggregate told;

  std::uint32_t first_session() const {
    return sessions == 0 ? kNoSlot : links.before;
  }
  std::uint32_t last_session() const {
    return sessions == 0 ? kNoSlot : links.after;
  }

  std::uint32_t& free_link() { return links.before; }

  // As one of whom nothing is known yet.
  void Begin(std::uint32_t at, absl::string_view name) {
    id.Assign(name);
    links = SlabLinks();
    in_log = SlabLinks();
    revision = 0;
    since = RealTime();
    last_seen = kNeverReal;
    last_active = kNeverReal;
    slot = at;
    sessions = 0;
    retained = false;
    in_rooms = false;
    merged = false;
    has_intents = false;
    declared = false;
    veiled = false;
    cause = Cause::kNone;
    told = Aggregate();
  }
};
static_assert(sizeof(User) <= 64 + sizeof(InlineId));

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_RECORDS_H_
