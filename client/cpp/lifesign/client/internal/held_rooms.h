// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The rooms that a client wants one session to be in, and what of that the
// server has yet to be told.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HELD_ROOMS_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HELD_ROOMS_H_

#include <cstddef>
#include <functional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "lifesign/v1/presence_service.pb.h"

namespace lifesign::client::internal {

// A plain value. Names are sent as they are: REQUIRES ValidateId for each.
//
// Rooms given at the beginning are the client's to decide alone: every open
// names all that the session is to be in. Without them a session that goes on
// may be in rooms that this client never heard of, so opens name none, and a
// signal after each open says all that was joined and left.
class HeldRooms {
 public:
  explicit HeldRooms(const absl::optional<std::set<std::string>>& given);

  // RESOURCE_EXHAUSTED: the session would be in more than 100 rooms.
  absl::Status Join(absl::string_view room);
  void Leave(absl::string_view room);

  // Whether a signal has something to say.
  bool HasNews() const { return !to_join_.empty() || !to_leave_.empty(); }

  // What an open says. Counts as told.
  void TellOpen(v1::OpenOptions& options);
  // What a signal says, likewise. REQUIRES: HasNews().
  void TellSignal(v1::RoomChange& change);

  // The bytes that these take, at most.
  std::size_t OpenBytes() const;
  std::size_t SignalBytes() const;

 private:
  using Names = std::set<std::string, std::less<>>;

  const bool given_;
  // To be in, and, unless rooms were given, not to be in.
  Names joined_;
  Names left_;
  // Of them, those that no signal has said yet.
  Names to_join_;
  Names to_leave_;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_HELD_ROOMS_H_
