// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A story in which somebody awaits. docs/concepts.md § 10.
#ifndef LIFESIGN_TESTS_CORE_TESTING_AWAIT_STORY_H_
#define LIFESIGN_TESTS_CORE_TESTING_AWAIT_STORY_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/core/query/await.h"
#include "tests/testing/presence_story.h"

namespace lifesign {

// Counts how often it is woken.
class CountingListener final : public AwaitListener {
 public:
  void OnDecided() override { ++woken_; }
  int woken() const { return woken_; }

 private:
  int woken_ = 0;
};

class AwaitStory : public PresenceStory {
 protected:
  // Begins to await, heard by `listener_`.
  std::shared_ptr<Await> Begin(AwaitTerms terms) {
    auto await = std::make_shared<Await>(std::move(terms), listener_);
    engine().TellAndRegister(await, now());
    return await;
  }

  // The verbs of a story publish what they changed; these do not.
  SessionRef LoginUnpublished(
      const std::string& user,
      const std::vector<absl::string_view>* rooms = nullptr) {
    OpenRequest request;
    request.name = {user, "a"};
    request.signal = Signal();
    request.rooms = rooms;
    return engine().Open(request, now()).ref;
  }
  void LeaveUnpublished(const SessionRef& ref) {
    Signal leave;
    leave.kind = SignalKind::kLeave;
    engine().Apply(ref, leave, now());
  }
  void Publish() { EventsOf("anybody"); }

  std::shared_ptr<CountingListener> listener_ =
      std::make_shared<CountingListener>();
};

}  // namespace lifesign

#endif  // LIFESIGN_TESTS_CORE_TESTING_AWAIT_STORY_H_
