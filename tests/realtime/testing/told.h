// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a watch was told, as tests judge it.
#ifndef LIFESIGN_TESTS_REALTIME_TESTING_TOLD_H_
#define LIFESIGN_TESTS_REALTIME_TESTING_TOLD_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/base/time.h"
#include "tests/integration/testing/watch_client.h"

namespace lifesign::testing {

// u0, u1 … one less than `count`.
std::vector<std::string> Users(int count);

v1::WatchPresenceRequest WatchOf(const std::vector<std::string>& users);

// Snapshots and changes of all users, in the order they came.
std::vector<v1::PresenceRecord> AllTold(
    const std::vector<v1::WatchPresenceResponse>& messages);
// Those of one user.
std::vector<v1::PresenceRecord> Told(
    const std::vector<v1::WatchPresenceResponse>& messages,
    const std::string& user);
std::vector<v1::PresenceState> StatesOf(
    const std::vector<v1::PresenceRecord>& told);

// No change was told twice: of each user, revisions rise and no state follows
// itself.
::testing::AssertionResult NothingTwice(
    const std::vector<v1::PresenceRecord>& told);

Duration Between(const google::protobuf::Timestamp& earlier,
                 const google::protobuf::Timestamp& later);

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_REALTIME_TESTING_TOLD_H_
