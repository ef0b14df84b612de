// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What happened in a world, in order.
#ifndef LIFESIGN_TESTS_SIM_JOURNAL_H_
#define LIFESIGN_TESTS_SIM_JOURNAL_H_

#include <google/protobuf/message.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <map>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "server/base/time.h"

namespace lifesign::sim {

// How often what happened: whoever asserts that nothing went wrong should know
// that something went on.
using Tally = std::map<absl::string_view, std::uint64_t>;

// Two runs of a seed are the same if their digests are. Prints what is noted
// to whoever wants to follow.
class Journal {
 public:
  // Null: nobody follows.
  explicit Journal(std::ostream* follower) : follower_(follower) {}

  // `what` is a constant; `words` are for the follower, `bytes` for the digest.
  void Note(RealTime at, absl::string_view what, std::uint64_t who,
            absl::string_view words = "", absl::string_view bytes = "") {
    Digest(static_cast<std::uint64_t>(at.time_since_epoch().count()));
    Digest(who);
    Digest(what);
    Digest(bytes);
    if (follower_ == nullptr) return;
    *follower_ << absl::StrFormat(
        "%14.6f  %s %d  %s\n",
        static_cast<double>(at.time_since_epoch().count()) / 1e6, what, who,
        words);
  }
  // The same, of a message.
  void Note(RealTime at, absl::string_view what, std::uint64_t who,
            const google::protobuf::Message& message) {
    Note(at, what, who, follower_ == nullptr ? "" : message.ShortDebugString(),
         message.SerializeAsString());
  }
  // Whether words that cost something should be made.
  bool followed() const { return follower_ != nullptr; }

  // Counts `what`, a constant.
  void Count(absl::string_view what) { ++tally_[what]; }

  std::uint64_t digest() const { return digest_; }
  const Tally& tally() const { return tally_; }

 private:
  // In the way of FNV-1a, eight bytes at a time.
  void Digest(std::uint64_t value) {
    digest_ = (digest_ ^ value) * 0x100000001B3u;
    digest_ ^= digest_ >> 32;
  }
  void Digest(absl::string_view bytes) {
    Digest(bytes.size());
    for (; !bytes.empty();
         bytes.remove_prefix(std::min(bytes.size(), sizeof(std::uint64_t)))) {
      std::uint64_t part = 0;
      std::memcpy(&part, bytes.data(), std::min(bytes.size(), sizeof(part)));
      Digest(part);
    }
  }

  std::ostream* const follower_;
  std::uint64_t digest_ = 0xCBF29CE484222325u;
  Tally tally_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_JOURNAL_H_
