// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/room/room_map.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "server/base/limits.h"

namespace lifesign {
namespace {

constexpr std::size_t kStripes = 16;
// How long an emptied room is remembered, for the figures of what was lately.
constexpr Duration kRemembered = kOccupancyWindows.back();

}  // namespace

RoomMap::RoomMap(Revision epoch, RealTime start, Room::Encoders encoders)
    : encoders_(std::move(encoders)) {
  for (std::size_t i = 0; i < kStripes; ++i) {
    stripes_.push_back(std::make_unique<Stripe>(epoch, start));
  }
}

RoomMap::Stripe& RoomMap::StripeOf(absl::string_view room) const {
  // The upper bits: the lower serve in the stripe's table.
  return *stripes_[(absl::Hash<absl::string_view>()(room) >> 48) % kStripes];
}

std::shared_ptr<Room> RoomMap::Find(absl::string_view room) {
  Stripe& stripe = StripeOf(room);
  MutexLock lock(stripe.mutex);
  const auto found = stripe.rooms.find(room);
  return found == stripe.rooms.end() ? nullptr : found->second;
}

std::shared_ptr<Room> RoomMap::FindOrAdd(absl::string_view room,
                                         const Now& now) {
  Stripe& stripe = StripeOf(room);
  MutexLock lock(stripe.mutex);
  std::shared_ptr<Room>& place = stripe.rooms[room];
  if (place == nullptr) {
    stripe.revisions.Watermark(now.real);
    place = std::make_shared<Room>(room, stripe.revisions, encoders_);
  }
  return place;
}

bool RoomMap::Holds(absl::string_view room) const {
  Stripe& stripe = StripeOf(room);
  MutexLock lock(stripe.mutex);
  return stripe.rooms.contains(room);
}

void RoomMap::Copy(RoomMap& others, absl::string_view room, const Now& now) {
  if (Holds(room)) return;
  const std::shared_ptr<Room> other = others.Find(room);
  std::shared_ptr<Room> copy;
  if (other == nullptr) {
    copy = FindOrAdd(room, now);
  } else {
    Stripe& stripe = StripeOf(room);
    MutexLock lock(stripe.mutex);
    std::shared_ptr<Room>& place = stripe.rooms[room];
    if (place != nullptr) return;
    stripe.revisions.Watermark(now.real);
    place = other->Copy(stripe.revisions, encoders_, now);
    copy = place;
  }
  // What is due of the other one is due of it. And perhaps nobody ever comes.
  ExpectVisit(copy, now.real);
  NoteEmptied(copy, now.real + kRemembered);
}

template <typename Word>
void RoomMap::ApplyTo(absl::string_view id, const Now& now, const Word& tell,
                      std::shared_ptr<Room>& last) {
  // Crowds come and go together.
  if (last == nullptr || last->id() != id) last = FindOrAdd(id, now);
  Room::Outcome outcome = tell(*last);
  while (outcome.closed) {
    last = FindOrAdd(id, now);
    outcome = tell(*last);
  }
  if (outcome.emptied) NoteEmptied(last, now.real + kRemembered);
  ExpectVisit(last, outcome.visit_at);
}

void RoomMap::Apply(const RoomNews& news, const Now& now,
                    const Room::EncodeChange& encode, Room::ToWake& to_wake) {
  std::shared_ptr<Room> last;
  for (const MemberChange& change : news.members) {
    const auto tell = [&](Room& room) {
      return room.Apply(change, now, encode, to_wake);
    };
    ApplyTo(change.room, now, tell, last);
  }
  for (const IntentChange& change : news.intents) {
    const auto tell = [&](Room& room) {
      return room.Apply(change.intent, now, to_wake);
    };
    ApplyTo(change.room, now, tell, last);
  }
}

std::vector<IntentView> RoomMap::IntentsTowards(absl::string_view room,
                                                absl::string_view target,
                                                const Now& now) {
  const std::shared_ptr<Room> found = Find(room);
  if (found == nullptr) return {};
  return found->IntentsTowards(target, now);
}

Occupancy RoomMap::GetOccupancy(absl::string_view room, const Now& now) {
  if (const std::shared_ptr<Room> found = Find(room)) {
    return found->GetOccupancy(now);
  }
  Occupancy nobody;
  Stripe& stripe = StripeOf(room);
  MutexLock lock(stripe.mutex);
  nobody.revision = stripe.revisions.Watermark(now.real);
  return nobody;
}

Revision RoomMap::LastRevisionOf(absl::string_view room) {
  if (const std::shared_ptr<Room> found = Find(room)) {
    return found->last_revision();
  }
  Stripe& stripe = StripeOf(room);
  MutexLock lock(stripe.mutex);
  return stripe.revisions.last();
}

Room::Copied RoomMap::CopyAndRegister(absl::string_view room,
                                      const std::shared_ptr<Watch>& watch,
                                      Revision since, const Now& now,
                                      std::vector<PresenceRecord>& records,
                                      Revision& leads_to) {
  auto copied = Room::Copied::kClosed;
  while (copied == Room::Copied::kClosed) {
    copied = FindOrAdd(room, now)->CopyAndRegister(watch, since, now, records,
                                                   leads_to);
  }
  return copied;
}

bool RoomMap::Remembers(absl::string_view room, Revision since) {
  const std::shared_ptr<Room> found = Find(room);
  return found != nullptr && found->Remembers(since);
}

Revision RoomMap::RegisterForOccupancy(absl::string_view room,
                                       const std::shared_ptr<Watch>& watch,
                                       const Now& now) {
  Revision leads_to = 0;
  while (!FindOrAdd(room, now)->RegisterForOccupancy(watch, now, leads_to)) {
  }
  return leads_to;
}

Revision RoomMap::RegisterForIntents(absl::string_view room,
                                     const std::shared_ptr<Watch>& watch,
                                     absl::string_view target, const Now& now) {
  Revision leads_to = 0;
  while (
      !FindOrAdd(room, now)->RegisterForIntents(watch, target, now, leads_to)) {
  }
  return leads_to;
}

void RoomMap::Unregister(absl::string_view room, const Watch& watch) {
  const std::shared_ptr<Room> found = Find(room);
  if (found == nullptr) return;
  // Whether it was used lately is looked at when its turn comes.
  if (found->Unregister(watch)) NoteEmptied(found, RealTime::min());
}

void RoomMap::TellAndRegister(const std::shared_ptr<Await>& await,
                              std::size_t predicate, const Now& now) {
  const std::string& room = await->terms().predicates[predicate].place->room;
  while (!FindOrAdd(room, now)->TellAndRegister(await, predicate, now)) {
  }
}

void RoomMap::Unregister(absl::string_view room, const Await& await) {
  const std::shared_ptr<Room> found = Find(room);
  if (found == nullptr) return;
  if (found->Unregister(await)) NoteEmptied(found, RealTime::min());
}

bool RoomMap::ListMembers(absl::string_view room, StateSet states,
                          std::uint32_t most_passed, std::size_t most,
                          Revision& begun, Revision& after, const Now& now,
                          std::vector<PresenceRecord>& records) {
  const std::shared_ptr<Room> found = Find(room);
  return found != nullptr && found->ListMembers(states, most_passed, most,
                                                begun, after, now, records);
}

void RoomMap::NoteEmptied(std::shared_ptr<Room> room, RealTime due) {
  MutexLock lock(emptied_mutex_);
  if (std::exchange(room->awaits_closing, true)) return;
  emptied_.push_back({due, std::move(room)});
}

Room::Closing RoomMap::Close(const std::shared_ptr<Room>& room, bool forgetting,
                             const Now& now) {
  Stripe& stripe = StripeOf(room->id());
  // Both at once: nobody finds a room that is closed.
  MutexLock lock(stripe.mutex);
  const Room::Closing closing = room->Close(forgetting, now);
  if (closing == Room::Closing::kClosed) {
    ExpectNoVisit(room);
    stripe.revisions.Raise(room->last_revision());
    stripe.rooms.erase(room->id());
  }
  return closing;
}

void RoomMap::ExpectVisit(const std::shared_ptr<Room>& room, RealTime at) {
  if (at == RealTime::max()) return;
  MutexLock lock(visits_mutex_);
  if (room->visit_at <= at) return;
  visits_.erase({room->visit_at, room});
  room->visit_at = at;
  visits_.insert({at, room});
}

void RoomMap::ExpectNoVisit(const std::shared_ptr<Room>& room) {
  MutexLock lock(visits_mutex_);
  visits_.erase({room->visit_at, room});
  // Whoever found it before expects none either.
  room->visit_at = RealTime::min();
}

void RoomMap::Tick(const Now& now, Room::ToWake& to_wake) {
  VisitThoseDue(now, to_wake);
  CloseThoseForgotten(now);
}

void RoomMap::VisitThoseDue(const Now& now, Room::ToWake& to_wake) {
  while (true) {
    std::shared_ptr<Room> room;
    {
      MutexLock lock(visits_mutex_);
      if (visits_.empty() || visits_.begin()->at > now.real) return;
      room = visits_.begin()->room.lock();
      visits_.erase(visits_.begin());
      if (room == nullptr) continue;
      room->visit_at = RealTime::max();
    }
    const Room::Outcome outcome = room->Visit(now, to_wake);
    // Perhaps what its users wanted was all that was left of it.
    if (outcome.emptied) NoteEmptied(room, RealTime::min());
    ExpectVisit(room, std::max(outcome.visit_at,
                               now.real + limits::kOccupancyInterval));
  }
}

void RoomMap::CloseThoseForgotten(const Now& now) {
  MutexLock lock(emptied_mutex_);
  for (int i = 0; i < limits::kRoomsClosedPerTick && !emptied_.empty(); ++i) {
    const bool too_many = emptied_.size() > limits::kMaxEmptiedRooms;
    if (!too_many && now.real < emptied_.front().due) return;
    Emptied oldest = std::move(emptied_.front());
    emptied_.pop_front();
    switch (Close(oldest.room, too_many, now)) {
      case Room::Closing::kClosed:
        break;
      case Room::Closing::kInUse:
        oldest.room->awaits_closing = false;
        break;
      case Room::Closing::kRemembered:
        // It filled and emptied again meanwhile.
        oldest.due = now.real + kRemembered;
        emptied_.push_back(std::move(oldest));
        break;
    }
  }
}

std::size_t RoomMap::size() const {
  std::size_t size = 0;
  for (const auto& stripe : stripes_) {
    MutexLock lock(stripe->mutex);
    size += stripe->rooms.size();
  }
  return size;
}

}  // namespace lifesign
