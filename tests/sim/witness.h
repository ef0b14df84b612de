// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// When each session was heard of, and nothing else: what no model may explain
// away.
#ifndef LIFESIGN_TESTS_SIM_WITNESS_H_
#define LIFESIGN_TESTS_SIM_WITNESS_H_

#include <array>
#include <map>
#include <string>

#include "server/core/policy/policy.h"
#include "server/core/time.h"
#include "server/core/watch/change.h"
#include "tests/sim/verdict.h"

namespace lifesign::sim {

// Nobody is OFFLINE who was heard of within the ttl and did not leave; nobody
// is online who was not heard of for the ttl. docs/concepts.md § 5. Of several
// policies that were in force the shortest and the longest ttl count. Who is
// told to have left, by all but those who see through, may be invisible.
class Witness {
 public:
  // `verdict` outlives it.
  Witness(const Policy& policy, Verdict& verdict) : verdict_(verdict) {
    OnPolicy(policy);
  }

  void OnPolicy(const Policy& policy);
  void OnOpened(const std::string& user, const std::string& session,
                PresenceTime now);
  void OnHeard(const std::string& user, const std::string& session,
               PresenceTime now);
  // It left, perhaps with a linger that runs, or made room for another one.
  void OnLeft(const std::string& user, const std::string& session);

  void OnChange(const Change& change, PresenceTime now);
  // After a tick on which deadlines fired.
  void OnTick(PresenceTime now);

 private:
  struct User {
    // Of sessions that have not left.
    std::map<std::string, PresenceTime> heard;
    PresenceTime newest = PresenceTime::min();
    // As everybody is told, and those who see through; by View.
    std::array<State, 2> states = {State::kOffline, State::kOffline};
  };

  // `user` is OFFLINE: no session was heard of lately, but for those that were
  // within `heard_before`.
  void CheckGone(const std::string& name, const User& user, PresenceTime now,
                 Duration heard_before);

  Verdict& verdict_;
  Duration shortest_ttl_ = Duration::max();
  Duration longest_ttl_{0};
  std::map<std::string, User> users_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_WITNESS_H_
