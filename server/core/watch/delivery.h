// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One change on its way to those who are left it.
#ifndef LIFESIGN_SERVER_CORE_WATCH_DELIVERY_H_
#define LIFESIGN_SERVER_CORE_WATCH_DELIVERY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "server/core/watch/change.h"
#include "server/core/watch/watch.h"

namespace lifesign {

// Makes what they share when the first of them wants it: `encode(change,
// detail)` is called at most once for each detail. Not thread-safe: whoever
// knows the watches guards it, and wakes them when it holds no lock.
template <typename Encode>
class Delivery {
 public:
  Delivery(Change&& change, Encode& encode,
           std::vector<std::shared_ptr<Watch>>& to_wake)
      : change_(change),
        audience_(change.audience),
        changes_state_(change.ChangesState()),
        encode_(encode),
        to_wake_(to_wake) {}

  // What differs only by device is told to nobody who watches states, and
  // nothing to who is not its audience.
  bool IsFor(const Watch& watch) const {
    return Includes(audience_, watch.terms().view) &&
           (changes_state_ || watch.terms().detail == Detail::kDevices);
  }
  // REQUIRES: IsFor(*watch). Returns the generation that it was left.
  std::uint32_t LeaveWith(const WatchRef& watch) {
    const Detail detail = watch->terms().detail;
    if (published_ == nullptr) {
      published_ = std::make_shared<PublishedChange>();
      published_->change = std::move(change_);
    }
    const auto form = static_cast<std::size_t>(detail);
    if (!encoded_[form]) {
      encoded_[form] = true;
      published_->wires[form] = encode_(published_->change, detail);
    }
    const Watch::Left left = watch->Deliver(published_);
    if (left.wake) to_wake_.push_back(watch.shared());
    return left.generation;
  }

 private:
  // Moved from once there is something published.
  Change& change_;
  const Audience audience_;
  const bool changes_state_;
  Encode& encode_;
  std::vector<std::shared_ptr<Watch>>& to_wake_;
  std::shared_ptr<PublishedChange> published_;
  std::array<bool, kDetails> encoded_{};
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_WATCH_DELIVERY_H_
