// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How clients and the people who hold them behave: the life of one session as
// a sequence of actions in time.
//
// A life is made of a habit (what the person does with the client) and a
// network (what happens between the client and the server). It knows neither
// server nor wire nor clock: whoever plays it decides what its time is.
// `lifesign simulate` plays lives over gRPC; the shipped confidence table is
// learned from lives played in simulated time.
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_BEHAVIOUR_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_BEHAVIOUR_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "client/cli/simulate/random.h"

namespace lifesign::simulate {

using Duration = std::chrono::microseconds;

// Where a client stands, in the words of its signals.
enum class Lifecycle { kActive, kIdle, kBackground };

enum class Network {
  // A desk: beats come as promised, one in a hundred late.
  kSteady,
  // A phone: hand-overs of seconds, now and then a tunnel of a minute or more.
  kMobile,
  // A bad link: single beats are lost, and bursts of them.
  kBurstyLoss,
  // Steady until it dies without a word (a battery, a crash); much later the
  // client begins anew.
  kSuddenDeath,
};
inline constexpr std::array kNetworks = {Network::kSteady, Network::kMobile,
                                         Network::kBurstyLoss,
                                         Network::kSuddenDeath};

enum class Habit {
  // One lifecycle throughout, a beat at each promised interval and nothing
  // else: what a session's silences are learned from.
  kOnlyActive,
  kOnlyIdle,
  kOnlyBackground,
  // Types, reads, locks the screen.
  kWorks,
  // A browser tab: used, hidden, put to sleep by the browser, woken.
  kTab,
  // Looked at now and then, else in the pocket.
  kPhone,
  // Comes, stays a while, says goodbye, comes again as a new instance.
  kVisits,
};

// What is really going on.
enum class Doing {
  kBeating,
  kTyping,
  kReading,
  kScreenLocked,
  kBrowsing,
  kTabHidden,
  kTabAsleep,
  kOnThePhone,
  kPhoneInPocket,
  kVisiting,
  kGone,
  kHandingOver,
  kInTunnel,
  kLosingBeats,
  kDied,
};
// "typing", "phone in a tunnel", …
const char* DoingText(Doing doing);

// The intervals that a client was promised, without jitter, by lifecycle.
struct Promise {
  Duration active;
  Duration idle;
  Duration background;

  Duration Of(Lifecycle lifecycle) const {
    switch (lifecycle) {
      case Lifecycle::kActive:
        return active;
      case Lifecycle::kIdle:
        return idle;
      case Lifecycle::kBackground:
        break;
    }
    return background;
  }
};

struct Action {
  enum class Kind {
    // The session begins, as a new instance; `lifecycle` is its first signal.
    kOpen,
    // The beat that the promise asks for. It arrives: lost ones are left out.
    kBeat,
    // The person interacted.
    kInteract,
    // The lifecycle changed.
    kTurn,
    // Nothing arrives from here on; neither side is told.
    kLoseNetwork,
    // The client is back, as the same instance.
    kReconnect,
    // The client is gone without a word.
    kDie,
    // The client says goodbye.
    kLeave,
    // Something else is going on; nothing is said.
    kQuiet,
  };
  Kind kind;
  // Since the life began.
  Duration at;
  // Where the client stands, and what is going on, from then on.
  Lifecycle lifecycle;
  Doing doing;
  // How long ago the person interacted; with kActive, what the signal says.
  Duration idle_for;

  // Whether the server hears of the client by it.
  bool heard() const {
    return kind == Kind::kOpen || kind == Kind::kBeat ||
           kind == Kind::kInteract || kind == Kind::kTurn ||
           kind == Kind::kReconnect;
  }
};

// One life. Deterministic: the same habit, network, seed and promises give the
// same actions. Not thread-safe.
class Life {
 public:
  // `unit` is the pace of the person's time: what the habits and networks say
  // in words above, they mean for a unit of 10 s, the default interval of an
  // active session; a server with shorter windows has quicker people.
  // REQUIRES: unit > 0.
  Life(Habit habit, Network network, Duration unit, Random random);

  // The next action, never earlier than the one before; the first is kOpen.
  // `promise` is what the client was promised until now: it decides when the
  // next beat is due.
  Action Next(const Promise& promise);

  Habit habit() const { return habit_; }
  Network network() const { return network_; }

 private:
  enum class Presence { kNotYet, kHere, kLeft, kDead };

  // One stretch of a habit: what it is, where the client stands, how often the
  // person interacts, and how long it lasts, on average and in units.
  struct Phase {
    Doing doing;
    Lifecycle lifecycle;
    double interaction_mean;  // 0: never
    double length_mean;       // 0: for ever
  };

  Duration Units(double units) const;
  Phase FirstPhase() const;
  Phase NextPhase();
  void Enter(const Phase& phase);
  void PlanOutage();
  void PlanInteraction();
  void Said();
  bool connected() const { return up_ && !asleep_; }
  Doing doing() const;

  Action Make(Action::Kind kind) const;
  Action Open();
  Action TurnPhase();
  Action TurnNetwork();

  const Habit habit_;
  const Network network_;
  const Duration unit_;

  Random random_;
  Duration now_{0};
  Presence presence_ = Presence::kNotYet;
  Phase phase_;
  // Whether the network carries; whether the client sleeps, so that nothing is
  // said although it does.
  bool up_ = true;
  bool asleep_ = false;
  Doing outage_ = Doing::kHandingOver;
  Duration outage_length_{0};
  Duration phase_ends_ = Duration::max();
  Duration network_turns_ = Duration::max();
  Duration interacts_ = Duration::max();
  Duration last_interaction_{0};
  // A beat is due `beat_factor_` promised intervals after the last signal.
  Duration last_signal_{0};
  double beat_factor_ = 1;
};

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_BEHAVIOUR_H_
