// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/presence_view.h"

#include <algorithm>

namespace lifesign::client::internal {
namespace {

// Whether a watcher that was told `told` must be told `now`. Times and revision
// move with what a resume repeats; they are no change.
bool Differs(const v1::PresenceRecord& told, const v1::PresenceRecord& now) {
  return told.state() != now.state();
}

}  // namespace

PresenceView::Taken PresenceView::Take(const v1::PresenceRecord& record) {
  const auto [place, first] = users_.try_emplace(record.user_id());
  User& user = place->second;
  if (user.revision.has_value() && record.revision() <= *user.revision) {
    return Taken::kIgnored;
  }
  const bool same = !first && user.record.revision() == record.revision();
  user.record = record;
  user.revision = record.revision();
  if (!user.filed &&
      (!user.told.has_value() || Differs(*user.told, user.record))) {
    user.filed = true;
    mailbox_.push_back({WatchEvent::Kind::kChange, &user, Error()});
  }
  return same ? Taken::kSame : Taken::kNews;
}

void PresenceView::ForgetRevisions() {
  for (auto& [id, user] : users_) user.revision.reset();
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
    case WatchEvent::Kind::kEnded:
      drop(kind);
      break;
  }
  mailbox_.push_back({kind, nullptr, error});
}

absl::optional<WatchEvent> PresenceView::Next() {
  while (!mailbox_.empty()) {
    const Entry entry = std::move(mailbox_.front());
    mailbox_.pop_front();
    WatchEvent event;
    event.kind = entry.kind;
    event.error = entry.error;
    if (entry.user == nullptr) return event;
    User& user = *entry.user;
    user.filed = false;
    if (user.told.has_value() && !Differs(*user.told, user.record)) continue;
    event.change.before = user.told;
    event.change.after = user.record;
    user.told = user.record;
    return event;
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
