// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A configuration file of any text: either refused with where and why, or what
// it means is a configuration that says the same when it is written out again.
#include <string>

#include "absl/strings/string_view.h"
#include "server/core/policy/policy.h"
#include "server/ops/config/config_document.h"
#include "server/ops/config/load_config.h"
#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  lifesign::ConfigDocument document;
  for (const auto& error : document.Parse("fuzz.conf", text)) {
    LIFESIGN_FUZZ_CHECK(!error.ToString().empty());
    return 0;
  }
  const auto errors = lifesign::CheckConfig(document);
  for (const auto& error : errors) {
    LIFESIGN_FUZZ_CHECK(!error.text.empty());
  }
  if (!errors.empty()) return 0;
  const auto config = lifesign::EffectiveConfig(document);
  LIFESIGN_FUZZ_CHECK(
      lifesign::ValidatePolicy(lifesign::PolicyOf(config)).empty());
  lifesign::ConfigDocument again;
  LIFESIGN_FUZZ_CHECK(
      again.Parse("again.conf", lifesign::ConfigText(config)).empty());
  LIFESIGN_FUZZ_CHECK(lifesign::CheckConfig(again).empty());
  LIFESIGN_FUZZ_CHECK(lifesign::ConfigText(lifesign::EffectiveConfig(again)) ==
                      lifesign::ConfigText(config));
  return 0;
}
