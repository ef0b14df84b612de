// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What the engine and the model are compared by after each step.
#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/property/world.h"

namespace lifesign::property {
namespace {

constexpr int kAttachmentsCompared = 3;

}  // namespace

absl::optional<std::string> World::CompareChanges(Step::Kind kind) {
  const Revision published_before = engine_.published_up_to();
  collected_.clear();
  engine_.Publish(newest_, [&](const Change& change, Detail) {
    collected_.push_back(change);
    return std::shared_ptr<const void>();
  });
  std::vector<Change> changes = model_.TakeChanges();
  if (kind == Step::Kind::kTick) AdoptOrderOf(changes);
  model_.Publish(newest_);

  // By view and user.
  std::map<std::pair<View, std::string>, std::string> expected;
  std::map<std::pair<View, std::string>, std::string> actual;
  const auto note = [&](const Change& change, auto& noted) {
    for (const View view : {View::kPublic, View::kTrue}) {
      if (!Includes(change.audience, view)) continue;
      absl::StrAppend(&noted[{view, change.after.user}], "\n      ",
                      Words(change, start_));
    }
  };
  for (const Change& change : changes) {
    ++tally_[absl::StrCat("change ", Word(change.after.cause),
                          change.ChangesState() ? "" : " of devices")];
    ++tally_[change.audience == Audience::kEverybody ? "told to everybody"
             : change.audience == Audience::kTrue    ? "told to few"
                                                     : "told to others"];
    if (change.ChangesState()) note(change, expected);
  }
  for (const Change& change : collected_) {
    note(change, actual);
    if (auto fault = CheckRevision(change, published_before)) return fault;
    LeaveInMailbox(change);
  }
  for (const View view : {View::kPublic, View::kTrue}) {
    for (int user = 0; user < options_.users; ++user) {
      const std::pair<View, std::string> who(view, UserName(user));
      const auto fault =
          Compare(expected[who], actual[who],
                  view == View::kPublic ? "changes" : "true changes");
      if (fault) return fault;
    }
  }
  return absl::nullopt;
}

absl::optional<std::string> World::CheckRevision(const Change& change,
                                                 Revision published_before) {
  const PresenceRecord& after = change.after;
  if (after.revision <= published_before)
    return "published behind its watermark";
  if (Includes(change.audience, View::kTrue)) {
    Revision& newest = newest_truth_[after.user];
    if (after.revision <= newest) {
      return absl::StrCat("a true revision that does not rise above ", newest,
                          ": ", Words(change, start_));
    }
    newest = after.revision;
  }
  if (Includes(change.audience, View::kPublic)) {
    Revision& newest = newest_of_shard_[model_.ShardIndexOf(after.user)];
    if (after.revision <= newest) return "a revision that does not rise";
    newest = after.revision;
  }
  return absl::nullopt;
}

// A tick changes many users at once, in an order that is the engine's own. The
// revisions that it gives are the model's, each to another user of the shard.
void World::AdoptOrderOf(std::vector<Change>& changes) {
  const auto view_of = [](const Change& change) {
    return Includes(change.audience, View::kPublic) ? View::kPublic
                                                    : View::kTrue;
  };
  std::map<std::pair<View, std::string>, std::deque<Revision>> told;
  for (const Change& change : collected_) {
    told[{view_of(change), change.after.user}].push_back(change.after.revision);
  }
  std::map<int, std::set<Revision>> left;
  for (const Change& change : changes) {
    if (view_of(change) == View::kTrue) continue;
    left[model_.ShardIndexOf(change.after.user)].insert(change.after.revision);
  }
  for (Change& change : changes) {
    const std::string& user = change.after.user;
    const View view = view_of(change);
    auto& of_user = told[{view, user}];
    // Of devices alone nobody is told.
    Revision given = engine_.GetUser(user, newest_, view).record.revision;
    if (change.ChangesState() && !of_user.empty()) {
      given = of_user.front();
      of_user.pop_front();
    }
    // Those that few are told lie beside the others, wherever those are.
    if (view == View::kPublic &&
        left[model_.ShardIndexOf(user)].erase(given) == 0) {
      continue;
    }
    change.after.revision = given;
    model_.GiveRevision(user, change.audience, given);
  }
  for (const Change& change : collected_) {
    if (change.audience != Audience::kTrue) continue;
    model_.GiveBeside(change.after.user, change.after.revision);
  }
}

void World::LeaveInMailbox(const Change& change) {
  const std::string& user = change.after.user;
  if (!watched_.contains(user)) return;
  if (!Includes(change.audience, options_.watcher)) return;
  const auto found = std::find_if(
      mailbox_.begin(), mailbox_.end(),
      [&](const Waiting& waiting) { return waiting.user == user; });
  if (found == mailbox_.end()) {
    mailbox_.push_back({user, change.before, change.availability_before,
                        change.after.state, change.after.revision});
  } else if (found->told == change.after.state &&
             IsSame(found->told_availability, change.after.availability)) {
    mailbox_.erase(found);
    ++tally_["mail vanished"];
  } else {
    found->state = change.after.state;
    found->revision = change.after.revision;
    ++tally_["mail coalesced"];
  }
}

// When exactly a user is forgotten is the engine's business: with a tick, and
// not before the retention has run out.
absl::optional<std::string> World::FollowForgetting() {
  for (int user = 0; user < options_.users; ++user) {
    const std::string name = UserName(user);
    for (const View view : {View::kPublic, View::kTrue}) {
      if (engine_.GetUser(name, newest_, view).record.known) continue;
      const std::size_t shown = model_.users(View::kPublic);
      const std::size_t truly = model_.users(View::kTrue);
      if (!model_.Forget(name, view, newest_)) {
        return absl::StrCat(name, " is forgotten too early");
      }
      // Forgotten with the tick, and counted after it.
      constexpr auto kOffline = static_cast<std::size_t>(State::kOffline);
      counts_[0].users[kOffline] -=
          static_cast<std::int64_t>(shown - model_.users(View::kPublic));
      counts_[1].users[kOffline] -=
          static_cast<std::int64_t>(truly - model_.users(View::kTrue));
    }
  }
  return absl::nullopt;
}

// § 10: counts are what a recount at the last tick would be, whatever happened
// since.
absl::optional<std::string> World::CompareCounts(View view,
                                                 const ModelCounts& counts) {
  return Difference(counts, engine_.Counts(view).counts);
}

// Whether a stream's handle is free is the same question at every instant.
absl::optional<std::string> World::CompareBindings(const Step& step) {
  for (const auto& [who, held] : held_) {
    const std::size_t first = held.size() > kAttachmentsCompared
                                  ? held.size() - kAttachmentsCompared
                                  : 0;
    for (std::size_t i = first; i < held.size(); ++i) {
      if (!held[i].stream) continue;
      const bool expected =
          model_.IsBound(UserName(who.first), SessionId(who.second),
                         held[i].ref.attachment, step.now);
      if (engine_.IsBound(held[i].ref, step.now) == expected) continue;
      return absl::StrCat(
          UserName(who.first), "/", SessionId(who.second), " attachment ", i,
          " is ", expected ? "bound" : "not bound", " for the model only");
    }
  }
  return absl::nullopt;
}

}  // namespace lifesign::property
