// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/threat-model.md: who asks to see through without the right to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/transport/invisible/one_server.h"
#include "tests/transport/invisible/ways_to_look.h"

namespace lifesign::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Cast kCast = {"ghost", "ann", "bob", "eve", "nobody"};

void ExpectOfThoseAsking(OneServer& server,
                         const ::testing::Matcher<std::string>& answer) {
  int asking = 0;
  for (const Question& question : Questions()) {
    if (!question.name.starts_with("asking")) continue;
    ++asking;
    EXPECT_THAT(question.ask(server, kCast), answer) << question.name;
  }
  EXPECT_EQ(asking, 7);
}

TEST(DeniedTest, WhoLacksTheRightToSeeThroughIsToldSo) {
  OneServer server{Policy()};
  const std::vector<absl::string_view> lobby = {kRooms[0]};
  const auto denied =
      AllOf(StartsWith("error "), HasSubstr("SEE_THROUGH_DENIED"));
  ExpectOfThoseAsking(server, denied);
  const std::string before = Questions().back().ask(server, kCast);
  server.Open("ghost/a", SignalKind::kActive, DeviceClass::kWeb, absl::nullopt,
              &lobby);
  server.DeclareAlone("ghost",
                      {AvailabilityKind::kInvisible, "", absl::nullopt});
  ExpectOfThoseAsking(server, denied);
  EXPECT_EQ(Questions().back().ask(server, kCast), before);
}

TEST(DeniedTest, WhoHasItIsAnswered) {
  OneServer server(Policy(), /*may_see_through=*/true);
  ExpectOfThoseAsking(server, Not(StartsWith("error ")));
}

}  // namespace
}  // namespace lifesign::testing
