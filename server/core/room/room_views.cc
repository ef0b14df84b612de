// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/room/room_views.h"

namespace lifesign {
namespace {

// Those that `view` is told, of rooms that it `has`.
template <typename Change, typename Has>
void AppendThoseOf(View view, const std::vector<Change>& changes,
                   const Has& has, std::vector<Change>& to) {
  for (const Change& change : changes) {
    if (Includes(change.audience, view) && has(change.room)) {
      to.push_back(change);
    }
  }
}

template <typename Has>
RoomNews NewsOf(View view, const RoomNews& news, const Has& has) {
  RoomNews told;
  AppendThoseOf(view, news.members, has, told.members);
  AppendThoseOf(view, news.intents, has, told.intents);
  return told;
}

template <typename Change>
void AppendRoomsApart(const std::vector<Change>& changes,
                      std::vector<absl::string_view>& rooms) {
  for (const Change& change : changes) {
    if (change.audience != Audience::kEverybody) rooms.push_back(change.room);
  }
}

}  // namespace

RoomViews::RoomViews(Revision epoch, RealTime start,
                     const Room::Encoders& encoders)
    : shown_(epoch, start, encoders), truths_(epoch, start, encoders) {}

void RoomViews::Split(absl::string_view room, const Now& now) {
  truths_.Copy(shown_, room, now);
  has_truths_ = true;
}

RoomMap& RoomViews::ToTell(View view, absl::string_view room, const Now& now) {
  if (view == View::kPublic) return shown_;
  MutexLock lock(mutex_);
  Split(room, now);
  return truths_;
}

void RoomViews::Apply(const RoomNews& news, const Now& now,
                      const Room::EncodeChange& encode, Room::ToWake& to_wake) {
  MutexLock lock(mutex_);
  std::vector<absl::string_view> apart;
  AppendRoomsApart(news.members, apart);
  AppendRoomsApart(news.intents, apart);
  if (has_truths_) has_truths_ = truths_.size() > 0;
  if (apart.empty() && !has_truths_) {
    shown_.Apply(news, now, encode, to_wake);
    return;
  }
  // Before either is told anything of this.
  for (const absl::string_view room : apart) Split(room, now);
  const auto any = [](absl::string_view) { return true; };
  const auto has_truth = [&](absl::string_view room) {
    return truths_.Holds(room);
  };
  truths_.Apply(NewsOf(View::kTrue, news, has_truth), now, encode, to_wake);
  shown_.Apply(NewsOf(View::kPublic, news, any), now, encode, to_wake);
}

}  // namespace lifesign
