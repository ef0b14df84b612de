// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Which texts are fit to be ids and attributes. docs/concepts.md § 14.
#ifndef LIFESIGN_SERVER_CORE_SIGNAL_TEXT_RULES_H_
#define LIFESIGN_SERVER_CORE_SIGNAL_TEXT_RULES_H_

#include <cstddef>

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "server/core/signal/signal.h"

namespace lifesign {

// What is wrong with `id` as a user or session id (or metadata key, or a user's
// word about themselves, with their own limits), in words for its sender; none
// if it is fit: valid UTF-8 (RFC 3629: no surrogates, nothing overlong), 1 to
// `max_bytes` bytes, no code point of category Cc, no bidirectional control,
// not only white space.
absl::optional<absl::string_view> IdFault(absl::string_view id,
                                          std::size_t max_bytes);

// Likewise for a value: may be empty or white space.
absl::optional<absl::string_view> TextFault(absl::string_view text,
                                            std::size_t max_bytes);

// The first thing wrong with `metadata`: the name of the limit or rule that it
// breaks and words for its sender.
struct MetadataFault {
  absl::string_view limit;
  std::string key;  // empty if it concerns all of it
  std::string description;
};
absl::optional<MetadataFault> FindMetadataFault(const Metadata& metadata);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_CORE_SIGNAL_TEXT_RULES_H_
