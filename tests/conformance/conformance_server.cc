// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A real server whose clock stands still until it is told to move, for clients
// in other processes.
//
// usage: conformance_server [--time_scale_percent=N]
//
// Says "port N" and then, on its standard input, obeys line by line:
//   advance 15s   moves time, tick by tick; "ok" once all that it brought has
//                 been told
//   awaits 2      "ok" once so many AwaitPresence calls wait
//   drain 9s      begins to let clients go, with that budget; "ok"
//   restart       ends as a crash would and begins a new run a millisecond
//                 later; "port N"
// Ends with its input. With a scale every window and interval of the policy is
// N percent of the default, for clients that beat in real time.

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/base/clock.h"
#include "server/base/duration_text.h"
#include "server/core/policy/policy.h"
#include "tests/integration/testing/test_server.h"

namespace lifesign::testing {
namespace {

// 0 if it is no such option.
int ScaleOf(absl::string_view argument) {
  int percent = 0;
  if (!absl::ConsumePrefix(&argument, "--time_scale_percent=") ||
      !absl::SimpleAtoi(argument, &percent) || percent < 1) {
    return 0;
  }
  return percent;
}

// Obeys "advance 15s" and "drain 9s"; false if `line` is neither.
bool ObeyTimed(absl::string_view line, TestServer& server) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(line, absl::MaxSplits(' ', 1));
  const absl::optional<Duration> duration = ParseDuration(parts.second);
  if (!duration.has_value()) return false;
  if (parts.first == "advance") {
    // Whatever was answered before has happened before: its changes must not
    // come to their watches after time has moved.
    server.runtime().Settle();
    server.Advance(*duration);
  } else if (parts.first == "drain") {
    server.runtime().drain().Begin(*duration);
  } else {
    return false;
  }
  std::cout << "ok" << std::endl;
  return true;
}

// Obeys "awaits 2"; false if `line` is no such.
bool ObeyAwaits(absl::string_view line, TestServer& server) {
  std::int64_t awaits = 0;
  if (!absl::ConsumePrefix(&line, "awaits ") ||
      !absl::SimpleAtoi(line, &awaits)) {
    return false;
  }
  std::cout << (server.ReachesAwaits(awaits) ? "ok" : "no") << std::endl;
  return true;
}

// Obeys until the input ends; false at a line that it does not understand.
bool Obey(const PresenceRuntime::Options& options) {
  SimulatedClock clock;
  auto server = std::make_unique<TestServer>(clock, options);
  std::cout << "port " << server->port() << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line == "restart") {
      server.reset();
      // Runs are told apart by the time at which they began.
      clock.Advance(milliseconds(1));
      server = std::make_unique<TestServer>(clock, options);
      std::cout << "port " << server->port() << std::endl;
    } else if (!ObeyTimed(line, *server) && !ObeyAwaits(line, *server)) {
      std::cerr << "conformance_server: not understood: " << line << '\n';
      return false;
    }
  }
  return true;
}

int Main(int argc, char** argv) {
  PresenceRuntime::Options options;
  options.may_see_through = true;
  for (int i = 1; i < argc; ++i) {
    const int percent = ScaleOf(argv[i]);
    if (percent == 0) {
      std::cerr << "usage: conformance_server [--time_scale_percent=N]\n";
      return 2;
    }
    options.policy = ScalePolicy(Policy{}, percent, 100);
  }
  return Obey(options) ? 0 : 2;
}

}  // namespace
}  // namespace lifesign::testing

int main(int argc, char** argv) { return lifesign::testing::Main(argc, argv); }
