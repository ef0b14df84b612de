// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A guest's session on its way to the user that the guest turned out to be.
// docs/concepts.md § 11.
#ifndef LIFESIGN_SERVER_CORE_SESSION_GUEST_H_
#define LIFESIGN_SERVER_CORE_SESSION_GUEST_H_

#include <string>
#include <vector>

#include "server/core/derive/derive_state.h"
#include "server/core/presence_state.h"
#include "server/core/room/member_change.h"
#include "server/core/signal/signal.h"
#include "server/core/time.h"

namespace lifesign {

// What goes over to the user's session.
struct GuestHistory {
  std::string guest;
  // The guest is invisible: nothing goes over that others may not know of.
  bool hidden = false;
  DeviceClass device = DeviceClass::kOther;
  Metadata metadata;
  SessionTimes times;
  RealTime last_active = kNeverReal;
  Lifecycle lifecycle = Lifecycle::kIdle;
  bool no_signal_yet = false;
  // The rooms that it is in, and what the guest will be there without it.
  struct Place {
    std::string room;
    Membership guest_after;
  };
  std::vector<Place> places;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SESSION_GUEST_H_
