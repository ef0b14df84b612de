// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What users declare about themselves. docs/concepts.md § 13.
#include <algorithm>
#include <string>
#include <utility>

#include "server/core/session/session_shard.h"

namespace lifesign {

Refusal SessionShard::Declare(absl::string_view user, std::uint64_t hash,
                              const AvailabilityDeclaration& declaration,
                              const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  if (!availability_.HasRoomFor(user, declaration.kind)) {
    return Refusal::kTooManyAvailabilities;
  }
  Settle(user, held);
  Declare(user, declaration.SaidAt(held.real), {}, held);
  EvaluateAll(user, hash, held);
  if (!IsRemembered(user, hash)) availability_.Forget(user);
  return Refusal::kNone;
}

void SessionShard::Declare(absl::string_view user, Availability availability,
                           absl::Span<const Left> left, const Now& now) {
  // It waited too long.
  if (availability.expires_at <= now.real) availability = Availability();
  const bool was_invisible = availability_.IsInvisible(user);
  availability_.Declare(user, std::move(availability));
  User* const shown = FindUser(user, HashUser(user, options_.hash_seed));
  User* const hidden = hidden_.Find(user);
  if (shown != nullptr) shown->declared = true;
  if (hidden != nullptr) hidden->declared = true;
  if (!availability_.IsInvisible(user)) {
    if (was_invisible) BecomeVisible(user, now);
  } else if (shown != nullptr &&
             (shown->sessions > 0 || IsLive(shown->told.state()))) {
    Hide(*shown, left, now);
  }
}

void SessionShard::DeclareBy(const OpenRequest& request, std::uint64_t hash,
                             absl::Span<const Left> left, const Now& now) {
  if (request.availability == nullptr && availability_.empty()) return;
  const absl::string_view user = request.name.user;
  // What ran out while nobody remembered the user is not held.
  if (!IsRemembered(user, hash)) availability_.Recall(user, now.real);
  if (request.availability == nullptr) return;
  if (availability_.Find(user) != nullptr && !request.replaces_availability) {
    return;
  }
  Declare(user, request.availability->SaidAt(now.real), left, now);
}

bool SessionShard::WillDeclare(Session& session,
                               const AvailabilityDeclaration& declaration,
                               const Now& now) {
  if (!availability_.HasRoomFor(UserOf(session).id.view(), declaration.kind)) {
    return false;
  }
  session.Extras().availability = declaration.SaidAt(now.real);
  session.Set(kWaiting);
  return true;
}

bool SessionShard::DeclareWaiting(Session& session, const Now& now) {
  SessionExtras* const extras = session.rest().extras.get();
  if (extras == nullptr || !extras->availability.has_value()) return false;
  // A copy: the record that holds it may go.
  const std::string user(UserOf(session).id.view());
  Declare(user, *std::exchange(extras->availability, absl::nullopt), {}, now);
  return true;
}

bool SessionShard::WillHide(const Session& session) const {
  const SessionExtras* const extras = session.rest().extras.get();
  return extras != nullptr && extras->availability.has_value() &&
         extras->availability->kind == AvailabilityKind::kInvisible &&
         !availability_.IsInvisible(UserOf(session).id.view());
}

void SessionShard::RevertAvailabilities(const Now& now, int budget,
                                        TickResult& result) {
  for (; budget > 0; --budget) {
    const auto expired = availability_.RevertNext(now.real);
    if (!expired.has_value()) return;
    ++result.deadlines;
    result.worst_lag = std::max(result.worst_lag, now.real - expired->at);
    EvaluateReverted(expired->user, expired->was_invisible, now);
  }
  result.more = true;
}

void SessionShard::EvaluateReverted(absl::string_view user, bool was_invisible,
                                    const Now& now) {
  const std::uint64_t hash = HashUser(user, options_.hash_seed);
  if (!IsRemembered(user, hash)) {
    availability_.Forget(user);
    return;
  }
  if (was_invisible) BecomeVisible(user, now);
  EvaluateAll(user, hash, now);
}

void SessionShard::EvaluateAll(absl::string_view user, std::uint64_t hash,
                               const Now& now) {
  if (User* const shown = FindUser(user, hash)) Evaluate(*shown, now);
  if (User* const hidden = hidden_.Find(user)) Evaluate(*hidden, now);
}

}  // namespace lifesign
