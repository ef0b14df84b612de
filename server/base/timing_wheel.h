// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A hierarchical timing wheel: files deadlines in O(1) and yields those that
// are due, exactly, in amortised O(1).
//
// After Varghese and Lauck, "Hashed and Hierarchical Timing Wheels" (SOSP
// 1987), scheme 7, with one bitmap a level, so that empty time costs nothing.
// Nine levels of 64 slots of 1,024 µs cover the whole of 64-bit time.
//
// A timer is due from its deadline on, not from the end of its slot; timers
// that share a slot may come in any order. Moving timers to a lower level
// counts as work like yielding one, so that a caller who holds a lock can bound
// both together.
//
// Not thread-safe: its owner guards it. Knows no clock: callers pass the time.
#ifndef LIFESIGN_SERVER_BASE_TIMING_WHEEL_H_
#define LIFESIGN_SERVER_BASE_TIMING_WHEEL_H_

#include <algorithm>
#include <array>
#include <bit>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <limits>

namespace lifesign {

// The place in a wheel of whatever has a deadline. Unfiles itself when it is
// destroyed.
class TimingWheelHook
    : public boost::intrusive::list_base_hook<
          boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  bool filed() const { return is_linked(); }
};

// Of a T that is a TimingWheelHook and keeps its own deadline, wherever it
// likes to: void set_deadline(std::int64_t) and std::int64_t deadline() const,
// in microseconds on the owner's timeline.
template <typename T>
class TimingWheelOf {
 public:
  using Timer = T;

  // `now`: microseconds; no earlier time will be passed.
  explicit TimingWheelOf(std::int64_t now)
      : current_slot_(SlotOf(now)),
        scanned_at_(std::numeric_limits<std::int64_t>::min()) {}

  TimingWheelOf(const TimingWheelOf&) = delete;
  TimingWheelOf& operator=(const TimingWheelOf&) = delete;

  // Files `timer`, or files it anew. A deadline in the past is due at once.
  void File(T& timer, std::int64_t deadline);

  // Takes `timer` out; does nothing if it is not filed.
  void Cancel(T& timer) {
    if (timer.is_linked()) timer.unlink();
  }

  // Takes out and returns a timer with deadline <= now, or null when there is
  // none, or when `budget` has run out: call again, until null with budget
  // left. Each timer that is looked at takes one from `budget`. REQUIRES: `now`
  // does not run backwards.
  T* PopDue(std::int64_t now, int& budget);

 private:
  static constexpr int kLevels = 9;
  static constexpr int kBitsPerLevel = 6;
  static constexpr int kSlotsPerLevel = 1 << kBitsPerLevel;
  static constexpr int kSlotShift = 10;

  using List =
      boost::intrusive::list<TimingWheelHook,
                             boost::intrusive::constant_time_size<false>>;

  struct Level {
    std::uint64_t occupied = 0;  // may be set for a slot that became empty
    std::array<List, kSlotsPerLevel> slots;
  };

  static std::int64_t SlotOf(std::int64_t micros) {
    return std::max<std::int64_t>(micros, 0) >> kSlotShift;
  }
  void Place(T& timer);
  // Moves the earliest non-empty slot that begins at or before `now_slot` to
  // pending_ and the wheel to its start. False if there is none.
  bool TakeNextSlot(std::int64_t now, std::int64_t now_slot);

  std::int64_t current_slot_;
  // The `now` for which the slot that holds it has been looked through.
  std::int64_t scanned_at_;
  // Taken from a slot, not looked at yet.
  List pending_;
  std::array<Level, kLevels> levels_;
};

// A deadline beside its hook, for whoever has no better place for it.
class TimingWheelTimer : public TimingWheelHook {
 public:
  // REQUIRES: filed().
  std::int64_t deadline() const { return deadline_; }
  void set_deadline(std::int64_t deadline) { deadline_ = deadline; }
  // It lies with its hook.
  void PrefetchDeadline() const {}

 private:
  std::int64_t deadline_ = 0;
};

using TimingWheel = TimingWheelOf<TimingWheelTimer>;

template <typename T>
void TimingWheelOf<T>::File(T& timer, std::int64_t deadline) {
  Cancel(timer);
  timer.set_deadline(deadline);
  // Due already: the slot that was looked through holds one again.
  if (deadline <= scanned_at_) {
    scanned_at_ = std::numeric_limits<std::int64_t>::min();
  }
  Place(timer);
}

template <typename T>
void TimingWheelOf<T>::Place(T& timer) {
  const std::int64_t slot = std::max(SlotOf(timer.deadline()), current_slot_);
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

template <typename T>
bool TimingWheelOf<T>::TakeNextSlot(std::int64_t now, std::int64_t now_slot) {
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

template <typename T>
T* TimingWheelOf<T>::PopDue(std::int64_t now, int& budget) {
  const std::int64_t now_slot = SlotOf(now);
  while (true) {
    while (!pending_.empty()) {
      if (budget <= 0) return nullptr;
      --budget;
      T& timer = static_cast<T&>(pending_.front());
      pending_.pop_front();
      // While this one is looked at.
      if (!pending_.empty()) {
        static_cast<const T&>(pending_.front()).PrefetchDeadline();
      }
      if (timer.deadline() <= now) return &timer;
      Place(timer);
    }
    if (!TakeNextSlot(now, now_slot)) break;
  }
  current_slot_ = std::max(current_slot_, now_slot);
  return nullptr;
}

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_BASE_TIMING_WHEEL_H_
