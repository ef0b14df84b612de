// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/watch_oracle.h"

#include <algorithm>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "lifesign/client/error.h"
#include "server/base/limits.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode.h"
#include "server/transport/codec/resume_token.h"
#include "tests/property/step.h"

namespace lifesign::sim {
namespace {

State StateOf(v1::PresenceState state) {
  return static_cast<State>(state - v1::PRESENCE_STATE_ACTIVE);
}

std::vector<std::string> Sorted(std::vector<std::string> users) {
  std::sort(users.begin(), users.end());
  return users;
}

}  // namespace

WatchOracle::WatchOracle(StreamId id, const WatchOptions& options,
                         std::vector<std::string> users, const Call& call,
                         WatchOracles& all)
    : id_(id),
      options_(options),
      users_(Sorted(std::move(users))),
      selector_(HashSelector(
          options.everyone() ? kHashOfEveryone : HashUsers(options.users),
          options.terms)),
      call_(call),
      all_(all),
      published_at_start_(all.engine_.published_up_to()),
      waits_(ExpectedResync() == v1::RESYNC_REASON_OTHER_EPOCH),
      written_(all.now_.presence),
      token_told_(all.now_.presence) {
  if (!options.resume.has_value() ||
      ExpectedResync() != v1::RESYNC_REASON_UNSPECIFIED) {
    return;
  }
  since_ = options.resume->revision;
  for (const std::string& user : users_) {
    const Told* known =
        all_.truth_.PublishedUpTo(user, view(), detail(), *since_);
    if (known == nullptr) {
      // A set's watcher was told that they are OFFLINE.
      if (!options_.everyone()) held_[user] = Held();
      continue;
    }
    held_[user] = HeldOf(known->change.after, known->availability);
  }
}

void WatchOracle::Fail(const std::string& what) const {
  all_.verdict_.Fail(
      absl::StrCat("watch ", id_, ", message ", messages_, ": ", what));
}

bool WatchOracle::Selects(const std::string& user) const {
  return std::binary_search(users_.begin(), users_.end(), user);
}

WatchOracle::Held WatchOracle::HeldOf(const v1::PresenceRecord& record,
                                      const std::string& availability) const {
  Held held;
  held.revision = record.revision();
  held.state = StateOf(record.state());
  for (const v1::DevicePresence& device : record.devices()) {
    held.devices[static_cast<std::size_t>(device.device_class() -
                                          v1::DEVICE_CLASS_WEB)] =
        StateOf(device.state());
  }
  held.availability = availability;
  held.told_availability = record.availability().SerializeAsString();
  return held;
}

WatchOracle::Held WatchOracle::HeldOf(const PresenceRecord& record,
                                      const std::string& availability) const {
  v1::PresenceRecord message;
  EncodeRecord(record, detail(), message);
  return HeldOf(message, availability);
}

bool WatchOracle::Reconverging() const {
  return all_.engine_.ReconvergingUntil(all_.now_).has_value();
}

v1::ResyncReason WatchOracle::ExpectedResync() const {
  if (!options_.resume.has_value()) return v1::RESYNC_REASON_UNSPECIFIED;
  const ResumeToken& token = *options_.resume;
  if (token.epoch != all_.engine_.epoch()) {
    return v1::RESYNC_REASON_OTHER_EPOCH;
  }
  if (token.selector != selector_) return v1::RESYNC_REASON_OTHER_SELECTOR;
  if (token.revision > published_at_start_) return v1::RESYNC_REASON_AHEAD;
  if (options_.everyone() &&
      all_.engine_.forgotten_up_to(view()) > token.revision) {
    return v1::RESYNC_REASON_COMPACTED;
  }
  return v1::RESYNC_REASON_UNSPECIFIED;
}

void WatchOracle::BeginAnew() {
  held_.clear();
  told_.clear();
  since_.reset();
  synced_ = false;
}

bool WatchOracle::CatchesUp() const {
  const bool late = waits_ && options_.everyone();
  return ((since_.has_value() || late) && !synced_) || all_.mailboxes_overflow_;
}

void WatchOracle::OnWrite(const grpc::ByteBuffer& bytes) {
  ++messages_;
  all_.told_ = true;
  v1::WatchPresenceResponse response;
  if (!ParseMessage(bytes, response)) return Fail("malformed");
  all_.journal_.Note(all_.now_.real, "watch tells", id_, response);
  if (!synced_ || CatchesUp()) all_.took_copies_ = true;
  const PresenceTime now = all_.now_.presence;
  CheckFirst(response);
  for (const auto& record : response.snapshot()) TakeSnapshot(record);
  // All who are known have been copied.
  if (waits_ && messages_ == 1) left_out_ = options_.everyone();
  std::set<std::string> changed;
  for (const auto& record : response.changes()) {
    TakeChange(record);
    if (!changed.insert(record.user_id()).second) {
      Fail(absl::StrCat(record.user_id(), " twice"));
    }
  }
  CheckSynced(response);
  written_ = now;
  if (!response.resume_token().empty()) {
    if (!synced_) Fail("a token before SYNCED");
    token_ = response.resume_token();
    token_told_ = now;
  } else if (response.has_synced() || (synced_ && response.has_progress()) ||
             // None covers what a watch that catches up tells in between.
             (synced_ && !CatchesUp() && response.changes_size() > 0 &&
              now - token_told_ >= limits::kTokenEvery)) {
    Fail("no token");
  }
}

void WatchOracle::CheckFirst(const v1::WatchPresenceResponse& response) {
  const bool first = messages_ == 1;
  if (response.has_created() != first) Fail("created");
  if (!first) {
    if (!response.has_resync()) return;
    // Someone was forgotten while they were caught up with.
    if (!options_.everyone() || !CatchesUp() ||
        response.resync().reason() != v1::RESYNC_REASON_COMPACTED) {
      Fail("a late RESYNC");
    }
    return BeginAnew();
  }
  if (response.created().epoch() != all_.engine_.epoch() ||
      response.created().watch_id() != id_) {
    Fail(response.created().ShortDebugString());
  }
  const v1::ResyncReason expected = ExpectedResync();
  if (response.resync().reason() != expected) {
    Fail(absl::StrCat("RESYNC ", response.resync().reason(), " and not ",
                      expected));
  }
  all_.journal_.Count(waits_ ? "watch resumed of an earlier run"
                      : options_.resume.has_value() ? "watch resumed"
                                                    : "watch begun");
}

void WatchOracle::TakeSnapshot(const v1::PresenceRecord& record) {
  const std::string& user = record.user_id();
  if (synced_) Fail("a snapshot after SYNCED");
  if (!Selects(user) || held_.contains(user)) {
    Fail(absl::StrCat(user, " in the snapshot"));
  }
  PresenceRecord expected = all_.truth_.Snapshot(user, view(), all_.now_);
  // Of several that are copied in a step the order is the engine's own: looked
  // at when the step is over.
  if (expected.known) {
    all_.truth_.ExpectRevision(user, view(), record.revision());
  }
  expected.revision = record.revision();
  if (WireOf(expected, detail()) != record.SerializeAsString()) {
    v1::PresenceRecord shown;
    EncodeRecord(expected, detail(), shown);
    Fail(absl::StrCat("snapshot of ", record.ShortDebugString(), " and not ",
                      shown.ShortDebugString()));
  }
  const Held held = HeldOf(record, AvailabilityOf(expected, all_.now_));
  // Who sees through is told of whoever is invisible.
  if (options_.everyone() && view() == View::kPublic &&
      (!IsLive(held.state) || !options_.terms.states.Has(held.state))) {
    Fail(absl::StrCat(user, " in the snapshot of a tenant"));
  }
  if (waits_ && !expected.known && Reconverging()) {
    Fail(absl::StrCat(user, " departs while the server reconverges"));
  }
  if (waits_ && all_.on_told_) all_.on_told_(user, held.state);
  held_[user] = held;
  told_.insert(user);
}

const Told* WatchOracle::AsPublished(const v1::PresenceRecord& record) const {
  const std::string& user = record.user_id();
  const Told* emitted = all_.truth_.Find(user, view(), record.revision());
  const Told* published = all_.truth_.Published(user, view(), detail());
  return emitted != nullptr && published != nullptr &&
                 emitted->wire(detail()) == record.SerializeAsString() &&
                 published->change.after.revision >= record.revision()
             ? emitted
             : nullptr;
}

std::string WatchOracle::CheckCopy(const v1::PresenceRecord& record) {
  const std::string& user = record.user_id();
  // Of a tenant the log is read as it is; of a set the users are evaluated.
  PresenceRecord expected = all_.truth_.Remembered(
      options_.everyone() ? all_.truth_.AsEmitted(user, view(), all_.now_)
                          : all_.truth_.Snapshot(user, view(), all_.now_),
      view(), all_.now_);
  if (expected.known && !options_.everyone()) {
    all_.truth_.ExpectRevision(user, view(), record.revision());
  }
  expected.revision = record.revision();
  if (WireOf(expected, detail()) != record.SerializeAsString()) {
    v1::PresenceRecord shown;
    EncodeRecord(expected, detail(), shown);
    Fail(absl::StrCat("caught up with ", record.ShortDebugString(), " and not ",
                      shown.ShortDebugString()));
  }
  return AvailabilityOf(expected, all_.now_);
}

void WatchOracle::TakeChange(const v1::PresenceRecord& record) {
  const std::string& user = record.user_id();
  if (!Selects(user)) Fail(absl::StrCat(user, " is not watched"));
  const Told* const published = AsPublished(record);
  if (published == nullptr && !CatchesUp()) {
    return Fail(absl::StrCat("not as published: ", record.ShortDebugString()));
  }
  const Held now = HeldOf(record, published != nullptr ? published->availability
                                                       : CheckCopy(record));
  const auto found = held_.find(user);
  // Who is not copied is not told: but in a tenant's snapshot those are left
  // out who are of no interest, and while it waits who is not known.
  const bool copied = found != held_.end();
  if (!copied && !options_.everyone() && (!waits_ || synced_) && !CatchesUp()) {
    Fail(absl::StrCat(user, " is not copied"));
  }
  const StateSet& states = options_.terms.states;
  const Held before = copied ? found->second : Held();
  // Who sees through everyone passes everybody to catch up: of whom they know
  // they may be told the same.
  const bool again = options_.everyone() && view() == View::kTrue &&
                     CatchesUp() && now.revision == before.revision;
  if (now.revision <= before.revision && !again) {
    Fail(absl::StrCat("not newer: ", record.ShortDebugString()));
  }
  // Whoever was lost, or resumes, is told the newest state, whatever it is.
  if (copied && now.state == before.state && now.devices == before.devices &&
      now.availability == before.availability &&
      now.told_availability == before.told_availability && !CatchesUp()) {
    Fail(absl::StrCat("the same again: ", record.ShortDebugString()));
  }
  if (!states.Has(now.state) && !states.Has(before.state) && !CatchesUp()) {
    Fail(absl::StrCat("of no interest: ", record.ShortDebugString()));
  }
  held_[user] = now;
  told_.insert(user);
  all_.journal_.Count("change told");
}

void WatchOracle::CheckSynced(const v1::WatchPresenceResponse& response) {
  if (!response.has_synced()) return;
  if (synced_) Fail("SYNCED twice");
  synced_ = true;
  left_out_ = options_.everyone() && !since_.has_value();
  if (!options_.everyone() && !since_.has_value() &&
      told_.size() != users_.size()) {
    Fail(absl::StrCat("SYNCED with ", told_.size(), " users told"));
  }
  for (const std::string& user : users_) {
    const Told* newest = all_.truth_.PublishedUpTo(
        user, view(), Detail::kDevices, published_at_start_);
    if (since_.has_value() && newest != nullptr &&
        newest->change.after.revision > *since_ && !told_.contains(user)) {
      Fail(absl::StrCat("resumed from ", *since_, " without ",
                        Words(user, *newest)));
    }
  }
  if (waits_ && Reconverging()) Fail("SYNCED before reconvergence ended");
  for (const std::string& user : users_) {
    // Who is not mentioned is OFFLINE, if every state is of interest.
    if (waits_ && all_.on_told_ && !held_.contains(user) &&
        options_.terms.states == StateSet::All()) {
      all_.on_told_(user, State::kOffline);
    }
  }
  if (response.synced().has_reconverging_until() != Reconverging()) {
    Fail("reconverging_until");
  }
}

// Whoever resumes from it misses nothing.
void WatchOracle::CheckToken(const std::string& bytes) {
  const auto token = DecodeResumeToken(bytes);
  if (!token.has_value() || token->epoch != all_.engine_.epoch() ||
      token->selector != selector_ ||
      token->tenant != HashTenant(kDefaultTenant)) {
    return Fail("a token of something else");
  }
  if (token->revision > all_.engine_.published_up_to()) {
    Fail("a token from ahead");
  }
  for (const std::string& user : users_) {
    // Of whom there is something newer, that will be told.
    const Told* newest = all_.truth_.Published(user, view(), detail());
    if (newest == nullptr || newest->change.after.revision > token->revision ||
        Knows(user, *newest)) {
      continue;
    }
    Fail(absl::StrCat("a token that leaves out ", Words(user, *newest)));
  }
}

std::string WatchOracle::Words(const std::string& user,
                               const Told& newest) const {
  const auto held = held_.find(user);
  return absl::StrCat(
      property::Words(newest.change, Now{}), "; its client holds ",
      held == held_.end() ? "nothing"
                          : absl::StrCat(property::Word(held->second.state),
                                         " at ", held->second.revision));
}

bool WatchOracle::Knows(const std::string& user, const Told& newest) const {
  const PresenceRecord& after = newest.change.after;
  const StateSet& states = options_.terms.states;
  const auto found = held_.find(user);
  // Of a tenant, who is not mentioned is OFFLINE, or of no interest.
  const bool told = found != held_.end();
  // While it waits, who is of no interest, or came and went, waits to be
  // copied.
  if (!told && !options_.everyone()) {
    return waits_ && !synced_ &&
           (!states.Has(after.state) || !IsLive(after.state));
  }
  const Held held = told ? found->second : Held();
  if (held.revision >= after.revision) return true;
  if (!states.Has(after.state)) return !told || !states.Has(held.state);
  return held.state == after.state &&
         held.availability == newest.availability &&
         (detail() == Detail::kState || held.devices == after.devices);
}

absl::optional<std::string> WatchOracle::Owed(Duration batching) const {
  for (const std::string& user : users_) {
    const Told* newest = all_.truth_.Published(user, view(), detail());
    // What came meanwhile may have put it off, and nothing else.
    if (newest != nullptr &&
        all_.now_.presence - newest->published_at >= batching &&
        !Knows(user, *newest)) {
      return Words(user, *newest);
    }
  }
  return absl::nullopt;
}

void WatchOracle::Published() {
  if (finished_ || call_.known_broken() || messages_ == 0) return;
  if (call_.writing() || options_.batching_delay.count() > 0) return;
  if (const auto owed = Owed(Duration(0))) {
    Fail(absl::StrCat("was not told of ", *owed));
  }
}

// A snapshot of the tenant says of who is left out that they are OFFLINE, or of
// no interest, as of when they were looked at.
void WatchOracle::Collected() {
  const bool left_out = std::exchange(left_out_, false);
  for (const std::string& user : users_) {
    if (!left_out || held_.contains(user)) continue;
    const PresenceRecord record = all_.truth_.Snapshot(user, view(), all_.now_);
    // Who is not known yet may come back.
    if (!record.known && !synced_) continue;
    if (IsLive(record.state) && options_.terms.states.Has(record.state)) {
      Fail(absl::StrCat(user, ", who is ", property::Word(record.state),
                        ", is left out of the snapshot"));
    }
    held_[user] = HeldOf(record, AvailabilityOf(record, all_.now_));
  }
  if (!token_.empty()) CheckToken(std::exchange(token_, ""));
}

void WatchOracle::Ticked() {
  const PresenceTime now = all_.now_.presence;
  if (finished_) {
    if (call_.writing() && !call_.known_broken() &&
        now - finished_at_ >
            limits::kSlowConsumerGrace + 2 * limits::kMaxPresenceAdvance) {
      Fail("ended, taken by nobody, and not cut");
    }
    return;
  }
  if (call_.known_broken()) return;
  if (call_.writing()) {
    if (now - written_ >= limits::kSlowConsumer) Fail("slow, and not ended");
    return;
  }
  if (const auto owed = Owed(options_.batching_delay)) {
    Fail(absl::StrCat("was not told of ", *owed, " in time"));
  }
  if (options_.progress_interval.count() != 0 &&
      now - written_ >= options_.progress_interval) {
    Fail("silent for too long");
  }
  if (!synced_ && !Reconverging()) Fail("not synced");
}

void WatchOracle::OnFinish(const grpc::Status& status) {
  all_.journal_.Note(all_.now_.real, "watch ends", id_, status.error_message());
  const client::Error error = client::ErrorFrom(status);
  if (error.reason == v1::ERROR_REASON_DRAINING) {
    if (!all_.draining_) Fail("ended by a drain that is none");
  } else if (error.reason == v1::ERROR_REASON_SLOW_CONSUMER) {
    if (!call_.writing() ||
        all_.now_.presence - written_ < limits::kSlowConsumer) {
      Fail("ended as slow, and is not");
    }
    all_.journal_.Count("slow consumer");
  } else if (error.code == grpc::StatusCode::CANCELLED) {
    if (!call_.known_broken()) Fail("ended as broken, and is not");
  } else {
    Fail(absl::StrCat("ended: ", client::ToString(error)));
  }
  const auto token = error.metadata.find("resume_token");
  std::string bytes;
  if (token != error.metadata.end()) {
    if (!absl::Base64Unescape(token->second, &bytes)) Fail("a token's base64");
    token_ = bytes;
    all_.told_ = true;
  } else if (synced_ && error.code == grpc::StatusCode::UNAVAILABLE) {
    Fail("ended without a token");
  }
  finished_ = true;
  finished_at_ = all_.now_.presence;
}

// --- All of them

std::shared_ptr<WatchOracle> WatchOracles::Begin(StreamId id,
                                                 const WatchOptions& options,
                                                 const Call& call) {
  auto watch = std::make_shared<WatchOracle>(
      id, options, options.everyone() ? users_ : options.users, call, *this);
  watches_.push_back(watch);
  return watch;
}

void WatchOracles::Published() {
  std::erase_if(watches_, [](const auto& weak) { return weak.expired(); });
  for (const auto& weak : watches_) {
    if (const auto watch = weak.lock()) watch->Published();
  }
}

void WatchOracles::Collected() {
  if (!std::exchange(told_, false)) return;
  for (const auto& weak : watches_) {
    if (const auto watch = weak.lock()) watch->Collected();
  }
}

void WatchOracles::Ticked() {
  for (const auto& weak : watches_) {
    if (const auto watch = weak.lock()) watch->Ticked();
  }
}

}  // namespace lifesign::sim
