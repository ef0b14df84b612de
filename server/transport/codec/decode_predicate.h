// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What an AwaitPresenceRequest waits for. docs/concepts.md § 10.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_PREDICATE_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_PREDICATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/core/query/await.h"
#include "server/transport/codec/field_faults.h"

namespace lifesign {

// Numbers users in the order in which they are first named.
class UserNumbers {
 public:
  explicit UserNumbers(std::vector<std::string>& users) : users_(users) {}

  std::uint32_t Of(const std::string& user) {
    const auto [known, is_new] =
        numbers_.try_emplace(user, static_cast<std::uint32_t>(users_.size()));
    if (is_new) users_.push_back(user);
    return known->second;
  }

 private:
  std::vector<std::string>& users_;
  // Views of the request.
  absl::flat_hash_map<absl::string_view, std::uint32_t> numbers_;
};

// A predicate, found at `path`, whose users are numbered by `numbers`.
void DecodePredicate(const v1::PresencePredicate& message,
                     const std::string& path, UserNumbers& numbers,
                     Predicate& predicate, FieldFaults& faults);

// What `terms` count as of all that the server awaits.
std::int64_t WeightOf(const AwaitTerms& terms);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_PREDICATE_H_
