// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Who watches whom: the watches of each user of one shard.
#ifndef LIFESIGN_SERVER_CORE_WATCH_INTEREST_INDEX_H_
#define LIFESIGN_SERVER_CORE_WATCH_INTEREST_INDEX_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "server/base/mutex.h"
#include "server/core/watch/change.h"
#include "server/core/watch/watch.h"

namespace lifesign {

// Thread-safe. Its mutex may be taken while the shard's is held, and a watch's
// while this one is held.
class InterestIndex {
 public:
  // From now on `watch` is delivered the changes of `user` above `revision`,
  // the one it has been copied at; what waits for it of this user is dropped.
  // Called under the shard's lock, so that no change falls between the copy and
  // the registration.
  void Register(absl::string_view user, const std::shared_ptr<Watch>& watch,
                Revision revision);

  // Removes `watch` from `user`; does nothing if it is not there.
  void Unregister(absl::string_view user, const Watch& watch);

  // Leaves `change` with everyone who watches its user and has not been copied
  // a newer state. Those to be woken are appended to `to_wake`. `encode` is
  // called once, and only if anyone watches.
  template <typename Encode>
  void Deliver(Change&& change, Encode&& encode,
               std::vector<std::shared_ptr<Watch>>& to_wake);

  // The number of (watch, user) pairs.
  std::size_t size() const;

 private:
  struct Interest {
    std::shared_ptr<Watch> watch;
    Revision copied_at;
  };
  using Interests = absl::InlinedVector<Interest, 1>;

  mutable Mutex mutex_;  // after its shard's, before a watch's
  absl::flat_hash_map<std::string, Interests> by_user_ ABSL_GUARDED_BY(mutex_);
  std::size_t size_ ABSL_GUARDED_BY(mutex_) = 0;
};

template <typename Encode>
void InterestIndex::Deliver(Change&& change, Encode&& encode,
                            std::vector<std::shared_ptr<Watch>>& to_wake) {
  // What differs only by device is told to nobody who watches states.
  if (!change.ChangesState()) return;
  MutexLock lock(mutex_);
  const auto found = by_user_.find(change.after.user);
  if (found == by_user_.end()) return;
  const Revision revision = change.after.revision;
  PublishedChangePtr published;
  for (const Interest& interest : found->second) {
    if (revision <= interest.copied_at) continue;
    if (published == nullptr) {
      // Moved from once: then there is something published.
      // NOLINTNEXTLINE(bugprone-use-after-move)
      std::shared_ptr<const void> wire = encode(change);
      published = std::make_shared<PublishedChange>(
          PublishedChange{std::move(change), std::move(wire)});
    }
    if (interest.watch->Deliver(published)) to_wake.push_back(interest.watch);
  }
}

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_WATCH_INTEREST_INDEX_H_
