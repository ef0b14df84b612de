// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/text/counts.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "client/cli/text/words.h"

namespace lifesign::cli {
namespace {

constexpr std::size_t kDeviceWidth = 7;

// ": 1 active, 2 idle"; nothing if there is none.
std::string ByState(const v1::CountPresencesResponse& counts,
                    std::int64_t (v1::StateCount::*number)() const) {
  std::string text;
  for (const v1::StateCount& count : counts.states()) {
    if ((count.*number)() == 0) continue;
    absl::StrAppend(&text, text.empty() ? ": " : ", ", (count.*number)(), " ",
                    StateWord(count.state()));
  }
  return text;
}

}  // namespace

std::string CountsText(const v1::CountPresencesResponse& counts) {
  std::string text = absl::StrCat(
      CountOf(counts.users(), "user"), " online",
      ByState(counts, &v1::StateCount::users), "; ", counts.remembered_users(),
      " remembered\n", CountOf(counts.sessions(), "session"),
      ByState(counts, &v1::StateCount::sessions), "\n");
  for (const v1::DeviceCount& device : counts.devices()) {
    const std::string name =
        Padded(DeviceWord(device.device_class()), kDeviceWidth);
    absl::StrAppend(&text, name, " ", CountOf(device.users(), "user"), ", ",
                    CountOf(device.sessions(), "session"), "\n");
  }
  return text;
}

std::string RoomCountsText(const std::string& room,
                           const v1::CountPresencesResponse& counts) {
  return absl::StrCat(CountOf(counts.users(), "user"), " in ", Printable(room),
                      ByState(counts, &v1::StateCount::users), "\n",
                      CountOf(counts.sessions(), "session"), "\n");
}

}  // namespace lifesign::cli
