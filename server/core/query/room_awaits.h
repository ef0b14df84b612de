// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Who awaits something of one room: so many members in a state, or somebody who
// wants to reach a user there. docs/concepts.md §§ 10, 11.
#ifndef LIFESIGN_SERVER_CORE_QUERY_ROOM_AWAITS_H_
#define LIFESIGN_SERVER_CORE_QUERY_ROOM_AWAITS_H_

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "server/core/presence_state.h"
#include "server/core/query/await.h"
#include "server/core/room/intent.h"

namespace lifesign {

// Live users of a room by their state there.
using MemberCounts = std::array<int, kStates>;

// How many of them are at least `at_least`.
std::size_t CountAtLeast(const MemberCounts& members, State at_least);

// The predicates over one room. Each is told with every change that it may
// depend on, in the room's order, and what it is told is counted already: a
// look at it costs the same however large the room is.
//
// Not thread-safe: its room guards it. An await's mutex is taken under that of
// the room.
class RoomAwaits {
 public:
  // Those who want to reach a user, who is asked for if anybody awaits them.
  using IntentsOf = std::function<std::vector<IntentView>()>;

  // Tells predicate `predicate` of `await`, which is over this room, what
  // holds, and from now on what changes. May decide it. Again: tells it anew.
  // What is held of it is found at once, however many await something of the
  // room; so it is by Unregister.
  void Register(const std::shared_ptr<Await>& await, std::size_t predicate,
                const MemberCounts& members, const IntentsOf& intents);
  // Removes all predicates of `await`.
  void Unregister(const Await& await);
  bool empty() const { return by_await_.empty(); }

  // Those whom it decides are appended to `decided`, in no order.
  void TellMembers(const MemberCounts& members,
                   std::vector<std::shared_ptr<Await>>& decided);
  // Who wants to reach `target`, or whether `target` is there, has changed.
  void TellIntents(absl::string_view target, const IntentsOf& intents,
                   std::vector<std::shared_ptr<Await>>& decided);

 private:
  struct Interest {
    std::shared_ptr<Await> await;
    std::size_t predicate;
    // What it was told last: most changes of a room are none to it.
    std::size_t told;

    const Predicate& terms() const {
      return await->terms().predicates[predicate];
    }
    bool IsOfMembers() const { return terms().place->target.empty(); }
  };

  // At most limits::kMaxPredicates.
  using Interests = absl::InlinedVector<Interest, 1>;

  absl::flat_hash_map<const Await*, Interests> by_await_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_QUERY_ROOM_AWAITS_H_
