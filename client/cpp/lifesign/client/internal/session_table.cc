// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/session_table.h"

#include <cassert>

#include "absl/strings/str_cat.h"

namespace lifesign::client::internal {

std::string SessionTable::KeyOf(const SessionSpec& spec) {
  // The length keeps ("a", "bc") apart from ("ab", "c").
  return absl::StrCat(spec.user_id.size(), ":", spec.user_id, spec.session_id);
}

Handle SessionTable::Find(const SessionSpec& spec) const {
  const auto found = by_key_.find(KeyOf(spec));
  return found == by_key_.end() ? 0 : found->second;
}

HeldSession* SessionTable::Find(Handle handle) const {
  if (handle == 0 || handle > sessions_.size()) return nullptr;
  return sessions_[handle - 1].get();
}

Handle SessionTable::FreeHandle() {
  if (!free_.empty()) {
    const Handle handle = free_.top();
    free_.pop();
    return handle;
  }
  sessions_.emplace_back();
  return static_cast<Handle>(sessions_.size());
}

Handle SessionTable::Add(const SessionSpec& spec, RealTime now) {
  assert(spec.instance != 0);
  const Handle handle = FreeHandle();
  const bool added = by_key_.emplace(KeyOf(spec), handle).second;
  assert(added);
  static_cast<void>(added);
  sessions_[handle - 1] = std::make_unique<HeldSession>(spec, now);
  ++CountOf(Phase::kToOpen);
  return handle;
}

void SessionTable::Replace(Handle handle, const SessionSpec& spec,
                           RealTime now) {
  assert(Find(spec) == handle);
  SetDue(handle, RealTime::max());
  auto& place = sessions_[handle - 1];
  assert(place->phase == Phase::kEnded);
  auto next = std::make_unique<HeldSession>(spec, now);
  next->queued = place->queued;
  next->news = place->news;
  place = std::move(next);
  --CountOf(Phase::kEnded);
  ++CountOf(Phase::kToOpen);
}

void SessionTable::Remove(Handle handle) {
  HeldSession& session = *Find(handle);
  SetDue(handle, RealTime::max());
  // Rare, and the queues are short then: a handle must not stand in them for
  // its next session.
  if (session.queued) std::erase(queue_, handle);
  if (session.news) std::erase(news_, handle);
  by_key_.erase(KeyOf(session.spec));
  --CountOf(session.phase);
  sessions_[handle - 1].reset();
  free_.push(handle);
}

void SessionTable::SetPhase(HeldSession& session, Phase phase) {
  --CountOf(session.phase);
  session.phase = phase;
  ++CountOf(phase);
}

void SessionTable::ForEach(
    const std::function<void(Handle, HeldSession&)>& visit) {
  for (size_t i = 0; i < sessions_.size(); ++i) {
    if (sessions_[i] != nullptr) {
      visit(static_cast<Handle>(i + 1), *sessions_[i]);
    }
  }
}

void SessionTable::Enqueue(Handle handle) {
  HeldSession& session = *Find(handle);
  if (session.queued) return;
  session.queued = true;
  queue_.push_back(handle);
}

Handle SessionTable::FirstQueued(
    const std::function<bool(const HeldSession&)>& wanted) {
  while (!queue_.empty() && !wanted(*Find(queue_.front()))) PopQueued();
  return queue_.empty() ? 0 : queue_.front();
}

void SessionTable::PopQueued() {
  Find(queue_.front())->queued = false;
  queue_.pop_front();
}

void SessionTable::SetDue(Handle handle, RealTime due) {
  HeldSession& session = *Find(handle);
  if (session.due == due) return;
  if (session.due != RealTime::max()) due_.erase({session.due, handle});
  session.due = due;
  if (due != RealTime::max()) due_.emplace(due, handle);
}

RealTime SessionTable::EarliestDue() const {
  return due_.empty() ? RealTime::max() : due_.begin()->first;
}

Handle SessionTable::PopDue(RealTime now) {
  if (EarliestDue() > now || due_.empty()) return 0;
  const Handle handle = due_.begin()->second;
  SetDue(handle, RealTime::max());
  return handle;
}

void SessionTable::MarkNews(Handle handle) {
  HeldSession& session = *Find(handle);
  if (session.news) return;
  session.news = true;
  news_.push_back(handle);
}

Handle SessionTable::PopNews() {
  if (news_.empty()) return 0;
  const Handle handle = news_.front();
  news_.pop_front();
  Find(handle)->news = false;
  return handle;
}

}  // namespace lifesign::client::internal
