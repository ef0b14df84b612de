// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A watcher's view of its users, and what of it the watcher has not been told.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_PRESENCE_VIEW_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_PRESENCE_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "lifesign/client/watcher.h"
#include "lifesign/v1/presence.pb.h"

namespace lifesign::client::internal {

// The receiver rule of docs/concepts.md § 9, and a mailbox that holds at most
// one entry a user and one of each other kind, however slowly it is emptied:
// A→B→A that nobody took is nothing.
//
// Of everyone, and of a room, it holds those who are live and in a state of
// interest, and others only until the watcher has been told that they are not:
// else it would hold whoever was ever there.
//
// Not thread-safe: its owner guards it.
class PresenceView {
 public:
  // What became of a record.
  enum class Taken {
    // Its revision is not above the one held.
    kIgnored,
    // Held already with this revision, before a RESYNC.
    kSame,
    kNews,
  };

  explicit PresenceView(const WatchOptions& options);

  // Takes in one record of the stream.
  Taken Take(const v1::PresenceRecord& record);

  // What comes now replaces what is held, whatever its revision; until then
  // that stays as it is.
  void ForgetRevisions();
  // It has come: of everyone, whoever was not mentioned since is OFFLINE.
  void DropUnmentioned();

  // Forgets these, and what was to be told of them.
  void Drop(absl::Span<const std::string> users);

  // How many are in the room: of several untaken the newest is told.
  void TakeOccupancy(const v1::Occupancy& occupancy);
  const absl::optional<v1::Occupancy>& occupancy() const { return occupancy_; }

  // Files an event that is not a change. Of kSynced only the newest is kept;
  // kStale and kFresh, if untaken, cancel each other out.
  void File(WatchEvent::Kind kind, const Error& error = {});
  // Files kRefused. With one that is untaken it becomes one, of the newest
  // error.
  void FileRefused(const Error& error, std::vector<std::string> users);

  // Whether Next() may have something.
  bool HasEvents() const { return !mailbox_.empty(); }
  // The next event; none: nothing to tell.
  absl::optional<WatchEvent> Next();

  const v1::PresenceRecord* Find(absl::string_view user_id) const;
  void ForEach(
      const std::function<void(const v1::PresenceRecord&)>& visit) const;
  size_t size() const { return users_.size(); }

 private:
  struct User {
    v1::PresenceRecord record;
    // Of `record`; none: any revision is newer.
    absl::optional<uint64_t> revision;
    // What the watcher was last told; none: nothing.
    absl::optional<v1::PresenceRecord> told;
    bool filed = false;
  };
  struct Entry {
    WatchEvent::Kind kind;
    User* user;  // of kChange
    Error error;
    std::vector<std::string> users;  // of kRefused
  };

  // Whether a user of whom nothing is held is as good as one with `record`.
  bool IsNobody(const v1::PresenceRecord& record) const;
  // Whether the watcher is to be told what `user` has become.
  bool IsNews(const User& user) const;
  void FileChange(User& user);
  void DropNobody(User& user);

  // Of everyone, or of a room.
  const bool everyone_;
  const std::vector<v1::PresenceState> states_;
  absl::node_hash_map<std::string, User> users_;
  absl::optional<v1::Occupancy> occupancy_;
  std::deque<Entry> mailbox_;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_PRESENCE_VIEW_H_
