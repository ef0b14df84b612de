// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Which record of a user each view shows. docs/concepts.md § 13,
// docs/threat-model.md.
#ifndef LIFESIGN_SERVER_CORE_SESSION_VEILED_STATE_H_
#define LIFESIGN_SERVER_CORE_SESSION_VEILED_STATE_H_

#include <algorithm>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "server/core/availability/veil.h"
#include "server/core/session/hidden_users.h"
#include "server/core/session/records.h"
#include "server/core/session/shard_state.h"
#include "server/core/watch/change.h"

namespace lifesign {

// Finds, makes and lays aside the two records of users who are invisible
// (HiddenUsers), and the veils over those who were. It evaluates nobody and
// tells nobody: that is SessionShard's.
class VeiledState : public ShardState {
 protected:
  using ShardState::ShardState;

  // --- Finding ---

  // The record of the user whose session it is.
  User& UserOf(const Session& session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::uint32_t slot = session.rest().user;
    return HiddenUsers::Holds(slot) ? hidden_[slot] : users_[slot];
  }
  const User& UserOf(const Session& session) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return const_cast<VeiledState*>(this)->UserOf(session);
  }
  // Whether there is a record of them, be it one that few see.
  bool IsRemembered(absl::string_view user, std::uint64_t hash)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The record that holds the sessions of `user`, if there is one. REQUIRES:
  // SessionShard::Settle.
  User* FindOwner(absl::string_view user, std::uint64_t hash)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The record of `user` that `view` shows. REQUIRES: likewise.
  User* FindIn(View view, absl::string_view user, std::uint64_t hash)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Who is shown what ---

  // Whether a public record is one of two.
  bool HasTruth(const User& user) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return user.declared && !HiddenUsers::Holds(user.slot) &&
           hidden_.Find(user.id.view()) != nullptr;
  }
  // Who is told of what is told of a record that is not veiled.
  Audience AudienceOf(const User& user) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of what was told last to who sees `view`, which shows this record.
  Revision RevisionIn(View view, const User& user) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Revision ForgottenUpTo(View view) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return view == View::kPublic
               ? forgotten_up_to_
               : std::max(forgotten_up_to_, forgotten_beside_up_to_);
  }
  // Null: nothing lies over what `view` is shown of this user.
  const Veil* VeilOver(const User& user, View view) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the silences of a session may be learned from: not those of which
  // the public knows nothing.
  bool MayLearnFrom(const Session& session) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- From one record to the other ---

  // A true record, with what is known of the user so far.
  User& AddHidden(absl::string_view user, const User* known)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Listings that have begun may have met them where their public record lay.
  void StampHidden(const User& hidden) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    hidden_stamps_.Take(hidden.slot & ~HiddenUsers::kFirstSlot,
                        listings_->newest());
  }
  void RemoveHidden(User& hidden, const User* known)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `session`, that is evaluated as one or the other, is counted so.
  void CountSession(const Session& session, State from, State to)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MoveSessions(User& from, User& to) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What `truth` knows is true of the user of the public record `over`.
  void LayVeil(User& over, const User& truth)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LiftVeil(User& user) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the times of a session that is to end into what is kept of its user:
  // those that the public may know of, or all.
  void KeepPublicTimesOf(const Session& session, User& user)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void KeepTimesOf(const Session& session, User& user)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndRetaining(User& user) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_VEILED_STATE_H_
