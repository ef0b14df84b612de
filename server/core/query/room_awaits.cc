// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/core/query/room_awaits.h"

#include <algorithm>
#include <string>
#include <utility>

namespace lifesign {
namespace {

PlaceView ViewOf(const std::vector<IntentView>& intents) {
  PlaceView view;
  view.matching = intents.size();
  for (const IntentView& intent : intents) view.from.push_back(intent.from);
  return view;
}

}  // namespace

std::size_t CountAtLeast(const MemberCounts& members, State at_least) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < kStates; ++i) {
    if (IsLive(static_cast<State>(i)) &&
        IsAtLeast(static_cast<State>(i), at_least)) {
      count += static_cast<std::size_t>(members[i]);
    }
  }
  return count;
}

void RoomAwaits::Register(const std::shared_ptr<Await>& await,
                          std::size_t predicate, const MemberCounts& members,
                          const IntentsOf& intents) {
  Interests& interests = by_await_[await.get()];
  const auto known = std::find_if(
      interests.begin(), interests.end(),
      [&](const Interest& one) { return one.predicate == predicate; });
  Interest& interest =
      known != interests.end()
          ? *known
          : interests.emplace_back(Interest{await, predicate, 0});
  PlaceView view;
  if (interest.IsOfMembers()) {
    view.matching = CountAtLeast(members, interest.terms().at_least);
  } else {
    view = ViewOf(intents());
  }
  interest.told = view.matching;
  await->LookAtPlace(predicate, std::move(view));
}

void RoomAwaits::Unregister(const Await& await) { by_await_.erase(&await); }

void RoomAwaits::TellMembers(const MemberCounts& members,
                             std::vector<std::shared_ptr<Await>>& decided) {
  for (auto& [await, interests] : by_await_) {
    for (Interest& interest : interests) {
      if (!interest.IsOfMembers()) continue;
      const std::size_t matching =
          CountAtLeast(members, interest.terms().at_least);
      if (std::exchange(interest.told, matching) == matching) continue;
      if (interest.await->TellPlace(interest.predicate, {matching, {}})) {
        decided.push_back(interest.await);
      }
    }
  }
}

void RoomAwaits::TellIntents(absl::string_view target, const IntentsOf& intents,
                             std::vector<std::shared_ptr<Await>>& decided) {
  PlaceView view;
  bool asked = false;
  for (auto& [await, interests] : by_await_) {
    for (Interest& interest : interests) {
      if (interest.terms().place->target != target) continue;
      if (!std::exchange(asked, true)) view = ViewOf(intents());
      interest.told = view.matching;
      if (interest.await->TellPlace(interest.predicate, view)) {
        decided.push_back(interest.await);
      }
    }
  }
}

}  // namespace lifesign
