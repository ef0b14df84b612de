// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/observer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "lifesign/client/error.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/resume_token.h"

namespace lifesign::sim {
namespace {

constexpr Duration kLongestWait = seconds(5);
constexpr std::size_t kTokensKept = 20;

// Of another selector, as another watch might hold it.
std::string Foreign(const std::string& token) {
  auto decoded = DecodeResumeToken(token);
  if (!decoded.has_value()) return "";
  ++decoded->selector;
  return EncodeResumeToken(*decoded);
}

}  // namespace

Observer::Observer(Network& network, Schedule& schedule, Journal& journal,
                   Verdict& verdict)
    : network_(network),
      schedule_(schedule),
      journal_(journal),
      verdict_(verdict) {}

Observer::~Observer() { Stop(); }

void Observer::Observe(const v1::WatchPresenceRequest& request,
                       std::uint64_t seed) {
  Stop();
  random_ = Random(seed);
  watches_ = true;
  request_ = request;
  held_.clear();
  tokens_.clear();
  Begin();
}

void Observer::Stop() {
  ++life_;
  watches_ = false;
  if (call_ == nullptr) return;
  call_->Forsake();
  call_->CancelByClient();
  call_.reset();
}

void Observer::Begin() {
  std::string token = tokens_.empty() ? "" : tokens_.back();
  if (!tokens_.empty() && random_.Chance(0.15)) {
    token = tokens_[random_.Below(tokens_.size())];
  }
  if (random_.Chance(0.05)) token.clear();
  if (!token.empty() && random_.Chance(0.03)) token = Foreign(token);
  request_.set_resume_token(token);
  synced_ = false;
  // Without a token a snapshot comes.
  replacing_ = token.empty();
  for (auto& [user, held] : held_) held.fresh = false;
  call_ = network_.Begin(Call::Kind::kWatch, *this, SerializeToBytes(request_),
                         random_.Bits());
}

void Observer::OnEnded(const grpc::Status& status) {
  call_.reset();
  const client::Error error = client::ErrorFrom(status);
  if (error.code == grpc::StatusCode::INVALID_ARGUMENT) {
    verdict_.Fail(absl::StrCat("a watch ends: ", client::ToString(error)));
  }
  schedule_.After(Duration(static_cast<std::int64_t>(random_.Below(
                      static_cast<std::uint64_t>(kLongestWait.count())))),
                  [this, life = life_] {
                    if (life == life_) Begin();
                  });
}

void Observer::OnMessage(const grpc::ByteBuffer& bytes) {
  v1::WatchPresenceResponse response;
  ParseMessage(bytes, response);
  if (response.has_resync()) {
    journal_.Count(v1::ResyncReason_Name(response.resync().reason()));
    replacing_ = true;
    for (auto& [user, held] : held_) held.fresh = false;
  }
  for (const auto& record : response.snapshot()) Take(record);
  for (const auto& record : response.changes()) Take(record);
  if (response.has_synced()) {
    synced_ = true;
    // Who was not mentioned is OFFLINE, or of no interest.
    if (replacing_) {
      std::erase_if(held_, [](const auto& item) { return !item.second.fresh; });
    }
    replacing_ = false;
  }
  if (!response.resume_token().empty()) TakeToken(response.resume_token());
}

void Observer::Take(const v1::PresenceRecord& record) {
  Held& held = held_[record.user_id()];
  // The receiver's rule; a snapshot replaces whatever is held.
  const bool replaces = replacing_ && !held.fresh;
  if (!replaces && record.revision() <= held.revision) {
    journal_.Count("record ignored by its revision");
    return;
  }
  held = {record.revision(), record.state(), true};
}

void Observer::TakeToken(const std::string& token) {
  tokens_.push_back(token);
  if (tokens_.size() > kTokensKept) tokens_.erase(tokens_.begin());
}

bool Observer::OfInterest(v1::PresenceState state) const {
  const auto& states = request_.states();
  return states.empty() ||
         std::find(states.begin(), states.end(), state) != states.end();
}

bool Observer::Holds(const std::vector<std::string>& everyone,
                     const StateOf& state_of) const {
  if (!watches_) return true;
  if (!synced_ || call_ == nullptr) return false;
  const auto& named = request_.users().user_ids();
  for (const std::string& user : everyone) {
    if (!request_.has_all() &&
        std::find(named.begin(), named.end(), user) == named.end()) {
      continue;
    }
    const v1::PresenceState state = state_of(user);
    const auto found = held_.find(user);
    const v1::PresenceState known =
        found == held_.end() ? v1::PRESENCE_STATE_OFFLINE : found->second.state;
    if (OfInterest(state) ? known != state
                          : found != held_.end() && OfInterest(known)) {
      return false;
    }
  }
  return true;
}

std::string Observer::Words() const {
  if (!watches_) return "observes nobody";
  std::string words = absl::StrCat(synced_ ? "synced" : "not synced",
                                   call_ == nullptr ? ", without a stream" : "",
                                   ": ", request_.ShortDebugString(), " holds");
  for (const auto& [user, held] : held_) {
    absl::StrAppend(&words, " ", user, " ", v1::PresenceState_Name(held.state),
                    " at ", held.revision);
  }
  return words;
}

}  // namespace lifesign::sim
