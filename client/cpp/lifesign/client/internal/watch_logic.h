// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Everything that Watcher decides: when to connect, from where to resume, what
// is news. docs/concepts.md § 9.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_WATCH_LOGIC_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_WATCH_LOGIC_H_

#include <cstdint>
#include <string>

#include "absl/random/bit_gen_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "lifesign/client/internal/backoff.h"
#include "lifesign/client/internal/followed_users.h"
#include "lifesign/client/internal/presence_view.h"
#include "lifesign/client/watcher.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/base/time.h"

namespace lifesign::client::internal {

// What a WatchLogic asks of the world. Called with the logic's lock held; must
// not call the logic back before it has returned.
class WatchPort {
 public:
  virtual ~WatchPort() = default;

  // Begins a stream; exactly one OnStreamEnded follows, after every other event
  // of it. REQUIRES: there is none.
  virtual void BeginStream(const v1::WatchPresenceRequest& request) = 0;
  // The same, of FollowPresence: with `request` in its first message.
  virtual void BeginFollowing(const v1::WatchPresenceRequest& request) = 0;

  // Says something on a stream that follows. Called again only once that has
  // been acknowledged.
  virtual void Write(const v1::FollowPresenceRequest& message) = 0;

  // Has the stream end soon. REQUIRES: a stream.
  virtual void CancelStream() = 0;
};

// A watch over any number of streams, as a state machine: what the stream
// brings and what time it is go in; streams to be begun go out through the
// port, events are fetched. It knows no gRPC, no thread and no clock.
//
// Not thread-safe: its owner guards it. After any call NextDeadline() may have
// become earlier, and NextEvent() may have something.
class WatchLogic {
 public:
  // `port` and `random` outlive it. REQUIRES: ids and tenant are UTF-8.
  WatchLogic(const WatchOptions& options, WatchPort& port,
             absl::BitGenRef random);

  WatchLogic(const WatchLogic&) = delete;
  WatchLogic& operator=(const WatchLogic&) = delete;

  // Called once, first.
  void Start(RealTime now);

  void OnResponse(const v1::WatchPresenceResponse& response, RealTime now);
  void OnStreamEnded(const Error& error, RealTime now);
  void OnNetworkChange(RealTime now);
  void OnTimer(RealTime now);

  // Whom to watch as well, and whom no longer. The first one has the watch go
  // on by FollowPresence. REQUIRES: UTF-8; is_of_a_set().
  void Add(absl::Span<const std::string> users);
  void Remove(absl::Span<const std::string> users);

  // When OnTimer is to be called; max: not of itself.
  RealTime NextDeadline() const;

  absl::optional<WatchEvent> NextEvent() { return view_.Next(); }
  bool ended() const { return stream_ == Stream::kEnded; }
  bool is_of_a_set() const { return users_.has_value(); }
  const PresenceView& view() const { return view_; }
  const std::string& resume_token() const { return token_; }
  WatchStatus StatusAt(RealTime now) const;

 private:
  enum class Stream {
    // To be begun at `not_before_`.
    kWaiting,
    // Begun; nothing has come.
    kConnecting,
    // A message has come.
    kConnected,
    // Broken by us.
    kCancelled,
    kEnded,
  };

  bool HasStream() const {
    return stream_ == Stream::kConnecting || stream_ == Stream::kConnected;
  }
  void MaybeBegin(RealTime now);
  void BreakLink(absl::string_view why);
  // Something is to be said of whom to watch.
  void Follow();
  // Says it, if it can be said now.
  void MaybeSay();
  // Files kSynced if the view has become complete.
  void MaybeTellSynced();
  void TakeAcknowledgement(const v1::WatchPresenceResponse& response);
  // When the view becomes stale if nothing is heard.
  RealTime StaleAt() const;
  void TakeRecord(const v1::PresenceRecord& record);
  void NoteTime(const google::protobuf::Timestamp& read_time,
                const google::protobuf::Timestamp* reconverging_until,
                RealTime now);

  bool IsComplete() const {
    return synced_ && (!users_.has_value() || users_->complete());
  }

  // But for its users and its token.
  v1::WatchPresenceRequest request_;
  // None if it is not of a set.
  absl::optional<FollowedUsers> users_;
  // Users have been added or removed: streams are of FollowPresence.
  bool follows_ = false;
  // The stream is cancelled for that.
  bool switches_ = false;
  // Messages said on this stream.
  uint64_t said_ = 0;
  const Duration progress_interval_;
  WatchPort& port_;
  const absl::BitGenRef random_;

  PresenceView view_;
  // To resume with: the newest that came once the stream was synced. It is of
  // the users who have been acknowledged.
  std::string token_;

  Stream stream_ = Stream::kWaiting;
  RealTime not_before_ = RealTime::min();
  bool wait_is_named_ = false;  // by the server
  // The stream is broken then, if nothing has come.
  RealTime answer_deadline_ = RealTime::max();
  RealTime connected_at_ = RealTime::min();
  bool synced_ = false;  // on this stream
  // kSynced has been filed since the view became complete.
  bool synced_told_ = false;
  // Until SYNCED what comes is a whole snapshot.
  bool replacing_ = false;
  Error broken_because_;
  Backoff backoff_;

  // The last message, or the start.
  RealTime heard_at_ = RealTime::min();
  bool heard_ = false;
  bool stale_ = false;
  // The server's wall clock, told at `told_time_at_`.
  absl::optional<absl::Time> told_time_;
  RealTime told_time_at_ = RealTime::min();
  // Counts and what needs no age.
  WatchStatus status_;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_WATCH_LOGIC_H_
