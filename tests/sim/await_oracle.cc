// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/await_oracle.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "lifesign/client/error.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode.h"
#include "server/transport/codec/read_time.h"
#include "server/transport/codec/times.h"

namespace lifesign::sim {
namespace {

constexpr Duration kLongestWait = seconds(300);
// So long before its call's deadline an await is answered.
constexpr Duration kBeforeDeadline = milliseconds(500);

// The states are numbered in the same order here and there.
bool IsAtLeast(State state, v1::PresenceState floor) {
  return EncodeState(state) <= floor;
}

std::set<std::string> Names(
    const google::protobuf::RepeatedPtrField<std::string>& names) {
  return {names.begin(), names.end()};
}

// Whom a predicate names has no order.
void Sort(v1::AwaitPresenceResponse& response) {
  for (v1::PredicateResult& result : *response.mutable_results()) {
    std::sort(result.mutable_user_ids()->begin(),
              result.mutable_user_ids()->end());
  }
}

}  // namespace

AwaitOracle::AwaitOracle(const v1::AwaitPresenceRequest& request,
                         const Call& call, AwaitOracles& all)
    : request_(request),
      view_(request.see_through() ? View::kTrue : View::kPublic),
      call_(call),
      all_(all) {
  Duration wait = kLongestWait;
  if (request.has_wait()) wait = *DecodeDuration(request.wait());
  if (call.deadline() != RealTime::max()) {
    wait = std::min(wait, call.deadline() - all.now_.real - kBeforeDeadline);
  }
  gives_up_ = all.now_.presence + wait;
  for (const v1::PresencePredicate& predicate : request.predicates()) {
    each_needs_one_ &= predicate.needed() <= 1;
    // In the order in which they are looked at.
    for (const std::string& user : predicate.users().user_ids()) {
      if (users_.contains(user)) continue;
      const PresenceRecord record = all.truth_.Snapshot(user, view_, all.now_);
      users_[user] = {record.state, record.revision};
      NoteState(user, record.state);
    }
  }
  v1::AwaitPresenceResponse found = Answer();
  if (found.satisfied()) decided_ = std::move(found);
  due_ = wait <= Duration(0);
}

void AwaitOracle::Fail(const std::string& what) const {
  all_.verdict_.Fail(absl::StrCat("await ", call_.number(), ": ", what,
                                  "\n    asks: ", request_.ShortDebugString()));
}

v1::AwaitPresenceResponse AwaitOracle::Answer() const {
  v1::AwaitPresenceResponse answer;
  for (const v1::PresencePredicate& predicate : request_.predicates()) {
    v1::PredicateResult& result = *answer.add_results();
    for (const std::string& user : Names(predicate.users().user_ids())) {
      if (IsAtLeast(users_.at(user).state, predicate.at_least())) {
        result.add_user_ids(user);
      }
    }
    result.set_matching(result.user_ids_size());
    result.set_satisfied(result.user_ids_size() >=
                         std::max(predicate.needed(), 1));
    if (result.satisfied()) answer.set_satisfied(true);
  }
  return answer;
}

void AwaitOracle::NoteState(const std::string& user, State state) {
  for (const v1::PresencePredicate& predicate : request_.predicates()) {
    held_by_one_ |= predicate.needed() <= 1 &&
                    IsAtLeast(state, predicate.at_least()) &&
                    Names(predicate.users().user_ids()).contains(user);
  }
}

void AwaitOracle::OnEmitted(const Change& change) {
  if (!open() || !Includes(change.audience, view_)) return;
  NoteState(change.after.user, change.after.state);
}

void AwaitOracle::OnPublished(const Change& change) {
  if (!open() || decided_.has_value() || !change.ChangesState() ||
      !Includes(change.audience, view_)) {
    return;
  }
  const auto found = users_.find(change.after.user);
  // It was read as it is after this one.
  if (found == users_.end() ||
      change.after.revision <= found->second.revision) {
    return;
  }
  found->second = {change.after.state, change.after.revision};
  v1::AwaitPresenceResponse answer = Answer();
  if (answer.satisfied()) decided_ = std::move(answer);
}

void AwaitOracle::OnWrite(const grpc::ByteBuffer& bytes) {
  v1::AwaitPresenceResponse told;
  if (!ParseMessage(bytes, told)) return Fail("malformed");
  all_.journal_.Note(all_.now_.real, "await tells", call_.number(), told);
  if (answered_) Fail("is answered twice");
  if (!decided_.has_value() && !due_ && all_.now_.presence < gives_up_) {
    return Fail("is answered before anything holds, and before its time");
  }
  if (!decided_.has_value()) {
    for (auto& [user, known] : users_) {
      known.state = all_.truth_.Snapshot(user, view_, all_.now_).state;
      NoteState(user, known.state);
    }
  }
  if (told.satisfied() ? !held_by_one_ && each_needs_one_ : held_by_one_) {
    return Fail(absl::StrCat(
        "is told that it ", told.satisfied() ? "holds" : "does not hold",
        ", and a user was what it asks for ", held_by_one_ ? "once" : "never"));
  }
  v1::AwaitPresenceResponse expected = decided_.value_or(Answer());
  EncodeReadTime(all_.engine_, all_.now_, expected);
  Sort(expected);
  Sort(told);
  if (expected.ShortDebugString() != told.ShortDebugString()) {
    Fail(absl::StrCat("is answered\n    model:  ", expected.ShortDebugString(),
                      "\n    server: ", told.ShortDebugString()));
  }
  answered_ = true;
  all_.journal_.Count(!told.satisfied()      ? "await gave up"
                      : decided_.has_value() ? "await satisfied"
                                             : "await satisfied at its end");
}

void AwaitOracle::OnFinish(const grpc::Status& status) {
  const client::Error error = client::ErrorFrom(status);
  all_.journal_.Note(all_.now_.real, "await ends", call_.number(),
                     client::ToString(error));
  if (error.ok()) {
    if (!answered_) Fail("ends well without an answer");
  } else if (answered_) {
    Fail("is answered, and then ended: " + client::ToString(error));
  } else if (error.reason == v1::ERROR_REASON_DRAINING) {
    if (!all_.drained_by_.has_value()) Fail("is ended by a drain that is none");
    if (error.code != grpc::StatusCode::UNAVAILABLE ||
        !error.retry_delay.has_value()) {
      Fail("is ended by a drain: " + client::ToString(error));
    }
    all_.journal_.Count("await drained");
  } else if (error.code == grpc::StatusCode::CANCELLED) {
    if (!call_.known_broken()) Fail("is ended as broken, and is not");
  } else {
    Fail("ends: " + client::ToString(error));
  }
  finished_ = true;
}

void AwaitOracle::Published() {
  if (open() && decided_.has_value()) Fail("is decided, and not answered");
}

void AwaitOracle::Ticked() {
  const PresenceTime now = all_.now_.presence;
  due_ |= now >= gives_up_;
  if (open() && all_.drained_by_.has_value() && now >= *all_.drained_by_) {
    Fail("outlives a drain");
  }
}

void AwaitOracle::Settled() {
  if (open() && due_) Fail("is not answered at its end");
}

// --- All of them

std::shared_ptr<AwaitOracle> AwaitOracles::Begin(
    const v1::AwaitPresenceRequest& request, const Call& call) {
  auto await = std::make_shared<AwaitOracle>(request, call, *this);
  awaits_.push_back(await);
  return await;
}

template <typename Told>
void AwaitOracles::Tell(const Told& told) {
  std::erase_if(awaits_, [](const auto& weak) { return weak.expired(); });
  for (const auto& weak : awaits_) {
    if (const auto await = weak.lock()) told(*await);
  }
}

void AwaitOracles::OnEmitted(const Change& change) {
  Tell([&](AwaitOracle& await) { await.OnEmitted(change); });
}

void AwaitOracles::OnPublished(const Change& change) {
  Tell([&](AwaitOracle& await) { await.OnPublished(change); });
}

void AwaitOracles::Published() {
  Tell([](AwaitOracle& await) { await.Published(); });
}

void AwaitOracles::Ticked() {
  Tell([](AwaitOracle& await) { await.Ticked(); });
}

void AwaitOracles::Settled() {
  Tell([](AwaitOracle& await) { await.Settled(); });
}

}  // namespace lifesign::sim
