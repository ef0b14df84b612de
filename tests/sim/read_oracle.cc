// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/read_oracle.h"

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "lifesign/client/error.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode.h"
#include "server/transport/codec/read_time.h"

namespace lifesign::sim {
namespace {

using property::ModelSessionView;
using property::ModelUserView;

// How far two ways of computing the same probability may lie apart.
constexpr double kRounding = 1e-6;

}  // namespace

UserView UserViewOf(const ModelUserView& model, double confidence) {
  UserView view;
  view.record = model.record;
  view.confidence = confidence;
  view.sessions_by_state = model.sessions_by_state;
  return view;
}

template <typename Message>
void ReadOracle::Compare(const Message& expected, const Message& told) {
  // A map has no order of its own.
  if (expected.ShortDebugString() == told.ShortDebugString()) return;
  verdict_.Fail(absl::StrCat("read\n    model:  ", expected.ShortDebugString(),
                             "\n    server: ", told.ShortDebugString()));
}

void ReadOracle::Read(const std::string& user) {
  Read(user, View::kPublic);
  if (may_see_through_) {
    Read(user, View::kTrue);
  } else {
    CheckDenied(user);
  }
}

void ReadOracle::Read(const std::string& user, View view) {
  const ModelUserView model = truth_.model().Read(user, view, now_);
  Get(user, view, model);
  ListSessions(user, view, model);
  Explain(user, view, model);
}

void ReadOracle::CheckDenied(const std::string& user) {
  v1::GetPresenceRequest request;
  request.set_user_id(user);
  request.set_see_through(true);
  grpc::ByteBuffer bytes;
  const client::Error error =
      client::ErrorFrom(calls_.GetPresence(SerializeToBytes(request), bytes));
  if (error.code == grpc::StatusCode::PERMISSION_DENIED &&
      error.reason == v1::ERROR_REASON_SEE_THROUGH_DENIED) {
    return;
  }
  verdict_.Fail(absl::StrCat("who may not see through is answered with ",
                             client::ToString(error)));
}

void ReadOracle::Get(const std::string& user, View view,
                     const ModelUserView& model) {
  v1::GetPresenceRequest request;
  request.set_user_id(user);
  request.set_see_through(view == View::kTrue);
  grpc::ByteBuffer bytes;
  v1::GetPresenceResponse told;
  if (!calls_.GetPresence(SerializeToBytes(request), bytes).ok() ||
      !ParseMessage(bytes, told)) {
    verdict_.Fail("GetPresence is refused");
  }
  v1::GetPresenceResponse expected;
  EncodeUser(UserViewOf(model, told.presence().confidence()),
             *expected.mutable_presence());
  EncodeReadTime(engine_, now_, expected);
  Compare(expected, told);
}

void ReadOracle::Adopt(const std::string& user, const v1::Session& told,
                       const ModelSessionView& model, SessionView& expected) {
  expected.rooms = {told.room_ids().begin(), told.room_ids().end()};
  const std::set<std::string> rooms(expected.rooms.begin(),
                                    expected.rooms.end());
  if (rooms != rooms_.RoomsOf(user, expected.session) ||
      rooms.size() != expected.rooms.size()) {
    verdict_.Fail(absl::StrCat(user, "/", expected.session, " is in rooms ",
                               absl::StrJoin(expected.rooms, ",")));
  }
  expected.confidence = told.confidence();
  if (!(told.confidence() >= 0 && told.confidence() <= 1) ||
      (model.within_promise && told.confidence() != 1)) {
    verdict_.Fail(absl::StrCat("confidence ", told.confidence(),
                               model.within_promise ? " within" : " beyond",
                               " the promise"));
  }
  // Of one that was made unseen it is not told.
  if (expected.attachment == kNoAttachment) return;
  const Attachment given = signals_.GivenFor(expected.attachment);
  expected.attachment = given == kNoAttachment ? told.attachment() : given;
}

void ReadOracle::ListSessions(const std::string& user, View view,
                              const ModelUserView& model) {
  v1::ListSessionsRequest request;
  request.set_user_id(user);
  request.set_see_through(view == View::kTrue);
  grpc::ByteBuffer bytes;
  v1::ListSessionsResponse told;
  if (!calls_.ListSessions(SerializeToBytes(request), bytes).ok() ||
      !ParseMessage(bytes, told)) {
    verdict_.Fail("ListSessions is refused");
  }
  v1::ListSessionsResponse expected;
  int place = 0;
  for (const ModelSessionView& session : model.sessions) {
    SessionView shown = session.explanation.session;
    if (place < told.sessions_size()) {
      Adopt(user, told.sessions(place++), session, shown);
    }
    EncodeSession(shown, *expected.add_sessions());
  }
  EncodeReadTime(engine_, now_, expected);
  Compare(expected, told);
}

void ReadOracle::Explain(const std::string& user, View view,
                         const ModelUserView& model) {
  v1::ExplainPresenceRequest request;
  request.set_user_id(user);
  request.set_see_through(view == View::kTrue);
  grpc::ByteBuffer bytes;
  v1::ExplainPresenceResponse told;
  if (!calls_.ExplainPresence(SerializeToBytes(request), bytes).ok() ||
      !ParseMessage(bytes, told)) {
    verdict_.Fail("ExplainPresence is refused");
  }
  UserExplanation explanation;
  explanation.user = UserViewOf(model, told.presence().confidence());
  explanation.next_change = model.next_change;
  double all_gone = 1;
  int place = 0;
  for (const ModelSessionView& session : model.sessions) {
    explanation.sessions.push_back(session.explanation);
    if (place >= told.sessions_size()) continue;
    const v1::Session& shown = told.sessions(place++).session();
    Adopt(user, shown, session, explanation.sessions.back().session);
    if (session.explanation.holds_user_state) {
      all_gone *= 1 - shown.confidence();
    }
  }
  v1::ExplainPresenceResponse expected;
  EncodeExplanation(explanation, expected);
  EncodeReadTime(engine_, now_, expected);
  Compare(expected, told);
  const double together = model.sessions.empty() ? 0 : 1 - all_gone;
  if (std::abs(together - told.presence().confidence()) > kRounding) {
    verdict_.Fail(absl::StrCat("a user's confidence of ",
                               told.presence().confidence(),
                               " where the sessions give ", together));
  }
}

}  // namespace lifesign::sim
