// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Presence as docs/concepts.md §§ 3-8 say it, and nothing else: a list of
// sessions for each user, everything derived anew at every step. No wheel, no
// deadline, no cache, no lock. It is what PresenceEngine is compared with, so
// it shares none of its stages: only the types in which both speak.
#ifndef LIFESIGN_TESTS_PROPERTY_MODEL_H_
#define LIFESIGN_TESTS_PROPERTY_MODEL_H_

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "server/core/policy/policy.h"
#include "server/core/query/presence_counts.h"
#include "server/core/query/views.h"
#include "server/core/session/outcome.h"
#include "server/core/signal/signal.h"
#include "server/core/time.h"
#include "server/core/watch/change.h"
#include "tests/property/model_session.h"

namespace lifesign::property {

// A user in one view, as of the last change in it.
struct ModelTold {
  // Whether they are remembered there.
  bool known = false;
  State state = State::kOffline;
  DeviceStates devices = kNoDevices;
  Availability availability;
  Cause cause = Cause::kNone;
  Revision revision = 0;
  RealTime since{};
  absl::optional<RealTime> last_seen;
  absl::optional<RealTime> last_active;
};

struct ModelUser {
  std::vector<ModelSession> sessions;  // oldest open first
  // Those that LEAVE, linger or eviction ended since the last evaluation.
  std::vector<ModelSession> left;

  // What everybody is told, and what those are told who see through.
  ModelTold shown;
  ModelTold truth;
  // The public knows nothing of the sessions.
  bool invisible = false;
  // While they were here the public knew nothing of it: what is true is
  // remembered apart, until it is public again.
  bool apart = false;
  // Since when it does again; what was before it never knew.
  VisibleSince visible;

  // What is public is known to all.
  bool IsKnownIn(View view) const {
    return shown.known || (view == View::kTrue && truth.known);
  }
};

struct ModelSessionView {
  SessionExplanation explanation;
  bool within_promise = false;
};

struct ModelUserView {
  PresenceRecord record;
  std::array<int, kStates> sessions_by_state{};
  std::vector<ModelSessionView> sessions;
  absl::optional<NextChangeView> next_change;
};

// What a recount finds. Of classes and of sessions, kOffline is left 0.
struct ModelCounts {
  StateCounts users{};
  std::array<StateCounts, kDeviceClasses> users_on{};
  std::array<StateCounts, kDeviceClasses> sessions_on{};
};

// Which of the engine's counts are others; none if they all agree.
absl::optional<std::string> Difference(const ModelCounts& expected,
                                       const PresenceCounts& actual);

class Model {
 public:
  struct Options {
    Policy policy;
    Revision epoch = 0;
    int max_sessions_per_user = 64;
    // The shard of a user: its revisions are ordered and its time never runs
    // backwards.
    std::function<int(const std::string&)> shard_of;
    int shards = 1;
  };

  Model(Options options, const Now& start);

  // The calls of PresenceEngine. What is refused changes nothing.

  // `given` is the attachment that the engine made.
  OpenOutcome Open(const OpenRequest& request, Attachment given,
                   const Now& now);
  // By a stream that holds `attachment` of this session.
  SignalOutcome Apply(const std::string& user, const std::string& session,
                      Attachment attachment, const Signal& signal,
                      const Declaration& declaration, const Now& now);
  SignalOutcome ApplyUnary(const std::string& user, const std::string& session,
                           Attachment attachment, const Signal& signal,
                           const Declaration& declaration, const Now& now);
  void Declare(const std::string& user,
               const AvailabilityDeclaration& declaration, const Now& now);
  void Disconnect(const std::string& user, const std::string& session,
                  Attachment attachment, const Now& now);
  bool IsBound(const std::string& user, const std::string& session,
               Attachment attachment, const Now& now) const;
  ModelUserView Read(const std::string& user, View view, const Now& now);
  // As of the last evaluation.
  PresenceRecord Record(const std::string& user, View view,
                        const Now& now) const;
  void Tick(const Now& now);
  // Everybody counted one by one, as they are at `now`.
  ModelCounts Count(View view, const Now& now);
  // Drops what `view` shows of a user; false if it is to be kept.
  bool Forget(const std::string& user, View view, const Now& now);
  void SetPolicy(const Policy& policy);
  // Revisions of what comes after lie above this instant's.
  void Publish(const Now& now);

