// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a watcher hands back to go on where it was. docs/concepts.md § 9.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_RESUME_TOKEN_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_RESUME_TOKEN_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "server/core/watch/change.h"
#include "server/core/watch/mailbox.h"

namespace lifesign {

struct ResumeToken {
  // The run of the server that made it.
  Revision epoch = 0;
  // HashTenant and HashSelector of what was watched.
  std::uint32_t tenant = 0;
  std::uint64_t selector = 0;
  // Everything up to it has been delivered.
  Revision revision = 0;

  friend bool operator==(const ResumeToken&, const ResumeToken&) = default;
};

// Opaque bytes, the same on every machine and in every run. At most
// limits::kMaxResumeTokenBytes.
std::string EncodeResumeToken(const ResumeToken& token);

// None if EncodeResumeToken did not make `bytes`: a checksum tells. That it is
// no secret is intended: a token grants nothing.
absl::optional<ResumeToken> DecodeResumeToken(absl::string_view bytes);

std::uint32_t HashTenant(absl::string_view tenant);

// Of a set of users, in any order: the sum of the hashes of each, so that a set
// to which users are added need not be hashed anew. REQUIRES: no duplicates.
std::uint64_t HashUsers(absl::Span<const std::string> users);
// In place of HashUsers: of everyone.
inline constexpr std::uint64_t kHashOfEveryone = 0x9e37'79b9'7f4a'7c15;
// Likewise: of the members of a room, or of how many they are.
std::uint64_t HashMembers(absl::string_view room);
std::uint64_t HashOccupancy(absl::string_view room);
// Likewise: of who wants to reach `target` there.
std::uint64_t HashIntents(absl::string_view room, absl::string_view target);

// Of whom is watched and on which terms: who goes on with other ones was not
// told what they tell.
std::uint64_t HashSelector(std::uint64_t whom, const WatchTerms& terms);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_RESUME_TOKEN_H_
