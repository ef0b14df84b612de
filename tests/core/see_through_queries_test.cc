// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Lists, counts and awaits, as those see them who see through: concepts.md
// §§ 10, 13.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/presence_story.h"

namespace lifesign {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr AvailabilityDeclaration kAvailable = {AvailabilityKind::kAvailable,
                                                "", absl::nullopt};
constexpr AvailabilityDeclaration kInvisible = {AvailabilityKind::kInvisible,
                                                "", absl::nullopt};
constexpr StateSet kLive = {State::kActive, State::kIdle, State::kAway,
                            State::kStale};
constexpr StateSet kGone = {State::kOffline};

class SeeThroughQueriesTest : public PresenceStory {
 protected:
  std::vector<std::string> List(StateSet states, View view,
                                std::size_t page_size = 2) {
    return PresenceStory::List({states, absl::nullopt, view}, page_size);
  }
  std::int64_t Users(State state, View view) {
    return engine()
        .Counts(view)
        .counts.users()[static_cast<std::size_t>(state)];
  }
  std::int64_t Sessions(State state, View view) {
    return engine().Counts(view).counts.sessions_on(
        DeviceClass::kOther)[static_cast<std::size_t>(state)];
  }
  std::shared_ptr<Await> AwaitActive(const std::string& user, View view) {
    Predicate predicate;
    predicate.users = {0};
    AwaitTerms terms;
    terms.users = {user};
    terms.predicates = {std::move(predicate)};
    terms.view = view;
    auto await = std::make_shared<Await>(std::move(terms),
                                         std::weak_ptr<AwaitListener>());
    engine().TellAndRegister(await, now());
    return await;
  }
};

TEST_F(SeeThroughQueriesTest, ListsTellWhoIsThereOnceToWhoSeesThrough) {
  Login("u/a");
  Login("v/a");
  Declare("u/a", kInvisible);
  Login("w/a", {.declaring = kInvisible});
  At(1);
  EXPECT_THAT(List(kLive, View::kPublic), UnorderedElementsAre("v"));
  EXPECT_THAT(List(kGone, View::kPublic), UnorderedElementsAre("u"));
  EXPECT_THAT(List(kLive, View::kTrue), UnorderedElementsAre("u", "v", "w"));
  EXPECT_THAT(List(kGone, View::kTrue), IsEmpty());
  Leave("w/a");
  Declare("u/a", kAvailable);
  At(2);
  EXPECT_THAT(List(kLive, View::kPublic), UnorderedElementsAre("u", "v"));
  EXPECT_THAT(List(kGone, View::kPublic), IsEmpty());
  EXPECT_THAT(List(kLive, View::kTrue), UnorderedElementsAre("u", "v"));
  EXPECT_THAT(List(kGone, View::kTrue), UnorderedElementsAre("w"));
}

// They go on where they had been met, or would have been.
TEST_F(SeeThroughQueriesTest, WhoHidesWhileTheyAreListedIsListedOnce) {
  PresenceEngine::Options options;
  options.shards = 1;
  Begin(std::move(options));
  for (const char* name : {"t/a", "u/a", "v/a", "w/a"}) Login(name);
  const ListFilter filter{kLive, absl::nullopt, View::kTrue};
  const PresencePage first = engine().List(filter, {}, 2, now());
  Declare("t/a", kInvisible);
  Declare("v/a", kInvisible);
  std::vector<std::string> all = NamesOf(first);
  auto from = first.next;
  while (from.has_value()) {
    const PresencePage page = engine().List(filter, from, 2, now());
    for (const std::string& name : NamesOf(page)) all.push_back(name);
    from = page.next;
  }
  EXPECT_THAT(all, UnorderedElementsAre("t", "u", "v", "w"));
}

// Their time runs out as they are looked at, where others do not know of them
// yet.
TEST_F(SeeThroughQueriesTest, WhoBecomesVisibleByBeingListedIsListed) {
  Login("u/a", {.declaring = AvailabilityDeclaration{
                    AvailabilityKind::kInvisible, "", seconds(5)}});
  JumpTo(5);
  EXPECT_THAT(List(kLive, View::kTrue), UnorderedElementsAre("u"));
  EXPECT_THAT(List(kLive, View::kPublic), UnorderedElementsAre("u"));
}

TEST_F(SeeThroughQueriesTest, CountsAreOfWhatEachViewShows) {
  Policy policy;
  policy.offline_retention = seconds(30);
  BeginWith(policy);
  Login("u/a");
  Login("v/a");
  Declare("u/a", kInvisible);
  Login("w/a", {.declaring = kInvisible});
  Login("w/b");
  At(1);
  EXPECT_EQ(Users(State::kActive, View::kPublic), 1);
  EXPECT_EQ(Users(State::kOffline, View::kPublic), 1);
  EXPECT_EQ(Sessions(State::kActive, View::kPublic), 1);
  EXPECT_EQ(Users(State::kActive, View::kTrue), 3);
  EXPECT_EQ(Users(State::kOffline, View::kTrue), 0);
  EXPECT_EQ(Sessions(State::kActive, View::kTrue), 4);
  Declare("w/a", kAvailable);
  Leave("u/a");
  At(2);
  EXPECT_EQ(Users(State::kActive, View::kPublic), 2);
  EXPECT_EQ(Users(State::kOffline, View::kPublic), 1);
  EXPECT_EQ(Sessions(State::kActive, View::kPublic), 3);
  EXPECT_EQ(Users(State::kActive, View::kTrue), 2);
  EXPECT_EQ(Users(State::kOffline, View::kTrue), 1);
  EXPECT_EQ(Sessions(State::kActive, View::kTrue), 3);
  // Everything is forgotten, and nothing is left of it.
  At(400);
  for (const View view : {View::kPublic, View::kTrue}) {
    EXPECT_EQ(engine().Counts(view).counts, PresenceCounts());
  }
}

TEST_F(SeeThroughQueriesTest, WhoIsInvisibleSatisfiesNoPublicAwait) {
  Login("u/a", {.declaring = kInvisible});
  EXPECT_FALSE(AwaitActive("u", View::kPublic)->decided());
  EXPECT_TRUE(AwaitActive("u", View::kTrue)->decided());
  Leave("u/a");
  const auto shown = AwaitActive("u", View::kPublic);
  const auto truth = AwaitActive("u", View::kTrue);
  EXPECT_FALSE(truth->decided());
  Login("u/b");
  At(1);
  EXPECT_FALSE(shown->decided());
  EXPECT_TRUE(truth->decided());
  Declare("u/b", kAvailable);
  At(2);
  EXPECT_TRUE(shown->decided());
  engine().Unregister(*shown);
  engine().Unregister(*truth);
}

}  // namespace
}  // namespace lifesign
