// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Signals that declare something. docs/concepts.md §§ 11, 13.
#include "server/base/limits.h"
#include "server/core/session/session_shard.h"

namespace lifesign {

SignalOutcome SessionShard::ApplyDeclaring(const SessionRef& ref,
                                           const Signal& signal,
                                           const Declaration& declaration,
                                           const Now& now) {
  MutexLock lock(mutex_);
  const Now held = Hold(now);
  SignalOutcome refused;
  refused.refusal = Refusal::kSessionNotOpen;
  if (!sessions_.Has(ref.slot)) return refused;
  Session& session = sessions_[ref.slot];
  if (session.attachment != ref.attachment || !session.Has(kAttached) ||
      Ended(session, held)) {
    return refused;
  }
  return ApplyDeclared(session, signal, declaration, held);
}

SignalOutcome SessionShard::ApplyDeclared(Session& session,
                                          const Signal& signal,
                                          const Declaration& declaration,
                                          const Now& now) {
  SettleUserOf(session, now);
  SignalOutcome refused;
  const auto rooms_after = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return RoomsAfter(UserOf(session), session, *declaration.rooms);
  };
  if (declaration.rooms != nullptr &&
      rooms_after().size() > limits::kMaxRoomsPerSession) {
    refused.refusal = Refusal::kTooManyRooms;
    return refused;
  }
  if (!intents_.HasRoomFor(UserOf(session).slot, declaration.intents,
                           now.real)) {
    refused.refusal = Refusal::kTooManyIntents;
    return refused;
  }
  if (declaration.availability != nullptr &&
      !WillDeclare(session, *declaration.availability, now)) {
    refused.refusal = Refusal::kTooManyAvailabilities;
    return refused;
  }
  if (declaration.rooms == nullptr && declaration.intents.empty()) {
    return ApplyTo(session, signal, now);
  }
  // Before rooms, which are told at once, also if the signal is merged: who
  // becomes invisible is not seen to come. Else as ApplyTo does.
  if (HasTokenAt(session, now.presence) || WillHide(session)) {
    DeclareWaiting(session, now);
  }
  // Anew: the user may have another record by now.
  if (declaration.rooms != nullptr) {
    ReplaceRooms(UserOf(session), session, rooms_after(), now);
  }
  const SignalOutcome outcome = ApplyTo(session, signal, now);
  // Also when the user stays as they are, or the signal is merged.
  Evaluate(UserOf(session), now);
  DeclareIntents(UserOf(session), declaration.intents, now);
  return outcome;
}

}  // namespace lifesign
