// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Watches users: a local view that is kept current, and its changes.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_WATCHER_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_WATCHER_H_

#include <grpcpp/channel.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "lifesign/client/session_status.h"
#include "lifesign/v1/presence.pb.h"
#include "lifesign/v1/presence_service.pb.h"

namespace lifesign::client {

namespace internal {
class WatchStream;
}  // namespace internal

// A user became other than the view held.
struct PresenceChange {
  // What was told before; none for the first word about a user, or the first
  // since they were dropped from the view.
  absl::optional<v1::PresenceRecord> before;
  // What holds now.
  v1::PresenceRecord after;
};

struct WatchEvent {
  enum class Kind {
    // `change` is set.
    kChange,
    // The view is complete: every watched user has been told, at this instant
    // of the stream. Again after each reconnect, and once users who were added
    // have been told.
    kSynced,
    // Nothing was heard for two progress intervals: the view is kept, and may
    // be old.
    kStale,
    // Heard again after kStale.
    kFresh,
    // The server refused to add `user_ids`: `error` says why, for example that
    // a watch is of at most so many (TOO_MANY_WATCHED_USERS). They are not
    // watched; everything else goes on.
    kRefused,
    // Over for good: `error` says why. The last event.
    kEnded,
    // How many are in the room, in `occupancy`.
    kOccupancy,
  };
  Kind kind;
  PresenceChange change;
  v1::Occupancy occupancy;
  Error error;
  // Of kRefused, in their order.
  std::vector<std::string> user_ids;
};

struct WatchOptions {
  // Empty: the caller's own.
  std::string tenant = {};
  // Whom to watch at first: at most 10,000, unless the server allows more.
  // Empty: nobody, but for `all_users` and `room_id`.
  std::vector<std::string> user_ids = {};
  // Whom to watch, instead: everyone of the tenant. The view then holds those
  // who are live and in a state of interest: whoever is not in it is not.
  // REQUIRES: no user_ids.
  bool all_users = false;
  // Whom to watch, instead: the users in this room, with their state there. The
  // view holds those who are live there and in a state of interest. More than
  // 1,000 of them end the watch: ROOM_TOO_LARGE.
  std::string room_id = {};
  // Of the room, how many are there and not who: told by kOccupancy. REQUIRES:
  // room_id, and no states.
  bool occupancy = false;
  // The states of interest: users are reported when they come to one or leave
  // one. What becomes of a user who left them is not told until they return.
  // Empty: all.
  std::vector<v1::PresenceState> states = {};
  // DEVICES: records hold the state per device class, and a user is also
  // reported when only that differs.
  v1::WatchDetail detail = v1::WATCH_DETAIL_STATE;
  // Of a watcher before this one, which at last was of the same users, states
  // and detail: only what has changed since is told. Empty: a whole snapshot.
  std::string resume_token = {};
  // How long the server may hold a change to batch it, up to 1 s.
  Duration batching_delay = Duration::zero();
  // How long the server may be silent: 10 s to 10 min. Two of them without a
  // message make the view stale, and the link broken.
  Duration progress_interval = std::chrono::seconds(25);
  // Asks for what is true of users who are invisible to others. The server ends
  // the watch (PERMISSION_DENIED) if the caller has no right to it.
  bool see_through = false;
  // Given: events are handed to it, on the library's callback thread, which all
  // objects of the process share, without a lock held; calls never overlap. It
  // may call this object, also destroy it, but must not block. Not given: take
  // events with `Next`.
  std::function<void(const WatchEvent&)> on_event = nullptr;
  // Sees every message as it came, before anything is made of it: for tools
  // that count what crosses the wire. On gRPC's threads, in order, with a lock
  // held: must be quick and must not call this object.
  std::function<void(const v1::WatchPresenceResponse&)> on_response = nullptr;
};

// What a watcher truly knows, at the instant of asking.
struct WatchStatus {
  Link link = Link::kIdle;
  // Time to the next attempt. Given with Link::kWaiting.
  absl::optional<Duration> reconnect_in;
  // The view is complete as of the stream in hand: false also while users who
  // were added have not been told.
  bool synced = false;
  // Nothing was heard for two progress intervals.
  bool stale = false;
  // Since the last message; none: never.
  absl::optional<Duration> heard_age;
  // The server's wall clock, as last told and run on since; none: never told.
  absl::optional<absl::Time> server_now;
  // Until when, on that clock, the server reconverges after its start: users
  // may be shown lower than they are. None: it does not.
  absl::optional<absl::Time> reconverging_until;
  // The newest error that ended a stream; OK once another one has answered.
  Error last_error;

