// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/watcher.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/transport/codec/bytes.h"

namespace lifesign::sim {

Watcher::Watcher(Network& network, Schedule& schedule, Journal& journal,
                 Verdict& verdict)
    : network_(network),
      schedule_(schedule),
      journal_(journal),
      verdict_(verdict) {}

Watcher::~Watcher() { Stop(); }

void Watcher::Watch(const std::vector<std::string>& users, Duration batching,
                    Duration progress, std::uint64_t seed) {
  Stop();
  random_.seed(seed);
  users_ = users;
  client::WatchOptions options;
  options.user_ids = users;
  options.batching_delay = batching;
  options.progress_interval = progress;
  logic_ =
      std::make_unique<client::internal::WatchLogic>(options, *this, random_);
  logic_->Start(schedule_.now());
  Follow();
}

void Watcher::Stop() {
  if (call_ != nullptr) {
    call_->Forsake();
    call_->CancelByClient();
  }
  call_.reset();
  logic_.reset();
  filed_ = RealTime::max();
  ++life_;
}

void Watcher::Follow() {
  while (const auto event = logic_->NextEvent()) CheckEvent(*event);
  const RealTime deadline = logic_->NextDeadline();
  if (deadline >= filed_) return;
  filed_ = deadline;
  schedule_.At(deadline, [this, life = life_, deadline] {
    if (life != life_ || filed_ != deadline) return;
    filed_ = RealTime::max();
    const RealTime now = schedule_.now();
    if (now >= logic_->NextDeadline()) logic_->OnTimer(now);
    Follow();
  });
}

void Watcher::CheckEvent(const client::WatchEvent& event) {
  switch (event.kind) {
    case client::WatchEvent::Kind::kChange:
      journal_.Count("change reported by the library");
      if (event.change.before.has_value() &&
          event.change.before->state() == event.change.after.state() &&
          event.change.before->availability().SerializeAsString() ==
              event.change.after.availability().SerializeAsString()) {
        verdict_.Fail(absl::StrCat("the library reports the same state again: ",
                                   event.change.after.ShortDebugString()));
      }
      return;
    case client::WatchEvent::Kind::kStale:
      journal_.Count("watcher stale");
      return;
    case client::WatchEvent::Kind::kEnded:
      verdict_.Fail(
          absl::StrCat("a watch ends: ", client::ToString(event.error)));
      return;
    case client::WatchEvent::Kind::kSynced:
      journal_.Count("watcher synced");
      return;
    case client::WatchEvent::Kind::kFresh:
    case client::WatchEvent::Kind::kRefused:
    case client::WatchEvent::Kind::kOccupancy:
      return;
  }
}

std::string Watcher::Words() const {
  if (logic_ == nullptr) return "watches nobody";
  const client::WatchStatus status = logic_->StatusAt(schedule_.now());
  std::string words = absl::StrCat(
      status.synced ? "synced" : "not synced", status.stale ? ", stale" : "",
      ", last error ", client::ToString(status.last_error), ", of ",
      absl::StrJoin(users_, ","), " holds");
  logic_->view().ForEach([&](const v1::PresenceRecord& record) {
    absl::StrAppend(&words, " {", record.ShortDebugString(), "}");
  });
  return words;
}

void Watcher::OnMessage(const grpc::ByteBuffer& bytes) {
  v1::WatchPresenceResponse response;
  ParseMessage(bytes, response);
  logic_->OnResponse(response, schedule_.now());
  Follow();
}

void Watcher::OnEnded(const grpc::Status& status) {
  call_.reset();
  logic_->OnStreamEnded(client::ErrorFrom(status), schedule_.now());
  Follow();
}

void Watcher::BeginStream(const v1::WatchPresenceRequest& request) {
  call_ = network_.Begin(Call::Kind::kWatch, *this, SerializeToBytes(request),
                         random_());
}

void Watcher::CancelStream() { call_->CancelByClient(); }

}  // namespace lifesign::sim
