// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One session of the model, and what docs/concepts.md §§ 4, 5 say of one alone.
#ifndef LIFESIGN_TESTS_PROPERTY_MODEL_SESSION_H_
#define LIFESIGN_TESTS_PROPERTY_MODEL_SESSION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "server/core/policy/policy.h"
#include "server/core/query/views.h"
#include "server/core/signal/signal.h"
#include "server/core/time.h"

namespace lifesign::property {

// An open session.
struct ModelSession {
  std::string id;
  DeviceClass device = DeviceClass::kOther;
  Metadata metadata;
  // By which it is judged: that of its last signal.
  std::shared_ptr<const Policy> policy;

  // The binding.
  Instance instance = kNoInstance;
  Attachment attachment = kNoAttachment;
  Binding binding;
  bool detached = false;
  bool stream_closed = false;
  // Made before the user became visible.
  bool attached_unseen = false;
  std::vector<PresenceTime> take_overs;

  // § 4.
  RealTime opened_at{};
  PresenceTime opened{};
  PresenceTime last_signal{};
  RealTime last_seen{};
  absl::optional<PresenceTime> activity;
  absl::optional<RealTime> last_active;
  absl::optional<PresenceTime> idle_cap;
  absl::optional<PresenceTime> background_cap;
  absl::optional<Lifecycle> lifecycle;
  absl::optional<PresenceTime> linger_until;

  // Merging: how long from the last signal on it takes until there are tokens
  // for a whole burst again, and the newest signal that found none.
  Duration debt{0};
  absl::optional<SignalKind> waiting;
  // What it, or one before it that found none, declares.
  absl::optional<Availability> waiting_availability;

  // What its client knows.
  State told_state = State::kOffline;
  // The interval it is promised, and whether that has changed since it was
  // told.
  Duration promised{0};
  bool promise_changed = false;

  const PolicyRow& row() const { return policy->RowFor(device); }

  // --- What it is at an instant ---

  // When it ends if it is not heard of: by the ttl, or before that by a linger.
  PresenceTime TtlAt() const;
  PresenceTime EndsAt() const;
  bool EndedAt(PresenceTime now) const { return now >= EndsAt(); }
  // Ended, and not by time alone.
  bool EndedByLeaveAt(PresenceTime now) const {
    return EndedAt(now) && EndsAt() < TtlAt();
  }
  // § 4, and what it would be without its linger.
  State StateAt(PresenceTime now) const;
  State StateByTimeAt(PresenceTime now) const;
  Rule RuleAt(PresenceTime now) const;
  PresenceTime PromiseEndsAt() const;
  bool ConnectedAt(PresenceTime now) const;
  PresenceTime NextTokenAt() const;
  bool HasToken() const;
  // The last activity, or what stands for it while there was none.
  PresenceTime ActivityOrBeforeOpen() const;
  // Where it may come to be another: ends of windows, caps, ttl and linger.
  std::vector<PresenceTime> Instants() const;

  // --- What is done to it ---

  void MoveAge(const Now& now);
  void MoveActivity(const Signal& signal, const Now& now);
  void TakeToken();
  void Promise(Duration interval);
  // What a signal does beside moving ages: caps, lifecycle, policy, promise.
  void ApplyKind(SignalKind kind, PresenceTime cap_start,
                 std::shared_ptr<const Policy> current);
  void ApplyWaiting(std::shared_ptr<const Policy> current);

 private:
  bool InForce(const absl::optional<PresenceTime>& cap, PresenceTime now) const;
};

// The highest of their states.
State HighestAt(const std::vector<ModelSession>& sessions, PresenceTime now);

// The first instant at which it is another, and which.
absl::optional<NextChangeView> NextChange(
    const std::vector<ModelSession>& sessions, const Now& now);

// Since when its user is visible, on each clock, to whoever does not see
// through.
struct VisibleSince {
  RealTime real = RealTime::min();
  PresenceTime presence = PresenceTime::min();
};

// What a reader is told of `session`; its confidence is left 0.
SessionExplanation Explain(const ModelSession& session, State user_state,
                           const VisibleSince& visible, const Now& now);

// Whether its confidence is 1 by definition.
bool WithinPromise(const ModelSession& session, PresenceTime now);

}  // namespace lifesign::property

#endif  // LIFESIGN_TESTS_PROPERTY_MODEL_SESSION_H_
