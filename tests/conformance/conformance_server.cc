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
//   restart       ends as a crash would and begins a new run a millisecond
//                 later; "port N"
// Ends with its input. With a scale every window and interval of the policy is
// N percent of the default, for clients that beat in real time.

#include <absl/strings/numbers.h>
#include <absl/strings/strip.h>

#include <iostream>
#include <memory>
#include <string>

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

// Obeys until the input ends; false at a line that it does not understand.
bool Obey(const PresenceRuntime::Options& options) {
  SimulatedClock clock;
  auto server = std::make_unique<TestServer>(clock, options);
  std::cout << "port " << server->port() << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    absl::string_view command = line;
    if (command == "restart") {
      server.reset();
      // Runs are told apart by the time at which they began.
      clock.Advance(milliseconds(1));
      server = std::make_unique<TestServer>(clock, options);
      std::cout << "port " << server->port() << std::endl;
      continue;
    }
    const absl::optional<Duration> by =
        absl::ConsumePrefix(&command, "advance ") ? ParseDuration(command)
                                                  : absl::nullopt;
    if (!by.has_value()) {
      std::cerr << "conformance_server: not understood: " << line << '\n';
      return false;
    }
    server->Advance(*by);
    std::cout << "ok" << std::endl;
  }
  return true;
}

int Main(int argc, char** argv) {
  PresenceRuntime::Options options;
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
