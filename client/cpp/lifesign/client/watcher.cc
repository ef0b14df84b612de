// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/watcher.h"

#include <utility>

#include "lifesign/client/internal/validate.h"
#include "lifesign/client/internal/watch_stream.h"

namespace lifesign::client {
namespace {

absl::Status ValidateIds(const std::vector<std::string>& user_ids) {
  absl::Status fault;
  for (const std::string& id : user_ids) {
    fault.Update(internal::ValidateId("user_id", id));
  }
  return fault;
}

absl::Status Validate(const WatchOptions& options) {
  const int selectors = int{options.all_users} +
                        int{!options.user_ids.empty()} +
                        int{!options.room_id.empty()};
  if (selectors > 1) {
    return absl::InvalidArgumentError("one of user_ids, all_users, room_id");
  }
  if (options.occupancy &&
      (options.room_id.empty() || !options.states.empty())) {
    return absl::InvalidArgumentError(
        "occupancy is of a room_id, whatever the states");
  }
  for (const v1::PresenceState state : options.states) {
    if (state == v1::PRESENCE_STATE_UNSPECIFIED) {
      return absl::InvalidArgumentError("states must be specified");
    }
  }
  // Off would mean never to know whether the view is still true.
  if (options.progress_interval <= Duration::zero()) {
    return absl::InvalidArgumentError("progress_interval must be positive");
  }
  if (options.batching_delay < Duration::zero()) {
    return absl::InvalidArgumentError("batching_delay must not be negative");
  }
  absl::Status fault = internal::ValidateTenant(options.tenant);
  fault.Update(ValidateIds(options.user_ids));
  if (!options.room_id.empty()) {
    fault.Update(internal::ValidateId("room_id", options.room_id));
  }
  return fault;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Watcher>> Watcher::Start(
    std::shared_ptr<grpc::Channel> channel, WatchOptions options) {
  if (absl::Status fault = Validate(options); !fault.ok()) return fault;
  auto stream = std::make_shared<internal::WatchStream>(std::move(channel),
                                                        std::move(options));
  stream->Start();
  return std::unique_ptr<Watcher>(new Watcher(std::move(stream)));
}

Watcher::Watcher(std::shared_ptr<internal::WatchStream> stream)
    : stream_(std::move(stream)) {}

Watcher::~Watcher() { stream_->Close(); }

absl::optional<WatchEvent> Watcher::Next(Duration timeout) {
  return stream_->Next(timeout);
}

void Watcher::OnNetworkChange() { stream_->OnNetworkChange(); }

absl::Status Watcher::Add(const std::vector<std::string>& user_ids) {
  if (absl::Status fault = ValidateIds(user_ids); !fault.ok()) return fault;
  return stream_->Add(user_ids);
}

absl::Status Watcher::Remove(const std::vector<std::string>& user_ids) {
  if (absl::Status fault = ValidateIds(user_ids); !fault.ok()) return fault;
  return stream_->Remove(user_ids);
}

absl::optional<v1::PresenceRecord> Watcher::Find(
    absl::string_view user_id) const {
  return stream_->Ask(
      [user_id](const internal::WatchLogic& logic,
                RealTime) -> absl::optional<v1::PresenceRecord> {
        const v1::PresenceRecord* const record = logic.view().Find(user_id);
        if (record == nullptr) return absl::nullopt;
        return *record;
      });
}

std::vector<v1::PresenceRecord> Watcher::View() const {
  return stream_->Ask([](const internal::WatchLogic& logic, RealTime) {
    std::vector<v1::PresenceRecord> view;
    view.reserve(logic.view().size());
    logic.view().ForEach(
        [&view](const v1::PresenceRecord& record) { view.push_back(record); });
    return view;
  });
}

absl::optional<v1::Occupancy> Watcher::occupancy() const {
  return stream_->Ask([](const internal::WatchLogic& logic, RealTime) {
    return logic.view().occupancy();
  });
}

std::string Watcher::resume_token() const {
  return stream_->Ask([](const internal::WatchLogic& logic, RealTime) {
    return logic.resume_token();
  });
}

WatchStatus Watcher::status() const {
  return stream_->Ask([](const internal::WatchLogic& logic, RealTime now) {
    return logic.StatusAt(now);
  });
}

}  // namespace lifesign::client
