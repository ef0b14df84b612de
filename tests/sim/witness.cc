// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/witness.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/property/step.h"

namespace lifesign::sim {

void Witness::OnPolicy(const Policy& policy) {
  shortest_ttl_ = std::min(shortest_ttl_, policy.ShortestTtl());
  longest_ttl_ = std::max(longest_ttl_, policy.LongestTtl());
}

void Witness::OnOpened(const std::string& user, const std::string& session,
                       PresenceTime now) {
  User& known = users_[user];
  known.heard[session] = now;
  known.newest = now;
}

void Witness::OnHeard(const std::string& user, const std::string& session,
                      PresenceTime now) {
  User& known = users_[user];
  known.newest = now;
  // Signals do not stop a linger.
  const auto found = known.heard.find(session);
  if (found != known.heard.end()) found->second = now;
}

void Witness::OnLeft(const std::string& user, const std::string& session) {
  users_[user].heard.erase(session);
}

void Witness::OnChange(const Change& change, PresenceTime now) {
  User& user = users_[change.after.user];
  user.state = change.after.state;
  if (IsLive(user.state)) return;
  for (const auto& [session, heard] : user.heard) {
    if (now - heard >= shortest_ttl_) continue;
    verdict_.Fail(absl::StrCat("a false OFFLINE: ", change.after.user,
                               ", whose session ", session, " was heard of ",
                               property::Seconds(now - heard), " s ago"));
  }
}

void Witness::OnTick(PresenceTime now) {
  for (const auto& [name, user] : users_) {
    if (!IsLive(user.state) || now - user.newest < longest_ttl_) continue;
    verdict_.Fail(absl::StrCat(name, " is ", property::Word(user.state),
                               ", not heard of for ",
                               property::Seconds(now - user.newest), " s"));
  }
}

}  // namespace lifesign::sim
