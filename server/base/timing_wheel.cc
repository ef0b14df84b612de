// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/base/timing_wheel.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace lifesign {

TimingWheel::TimingWheel(std::int64_t now)
    : current_slot_(SlotOf(now)),
      scanned_at_(std::numeric_limits<std::int64_t>::min()) {}

std::int64_t TimingWheel::SlotOf(std::int64_t micros) {
  return std::max<std::int64_t>(micros, 0) >> kSlotShift;
}

void TimingWheel::File(Timer& timer, std::int64_t deadline) {
  Cancel(timer);
  timer.deadline_ = deadline;
  // Due already: the slot that was looked through holds one again.
  if (deadline <= scanned_at_) {
    scanned_at_ = std::numeric_limits<std::int64_t>::min();
  }
  Place(timer);
}

void TimingWheel::Cancel(Timer& timer) {
  if (timer.is_linked()) timer.unlink();
}

void TimingWheel::Place(Timer& timer) {
  const std::int64_t slot = std::max(SlotOf(timer.deadline_), current_slot_);
  // The highest bit in which the slot differs from the current one decides the
  // level: below it the wheel comes by again before the deadline.
  const auto differing = static_cast<std::uint64_t>(slot ^ current_slot_);
  const int level =
      differing == 0 ? 0 : (std::bit_width(differing) - 1) / kBitsPerLevel;
  const auto index = static_cast<std::size_t>(
      (slot >> (level * kBitsPerLevel)) & (kSlotsPerLevel - 1));
  Level& target = levels_[static_cast<std::size_t>(level)];
  target.occupied |= std::uint64_t{1} << index;
  target.slots[index].push_back(timer);
}

bool TimingWheel::TakeNextSlot(std::int64_t now, std::int64_t now_slot) {
  for (int l = 0; l < kLevels; ++l) {
    Level& level = levels_[static_cast<std::size_t>(l)];
    while (level.occupied != 0) {
      const int index = std::countr_zero(level.occupied);
      List& slot = level.slots[static_cast<std::size_t>(index)];
      if (slot.empty()) {
        level.occupied &= level.occupied - 1;
        continue;
      }
      const int above = (l + 1) * kBitsPerLevel;
      const std::int64_t prefix =
          above >= 63 ? 0 : (current_slot_ >> above) << above;
      const std::int64_t start =
          prefix | (std::int64_t{index} << (l * kBitsPerLevel));
      if (start > now_slot) return false;
      if (l == 0 && start == now_slot) {
        if (scanned_at_ == now) return false;
        scanned_at_ = now;
      }
      level.occupied &= level.occupied - 1;
      current_slot_ = std::max(current_slot_, start);
      pending_.splice(pending_.end(), slot);
      return true;
    }
  }
  return false;
}

TimingWheel::Timer* TimingWheel::PopDue(std::int64_t now, int& budget) {
  const std::int64_t now_slot = SlotOf(now);
  while (true) {
    while (!pending_.empty()) {
      if (budget <= 0) return nullptr;
      --budget;
      Timer& timer = pending_.front();
      pending_.pop_front();
      if (timer.deadline_ <= now) return &timer;
      Place(timer);
    }
    if (!TakeNextSlot(now, now_slot)) break;
  }
  current_slot_ = std::max(current_slot_, now_slot);
  return nullptr;
}

}  // namespace lifesign
