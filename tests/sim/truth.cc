// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/truth.h"

#include <algorithm>
#include <cstdint>
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
         a.last_active == b.last_active;
}

}  // namespace

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
      everyone_(
          std::make_shared<Watch>(std::weak_ptr<WatchListener>(),
                                  WatchTerms{.detail = Detail::kDevices})) {
  engine_.CopyAndRegister(everyone_, users, start);
}

void Truth::Tick(const Now& now) {
  model_.Tick(now);
  unordered_ = true;
}

void Truth::EvaluateEveryone(const std::vector<std::string>& users,
                             const Now& now) {
  for (const std::string& user : users) {
    model_.Read(user, View::kPublic, now);
    engine_.GetUser(user, now);
  }
  unordered_ = true;
}

void Truth::Collect(const Now& now) {
  std::vector<Change> changes = model_.TakeChanges();
  if (std::exchange(unordered_, false) && changes.size() > 1)
    AdoptRevisions(changes, now);
  for (Change& change : changes) {
    journal_.Count(change.ChangesState() ? property::Word(change.after.cause)
                                         : "change of devices only");
    if (on_change_) on_change_(change);
    auto& history = histories_[change.after.user].changes;
    std::array<std::string, kDetails> wires = {
        WireOf(change.after, Detail::kState),
        WireOf(change.after, Detail::kDevices)};
    ++unpublished_;
    history.push_back({std::move(change), std::move(wires), {}});
  }
  for (const auto& [user, revision] : std::exchange(expected_, {})) {
    const Revision held = model_.Read(user, View::kPublic, now).record.revision;
    if (held == revision) continue;
    verdict_.Fail(absl::StrCat("snapshot of ", user, " at ", revision,
                               " and not ", held));
  }
}

void Truth::AdoptRevisions(std::vector<Change>& changes, const Now& now) {
  std::map<int, std::set<Revision>> left;
  for (const Change& change : changes) {
    left[model_.ShardIndexOf(change.after.user)].insert(change.after.revision);
  }
  for (Change& change : changes) {
    const std::string& user = change.after.user;
    auto& of_shard = left[model_.ShardIndexOf(user)];
    if (of_shard.size() < 2) continue;
    const Revision given = engine_.GetUser(user, now).record.revision;
    if (!of_shard.contains(given)) continue;
    change.after.revision = given;
    model_.GiveRevision(user, change.audience, given);
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
      ++published;
    }
    return EncodeChange(change, detail);
  });
  everyone_->Take(SIZE_MAX);
  if (published < owed) {
    verdict_.Fail(absl::StrCat("not published: ", FirstUnpublished()));
  }
}

std::string Truth::FirstUnpublished() const {
  for (const auto& [user, history] : histories_) {
    if (history.published == history.changes.size()) continue;
    return Words(history.changes[history.published].change, Now{});
  }
  return "";
}

void Truth::OnPublished(const Change& change, Revision published_before,
                        const Now& now) {
  const Revision revision = change.after.revision;
  Revision& newest = newest_of_shard_[model_.ShardIndexOf(change.after.user)];
  if (revision <= newest || revision <= published_before) {
    verdict_.Fail(absl::StrCat("published out of order: ", Words(change, Now{}),
                               " after ", newest, ", up to ",
                               published_before));
  }
  newest = revision;
  History& history = histories_[change.after.user];
  if (history.published == history.changes.size()) {
    verdict_.Fail(absl::StrCat("published and not emitted by the model: ",
                               Words(change, Now{})));
    return;
  }
  --unpublished_;
  Told& told = history.changes[history.published++];
  told.published_at = now.presence;
  if (on_publish_) on_publish_(change);
  const Change& expected = told.change;
  if (expected.before == change.before &&
      expected.devices_before == change.devices_before &&
      SameRecord(expected.after, change.after)) {
    return;
  }
  verdict_.Fail(absl::StrCat("published\n    model:  ", Words(expected, Now{}),
                             "\n    server: ", Words(change, Now{})));
}

void Truth::FollowForgetting(const Now& now) {
  const auto known = static_cast<std::size_t>(engine_.users());
  if (known == model_.users(View::kPublic)) return;
  std::vector<std::string> users;
  for (const auto& [user, history] : histories_) users.push_back(user);
  for (const std::string& user : users) {
    if (engine_.GetUser(user, now).record.known) continue;
    if (!model_.Forget(user, View::kPublic, now)) {
      verdict_.Fail(absl::StrCat(user, " is forgotten too early"));
    }
    ++forgotten_[user];
    journal_.Count("user forgotten");
  }
  if (known != model_.users(View::kPublic)) {
    verdict_.Fail(absl::StrCat("the server knows ", known, " users, not ",
                               model_.users(View::kPublic)));
  }
}

const Told* Truth::Find(const std::string& user, Revision revision) const {
  const auto found = histories_.find(user);
  if (found == histories_.end()) return nullptr;
  for (const Told& told : found->second.changes) {
    if (told.change.after.revision == revision) return &told;
  }
  return nullptr;
}

const Told* Truth::Published(const std::string& user, Detail detail) const {
  return PublishedUpTo(user, detail, UINT64_MAX);
}

const Told* Truth::PublishedUpTo(const std::string& user, Detail detail,
                                 Revision revision) const {
  const auto found = histories_.find(user);
  if (found == histories_.end()) return nullptr;
  const History& history = found->second;
  for (std::size_t i = history.published; i-- > 0;) {
    const Told& told = history.changes[i];
    if (detail == Detail::kState && !told.change.ChangesState()) continue;
    if (told.change.after.revision <= revision) return &told;
  }
  return nullptr;
}

PresenceRecord Truth::Snapshot(const std::string& user, const Now& now) {
  return model_.Read(user, View::kPublic, now).record;
}

PresenceRecord Truth::Remembered(const PresenceRecord& record,
                                 const Now& now) const {
  if (!record.known || IsLive(record.state) ||
      engine_.GetUser(record.user, now).record.known) {
    return record;
  }
  PresenceRecord unknown;
  unknown.user = record.user;
  unknown.revision = record.revision;
  return unknown;
}

}  // namespace lifesign::sim
