// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a shard keeps of a session and of a user. Packed: a session and its
// share of a user take at most 200 bytes beside their ids.
#ifndef LIFESIGN_SERVER_CORE_SESSION_RECORDS_H_
#define LIFESIGN_SERVER_CORE_SESSION_RECORDS_H_

#include <algorithm>
#include <array>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <memory>

#include "server/base/limits.h"
#include "server/base/timing_wheel.h"
#include "server/core/derive/confidence.h"
#include "server/core/derive/derive_state.h"
#include "server/core/policy/policy.h"
#include "server/core/presence_state.h"
#include "server/core/reduce/reduce_user.h"
#include "server/core/session/inline_id.h"
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
  // It is its user's only session.
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

// A session, and its place in the wheel. Free when `user` is kNoSlot.
struct Session : TimingWheel::Timer {
  // First what every heartbeat looks at: 96 bytes, so that they lie in two
  // cache lines.
  SessionTimes times{};
  // When it was last heard of (LEAVE included) and last active, for people;
  // kNeverReal if it never was active.
  RealTime last_seen{};
  RealTime last_active = kNeverReal;
  Attachment attachment = kNoAttachment;
  std::uint32_t interval_ms = 0;  // promised
  // Until when no session of its user changes by time alone: a time of
  // PackTime, as of the user's last evaluation.
  std::uint32_t quiet_until = 0;
  // How far the signals heard have used up their rate, beyond last_signal: the
  // theoretical arrival time of GCRA (ITU-T I.371), relative, in kRateUnit.
  std::uint16_t rate_debt = 0;
  std::uint16_t policy = 0;
  State told : 3 = State::kOffline;       // to the client
  State evaluated : 3 = State::kOffline;  // at the user's last evaluation
  Lifecycle lifecycle : 2 = Lifecycle::kIdle;
  SignalKind waiting : 3 = SignalKind::kActive;
  DeviceClass device : 3 = DeviceClass::kOther;
  std::uint8_t flags = 0;

  // The rest.
  std::uint32_t user = kNoSlot;
  std::uint32_t next_of_user = kNoSlot;
  RealTime opened_at{};
  Instance instance = kNoInstance;
  std::uint64_t packed_binding = 0;
  std::unique_ptr<SessionExtras> extras;
  InlineId id;

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
    return {packed_binding >> kHandleBits,
            static_cast<std::uint32_t>(packed_binding & limits::kMaxHandle)};
  }
  void Bind(Binding to) {
    packed_binding = (to.stream << kHandleBits) | to.handle;
  }

  std::uint32_t& free_link() { return next_of_user; }

  bool InUse() const { return user != kNoSlot; }
  Duration Promised() const { return milliseconds(interval_ms); }
  PresenceTime LingerUntil() const {
    return Has(kLingering) ? extras->linger_until : kNever;
  }
  SessionExtras& Extras() {
    if (extras == nullptr) extras = std::make_unique<SessionExtras>();
    return *extras;
  }
  // When the signal that waits may be looked at.
  PresenceTime TokenAt() const;
  bool LingerRanOut(PresenceTime now) const { return now >= LingerUntil(); }
  // Whether it ended, be it that no tick has come by since.
  bool Ended(const PolicyRow& row, PresenceTime now) const {
    return SaturatingDifference(now, times.last_signal) >= row.ttl ||
           LingerRanOut(now);
  }
  // The current attachment's stream is open, or the interval promised at its
  // last unary signal has not run out.
  bool Connected(const Policy& by, PresenceTime now) const;
  Silence SilenceAt(const Policy& by, PresenceTime now) const;
};
static_assert(sizeof(Session) <= 136 + sizeof(InlineId));

// Links a user into the log: users in the order of their last change.
using LogHook = boost::intrusive::list_base_hook<
    boost::intrusive::tag<struct LogTag>,
    boost::intrusive::link_mode<boost::intrusive::safe_link>>;
// Links a user without sessions: in the order in which they became so.
using RetainedHook = boost::intrusive::list_base_hook<
    boost::intrusive::tag<struct RetainedTag>,
    boost::intrusive::link_mode<boost::intrusive::safe_link>>;

// A user: what was last told, and the maxima of sessions that ended.
struct User : LogHook, RetainedHook {
  Revision revision = 0;
  RealTime since{};
  RealTime last_seen = kNeverReal;
  RealTime last_active = kNeverReal;
  std::uint32_t slot = kNoSlot;
  std::uint32_t first_session = kNoSlot;
  std::uint16_t sessions = 0;
  Cause cause = Cause::kNone;
  Aggregate told;
  InlineId id;

  std::uint32_t& free_link() { return first_session; }
};
static_assert(sizeof(User) <= 88 + sizeof(InlineId));

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_RECORDS_H_
