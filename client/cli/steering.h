// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a person says to a session that `lifesign beat` holds: single keys on a
// terminal, else lines.
#ifndef LIFESIGN_CLIENT_CLI_STEERING_H_
#define LIFESIGN_CLIENT_CLI_STEERING_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace lifesign::cli {

struct Steer {
  enum class Kind {
    kInteract,
    kIdle,
    kBackground,
    kNetworkChange,
    kLeave,
    // End without a word, as if the battery died.
    kVanish,
    kUnknown,
  };
  Kind kind;
  // What was not understood.
  std::string text;
};

inline constexpr char kSteeringWords[] =
    "active, idle, background, network, leave, vanish";
inline constexpr char kKeysText[] =
    "keys: a active, i idle, b background, n network changed, q leave, "
    "x vanish\n";

// Takes input as it comes, in pieces.
class Steering {
 public:
  enum class Input { kKeys, kLines };
  explicit Steering(Input input) : input_(input) {}

  // What the input so far asks for. Empty lines and unknown keys ask for
  // nothing.
  std::vector<Steer> Take(absl::string_view input);

 private:
  const Input input_;
  std::string line_;
};

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_STEERING_H_
