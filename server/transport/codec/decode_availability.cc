// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/codec/decode_availability.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "server/base/limits.h"
#include "server/core/signal/text_rules.h"
#include "server/transport/codec/times.h"

namespace lifesign {
namespace {

absl::optional<AvailabilityKind> DecodeKind(v1::AvailabilityKind kind) {
  switch (kind) {
    case v1::AVAILABILITY_KIND_AVAILABLE:
      return AvailabilityKind::kAvailable;
    case v1::AVAILABILITY_KIND_BUSY:
      return AvailabilityKind::kBusy;
    case v1::AVAILABILITY_KIND_DO_NOT_DISTURB:
      return AvailabilityKind::kDoNotDisturb;
    case v1::AVAILABILITY_KIND_INVISIBLE:
      return AvailabilityKind::kInvisible;
    default:
      return absl::nullopt;
  }
}

}  // namespace

void DecodeAvailability(const v1::AvailabilityDeclaration& message,
                        absl::string_view path,
                        AvailabilityDeclaration& declaration,
                        FieldFaults& faults) {
  const auto kind = DecodeKind(message.kind());
  if (!kind.has_value()) {
    faults.Add(absl::StrCat(path, ".kind"),
               "required: an availability that this server knows");
  } else {
    declaration.kind = *kind;
  }
  declaration.text = message.text();
  const std::size_t most = limits::kMaxAvailabilityTextBytes;
  if (message.text().size() > most) {
    faults.AddLimit(absl::StrCat(path, ".text"), "max_availability_text_bytes",
                    "at most 256 bytes");
  } else if (!message.text().empty()) {
    const auto fault = IdFault(message.text(), most);
    if (fault.has_value()) faults.Add(absl::StrCat(path, ".text"), *fault);
  }
  declaration.expires_in.reset();
  if (!message.has_expires_in()) return;
  declaration.expires_in = DecodeDuration(message.expires_in());
  if (!declaration.expires_in.has_value()) {
    faults.Add(absl::StrCat(path, ".expires_in"), kDurationFault);
  } else if (*declaration.expires_in == Duration::zero()) {
    faults.Add(absl::StrCat(path, ".expires_in"),
               "must be more than 0; leave it out if it does not run out");
  }
}

}  // namespace lifesign
