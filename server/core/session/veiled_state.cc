// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/session/veiled_state.h"

#include <algorithm>
#include <utility>

namespace lifesign {

User* VeiledState::FindOwner(absl::string_view user, std::uint64_t hash) {
  return availability_.IsInvisible(user) ? hidden_.Find(user)
                                         : FindUser(user, hash);
}

User* VeiledState::FindIn(View view, absl::string_view user,
                          std::uint64_t hash) {
  if (view == View::kTrue) {
    if (User* const hidden = hidden_.Find(user)) return hidden;
  }
  return FindUser(user, hash);
}

User& VeiledState::AddHidden(absl::string_view user, const User* known) {
  User& hidden = hidden_.Add(user);
  hidden.declared = true;
  StampHidden(hidden);
  auto* const entry = availability_.Find(user);
  if (known == nullptr) {
    entry->truly_told = Availability();
    counts_.AddHidden(hidden.told, nullptr);
    counts_moved_ = true;
    return hidden;
  }
  const Veil* const veil = VeilOver(*known, View::kPublic);
  hidden.last_seen = known->last_seen;
  hidden.last_active = known->last_active;
  if (veil == nullptr) {
    hidden.told = known->told;
    hidden.cause = known->cause;
    hidden.revision = known->revision;
    hidden.since = known->since;
    entry->truly_told = entry->told;
  } else {
    hidden.told = veil->told;
    hidden.cause = veil->cause;
    hidden.revision = veil->revision;
    hidden.since = veil->since;
    hidden.last_seen = veil->last_seen;
    hidden.last_active = veil->last_active;
  }
  counts_.AddHidden(hidden.told, &known->told);
  counts_moved_ = true;
  return hidden;
}

void VeiledState::RemoveHidden(User& hidden, const User* known) {
  counts_.RemoveHidden(hidden.told, known == nullptr ? nullptr : &known->told);
  counts_moved_ = true;
  hidden_.Remove(hidden);
}

void VeiledState::CountSession(const Session& session, State from, State to) {
  counts_.MoveSession(HiddenUsers::Holds(session.rest().user), session.device,
                      from, to);
  counts_moved_ = true;
}

void VeiledState::MoveSessions(User& from, User& to) {
  to.links = from.links;
  to.sessions = std::exchange(from.sessions, 0);
  from.links = SlabLinks();
  for (std::uint32_t slot = to.first_session(); slot != kNoSlot;
       slot = sessions_[slot].rest().next_of_user) {
    Session& session = sessions_[slot];
    CountSession(session, session.evaluated, State::kOffline);
    session.rest().user = to.slot;
    CountSession(session, State::kOffline, session.evaluated);
  }
}

void VeiledState::LiftVeil(User& user) {
  if (user.veiled) veils_.erase(user.slot);
  user.veiled = false;
}

void VeiledState::LayVeil(User& over, const User& truth) {
  const auto& entry = *availability_.Find(over.id.view());
  Veil& veil = veils_[over.slot];
  veil.visible_since = entry.visible_since;
  veil.visible_since_presence = entry.visible_since_presence;
  veil.told = truth.told;
  veil.cause = truth.cause;
  veil.revision = truth.revision;
  veil.since = truth.since;
  veil.last_seen = truth.last_seen;
  veil.last_active = truth.last_active;
  over.veiled = true;
}

void VeiledState::KeepPublicTimesOf(const Session& session, User& user) {
  const Veil* const veil = VeilOver(user, View::kPublic);
  if (veil == nullptr || !veil->Covers(session.last_seen)) {
    user.last_seen = std::max(user.last_seen, session.last_seen);
  }
  if (veil == nullptr || !veil->Covers(session.last_active)) {
    user.last_active = std::max(user.last_active, session.last_active);
  }
}

void VeiledState::KeepTimesOf(const Session& session, User& user) {
  KeepPublicTimesOf(session, user);
  if (!user.veiled) return;
  Veil& veil = veils_.find(user.slot)->second;
  veil.last_seen = std::max(veil.last_seen, session.last_seen);
  veil.last_active = std::max(veil.last_active, session.last_active);
}

Audience VeiledState::AudienceOf(const User& user) const {
  if (HiddenUsers::Holds(user.slot)) return Audience::kTrue;
  // The other record is for those who see through.
  return HasTruth(user) ? Audience::kPublic : Audience::kEverybody;
}

Revision VeiledState::RevisionIn(View view, const User& user) const {
  if (view == View::kPublic || !user.veiled) return user.revision;
  return veils_.find(user.slot)->second.revision;
}

const Veil* VeiledState::VeilOver(const User& user, View view) const {
  if (!user.veiled || view == View::kTrue) return nullptr;
  return &veils_.find(user.slot)->second;
}

bool VeiledState::MayLearnFrom(const Session& session) const {
  const User& user = UserOf(session);
  if (HiddenUsers::Holds(user.slot)) return false;
  const Veil* const veil = VeilOver(user, View::kPublic);
  return veil == nullptr || session.last_signal >= veil->visible_since_presence;
}

bool VeiledState::IsRemembered(absl::string_view user, std::uint64_t hash) {
  return FindUser(user, hash) != nullptr || hidden_.Find(user) != nullptr;
}

void VeiledState::EndRetaining(User& user) {
  if (!user.retained) return;
  if (HiddenUsers::Holds(user.slot)) {
    hidden_.EndRetaining(user);
    return;
  }
  retained_.Erase(users_, user.slot);
  user.retained = false;
}

}  // namespace lifesign
