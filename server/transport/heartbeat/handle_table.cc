// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/heartbeat/handle_table.h"

#include <xxhash.h>

#include <algorithm>
#include <cassert>
#include <random>

namespace lifesign {
namespace {

std::uint64_t ProcessSecret() {
  static const std::uint64_t secret = [] {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
  }();
  return secret;
}

}  // namespace

NameHash HashName(const SessionName& name) {
  // The user's hash seeds the session's, so that "ab","c" is not "a","bc".
  const std::uint64_t user =
      XXH3_64bits_withSeed(name.user.data(), name.user.size(), ProcessSecret());
  return XXH3_64bits_withSeed(name.session.data(), name.session.size(), user);
}

HandleTable::Bound* HandleTable::Many::Find(std::uint32_t handle) {
  if (handle < low.size()) {
    return low[handle].ref.attachment != kNoAttachment ? &low[handle] : nullptr;
  }
  if (high.empty()) return nullptr;
  const auto found = high.find(handle);
  return found == high.end() ? nullptr : &found->second;
}

void HandleTable::Many::Add(std::uint32_t handle, const Bound& bound) {
  by_name.emplace(bound.name, handle);
  const std::size_t room = std::max(kLeastLow, 2 * by_name.size());
  if (handle >= low.size() && handle < room) {
    low.resize(room);
    // Those of the hashed ones that lie in the array now.
    absl::erase_if(high, [this](const auto& item) {
      if (item.first >= low.size()) return false;
      low[item.first] = item.second;
      return true;
    });
  }
  if (handle < low.size()) {
    low[handle] = bound;
  } else {
    high.emplace(handle, bound);
  }
}

void HandleTable::Many::Remove(std::uint32_t handle) {
  if (handle < low.size()) {
    low[handle] = Bound();
  } else {
    high.erase(handle);
  }
}

const HandleTable::Bound* HandleTable::Find(std::uint32_t handle) const {
  if (many_ == nullptr) {
    return handle != 0 && handle == only_handle_ ? &only_ : nullptr;
  }
  return many_->Find(handle);
}

absl::optional<std::uint32_t> HandleTable::HandleOf(NameHash name) const {
  if (many_ == nullptr) {
    if (only_handle_ == 0 || only_.name != name) return absl::nullopt;
    return only_handle_;
  }
  const auto found = many_->by_name.find(name);
  if (found == many_->by_name.end()) return absl::nullopt;
  return found->second;
}

void HandleTable::Bind(std::uint32_t handle, const Bound& bound) {
  assert(handle != 0 && Find(handle) == nullptr);
  assert(!HandleOf(bound.name).has_value());
  if (many_ == nullptr) {
    if (only_handle_ == 0) {
      only_handle_ = handle;
      only_ = bound;
      return;
    }
    many_ = std::make_unique<Many>();
    many_->Add(only_handle_, only_);
    only_handle_ = 0;
  }
  many_->Add(handle, bound);
}

void HandleTable::Free(std::uint32_t handle) {
  if (many_ == nullptr) {
    if (handle == only_handle_) only_handle_ = 0;
    return;
  }
  const Bound* found = many_->Find(handle);
  if (found == nullptr) return;
  many_->by_name.erase(found->name);
  many_->Remove(handle);
}

std::vector<SessionRef> HandleTable::TakeAll() {
  std::vector<SessionRef> refs;
  refs.reserve(size());
  if (only_handle_ != 0) refs.push_back(only_.ref);
  if (many_ != nullptr) {
    for (const auto& [name, handle] : many_->by_name) {
      refs.push_back(many_->Find(handle)->ref);
    }
  }
  only_handle_ = 0;
  many_.reset();
  return refs;
}

}  // namespace lifesign
