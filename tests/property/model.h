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

struct ModelUser {
  std::vector<ModelSession> sessions;  // oldest open first
  // Those that LEAVE, linger or eviction ended since the last evaluation.
  std::vector<ModelSession> left;

  // As of the last change.
  State state = State::kOffline;
  DeviceStates devices = kNoDevices;
  Cause cause = Cause::kNone;
  Revision revision = 0;
  RealTime since{};

  absl::optional<RealTime> last_seen;
  absl::optional<RealTime> last_active;
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
                      const Now& now);
  SignalOutcome ApplyUnary(const std::string& user, const std::string& session,
                           Attachment attachment, const Signal& signal,
                           const Now& now);
  void Disconnect(const std::string& user, const std::string& session,
                  Attachment attachment, const Now& now);
  bool IsBound(const std::string& user, const std::string& session,
               Attachment attachment, const Now& now) const;
  ModelUserView Read(const std::string& user, const Now& now);
  // As of the last evaluation.
  PresenceRecord Record(const std::string& user, const Now& now) const;
  void Tick(const Now& now);
  // Everybody counted one by one, as they are at `now`.
  ModelCounts Count(const Now& now);
  // Drops what is kept of a user; false if it is to be kept.
  bool Forget(const std::string& user, const Now& now);
  void SetPolicy(const Policy& policy);
  // Revisions of what comes after lie above this instant's.
  void Publish(const Now& now);

  void GiveRevision(const std::string& user, Revision revision) {
    const auto found = users_.find(user);
    if (found != users_.end()) found->second.revision = revision;
  }

  // The changes since the last call, in the order of their making.
  std::vector<Change> TakeChanges();

  bool IsOpen(const std::string& user, const std::string& session,
              const Now& now) const {
    return Find(user, session, now) != nullptr;
  }

  // Users of whom anything is known.
  std::size_t users() const { return users_.size(); }

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
  bool MakeRoom(ModelUser& user, const Now& now);
  SignalOutcome ApplyTo(const std::string& user, ModelSession& session,
                        const Signal& signal, const Now& now);
  SignalOutcome Leave(const std::string& user, ModelSession& session,
                      const Signal& signal, const Now& now);
  SignalOutcome Told(const std::string& user, const std::string& session,
                     const Now& now);
  void Evaluate(const std::string& name, const Now& now);
  void Emit(const std::string& name, ModelUser& user, State state,
            const DeviceStates& devices, Cause cause, const Now& now);

  Options options_;
  std::shared_ptr<const Policy> policy_;
  const RealTime start_;
  const Now start_now_;
  std::map<int, Shard> shards_;
  std::map<std::string, ModelUser> users_;
  std::vector<Change> changes_;
  int merged_ = 0;
  int waited_ = 0;
};

}  // namespace lifesign::property

#endif  // LIFESIGN_TESTS_PROPERTY_MODEL_H_
