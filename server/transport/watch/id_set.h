// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Whom a watch is of: many ids in little memory.
#ifndef LIFESIGN_SERVER_TRANSPORT_WATCH_ID_SET_H_
#define LIFESIGN_SERVER_TRANSPORT_WATCH_ID_SET_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace lifesign {

// Ids of up to 255 bytes, in their order, behind one another: a byte each more
// than they are long. Read in order, and changed as a whole. Not thread-safe.
class IdSet {
 public:
  // REQUIRES: sorted, without duplicates; so everywhere here.
  explicit IdSet(absl::Span<const std::string> ids);

  std::size_t size() const { return size_; }
  // Of the ids themselves.
  std::size_t bytes() const { return bytes_.capacity(); }

  // A place between two ids; 0 is before the first. Void once ids were added or
  // removed.
  bool IsEnd(std::size_t place) const { return place == bytes_.size(); }
  // The next ids from `place` on, at most `most`, which it is moved past.
  std::vector<std::string> Next(std::size_t most, std::size_t& place) const;

  // Those of `ids` that are in it, and that are not. O(size()).
  std::vector<std::string> Within(absl::Span<const std::string> ids) const;
  std::vector<std::string> Without(absl::Span<const std::string> ids) const;

  // O(size()). REQUIRES: none of them is in it, or all of them are.
  void Add(absl::Span<const std::string> ids);
  void Remove(absl::Span<const std::string> ids);

 private:
  absl::string_view At(std::size_t place) const;
  static void Append(absl::string_view id, std::string& to);

  std::string bytes_;
  std::size_t size_ = 0;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_WATCH_ID_SET_H_
