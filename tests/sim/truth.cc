// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/truth.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "server/core/session/session_shard.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode.h"
#include "tests/property/step.h"

namespace lifesign::sim {
namespace {

using property::Words;

bool SameRecord(const PresenceRecord& a, const PresenceRecord& b) {
  return a.user == b.user && a.state == b.state && a.devices == b.devices &&
         a.cause == b.cause && a.revision == b.revision && a.known == b.known &&
         a.since == b.since && a.last_seen == b.last_seen &&
         a.last_active == b.last_active &&
         IsSame(a.availability, b.availability);
}

constexpr View kViews[] = {View::kPublic, View::kTrue};

std::shared_ptr<Watch> WatchIn(View view) {
  return std::make_shared<Watch>(
      std::weak_ptr<WatchListener>(),
      WatchTerms{.view = view, .detail = Detail::kDevices});
}

Told ToldOf(const Change& change, const Now& now) {
  return {change,
          {WireOf(change.after, Detail::kState),
           WireOf(change.after, Detail::kDevices)},
          AvailabilityOf(change.after, now),
          {}};
}

}  // namespace

std::string AvailabilityOf(const PresenceRecord& record, const Now& now) {
  if (record.availability == nullptr) return "";
  const AvailabilityView& said = *record.availability;
  std::string words = absl::StrCat(static_cast<int>(said.kind), said.text);
  if (said.expires_at.has_value()) {
    const RealTime until = now.real + (*said.expires_at - now.wall);
    absl::StrAppend(&words, " until ", until.time_since_epoch().count());
  }
  return words;
}

std::string WireOf(const PresenceRecord& record, Detail detail) {
  ScratchArena arena;
  auto& message = arena.Create<v1::PresenceRecord>();
  EncodeRecord(record, detail, message);
  return message.SerializeAsString();
}

property::Model::Options Truth::ModelOptions(const WorldOptions& options,
                                             const Policy& policy,
                                             Revision epoch) {
  property::Model::Options model;
  model.policy = policy;
  model.epoch = epoch;
  model.max_sessions_per_user = options.max_sessions_per_user;
  model.shards = options.shards;
  model.shard_of = [seed = options.seed,
                    shards = options.shards](const std::string& user) {
    // As SessionMap does: the upper half of the hash.
    const std::uint64_t hash = SessionShard::HashUser(user, seed);
    return static_cast<int>(
        ((hash >> 32) * static_cast<std::uint64_t>(shards)) >> 32);
  };
  return model;
}

Truth::Truth(const WorldOptions& options, const std::vector<std::string>& users,
             const Policy& policy, const Now& start, PresenceEngine& engine,
             Journal& journal, Verdict& verdict)
    : engine_(engine),
      journal_(journal),
      verdict_(verdict),
      model_(ModelOptions(options, policy, engine.epoch()), start),
      everyone_({WatchIn(View::kPublic), WatchIn(View::kTrue)}) {
  for (const auto& watch : everyone_) {
    engine_.CopyAndRegister(watch, users, start);
  }
}

void Truth::Tick(const Now& now) {
  model_.Tick(now);
  unordered_ = true;
}

void Truth::EvaluateEveryone(const std::vector<std::string>& users,
                             const Now& now) {
  for (const std::string& user : users) {
    // Also those who are invisible, at whom the public does not look.
    model_.Read(user, View::kTrue, now);
    engine_.GetUser(user, now, View::kTrue);
  }
  unordered_ = true;
}

void Truth::Collect(const Now& now) {
  std::vector<Change> changes = model_.TakeChanges();
  if (std::exchange(unordered_, false) && changes.size() > 1)
    AdoptRevisions(changes, now);
  for (const Change& change : changes) {
    journal_.Count(!change.ChangesState() ? "change of devices only"
                   : change.audience == Audience::kEverybody
                       ? property::Word(change.after.cause)
                   : change.audience == Audience::kTrue
                       ? "change told to those who see through"
                       : "change told to all who do not");
    if (on_change_) on_change_(change);
    for (const View view : kViews) {
      if (!Includes(change.audience, view)) continue;
      ++unpublished_;
      if (view == View::kPublic) ++unpublished_in_public_;
      HistoriesIn(view)[change.after.user].changes.push_back(
          ToldOf(change, now));
    }
  }
  for (const Expected& expected : std::exchange(expected_, {})) {
    const Revision held =
        model_.Read(expected.user, expected.view, now).record.revision;
    if (held == expected.revision) continue;
    verdict_.Fail(absl::StrCat("snapshot of ", expected.user, " at ",
                               expected.revision, " and not ", held));
  }
}

void Truth::AdoptRevisions(std::vector<Change>& changes, const Now& now) {
  std::map<int, std::set<std::string>> of_shard;
  for (const Change& change : changes) {
    const std::string& user = change.after.user;
    of_shard[model_.ShardIndexOf(user)].insert(user);
  }
  // Those of one user are in order.
  const auto alone = std::stable_partition(
      changes.begin(), changes.end(), [&](const Change& change) {
        return of_shard[model_.ShardIndexOf(change.after.user)].size() > 1;
      });
  std::vector<Change> settled(std::make_move_iterator(alone),
                              std::make_move_iterator(changes.end()));
  changes.erase(alone, changes.end());
  AdoptInPublic(changes, now);
  AdoptInTruth(changes, now);
  std::move(settled.begin(), settled.end(), std::back_inserter(changes));
}

void Truth::AdoptInPublic(std::vector<Change>& changes, const Now& now) {
  std::map<int, std::set<Revision>> left;
  std::map<std::string, Change*> last;
  for (Change& change : changes) {
    if (!Includes(change.audience, View::kPublic)) continue;
    const std::string& user = change.after.user;
    left[model_.ShardIndexOf(user)].insert(change.after.revision);
    Change*& newest = last[user];
    if (newest != nullptr) newest->after.revision = 0;
    newest = &change;
  }
  for (const auto& [user, change] : last) {
    const Revision given = engine_.GetUser(user, now).record.revision;
    if (!left[model_.ShardIndexOf(user)].contains(given)) continue;
    change->after.revision = given;
    model_.GiveRevision(user, change->audience, given);
  }
}

void Truth::AdoptInTruth(std::vector<Change>& changes, const Now& now) {
  std::map<std::string, Change*> last;
  for (Change& change : changes) {
    if (!Includes(change.audience, View::kTrue)) continue;
    Change*& newest = last[change.after.user];
    if (newest != nullptr) newest->after.revision = 0;
    newest = &change;
  }
  // Beside the others, wherever those are: the newest of each shard.
  std::map<int, std::pair<Revision, std::string>> beside;
  for (const auto& [user, change] : last) {
    if (change->audience != Audience::kTrue) continue;
    const Revision given =
        engine_.GetUser(user, now, View::kTrue).record.revision;
    change->after.revision = given;
    model_.GiveRevision(user, change->audience, given);
    auto& newest = beside[model_.ShardIndexOf(user)];
    newest = std::max(newest, {given, user});
  }
  for (const auto& [shard, newest] : beside) {
    model_.GiveBeside(newest.second, newest.first);
  }
}

void Truth::Publish(const Now& now) {
  const Revision published_before = engine_.published_up_to();
  const int owed = unpublished_;
  int published = 0;
  // Before watches are woken, who may copy users.
  model_.Publish(now);
  engine_.Publish(now, [&](const Change& change, Detail detail) {
    // For everyone_, once for each.
    if (detail == Detail::kDevices) {
      OnPublished(change, published_before, now);
      for (const View view : kViews) {
        if (Includes(change.audience, view)) ++published;
      }
    }
    return EncodeChange(change, detail);
  });
  for (const auto& watch : everyone_) watch->Take(SIZE_MAX);
  if (published < owed) {
    verdict_.Fail(absl::StrCat("not published: ", FirstUnpublished()));
  }
}

std::string Truth::FirstUnpublished() const {
  for (const Histories& histories : histories_) {
    for (const auto& [user, history] : histories) {
      if (history.published == history.changes.size()) continue;
      return Words(history.changes[history.published].change, Now{});
    }
  }
  return "";
}

void Truth::OnPublished(const Change& change, Revision published_before,
                        const Now& now) {
  const std::string& user = change.after.user;
  const Revision revision = change.after.revision;
  if (on_publish_) on_publish_(change);
  for (const View view : kViews) {
    if (!Includes(change.audience, view)) continue;
    Revision& newest = view == View::kPublic
                           ? newest_of_shard_[model_.ShardIndexOf(user)]
                           : newest_in_truth_[user];
    if (revision <= newest || revision <= published_before) {
      verdict_.Fail(
          absl::StrCat("published out of order: ", Words(change, Now{}),
                       " after ", newest, ", up to ", published_before));
    }
    newest = revision;
    CheckPublished(change, view, now);
  }
}

void Truth::CheckPublished(const Change& change, View view, const Now& now) {
  History& history = HistoriesIn(view)[change.after.user];
  if (history.published == history.changes.size()) {
    verdict_.Fail(absl::StrCat("published and not emitted by the model: ",
                               Words(change, Now{})));
    return;
  }
  --unpublished_;
  if (view == View::kPublic) --unpublished_in_public_;
  Told& told = history.changes[history.published++];
  if (told.change.after.revision == 0) {
    const std::string availability = told.availability;
    told.change.after.revision = change.after.revision;
    told = ToldOf(told.change, now);
    told.availability = availability;
  }
  told.published_at = now.presence;
  const Change& expected = told.change;
  if (expected.before == change.before &&
      expected.devices_before == change.devices_before &&
      IsSame(expected.availability_before, change.availability_before) &&
      SameRecord(expected.after, change.after)) {
    return;
  }
  verdict_.Fail(absl::StrCat(view == View::kPublic
                                 ? "published"
                                 : "published to those who see through",
                             "\n    model:  ", Words(expected, Now{}),
                             "\n    server: ", Words(change, Now{})));
}

void Truth::FollowForgetting(const std::vector<std::string>& users,
                             const Now& now) {
  for (const std::string& user : users) {
    // Both before either: with the one the other may go.
    std::vector<View> gone;
    for (const View view : kViews) {
      if (model_.Record(user, view, now).known &&
          !engine_.GetUser(user, now, view).record.known) {
        gone.push_back(view);
      }
    }
    for (const View view : gone) {
      if (!model_.Forget(user, view, now)) {
        verdict_.Fail(absl::StrCat(user, " is forgotten too early"));
      }
      ++forgotten_[{user, view}];
      journal_.Count(view == View::kPublic ? "user forgotten"
                                           : "user forgotten in truth");
    }
  }
  const auto known = static_cast<std::size_t>(engine_.users());
  if (known != model_.users(View::kPublic)) {
    verdict_.Fail(absl::StrCat("the server knows ", known, " users, not ",
                               model_.users(View::kPublic)));
  }
}

const Told* Truth::Find(const std::string& user, View view,
                        Revision revision) const {
  const auto found = HistoriesIn(view).find(user);
  if (found == HistoriesIn(view).end()) return nullptr;
  for (const Told& told : found->second.changes) {
    if (told.change.after.revision == revision) return &told;
  }
  return nullptr;
}

const Told* Truth::Published(const std::string& user, View view,
                             Detail detail) const {
  return PublishedUpTo(user, view, detail, UINT64_MAX);
}

const Told* Truth::PublishedUpTo(const std::string& user, View view,
                                 Detail detail, Revision revision) const {
  const auto found = HistoriesIn(view).find(user);
  if (found == HistoriesIn(view).end()) return nullptr;
  const History& history = found->second;
  for (std::size_t i = history.published; i-- > 0;) {
    const Told& told = history.changes[i];
    if (detail == Detail::kState && !told.change.ChangesState()) continue;
    if (told.change.after.revision <= revision) return &told;
  }
  return nullptr;
}

PresenceRecord Truth::Snapshot(const std::string& user, View view,
                               const Now& now) {
  return model_.Read(user, view, now).record;
}

PresenceRecord Truth::Remembered(const PresenceRecord& record, View view,
                                 const Now& now) const {
  if (!record.known || IsLive(record.state) ||
      engine_.GetUser(record.user, now, view).record.known) {
    return record;
  }
  PresenceRecord unknown;
  unknown.user = record.user;
  unknown.revision = record.revision;
  return unknown;
}

}  // namespace lifesign::sim
