// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a simulation comes to, in figures.
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_FIGURES_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_FIGURES_H_

#include <cstdint>
#include <string>

namespace lifesign::simulate {

// All counted on the client side, from what crossed the wire.
struct Figures {
  // That were ever there.
  int users = 0;
  int sessions = 0;
  // Written to streams, those that opens carried included.
  std::uint64_t signals = 0;
  // Distinct (user, revision) that watchers received.
  std::uint64_t changes = 0;
  int watchers = 0;
  // See ledger.h.
  std::uint64_t false_offline = 0;

  // What nobody had to be told. Never below 0: a change that time alone brought
  // about has no signal.
  std::uint64_t suppressed() const {
    return signals > changes ? signals - changes : 0;
  }

  // "run: users=… sessions=… signals=… changes=… watchers=… suppressed=…
  // false_offline=…"
  std::string Line() const;
  // The same as JSON: {"event":<event>,"users":…}.
  std::string Json(const char* event) const;
};

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_FIGURES_H_
