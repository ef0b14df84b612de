// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How many there are, as each view shows them. docs/concepts.md §§ 10, 13.
#ifndef LIFESIGN_SERVER_CORE_QUERY_COUNTS_BY_VIEW_H_
#define LIFESIGN_SERVER_CORE_QUERY_COUNTS_BY_VIEW_H_

#include "server/core/availability/veil.h"
#include "server/core/presence_state.h"
#include "server/core/query/presence_counts.h"
#include "server/core/reduce/reduce_user.h"

namespace lifesign {

// Who is invisible is counted as what the public record of them is, and for
// those who see through as what the true one is. Beside what everybody is
// shown lies by how much the truth differs from it: nothing, mostly. It moves
// in the same steps.
class CountsByView {
 public:
  PresenceCounts In(View view) const {
    PresenceCounts counts = shown_;
    if (view == View::kTrue) counts += beside_;
    return counts;
  }

  // A public record comes to be; goes; and changes. `has_truth`: there is a
  // true one beside it.
  void AddShown() { shown_.AddUser(); }
  void RemoveShown(bool has_truth) {
    shown_.RemoveUser();
    if (has_truth) beside_.AddUser();
  }
  void MoveShown(const Aggregate& from, const Aggregate& to, bool has_truth) {
    Move(shown_, from, to);
    if (has_truth) Move(beside_, to, from);
  }

  // Of a true record, beside a public one that is `shown`, or null for none.
  void AddHidden(const Aggregate& truth, const Aggregate* shown) {
    const Aggregate offline;
    beside_.AddUser();
    Move(beside_, offline, truth);
    if (shown == nullptr) return;
    Move(beside_, *shown, offline);
    beside_.RemoveUser();
  }
  void RemoveHidden(const Aggregate& truth, const Aggregate* shown) {
    const Aggregate offline;
    Move(beside_, truth, offline);
    beside_.RemoveUser();
    if (shown == nullptr) return;
    beside_.AddUser();
    Move(beside_, offline, *shown);
  }
  void MoveHidden(const Aggregate& from, const Aggregate& to) {
    Move(beside_, from, to);
  }

  // `hidden`: its user is invisible.
  void MoveSession(bool hidden, DeviceClass device, State from, State to) {
    (hidden ? beside_ : shown_).MoveSession(device, from, to);
  }

  CountsByView& operator+=(const CountsByView& other) {
    shown_ += other.shown_;
    beside_ += other.beside_;
    return *this;
  }

 private:
  static void Move(PresenceCounts& counts, const Aggregate& from,
                   const Aggregate& to) {
    counts.MoveUser(from.state(), from.devices(), to.state(), to.devices());
  }

  PresenceCounts shown_;
  PresenceCounts beside_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_QUERY_COUNTS_BY_VIEW_H_
