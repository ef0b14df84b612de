// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How many connections the limit on open files has room for.
#ifndef LIFESIGN_SERVER_TRANSPORT_LISTENER_DESCRIPTOR_BUDGET_H_
#define LIFESIGN_SERVER_TRANSPORT_LISTENER_DESCRIPTOR_BUDGET_H_

#include <cstdint>

namespace lifesign {

// Raises the process's soft limit on open files to the hard one. Returns the
// limit that then holds; the old one if it cannot be raised.
std::int64_t RaiseDescriptorLimit();

// Connections that may be open under a limit of `descriptors`: two for each,
// after some are set aside for everything else. At least 1.
int ConnectionBudget(std::int64_t descriptors);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_LISTENER_DESCRIPTOR_BUDGET_H_