  // What came: messages; records that were news (another revision than every
  // one held before); records that were ignored by the receiver rule; streams
  // begun; times the server began anew (RESYNC).
  uint64_t messages = 0;
  uint64_t revisions = 0;
  uint64_t ignored = 0;
  uint64_t streams = 0;
  uint64_t resyncs = 0;
};

// Keeps a view of the users' presence, over reconnects and restarts of the
// server, by the receiver rule: newest revision per user, replaced after
// RESYNC. A user is reported when their state or their availability (or, if
// wanted, their state on a class of device) differs from the view, and only
// then; what lies untaken is coalesced to the newest per user. Never invents: a
// watch that is cut off goes on showing what it last knew, and says that it is
// stale.
//
//   auto watcher = Watcher::Start(channel, {.user_ids = {"ann", "bob"}});
//   while (auto event = (*watcher)->Next(std::chrono::hours(1))) {
//     if (event->kind == WatchEvent::Kind::kChange) Show(event->change);
//   }
//
// Thread-safe.
class Watcher {
 public:
  // Starts to watch; does not wait for the server.
  //   INVALID_ARGUMENT  several of user_ids, all_users and room_id, an
  //                     unspecified state, or ids that are not UTF-8
  static absl::StatusOr<std::unique_ptr<Watcher>> Start(
      std::shared_ptr<grpc::Channel> channel, WatchOptions options);

  // No callback runs after it, except the one that is destroying it. REQUIRES:
  // no thread is in `Next`.
  ~Watcher();

  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // The next event, waiting for it at most `timeout`. None: the time ran out,
  // or kEnded has been taken. REQUIRES: no `on_event`; not on the callback
  // thread.
  absl::optional<WatchEvent> Next(Duration timeout);

  // The network changed, or the machine slept: while waiting to reconnect, the
  // attempt is made at once, unless the server named its time; else the stream
  // is taken for broken if nothing is heard within the rest of a progress
  // interval and 10 s.
  void OnNetworkChange();

  // Watches these as well, or no longer, also over reconnects: without a
  // connection it is told when there is one. What is said while something else
  // is on its way is told together, and refused together: see kRefused.
  //
  // Who is added is reported as the first word about a user. Who is removed
  // leaves the view at once, without an event; after that nothing is reported
  // of them, except by a callback that runs already. Of users who are watched
  // already, or not at all, nothing happens. The first call has the server
  // begin the watch anew, from where it is.
  //   INVALID_ARGUMENT     an id that is empty, too long or not UTF-8; nothing
  //                        has changed
  //   FAILED_PRECONDITION  a watch that is not of a set of users, or has ended
  absl::Status Add(const std::vector<std::string>& user_ids);
  absl::Status Remove(const std::vector<std::string>& user_ids);

  // What the view holds of a user; none if nothing was told yet, or the user is
  // not watched.
  absl::optional<v1::PresenceRecord> Find(absl::string_view user_id) const;
  // All of it, in no order.
  std::vector<v1::PresenceRecord> View() const;

  // How many are in the room, as last told; none before, or without
  // WatchOptions::occupancy.
  absl::optional<v1::Occupancy> occupancy() const;

  // What another watcher may go on from, at any time: the newest token told. It
  // is of the users whom the server has acknowledged. Empty before the first
  // kSynced.
  std::string resume_token() const;

  WatchStatus status() const;

 private:
  explicit Watcher(std::shared_ptr<internal::WatchStream> stream);

  const std::shared_ptr<internal::WatchStream> stream_;
};

}  // namespace lifesign::client

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_WATCHER_H_
