// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/watch_logic.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "lifesign/client/internal/proto_time.h"

namespace lifesign::client::internal {
namespace {

using std::chrono::seconds;

// Without a first message for this long the link is broken.
constexpr Duration kAnswerTimeout = seconds(10);
// A stream that lived this long worked: what comes after is a first failure.
constexpr Duration kWorked = seconds(10);
// Silent for this many of them, a view is stale and its stream broken.
constexpr int kProgressIntervals = 2;

}  // namespace

WatchLogic::WatchLogic(const WatchOptions& options, WatchPort& port,
                       absl::BitGenRef random)
    : progress_interval_(options.progress_interval),
      port_(port),
      random_(random),
      view_(options),
      token_(options.resume_token) {
  request_.set_tenant(options.tenant);
  request_.set_see_through(options.see_through);
  if (options.all_users) {
    request_.mutable_all();
  } else if (!options.room_id.empty()) {
    v1::RoomSelector& room = *request_.mutable_room();
    room.set_room_id(options.room_id);
    room.set_view(options.occupancy ? v1::ROOM_VIEW_OCCUPANCY
                                    : v1::ROOM_VIEW_MEMBERS);
  } else {
    users_.emplace(options.user_ids);
  }
  request_.mutable_states()->Assign(options.states.begin(),
                                    options.states.end());
  request_.set_detail(options.detail);
  if (options.batching_delay > Duration::zero()) {
    ToProto(options.batching_delay, *request_.mutable_batching_delay());
  }
  ToProto(options.progress_interval, *request_.mutable_progress_interval());
}

void WatchLogic::Start(RealTime now) {
  heard_at_ = now;
  MaybeBegin(now);
}

void WatchLogic::MaybeBegin(RealTime now) {
  if (stream_ != Stream::kWaiting || now < not_before_) return;
  stream_ = Stream::kConnecting;
  wait_is_named_ = false;
  broken_because_ = Error();
  answer_deadline_ = SaturatingAdd(now, kAnswerTimeout);
  ++status_.streams;
  v1::WatchPresenceRequest request = request_;
  request.set_resume_token(token_);
  if (users_.has_value()) {
    const std::vector<std::string> users = users_->Acknowledged();
    request.mutable_users()->mutable_user_ids()->Assign(users.begin(),
                                                        users.end());
  }
  // Without a token a whole snapshot comes: it replaces what is held.
  replacing_ = token_.empty();
  if (replacing_) view_.ForgetRevisions();
  synced_told_ = false;
  said_ = 1;
  if (follows_) {
    port_.BeginFollowing(request);
  } else {
    port_.BeginStream(request);
  }
}

void WatchLogic::Add(absl::Span<const std::string> users) {
  const bool is_to_be_said = users_->Add(users);
  if (!users_->complete()) synced_told_ = false;
  if (is_to_be_said) Follow();
}

void WatchLogic::Remove(absl::Span<const std::string> users) {
  view_.Drop(users);
  if (users_->Remove(users)) Follow();
  MaybeTellSynced();
}

void WatchLogic::Follow() {
  if (!follows_) {
    follows_ = true;
    if (HasStream()) {
      switches_ = true;
      stream_ = Stream::kCancelled;
      answer_deadline_ = RealTime::max();
      port_.CancelStream();
    }
  }
  MaybeSay();
}

void WatchLogic::MaybeSay() {
  // A stream that is connected is of FollowPresence, or nothing is to be said.
  if (!users_.has_value() || !synced_ || stream_ != Stream::kConnected) return;
  if (const auto message = users_->NextMessage()) {
    ++said_;
    port_.Write(*message);
  }
}

void WatchLogic::MaybeTellSynced() {
  if (synced_told_ || !IsComplete()) return;
  synced_told_ = true;
  view_.File(WatchEvent::Kind::kSynced);
}

void WatchLogic::TakeAcknowledgement(
    const v1::WatchPresenceResponse& response) {
  if (!users_.has_value() || !users_->has_message_on_its_way() ||
      response.acked() < said_) {
    return;
  }
  for (const v1::FollowRefusal& refusal : response.refused()) {
    if (refusal.message() != said_) continue;
    std::vector<std::string> refused = users_->OnRefused();
    if (!refused.empty()) {
      view_.Drop(refused);
      view_.FileRefused(ErrorFrom(refusal.status()), std::move(refused));
    }
    return;
  }
  users_->OnApplied();
}

void WatchLogic::OnResponse(const v1::WatchPresenceResponse& response,
                            RealTime now) {
  ++status_.messages;
  if (stream_ == Stream::kConnecting) {
    stream_ = Stream::kConnected;
    connected_at_ = now;
    status_.last_error = Error();
  }
  answer_deadline_ = RealTime::max();
  heard_at_ = now;
  heard_ = true;
  if (stale_) {
    stale_ = false;
    view_.File(WatchEvent::Kind::kFresh);
  }
  // In the order of the fields' numbers.
  if (response.has_resync()) {
    ++status_.resyncs;
    replacing_ = true;
    view_.ForgetRevisions();
  }
  for (const auto& record : response.snapshot()) TakeRecord(record);
  for (const auto& record : response.changes()) TakeRecord(record);
  if (response.has_synced()) {
    synced_ = true;
    if (replacing_) view_.DropUnmentioned();
    replacing_ = false;
    const auto& synced = response.synced();
    NoteTime(synced.read_time(),
             synced.has_reconverging_until() ? &synced.reconverging_until()
                                             : nullptr,
             now);
    synced_told_ = false;
  }
  if (response.has_progress()) {
    const auto& progress = response.progress();
    NoteTime(progress.read_time(),
             progress.has_reconverging_until() ? &progress.reconverging_until()
                                               : nullptr,
             now);
  }
  if (response.has_occupancy()) view_.TakeOccupancy(response.occupancy());
  // Before SYNCED part of the snapshot is missing: resuming from there would
  // leave it out.
  if (synced_ && !response.resume_token().empty()) {
    token_ = response.resume_token();
  }
  TakeAcknowledgement(response);
  MaybeTellSynced();
  MaybeSay();
}

void WatchLogic::TakeRecord(const v1::PresenceRecord& record) {
  if (users_.has_value() && !users_->Expects(record.user_id())) {
    // Of nobody who is asked for: the view must not grow by it.
    ++status_.ignored;
    return;
  }
  switch (view_.Take(record)) {
    case PresenceView::Taken::kNews:
      ++status_.revisions;
      return;
    case PresenceView::Taken::kIgnored:
      ++status_.ignored;
      return;
    case PresenceView::Taken::kSame:
      return;
  }
}

void WatchLogic::NoteTime(const google::protobuf::Timestamp& read_time,
                          const google::protobuf::Timestamp* reconverging_until,
                          RealTime now) {
  told_time_ = FromProto(read_time);
  told_time_at_ = now;
  status_.reconverging_until.reset();
  if (reconverging_until != nullptr) {
    status_.reconverging_until = FromProto(*reconverging_until);
  }
}

void WatchLogic::OnStreamEnded(const Error& error, RealTime now) {
  if (users_.has_value()) users_->OnStreamEnded();
  // Unless the server has ended it, which comes first.
  const bool switched = switches_ && error.code == grpc::StatusCode::CANCELLED;
  switches_ = false;
  if (switched) {
    synced_ = false;
    stream_ = Stream::kWaiting;
    not_before_ = now;
    connected_at_ = RealTime::min();
    MaybeBegin(now);
    return;
  }
  const Error& cause = broken_because_.ok() ? error : broken_because_;
  const bool answered = connected_at_ != RealTime::min();
  // That nobody answered says less than why nobody could be reached.
  const bool says_less =
      !answered && !broken_because_.ok() && !status_.last_error.ok();
  if (!cause.ok() && !says_less) status_.last_error = cause;
  // The newest token comes with the end, if the server ended it.
  const auto token = cause.metadata.find("resume_token");
  std::string bytes;
  if (synced_ && token != cause.metadata.end() &&
      absl::Base64Unescape(token->second, &bytes)) {
    token_ = bytes;
  }
  synced_ = false;
  answer_deadline_ = RealTime::max();
  stream_ = Stream::kWaiting;
  if (cause.reason == v1::ERROR_REASON_INVALID_RESUME_TOKEN &&
      !token_.empty()) {
    // Of another server, perhaps: begin from nothing, at once. A server that
    // took it first does not get that again and again.
    token_.clear();
    not_before_ =
        answered ? SaturatingAdd(now, backoff_.NextWait(random_)) : now;
  } else if (cause.code == grpc::StatusCode::INVALID_ARGUMENT ||
             cause.code == grpc::StatusCode::PERMISSION_DENIED ||
             cause.reason == v1::ERROR_REASON_ROOM_TOO_LARGE) {
    stream_ = Stream::kEnded;
    view_.File(WatchEvent::Kind::kEnded, cause);
  } else if (cause.retry_delay.has_value()) {
    wait_is_named_ = true;
    not_before_ = SaturatingAdd(now, NamedWait(*cause.retry_delay));
  } else {
    if (answered && SaturatingDifference(now, connected_at_) >= kWorked) {
      backoff_.Reset();
    }
    not_before_ = SaturatingAdd(now, backoff_.NextWait(random_));
  }
  connected_at_ = RealTime::min();
  MaybeBegin(now);
}

void WatchLogic::OnNetworkChange(RealTime now) {
  if (stream_ == Stream::kConnected) {
    answer_deadline_ =
        std::min(answer_deadline_,
                 SaturatingAdd(heard_at_, progress_interval_ + kAnswerTimeout));
  } else if (stream_ == Stream::kWaiting && !wait_is_named_) {
    not_before_ = now;
    MaybeBegin(now);
  }
}

void WatchLogic::BreakLink(absl::string_view why) {
  stream_ = Stream::kCancelled;
  answer_deadline_ = RealTime::max();
  broken_because_.code = grpc::StatusCode::DEADLINE_EXCEEDED;
  broken_because_.message = std::string(why);
  port_.CancelStream();
}

RealTime WatchLogic::StaleAt() const {
  return SaturatingAdd(heard_at_, progress_interval_ * kProgressIntervals);
}

void WatchLogic::OnTimer(RealTime now) {
  if (stream_ == Stream::kEnded) return;
  if (!stale_ && now >= StaleAt()) {
    stale_ = true;
    view_.File(WatchEvent::Kind::kStale);
    if (stream_ == Stream::kConnected) {
      BreakLink("nothing was heard for two progress intervals");
    }
  }
  if (HasStream() && now >= answer_deadline_) {
    BreakLink("the server did not answer in time");
  }
  MaybeBegin(now);
}

RealTime WatchLogic::NextDeadline() const {
  if (stream_ == Stream::kEnded) return RealTime::max();
  RealTime deadline = stale_ ? RealTime::max() : StaleAt();
  if (stream_ == Stream::kWaiting) deadline = std::min(deadline, not_before_);
  if (HasStream()) deadline = std::min(deadline, answer_deadline_);
  return deadline;
}

WatchStatus WatchLogic::StatusAt(RealTime now) const {
  WatchStatus status = status_;
  switch (stream_) {
    case Stream::kWaiting:
    case Stream::kCancelled:
      status.link = Link::kWaiting;
      status.reconnect_in =
          SaturatingDifference(std::max(not_before_, now), now);
      break;
    case Stream::kConnecting:
      status.link = Link::kConnecting;
      break;
    case Stream::kConnected:
      status.link = Link::kConnected;
      break;
    case Stream::kEnded:
      status.link = Link::kEnded;
      break;
  }
  status.synced = IsComplete();
  status.stale = stale_;
  if (heard_) status.heard_age = SaturatingDifference(now, heard_at_);
  if (told_time_.has_value()) {
    status.server_now = *told_time_ + absl::FromChrono(SaturatingDifference(
                                          now, told_time_at_));
  }
  return status;
}

}  // namespace lifesign::client::internal
