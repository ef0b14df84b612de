// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Who of a shard is in which room, and whom they want to reach there.
// docs/concepts.md § 11.
#ifndef LIFESIGN_SERVER_CORE_SESSION_ROOMED_STATE_H_
#define LIFESIGN_SERVER_CORE_SESSION_ROOMED_STATE_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/core/room/member_change.h"
#include "server/core/session/guest.h"
#include "server/core/session/readable_state.h"
#include "server/core/session/records.h"
#include "server/core/session/room_table.h"
#include "server/core/signal/signal.h"
#include "server/core/time.h"
#include "server/core/watch/change.h"

namespace lifesign {

// Puts sessions into rooms and takes them out, and lays down what these are to
// be told. It evaluates nobody: that is SessionShard's.
class RoomedState : public ReadableState {
 protected:
  using ReadableState::ReadableState;

  // --- Who is where ---

  // The rooms that the session would be in after `change`: views of what names
  // them.
  std::vector<absl::string_view> RoomsAfter(const User& user,
                                            const Session& session,
                                            const RoomChange& change) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The session is in these and no others. The rooms are told when the user is
  // evaluated.
  void ReplaceRooms(User& user, const Session& session,
                    absl::Span<const absl::string_view> rooms, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void JoinRoom(User& user, const Session& session, absl::string_view room)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of a session that ends, or ended. REQUIRES: user.in_rooms.
  void LeaveRooms(User& user, const Session& session, const Left& left)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What the user is there, or would be without the session in a slot, as all
  // are told, or, with kTrue, as those are who see through.
  Membership MembershipOf(const User& user, const RoomTable::Place& place,
                          View view, std::uint32_t without = kNoSlot) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- What rooms are told ---

  // Tells rooms what their user has become. REQUIRES: user.in_rooms, and the
  // user has been evaluated.
  void EvaluateRooms(User& user, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellRoom(MemberChange&& change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Invisible users ---

  // The sessions of `user` leave all rooms but for who sees through, and are in
  // them as `hidden`'s; and back. REQUIRES: user.in_rooms; hidden.in_rooms.
  // They are yet to be evaluated.
  void HideInRooms(User& user, User& hidden, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ShowInRooms(User& hidden, User& user)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Intents ---

  // REQUIRES: there is room for them.
  void DeclareIntents(User& user, absl::Span<const IntentDeclaration> intents,
                      const Now& now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WithdrawIntents(User& user, const Now& now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- Guests ---

  // Has the rooms told, with what the user becomes there, whom they replace.
  void NoteReplaced(User& user, const Session& session,
                    const GuestHistory& history)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the session would be in too many rooms with those of the guest's
  // history. REQUIRES: request.history.
  bool WouldBeInTooManyRooms(const User& user, const Session& session,
                             const OpenRequest& request) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // There is something to publish; and something that rooms are to be told.
  std::atomic<bool> has_changes_{false};
  std::atomic<bool> has_room_news_{false};

 private:
  void TellIntent(const User& user, absl::string_view room,
                  absl::string_view target, RealTime expires_at)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_ROOMED_STATE_H_
