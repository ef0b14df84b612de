// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Why a user is what they are, in words: session by session, rule by rule, with
// the moment of the next change; and whether they are in a room, if that was
// asked for. The rules are those of docs/concepts.md § 4.
#ifndef LIFESIGN_CLIENT_CLI_TEXT_EXPLANATION_H_
#define LIFESIGN_CLIENT_CLI_TEXT_EXPLANATION_H_

#include <string>

#include "absl/time/time.h"
#include "client/cli/text/palette.h"
#include "lifesign/v1/presence_service.pb.h"

namespace lifesign::cli {

// Several lines, each ended. Times of day are told in `zone`.
std::string ExplanationText(const v1::ExplainPresenceResponse& explained,
                            absl::TimeZone zone, const Palette& palette);

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_TEXT_EXPLANATION_H_
