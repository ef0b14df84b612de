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
  const State state = change.after.state;
  for (const View view : {View::kPublic, View::kTrue}) {
    if (!Includes(change.audience, view)) continue;
    user.states.at(static_cast<std::size_t>(view)) = state;
  }
  const bool seems_to_leave = change.audience == Audience::kPublic &&
                              change.after.cause == Cause::kLeave;
  if (IsLive(state) || seems_to_leave) return;
  // Who was heard of in this step may have come back after that: the next tick
  // will tell.
  CheckGone(change.after.user, user, now, Duration(1));
}

void Witness::CheckGone(const std::string& name, const User& user,
                        PresenceTime now, Duration heard_before) {
  for (const auto& [session, heard] : user.heard) {
    if (now - heard < heard_before || now - heard >= shortest_ttl_) continue;
    verdict_.Fail(absl::StrCat("a false OFFLINE: ", name, ", whose session ",
                               session, " was heard of ",
                               property::Seconds(now - heard), " s ago"));
  }
}

void Witness::OnTick(PresenceTime now) {
  for (const auto& [name, user] : users_) {
    if (!IsLive(user.states[static_cast<std::size_t>(View::kTrue)])) {
      CheckGone(name, user, now, Duration(0));
    }
    const State state = Higher(user.states[0], user.states[1]);
    if (!IsLive(state) || now - user.newest < longest_ttl_) continue;
    verdict_.Fail(absl::StrCat(name, " is ", property::Word(state),
                               ", not heard of for ",
                               property::Seconds(now - user.newest), " s"));
  }
}

}  // namespace lifesign::sim
