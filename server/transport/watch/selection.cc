// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/watch/selection.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "server/base/limits.h"

namespace lifesign {

SetSelection::SetSelection(PresenceEngine& engine, std::shared_ptr<Watch> watch,
                           absl::Span<const std::string> users)
    : engine_(engine), watch_(std::move(watch)), users_(users) {}

void SetSelection::BeginCopy(Revision since) {
  watch_->OpenMailbox();
  since_ = since;
  some_.reset();
  place_ = 0;
}

void SetSelection::BeginCopyOfSkipped() { assert(false); }

void SetSelection::BeginCopyOf(std::vector<std::string> users) {
  since_ = 0;
  std::sort(users.begin(), users.end());
  some_.emplace(users);
  place_ = 0;
}

Selection::Slice SetSelection::CopySlice(std::size_t most, const Now& now) {
  const std::vector<std::string> slice = to_copy().Next(most, place_);
  Slice copied;
  copied.records = engine_.CopyAndRegister(watch_, slice, now, since_);
  if (to_copy().IsEnd(place_)) BeginCopyOf({});
  return copied;
}

void SetSelection::Add(const std::vector<std::string>& users) {
  users_.Add(users);
  BeginCopyOf(users);
}

void SetSelection::Remove(absl::Span<const std::string> users) {
  engine_.Unregister(*watch_, users);
  for (const std::string& user : users) watch_->Drop(user);
  users_.Remove(users);
}

void SetSelection::Release() {
  // In slices: others may want the locks meanwhile.
  std::size_t place = 0;
  while (!users_.IsEnd(place)) {
    engine_.Unregister(*watch_,
                       users_.Next(limits::kMostReleasedInPlace, place));
  }
}

TenantSelection::TenantSelection(PresenceEngine& engine,
                                 std::shared_ptr<Watch> watch)
    : engine_(engine), watch_(std::move(watch)) {}

void TenantSelection::BeginCopy(Revision since) {
  // Until a shard is reached it delivers nothing.
  auto told = engine_.UnregisterAll(*watch_, since);
  watch_->OpenMailbox();
  if (since == 0) {
    copy_ = {PresenceEngine::CopyOrder::kBySlot, {}};
  } else {
    copy_ = {PresenceEngine::CopyOrder::kByLog, std::move(told)};
  }
}

void TenantSelection::BeginCopyOfSkipped() {
  auto told = engine_.UnregisterAll(*watch_);
  watch_->OpenMailbox();
  copy_ = {PresenceEngine::CopyOrder::kBySlot, std::move(told)};
}

void TenantSelection::BeginCopyOf(std::vector<std::string> users) {
  assert(users.empty());
  static_cast<void>(users);
}

Selection::Slice TenantSelection::CopySlice(std::size_t most, const Now& now) {
  auto slice = engine_.CopyAllAndRegister(watch_, most, copy_, now);
  return {std::move(slice.records), slice.compacted};
}

}  // namespace lifesign
