// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/room/occupancy.h"

#include <algorithm>

namespace lifesign {
namespace {

constexpr Duration kSlot = seconds(1);

RealTime SlotOf(RealTime at) {
  return RealTime(std::chrono::floor<seconds>(at.time_since_epoch()));
}

}  // namespace

void OccupancyHistory::Set(int users, RealTime now) {
  const int before = slots_.empty() ? 0 : slots_.back().last;
  if (users == before) return;
  if (!slots_.empty()) now = std::max(now, slots_.back().changed);
  const RealTime begin = SlotOf(now);
  if (slots_.empty() || slots_.back().begin != begin) {
    Forget(now);
    slots_.push_back({begin, before, before, 0, begin});
  }
  Slot& slot = slots_.back();
  slot.area += slot.last * (now - slot.changed).count();
  slot.changed = now;
  slot.last = users;
  slot.peak = std::max(slot.peak, users);
}

void OccupancyHistory::Forget(RealTime now) {
  // One that ended before is kept: it tells what the number was since.
  const RealTime since = SaturatingSubtract(now, kOccupancyWindows.back());
  while (first_ + 1 < slots_.size() && slots_[first_ + 1].begin <= since) {
    ++first_;
  }
  if (2 * first_ < slots_.size()) return;
  slots_.erase(slots_.begin(),
               slots_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
}

OccupancyFigures OccupancyHistory::Over(Duration window, RealTime now) const {
  OccupancyFigures figures;
  if (slots_.empty()) return figures;
  now = std::max(now, slots_.back().changed);
  const RealTime since = SaturatingSubtract(now, window);
  double area = 0;
  // From the newest backwards: a second in which it changed, and the time from
  // there to the next such.
  RealTime end = now;
  for (std::size_t i = slots_.size(); i-- > first_ && end > since;) {
    const Slot& slot = slots_[i];
    const RealTime slot_end = std::min(slot.begin + kSlot, end);
    const RealTime flat_since = std::max(slot_end, since);
    area += static_cast<double>(slot.last) *
            static_cast<double>((end - flat_since).count());
    figures.peak = std::max(figures.peak, slot.last);
    if (slot_end > since || slot.begin >= since) {
      figures.peak = std::max(figures.peak, slot.peak);
    }
    const RealTime counts_since = std::max(slot.begin, since);
    if (slot_end > counts_since) {
      const auto share = static_cast<double>((slot_end - counts_since).count());
      const auto length = static_cast<double>((slot_end - slot.begin).count());
      area += slot.AreaUpTo(slot_end) * share / length;
    }
    end = slot.begin;
  }
  figures.mean = area / static_cast<double>(window.count());
  return figures;
}

bool OccupancyHistory::IsForgotten(RealTime now) const {
  return slots_.empty() ||
         (slots_.back().last == 0 &&
          now - slots_.back().changed >= kOccupancyWindows.back());
}

}  // namespace lifesign
