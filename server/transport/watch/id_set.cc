// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/watch/id_set.h"

#include <cassert>
#include <utility>

namespace lifesign {
namespace {

std::size_t BytesOf(absl::Span<const std::string> ids) {
  std::size_t bytes = 0;
  for (const std::string& id : ids) bytes += 1 + id.size();
  return bytes;
}

}  // namespace

IdSet::IdSet(absl::Span<const std::string> ids) : size_(ids.size()) {
  bytes_.reserve(BytesOf(ids));
  for (const std::string& id : ids) Append(id, bytes_);
}

absl::string_view IdSet::At(std::size_t place) const {
  const auto size = static_cast<unsigned char>(bytes_[place]);
  return absl::string_view(bytes_).substr(place + 1, size);
}

void IdSet::Append(absl::string_view id, std::string& to) {
  assert(id.size() <= 255);
  to.push_back(static_cast<char>(id.size()));
  to.append(id.data(), id.size());
}

std::vector<std::string> IdSet::Next(std::size_t most,
                                     std::size_t& place) const {
  std::vector<std::string> ids;
  while (!IsEnd(place) && ids.size() < most) {
    const absl::string_view id = At(place);
    ids.emplace_back(id);
    place += 1 + id.size();
  }
  return ids;
}

std::vector<std::string> IdSet::Within(
    absl::Span<const std::string> ids) const {
  std::vector<std::string> within;
  auto next = ids.begin();
  for (std::size_t place = 0; !IsEnd(place) && next != ids.end();) {
    const absl::string_view id = At(place);
    if (id < *next) {
      place += 1 + id.size();
    } else {
      if (id == *next) within.push_back(*next);
      ++next;
    }
  }
  return within;
}

std::vector<std::string> IdSet::Without(
    absl::Span<const std::string> ids) const {
  std::vector<std::string> without;
  std::size_t place = 0;
  for (const std::string& wanted : ids) {
    while (!IsEnd(place) && At(place) < wanted) place += 1 + At(place).size();
    if (IsEnd(place) || At(place) != wanted) without.push_back(wanted);
  }
  return without;
}

void IdSet::Add(absl::Span<const std::string> ids) {
  std::string merged;
  merged.reserve(bytes_.size() + BytesOf(ids));
  std::size_t place = 0;
  for (const std::string& added : ids) {
    while (!IsEnd(place) && At(place) < added) {
      const absl::string_view id = At(place);
      Append(id, merged);
      place += 1 + id.size();
    }
    Append(added, merged);
  }
  merged.append(bytes_, place, std::string::npos);
  bytes_ = std::move(merged);
  size_ += ids.size();
}

void IdSet::Remove(absl::Span<const std::string> ids) {
  std::string left;
  left.reserve(bytes_.size() - BytesOf(ids));
  std::size_t place = 0;
  for (const std::string& removed : ids) {
    while (At(place) != removed) {
      const absl::string_view id = At(place);
      Append(id, left);
      place += 1 + id.size();
    }
    place += 1 + removed.size();
  }
  left.append(bytes_, place, std::string::npos);
  bytes_ = std::move(left);
  size_ -= ids.size();
}

}  // namespace lifesign