  void GiveRevision(const std::string& user, Audience audience,
                    Revision revision) {
    const auto found = users_.find(user);
    if (found == users_.end()) return;
    if (Includes(audience, View::kPublic)) {
      found->second.shown.revision = revision;
    }
    if (Includes(audience, View::kTrue)) {
      found->second.truth.revision = revision;
    }
  }

  // What comes beside the others is above `revision`.
  void GiveBeside(const std::string& user, Revision revision) {
    ShardOf(user).beside = revision;
  }

  // The changes since the last call, in the order of their making.
  std::vector<Change> TakeChanges();

  bool IsOpen(const std::string& user, const std::string& session,
              const Now& now) const {
    return Find(user, session, now) != nullptr;
  }

  // Users of whom anything is known.
  std::size_t users(View view) const;

  // How many signals found no token, and how many of them were the newest when
  // there was one.
  int merged() const { return merged_; }
  int waited() const { return waited_; }

  int ShardIndexOf(const std::string& user) const {
    return options_.shard_of(user);
  }

  // Instants after `now` at which something may come to be otherwise: the ends
  // of windows, caps, lingers, promises, tokens, retention.
  std::vector<PresenceTime> Boundaries(const Now& now) const;

 private:
  struct Shard {
    Now last;
    Revision revision;
    // Of what only those are told who see through.
    Revision beside = 0;
  };

  Shard& ShardAt(int index);
  Shard& ShardOf(const std::string& user) {
    return ShardAt(options_.shard_of(user));
  }
  Revision ClockRevision(const Now& now) const;
  Now Forward(const std::string& user, const Now& now);
  // An open session; one whose time has run out is none.
  ModelSession* Find(const std::string& user, const std::string& session,
                     const Now& now);
  const ModelSession* Find(const std::string& user, const std::string& session,
                           const Now& now) const;
  // Takes the session out of the open ones.
  void EndByLeave(ModelUser& user, const std::string& session);
  void BeginAnew(ModelUser& user, const std::string& session, const Now& now);
  bool MakeRoom(const std::string& name, ModelUser& user, const Now& now);
  SignalOutcome ApplyTo(const std::string& user, ModelSession& session,
                        const Signal& signal, const Declaration& declaration,
                        const Now& now);
  void ApplyWaiting(const std::string& user, ModelSession& session,
                    const Now& now);
  void DeclareWaiting(const std::string& user, ModelSession& session,
                      const Now& now);
  void Hold(const std::string& user, const Availability& availability,
            const Now& now);
  // A user whose time of being invisible has run out is visible again.
  void Settle(const std::string& user, const Now& now);
  bool IsToBeInvisible(const std::string& user) const;
  // What the public is told when the user becomes invisible.
  void LeavePublicly(const std::string& name, ModelUser& user, const Now& now);
  void Heard(ModelUser& user, const ModelSession& session);
  void DropDeclaration(const std::string& name, const Now& now);
  SignalOutcome Leave(const std::string& user, ModelSession& session,
                      const Signal& signal, const Now& now);
  SignalOutcome Told(const std::string& user, const std::string& session,
                     const Now& now);
  // What shows of what the user declared.
  Availability InEffect(const std::string& name, State state, const Now& now);
  void Evaluate(const std::string& name, const Now& now);
  static Availability Said(const AvailabilityDeclaration& declaration,
                           const Now& now);
  void DeclareBy(const OpenRequest& request, const Now& now);
  // What a user is, and would be by time alone.
  struct Actual {
    DeviceStates devices = kNoDevices;
    DeviceStates by_time = kNoDevices;
    Availability availability;
    State state() const;
  };
  // None: nothing is to be told.
  static absl::optional<Cause> CauseOf(const ModelTold& told,
                                       const Actual& actual);
  // Notes that it is told, in one view. The record is left to the caller.
  static Change Tell(ModelTold& told, const Actual& actual, Cause cause,
                     Revision revision, const Now& now);
  void TellBoth(const std::string& name, ModelUser& user, const Actual& actual,
                const Now& now);

  Options options_;
  std::shared_ptr<const Policy> policy_;
  const RealTime start_;
  const Now start_now_;
  std::map<int, Shard> shards_;
  std::map<std::string, ModelUser> users_;
  // Of whoever is remembered and has declared something, and of whoever has and
  // it holds still.
  std::map<std::string, Availability> declared_;
  std::vector<Change> changes_;
  int merged_ = 0;
  int waited_ = 0;
};

}  // namespace lifesign::property

#endif  // LIFESIGN_TESTS_PROPERTY_MODEL_H_
