// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Plays one life over gRPC.
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_PLAYER_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_PLAYER_H_

#include <cstdint>

#include "client/cli/simulate/behaviour.h"
#include "client/cli/simulate/cast.h"
#include "client/cli/simulate/ledger.h"
#include "client/cli/simulate/stopwatch.h"
#include "lifesign/client/session_status.h"
#include "server/base/mutex.h"

namespace lifesign::simulate {

// What all players have in common: the life, its pace, and what the ledger is
// told. How an action gets to the server is for those who derive from it.
//
// Play and the getters are for one thread; Told for any.
class Player {
 public:
  struct Part {
    Role role;
    Ledger::SessionNumber number;
    // When the life begins, how quick it is, and which one it is.
    Duration born;
    Duration unit;
    std::uint64_t seed;
  };

  // `ledger` outlives it.
  Player(const Part& part, Ledger& ledger, Stopwatch stopwatch);
  virtual ~Player() = default;

  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  // When the next action is due.
  Duration due() const { return part_.born + next_.at; }
  // Does what is due.
  void Play();

  const Role& role() const { return part_.role; }
  Doing doing() const { return doing_; }
  // Whether a session is held; whether one ever was.
  bool present() const { return present_; }
  bool ever_present() const { return ever_present_; }

  // The server told something new of the session.
  void Told(const client::SessionStatus& status);
  // The stream broke by itself.
  void LinkLost();

 protected:
  // Does one action. What it begins it holds under `instance()`.
  virtual void Perform(const Action& action) = 0;

  const Part& part() const { return part_; }
  std::uint64_t instance() const { return instance_; }
  client::SessionSpec Spec(const Action& action) const;
  Stopwatch stopwatch() const { return stopwatch_; }

  // The ledger is told that the session is held from here on, as soon as the
  // server answers. To be called before the action.
  void Begin();
  // The session is held no more: it broke off, and what it promised holds on;
  // or it left, and promises nothing. To be called before the action.
  enum class End { kBrokeOff, kLeft };
  void Finish(End end);
  // What was said without an answer is known to the server by then.
  void Vouch(Duration from);

 private:
  Promise promise() const;
  void TellSilence(Duration until) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Part part_;
  const Stopwatch stopwatch_;
  Ledger& ledger_;

  Life life_;
  Action next_;
  Doing doing_;
  bool present_ = false;
  bool ever_present_ = false;
  std::uint64_t instance_;
  Random instances_;

  mutable Mutex mutex_;
  Lifecycle lifecycle_ ABSL_GUARDED_BY(mutex_) = Lifecycle::kActive;
  Promise promise_ ABSL_GUARDED_BY(mutex_);
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
};

client::Lifecycle ClientLifecycle(Lifecycle lifecycle);

// The instance of the first life of a session: never 0.
std::uint64_t FirstInstance(std::uint64_t seed, Ledger::SessionNumber number);

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_PLAYER_H_
