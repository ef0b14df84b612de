// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/heartbeat/handle_table.h"

#include <xxhash.h>

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

const HandleTable::Bound* HandleTable::Find(std::uint32_t handle) const {
  if (many_ == nullptr) {
    return handle != 0 && handle == only_handle_ ? &only_ : nullptr;
  }
  const auto found = many_->by_handle.find(handle);
  return found == many_->by_handle.end() ? nullptr : &found->second;
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
    many_->by_handle.emplace(only_handle_, only_);
    many_->by_name.emplace(only_.name, only_handle_);
    only_handle_ = 0;
  }
  many_->by_handle.emplace(handle, bound);
  many_->by_name.emplace(bound.name, handle);
}

void HandleTable::Free(std::uint32_t handle) {
  if (many_ == nullptr) {
    if (handle == only_handle_) only_handle_ = 0;
    return;
  }
  const auto found = many_->by_handle.find(handle);
  if (found == many_->by_handle.end()) return;
  many_->by_name.erase(found->second.name);
  many_->by_handle.erase(found);
}

std::vector<SessionRef> HandleTable::TakeAll() {
  std::vector<SessionRef> refs;
  refs.reserve(size());
  if (only_handle_ != 0) refs.push_back(only_.ref);
  if (many_ != nullptr) {
    for (const auto& [handle, bound] : many_->by_handle) {
      refs.push_back(bound.ref);
    }
  }
  only_handle_ = 0;
  many_.reset();
  return refs;
}

}  // namespace lifesign
