// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/availability/availability_table.h"

#include <utility>

namespace lifesign {
namespace {

const Availability& Nothing() {
  static const Availability nothing;
  return nothing;
}

}  // namespace

const Availability& AvailabilityTable::Entry::InEffect(bool live) const {
  return live ? declared : Nothing();
}

const AvailabilityTable::Entry* AvailabilityTable::Find(
    absl::string_view user) const {
  // Mostly there are none.
  if (by_user_.empty()) return nullptr;
  const auto found = by_user_.find(user);
  return found == by_user_.end() ? nullptr : &found->second;
}

AvailabilityTable::Entry* AvailabilityTable::Find(absl::string_view user) {
  return const_cast<Entry*>(std::as_const(*this).Find(user));
}

bool AvailabilityTable::HasRoomFor(absl::string_view user,
                                   AvailabilityKind kind) const {
  const bool invisible = kind == AvailabilityKind::kInvisible;
  const std::int64_t held =
      invisible ? invisible_
                : static_cast<std::int64_t>(by_user_.size()) - invisible_;
  if (held < most_) return true;
  const Entry* const entry = Find(user);
  return entry != nullptr && entry->invisible() == invisible;
}

void AvailabilityTable::Replace(Entries::value_type& entry,
                                Availability availability) {
  Availability& declared = entry.second.declared;
  if (declared.expires_at != kNoExpiry) {
    expiries_.erase({declared.expires_at, entry.first});
  }
  invisible_ -= entry.second.invisible() ? 1 : 0;
  declared = std::move(availability);
  invisible_ += entry.second.invisible() ? 1 : 0;
  if (declared.expires_at != kNoExpiry) {
    expiries_.insert({declared.expires_at, entry.first});
  }
}

void AvailabilityTable::Declare(absl::string_view user,
                                Availability availability) {
  const auto [found, is_new] = by_user_.try_emplace(user);
  Replace(*found, std::move(availability));
}

AvailabilityTable::Entry& AvailabilityTable::At(absl::string_view user,
                                                RealTime now) {
  Entries::value_type& entry = *by_user_.find(user);
  if (entry.second.declared.expires_at <= now) Replace(entry, Nothing());
  return entry.second;
}

absl::optional<AvailabilityTable::Expired> AvailabilityTable::RevertNext(
    RealTime now) {
  if (expiries_.empty() || expiries_.begin()->first > now) return absl::nullopt;
  const auto [at, user] = *expiries_.begin();
  Entries::value_type& entry = *by_user_.find(user);
  const bool was_invisible = entry.second.invisible();
  Replace(entry, Nothing());
  return Expired{entry.first, at, was_invisible};
}

void AvailabilityTable::Recall(absl::string_view user, RealTime now) {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  Availability& declared = found->second.declared;
  if (declared.expires_at <= now) Replace(*found, Nothing());
  if (declared == Nothing()) by_user_.erase(found);
}

void AvailabilityTable::Forget(absl::string_view user) {
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return;
  if (found->second.declared == Nothing()) {
    by_user_.erase(found);
  } else {
    found->second.told = Nothing();
    found->second.truly_told = Nothing();
    found->second.visible_since = RealTime::min();
    found->second.visible_since_presence = PresenceTime::min();
  }
}

}  // namespace lifesign
