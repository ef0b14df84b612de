// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The sessions of one stream by handle, and which of them want attention: to be
// said in the next message, at a time of their own, or to be told to the
// holder.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_SESSION_TABLE_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_SESSION_TABLE_H_

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "lifesign/client/internal/held_session.h"
#include "lifesign/client/session_status.h"
#include "server/base/time.h"

namespace lifesign::client::internal {

// No list here grows with what happens: each session stands in each at most
// once. Handle 0 means none.
//
// Not thread-safe: its owner guards it.
class SessionTable {
 public:
  // The session's handle, ended ones included; 0: none.
  Handle Find(const SessionSpec& spec) const;
  // Null: `handle` names no session.
  HeldSession* Find(Handle handle) const;

  // Takes a session in, under the lowest free handle: small ones are short on
  // the wire. REQUIRES: Find(spec) == 0; `spec.instance` is not 0.
  Handle Add(const SessionSpec& spec, RealTime now);

  // Puts a new session with the same ids in the place of an ended one.
  void Replace(Handle handle, const SessionSpec& spec, RealTime now);

  // Takes a session out; its handle is free at once.
  void Remove(Handle handle);

  // How many sessions are in `phase`.
  size_t count(Phase phase) const {
    return counts_[static_cast<size_t>(phase)];
  }
  // How many have not ended.
  size_t held() const { return by_key_.size() - count(Phase::kEnded); }
  // Moves a session to `phase`; the only way to do so.
  void SetPhase(HeldSession& session, Phase phase);

  // Visits all, in the order of their handles.
  void ForEach(const std::function<void(Handle, HeldSession&)>& visit);

  // Has `handle` said in the next message.
  void Enqueue(Handle handle);
  // The first of those for which `wanted` holds; 0: none. Others are dropped.
  Handle FirstQueued(const std::function<bool(const HeldSession&)>& wanted);
  // REQUIRES: FirstQueued was not 0.
  void PopQueued();
  size_t queued() const { return queue_.size(); }

  // Files when `handle` is due; max: never.
  void SetDue(Handle handle, RealTime due);
  RealTime EarliestDue() const;
  // Takes one that is due at `now`, which then is due never; 0: none.
  Handle PopDue(RealTime now);

  // Lists `handle` among those with news.
  void MarkNews(Handle handle);
  bool HasNews() const { return !news_.empty(); }
  // Takes one with news; 0: none.
  Handle PopNews();

 private:
  static std::string KeyOf(const SessionSpec& spec);
  Handle FreeHandle();
  size_t& CountOf(Phase phase) { return counts_[static_cast<size_t>(phase)]; }

  // [handle - 1]; null where the handle is free.
  std::vector<std::unique_ptr<HeldSession>> sessions_;
  std::array<size_t, kPhases> counts_{};
  absl::flat_hash_map<std::string, Handle> by_key_;
  std::priority_queue<Handle, std::vector<Handle>, std::greater<Handle>> free_;

  std::deque<Handle> queue_;
  std::set<std::pair<RealTime, Handle>> due_;
  std::deque<Handle> news_;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_SESSION_TABLE_H_
