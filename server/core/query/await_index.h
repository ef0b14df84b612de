// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Who awaits whom: the awaits of each user of one shard.
#ifndef LIFESIGN_SERVER_CORE_QUERY_AWAIT_INDEX_H_
#define LIFESIGN_SERVER_CORE_QUERY_AWAIT_INDEX_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/base/mutex.h"
#include "server/core/query/await.h"
#include "server/core/watch/change.h"

namespace lifesign {

// Not the index of watches: an await is told every change, also those that
// would coalesce or come to nothing in a mailbox, and needs no bytes of it.
//
// Thread-safe. Its mutex may be taken while the shard's is held, and an await's
// while this one is held.
class AwaitIndex {
 public:
  // From now on `await` is told the changes of `user`, its user number
  // `number`, above `revision`, the one it has been told already. Called under
  // the shard's lock, so that no change falls between the two. Again, of the
  // same number: counts from this revision. O(1), as Unregister.
  void Register(absl::string_view user, const std::shared_ptr<Await>& await,
                std::size_t number, Revision revision);

  // Removes `await` from `user`; does nothing if it is not there.
  void Unregister(absl::string_view user, const Await& await);

  // Tells everyone who awaits its user. Those whom it decides are appended to
  // `decided`, in no order. One call at a time, in the order of the revisions.
  void Tell(const Change& change, std::vector<std::shared_ptr<Await>>& decided);

  // The number of (await, user) pairs.
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  struct Interest {
    std::shared_ptr<Await> await;
    std::uint32_t number;
    Revision told_at;
  };
  // Found by the await, however many await the same user: the shard's lock is
  // held meanwhile.
  using Interests = absl::flat_hash_map<const Await*, Interest>;

  mutable Mutex mutex_;  // after its shard's, before an await's
  absl::flat_hash_map<std::string, Interests> by_user_ ABSL_GUARDED_BY(mutex_);
  // Moved under the lock, and read without it: most changes find nobody who
  // awaits anything.
  std::atomic<std::size_t> size_{0};
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_QUERY_AWAIT_INDEX_H_
