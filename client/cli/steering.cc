// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/steering.h"

#include "absl/strings/ascii.h"
#include "client/cli/text/words.h"

namespace lifesign::cli {
namespace {

// A line that is longer is not one of the words; what follows is dropped.
constexpr std::size_t kLongestLine = 64;

constexpr struct {
  const char* word;
  char key;
  Steer::Kind kind;
} kWords[] = {
    {"active", 'a', Steer::Kind::kInteract},
    {"idle", 'i', Steer::Kind::kIdle},
    {"background", 'b', Steer::Kind::kBackground},
    {"network", 'n', Steer::Kind::kNetworkChange},
    {"leave", 'q', Steer::Kind::kLeave},
    {"vanish", 'x', Steer::Kind::kVanish},
};

Steer OfWord(absl::string_view word) {
  for (const auto& known : kWords) {
    if (word == known.word) return {known.kind, ""};
  }
  return {Steer::Kind::kUnknown, Printable(word)};
}

}  // namespace

std::vector<Steer> Steering::Take(absl::string_view input) {
  std::vector<Steer> steers;
  for (const char c : input) {
    if (input_ == Input::kKeys) {
      for (const auto& known : kWords) {
        if (c == known.key) steers.push_back({known.kind, ""});
      }
    } else if (c != '\n') {
      if (line_.size() < kLongestLine) line_ += c;
    } else {
      const absl::string_view word = absl::StripAsciiWhitespace(line_);
      if (!word.empty()) steers.push_back(OfWord(word));
      line_.clear();
    }
  }
  return steers;
}

}  // namespace lifesign::cli
