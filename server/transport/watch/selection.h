// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Whom a watch is of. docs/concepts.md § 9.
#ifndef LIFESIGN_SERVER_TRANSPORT_WATCH_SELECTION_H_
#define LIFESIGN_SERVER_TRANSPORT_WATCH_SELECTION_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "server/core/presence_engine.h"
#include "server/core/watch/watch.h"
#include "server/transport/watch/id_set.h"

namespace lifesign {

// Copies the presence of the users it selects for its watch, slice by slice,
// and registers the watch for what is newer of those that are copied. What a
// copy tells of a user is never older than what the watch was told before.
//
// Not thread-safe: its stream guards it.
class Selection {
 public:
  virtual ~Selection() = default;

  // Begins a copy and opens the watch's mailbox. `since` 0: a snapshot; else of
  // those who changed after it, but for what this watch was told since.
  virtual void BeginCopy(Revision since) = 0;
  // Whether the copy skips those who change before their turn comes: what they
  // changed to is in the mailbox, unless that lost it. Else everyone has a
  // turn.
  virtual bool skips() const = 0;
  // After a copy that skips, if mail was lost: begins one of those who were
  // skipped, which skips nobody, and opens the mailbox again.
  virtual void BeginCopyOfSkipped() = 0;
  // Whether changes since then can be copied.
  virtual bool Remembers(Revision since) const = 0;
  // True if nothing is to be copied any more.
  virtual bool copied() const = 0;

  struct Slice {
    std::vector<PresenceRecord> records;
    // Someone who changed was forgotten: the copy is over, and a snapshot is to
    // be made instead.
    bool compacted = false;
    // What is selected cannot be watched: the copy is over.
    bool too_large = false;
    // Everything up to it is in the copy, as far as that is known better than
    // when it began; else 0.
    Revision leads_to = 0;
  };
  // The next slice: passes at most `most` users, and may be empty. REQUIRES:
  // !copied(), 0 < most <= limits::kSnapshotSliceUsers.
  virtual Slice CopySlice(std::size_t most, const Now& now) = 0;

  // `change`, which was taken out of the mailbox, is newer than what is known
  // to be delivered, and the `since` of the next copy may be that: it is not to
  // tell it again.
  virtual void NoteTold(const Change& change, Revision delivered_up_to) = 0;
  // Every change up to it has been left with the watch, if it is registered for
  // its user. Not above `published_up_to` of a later call.
  virtual Revision published_up_to() const = 0;

  // Nothing more is delivered to the watch.
  virtual void Release() = 0;
  // About how many steps that takes.
  virtual std::size_t steps_to_release() const = 0;
};

// A set of users: a snapshot tells all of them, unknown ones too.
class SetSelection final : public Selection {
 public:
  // `engine` outlives it. REQUIRES: sorted, without duplicates.
  SetSelection(PresenceEngine& engine, std::shared_ptr<Watch> watch,
               absl::Span<const std::string> users);

  void BeginCopy(Revision since) override;
  bool skips() const override { return false; }
  void BeginCopyOfSkipped() override;
  // A set can be read anew, whoever was forgotten.
  bool Remembers(Revision) const override { return true; }
  bool copied() const override { return to_copy().IsEnd(place_); }
  Slice CopySlice(std::size_t most, const Now& now) override;
  void NoteTold(const Change& change, Revision) override {
    engine_.NoteTold(*watch_, change);
  }
  Revision published_up_to() const override {
    return engine_.published_up_to();
  }
  void Release() override;
  std::size_t steps_to_release() const override { return users_.size(); }

  const IdSet& users() const { return users_; }
  // Begins a snapshot of these, who are in it.
  void BeginCopyOf(std::vector<std::string> users);
  // Adds these and begins a snapshot of them. REQUIRES: sorted, without
  // duplicates, none of them in it; copied().
  void Add(const std::vector<std::string>& users);
  // Removes these: nothing more is delivered of them, and what waits is
  // dropped. REQUIRES: sorted, without duplicates, all of them in it; copied().
  void Remove(absl::Span<const std::string> users);

 private:
  const IdSet& to_copy() const { return some_ ? *some_ : users_; }

  PresenceEngine& engine_;
  const std::shared_ptr<Watch> watch_;
  IdSet users_;
  // If not all of them are copied: those who are.
  absl::optional<IdSet> some_;
  std::size_t place_ = 0;
  Revision since_ = 0;
};

// The whole tenant: a snapshot tells those who are live, and in a state of
// interest.
class TenantSelection final : public Selection {
 public:
  // `engine` outlives it.
  TenantSelection(PresenceEngine& engine, std::shared_ptr<Watch> watch);

  void BeginCopy(Revision since) override;
  bool skips() const override {
    return copy_.order == PresenceEngine::CopyOrder::kByLog;
  }
  void BeginCopyOfSkipped() override;
  bool Remembers(Revision since) const override {
    return engine_.forgotten_up_to(watch_->terms().view) <= since;
  }
  bool copied() const override { return engine_.HasCopiedAll(copy_); }
  Slice CopySlice(std::size_t most, const Now& now) override;
  // The index knows.
  void NoteTold(const Change&, Revision) override {}
  Revision published_up_to() const override {
    return engine_.published_up_to();
  }
  void Release() override { engine_.UnregisterAll(*watch_); }
  // One a shard.
  std::size_t steps_to_release() const override { return 0; }

 private:
  PresenceEngine& engine_;
  const std::shared_ptr<Watch> watch_;
  PresenceEngine::AllCopy copy_;
};

// A room, with revisions of its own: its members, of whom a snapshot tells
// those who are live there and in a state of interest, or how many they are,
// which is told of no user.
class RoomSelection final : public Selection {
 public:
  enum class Of : std::uint8_t { kMembers, kOccupancy, kIntents };

  // `engine` outlives it.
  RoomSelection(PresenceEngine& engine, std::shared_ptr<Watch> watch,
                std::string room, Of of, std::string target = "");

  // Opens the mailbox with the one slice there is.
  void BeginCopy(Revision since) override;
  bool skips() const override { return false; }
  void BeginCopyOfSkipped() override;
  bool Remembers(Revision since) const override;
  bool copied() const override { return copied_; }
  // REQUIRES: `most` is not less than limits::kMaxWatchedMembers.
  Slice CopySlice(std::size_t most, const Now& now) override;
  void NoteTold(const Change& change, Revision delivered_up_to) override;
  Revision published_up_to() const override {
    return engine_.LastRevisionOfRoom(room_, watch_->terms().view);
  }
  void Release() override { engine_.UnregisterFromRoom(*watch_, room_); }
  std::size_t steps_to_release() const override { return 1; }

 private:
  void CopyMembers(const Now& now, Slice& slice);

  PresenceEngine& engine_;
  const std::shared_ptr<Watch> watch_;
  const std::string room_;
  const Of of_;
  // Of kIntents.
  const std::string target_;
  bool copied_ = false;
  Revision since_ = 0;
  // What was told that is newer than what had been delivered then.
  Revision told_since_ = 0;
  absl::flat_hash_map<std::string, Revision> told_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_WATCH_SELECTION_H_
