// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Reading users and sessions. docs/concepts.md §§ 6, 7, 10.
#include <string>

#include "server/core/session/session_shard.h"

namespace lifesign {

UserView SessionShard::GetUser(absl::string_view user, std::uint64_t hash,
                               View view, const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  Settle(user, held);
  return ReadUser(user, FindIn(view, user, hash), view, held);
}

std::vector<SessionView> SessionShard::ListSessions(absl::string_view user,
                                                    std::uint64_t hash,
                                                    View view, const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  Settle(user, held);
  std::vector<SessionView> views;
  User* known = FindIn(view, user, hash);
  if (known == nullptr) return views;
  Evaluate(*known, held);
  const Veil* const veil = VeilOver(*known, view);
  for (const Session* session : OpenSessions(*known, held)) {
    views.push_back(ViewOf(*session, veil, held));
  }
  return views;
}

UserExplanation SessionShard::Explain(absl::string_view user,
                                      std::uint64_t hash,
                                      absl::string_view room, View view,
                                      const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  Settle(user, held);
  User* known = FindIn(view, user, hash);
  UserExplanation explanation;
  explanation.user = ReadUser(user, known, view, held);
  if (!room.empty()) {
    explanation.room.emplace();
    explanation.room->room = std::string(room);
  }
  if (known == nullptr) return explanation;
  const Veil* const veil = VeilOver(*known, view);
  const std::vector<const Session*> open = OpenSessions(*known, held);
  const State state = explanation.user.record.state;
  for (const Session* session : open) {
    explanation.sessions.push_back(ExplanationOf(*session, veil, state, held));
  }
  if (IsLive(state)) {
    const Fall next = NextFall(open, state, held.presence);
    explanation.next_change = NextChangeView{WallAt(next.at, held), next.to};
  }
  if (!room.empty())
    explanation.room = ExplainRoom(room, *known, open, view, held);
  return explanation;
}

UserView SessionShard::ReadUser(absl::string_view user, User* known, View view,
                                const Now& now) {
  if (known == nullptr) {
    UserView unknown;
    unknown.record = UnknownRecord(user);
    return unknown;
  }
  Evaluate(*known, now);
  return UserViewOf(*known, view, now);
}

}  // namespace lifesign
