// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What must be right before it is put into a message that others share: one
// string that is not UTF-8 spoils all of it. Everything else the server
// answers for the one session concerned.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_VALIDATE_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_VALIDATE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "lifesign/client/session_status.h"

namespace lifesign::client::internal {

// INVALID_ARGUMENT, naming `field`, unless `id` is UTF-8 of 1 to 128 bytes.
absl::Status ValidateId(absl::string_view field, absl::string_view id);

// INVALID_ARGUMENT unless a server takes it: one that is refused would end its
// session.
absl::Status ValidateAvailability(const Availability& availability);

// INVALID_ARGUMENT unless ids, rooms, metadata and availability of `spec` are
// UTF-8 and within the limits of bytes, and the rooms at most 100.
absl::Status ValidateSpec(const SessionSpec& spec);

// INVALID_ARGUMENT unless `tenant` is empty or an id.
absl::Status ValidateTenant(absl::string_view tenant);

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_VALIDATE_H_
