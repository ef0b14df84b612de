// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/realtime/testing/told.h"

#include <map>

#include "absl/strings/str_cat.h"

namespace lifesign::testing {

std::vector<std::string> Users(int count) {
  std::vector<std::string> users;
  for (int i = 0; i < count; ++i) users.push_back(absl::StrCat("u", i));
  return users;
}

v1::WatchPresenceRequest WatchOf(const std::vector<std::string>& users) {
  v1::WatchPresenceRequest request;
  for (const auto& user : users) request.mutable_users()->add_user_ids(user);
  return request;
}

std::vector<v1::PresenceRecord> AllTold(
    const std::vector<v1::WatchPresenceResponse>& messages) {
  std::vector<v1::PresenceRecord> told;
  for (const auto& message : messages) {
    told.insert(told.end(), message.snapshot().begin(),
                message.snapshot().end());
    told.insert(told.end(), message.changes().begin(), message.changes().end());
  }
  return told;
}

std::vector<v1::PresenceRecord> Told(
    const std::vector<v1::WatchPresenceResponse>& messages,
    const std::string& user) {
  std::vector<v1::PresenceRecord> told;
  for (const auto& record : AllTold(messages)) {
    if (record.user_id() == user) told.push_back(record);
  }
  return told;
}

std::vector<v1::PresenceState> StatesOf(
    const std::vector<v1::PresenceRecord>& told) {
  std::vector<v1::PresenceState> states;
  for (const auto& record : told) states.push_back(record.state());
  return states;
}

::testing::AssertionResult NothingTwice(
    const std::vector<v1::PresenceRecord>& told) {
  std::map<std::string, const v1::PresenceRecord*> last;
  for (const auto& record : told) {
    const v1::PresenceRecord*& before = last[record.user_id()];
    if (before != nullptr && (record.revision() <= before->revision() ||
                              record.state() == before->state())) {
      return ::testing::AssertionFailure()
             << before->ShortDebugString() << "\nfollowed by\n"
             << record.ShortDebugString();
    }
    before = &record;
  }
  return ::testing::AssertionSuccess();
}

Duration Between(const google::protobuf::Timestamp& earlier,
                 const google::protobuf::Timestamp& later) {
  return seconds(later.seconds() - earlier.seconds()) +
         std::chrono::duration_cast<Duration>(
             std::chrono::nanoseconds(later.nanos() - earlier.nanos()));
}

}  // namespace lifesign::testing
