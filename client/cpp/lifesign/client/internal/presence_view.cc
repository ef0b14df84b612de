// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/presence_view.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "absl/container/flat_hash_set.h"

namespace lifesign::client::internal {
namespace {

// How far the wall time of one instant may wander.
constexpr std::int64_t kSameInstantSeconds = 1;

bool Differs(const v1::Availability& told, const v1::Availability& now) {
  return told.kind() != now.kind() || told.text() != now.text() ||
         told.has_expires_at() != now.has_expires_at() ||
         std::abs(told.expires_at().seconds() - now.expires_at().seconds()) >
             kSameInstantSeconds;
}

// Whether a watcher that was told `told` must be told `now`. Times and revision
// move with what a resume repeats; they are no change.
bool Differs(const v1::PresenceRecord& told, const v1::PresenceRecord& now) {
  return told.state() != now.state() ||
         Differs(told.availability(), now.availability()) ||
         !std::equal(
             told.devices().begin(), told.devices().end(),
             now.devices().begin(), now.devices().end(),
             [](const v1::DevicePresence& a, const v1::DevicePresence& b) {
               return a.device_class() == b.device_class() &&
                      a.state() == b.state();
             });
}

}  // namespace

PresenceView::PresenceView(const WatchOptions& options)
    : everyone_(options.all_users || !options.room_id.empty()),
      states_(options.states) {}

bool PresenceView::IsNobody(const v1::PresenceRecord& record) const {
  if (!everyone_) return false;
  if (record.state() == v1::PRESENCE_STATE_OFFLINE) return true;
  return !states_.empty() && std::find(states_.begin(), states_.end(),
                                       record.state()) == states_.end();
}

PresenceView::Taken PresenceView::Take(const v1::PresenceRecord& record) {
  const auto [place, first] = users_.try_emplace(record.user_id());
  User& user = place->second;
  if (user.revision.has_value() && record.revision() <= *user.revision) {
    return Taken::kIgnored;
  }
  const bool same = !first && user.record.revision() == record.revision();
  user.record = record;
  user.revision = record.revision();
  FileChange(user);
  DropNobody(user);
  return same ? Taken::kSame : Taken::kNews;
}

bool PresenceView::IsNews(const User& user) const {
  return user.told.has_value() ? Differs(*user.told, user.record)
                               : !IsNobody(user.record);
}

void PresenceView::FileChange(User& user) {
  if (user.filed || !IsNews(user)) return;
  user.filed = true;
  mailbox_.push_back({WatchEvent::Kind::kChange, &user, Error(), {}});
}

void PresenceView::DropNobody(User& user) {
  if (user.filed || !IsNobody(user.record)) return;
  users_.erase(std::string(user.record.user_id()));
}

void PresenceView::ForgetRevisions() {
  for (auto& [id, user] : users_) user.revision.reset();
}

void PresenceView::DropUnmentioned() {
  if (!everyone_) return;
  for (auto next = users_.begin(); next != users_.end();) {
    User& user = (next++)->second;
    if (user.revision.has_value()) continue;
    // When they went, and why, is not known.
    const std::string id = user.record.user_id();
    user.record.Clear();
    user.record.set_user_id(id);
    user.record.set_state(v1::PRESENCE_STATE_OFFLINE);
    FileChange(user);
    DropNobody(user);
  }
}

void PresenceView::TakeOccupancy(const v1::Occupancy& occupancy) {
  occupancy_ = occupancy;
  File(WatchEvent::Kind::kOccupancy);
}

void PresenceView::Drop(absl::Span<const std::string> users) {
  absl::flat_hash_set<const User*> dropped;
  for (const std::string& id : users) {
    const auto found = users_.find(id);
    if (found != users_.end()) dropped.insert(&found->second);
  }
  std::erase_if(mailbox_, [&dropped](const Entry& entry) {
    return entry.user != nullptr && dropped.contains(entry.user);
  });
  for (const std::string& id : users) users_.erase(id);
}

void PresenceView::File(WatchEvent::Kind kind, const Error& error) {
  const auto drop = [this](WatchEvent::Kind dropped) {
    return std::erase_if(mailbox_, [dropped](const Entry& entry) {
             return entry.kind == dropped;
           }) > 0;
  };
  switch (kind) {
    case WatchEvent::Kind::kStale:
      if (drop(WatchEvent::Kind::kFresh)) return;
      break;
    case WatchEvent::Kind::kFresh:
      if (drop(WatchEvent::Kind::kStale)) return;
      break;
    case WatchEvent::Kind::kSynced:
    case WatchEvent::Kind::kChange:
    case WatchEvent::Kind::kRefused:
    case WatchEvent::Kind::kEnded:
    case WatchEvent::Kind::kOccupancy:
      drop(kind);
      break;
  }
  mailbox_.push_back({kind, nullptr, error, {}});
}

void PresenceView::FileRefused(const Error& error,
                               std::vector<std::string> users) {
  for (const Entry& entry : mailbox_) {
    users.insert(users.end(), entry.users.begin(), entry.users.end());
  }
  std::sort(users.begin(), users.end());
  users.erase(std::unique(users.begin(), users.end()), users.end());
  File(WatchEvent::Kind::kRefused, error);
  mailbox_.back().users = std::move(users);
}

absl::optional<WatchEvent> PresenceView::Next() {
  while (!mailbox_.empty()) {
    Entry entry = std::move(mailbox_.front());
    mailbox_.pop_front();
    WatchEvent event;
    event.kind = entry.kind;
    event.error = std::move(entry.error);
    event.user_ids = std::move(entry.users);
    if (entry.kind == WatchEvent::Kind::kOccupancy) {
      event.occupancy = *occupancy_;
    }
    if (entry.user == nullptr) return event;
    User& user = *entry.user;
    user.filed = false;
    const bool news = IsNews(user);
    if (news) {
      event.change.before = user.told;
      event.change.after = user.record;
      user.told = user.record;
    }
    DropNobody(user);
    if (news) return event;
  }
  return absl::nullopt;
}

const v1::PresenceRecord* PresenceView::Find(absl::string_view user_id) const {
  const auto found = users_.find(user_id);
  return found == users_.end() ? nullptr : &found->second.record;
}

void PresenceView::ForEach(
    const std::function<void(const v1::PresenceRecord&)>& visit) const {
  for (const auto& [id, user] : users_) visit(user.record);
}

}  // namespace lifesign::client::internal
