// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/session/shard_state.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace lifesign {
namespace {

// Attachments of invisible users lie from here on, above all others.
constexpr Attachment kFirstHiddenAttachment = Attachment{1} << 52;

}  // namespace

std::uint64_t ShardState::HashUser(absl::string_view user, std::uint64_t seed) {
  return XXH3_64bits_withSeed(user.data(), user.size(), seed);
}

std::size_t ShardState::UserHash::operator()(std::uint32_t slot) const {
  return (*this)((*users)[slot].id.view());
}

std::size_t ShardState::UserHash::operator()(absl::string_view id) const {
  return HashUser(id, seed);
}

bool ShardState::UserEq::operator()(std::uint32_t slot,
                                    absl::string_view id) const {
  return (*users)[slot].id.view() == id;
}

ShardState::ShardState(const ShardOptions& options, const Now& start)
    : listings_(options.listings),
      last_presence_(start.presence),
      last_real_(start.real),
      policies_(options.policy),
      usual_(UsualOf(*options.policy)),
      by_id_(0, UserHash{&users_, options.hash_seed}, UserEq{&users_}),
      wheel_(start.presence.time_since_epoch().count()),
      availability_(options.max_declared_availabilities),
      outbox_(options.epoch, start.real),
      next_attachment_(options.first_attachment),
      next_hidden_attachment_(kFirstHiddenAttachment +
                              options.first_attachment / 2),
      confidence_(std::make_shared<const ConfidenceTable>(ShippedConfidence())),
      confidence_before_(confidence_),
      confidence_since_(start.presence) {}

ShardState::~ShardState() = default;

std::array<ShardState::Usual, kDeviceClasses> ShardState::UsualOf(
    const Policy& policy) {
  std::array<Usual, kDeviceClasses> usual;
  for (std::size_t i = 0; i < kDeviceClasses; ++i) {
    const PolicyRow& row = policy.RowFor(static_cast<DeviceClass>(i));
    usual[i].interval_ms =
        static_cast<std::uint32_t>(row.active_interval / milliseconds(1));
    // Some more would not be counted either; and before the session ended.
    usual[i].silence =
        std::min(policy.WithJitter(row.active_interval), row.ttl - Duration(1));
    usual[i].active = std::min(
        {row.active_window, row.idle_window, row.away_window, row.ttl});
  }
  return usual;
}

User* ShardState::FindUser(absl::string_view user, std::uint64_t hash) {
  // The table's two arrays are waited for together.
  by_id_.prefetch(user);
  const auto found = by_id_.find(user, hash);
  return found == by_id_.end() ? nullptr : &users_[*found];
}

void ShardState::PrefetchSessions(const User& user) const {
  for (const std::uint32_t slot : {user.first_session(), user.last_session()}) {
    if (slot == kNoSlot) continue;
    const Session& session = sessions_[slot];
    const SessionRest& rest = session.rest();
    __builtin_prefetch(&session, /*for writing*/ 1);
    // Links and id may lie on two lines.
    __builtin_prefetch(&rest);
    __builtin_prefetch(&rest.idle_cap_since);
  }
}

Session* ShardState::FindSession(const User& user, absl::string_view session) {
  for (std::uint32_t slot = user.first_session(); slot != kNoSlot;
       slot = sessions_[slot].rest().next_of_user) {
    if (sessions_[slot].rest().id.view() == session) return &sessions_[slot];
  }
  return nullptr;
}

std::uint32_t ShardState::SlotOf(const Session& session,
                                 const User& user) const {
  std::uint32_t slot = user.first_session();
  while (&sessions_[slot] != &session)
    slot = sessions_[slot].rest().next_of_user;
  return slot;
}

}  // namespace lifesign
