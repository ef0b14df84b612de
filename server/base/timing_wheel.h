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

#include <array>
#include <boost/intrusive/list.hpp>
#include <cstdint>

namespace lifesign {

class TimingWheel {
 public:
  // Part of whatever has a deadline. Unfiles itself when it is destroyed.
  class Timer
      : public boost::intrusive::list_base_hook<
            boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    bool filed() const { return is_linked(); }
    // Microseconds on the owner's timeline. REQUIRES: filed().
    std::int64_t deadline() const { return deadline_; }

   private:
    friend class TimingWheel;
    std::int64_t deadline_ = 0;
  };

  // `now`: microseconds; no earlier time will be passed.
  explicit TimingWheel(std::int64_t now);

  TimingWheel(const TimingWheel&) = delete;
  TimingWheel& operator=(const TimingWheel&) = delete;

  // Files `timer`, or files it anew. A deadline in the past is due at once.
  void File(Timer& timer, std::int64_t deadline);

  // Takes `timer` out; does nothing if it is not filed.
  void Cancel(Timer& timer);

  // Takes out and returns a timer with deadline <= now, or null when there is
  // none, or when `budget` has run out: call again, until null with budget
  // left. Each timer that is looked at takes one from `budget`. REQUIRES: `now`
  // does not run backwards.
  Timer* PopDue(std::int64_t now, int& budget);

 private:
  static constexpr int kLevels = 9;
  static constexpr int kBitsPerLevel = 6;
  static constexpr int kSlotsPerLevel = 1 << kBitsPerLevel;
  static constexpr int kSlotShift = 10;

  using List =
      boost::intrusive::list<Timer,
                             boost::intrusive::constant_time_size<false>>;

  struct Level {
    std::uint64_t occupied = 0;  // may be set for a slot that became empty
    std::array<List, kSlotsPerLevel> slots;
  };

  static std::int64_t SlotOf(std::int64_t micros);
  void Place(Timer& timer);
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

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_BASE_TIMING_WHEEL_H_
