// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What the cases share that need no transport. Each test is a case of
// README.md, in its words. Times are seconds; "login" is an open that carries
// ACTIVE; whoever comes back is the same instance unless it says so.
#ifndef LIFESIGN_TESTS_CASES_CORE_CASES_H_
#define LIFESIGN_TESTS_CASES_CORE_CASES_H_

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/presence_story.h"

namespace lifesign {

class CoreCases : public PresenceStory {
 protected:
  // What u1's watcher was told, from the first event on.
  void ExpectStory(const std::vector<std::string>& texts) {
    EXPECT_THAT(EventsOf("u1"), ::testing::ElementsAreArray(Tells(texts)));
  }
  int Sessions(State state) {
    return User("u1").sessions_by_state[static_cast<std::size_t>(state)];
  }
};

// C1's decay: what every case in which a session falls silent at 0 shows.
inline const std::vector<std::string>& Decay() {
  static const std::vector<std::string> decay = {
      "OFFLINE→ACTIVE SIGNAL @0", "ACTIVE→IDLE DECAY @15",
      "IDLE→AWAY DECAY @60", "AWAY→STALE DECAY @180",
      "STALE→OFFLINE EXPIRY @240"};
  return decay;
}

}  // namespace lifesign

#endif  // LIFESIGN_TESTS_CASES_CORE_CASES_H_
