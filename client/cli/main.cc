// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// `lifesign`: presence from a shell. `lifesign --help` says what it can.
#include <cstdio>
#include <cstdlib>

#include "absl/synchronization/mutex.h"
#include "client/cli/command_line.h"

int main(int argc, char** argv) {
  // Debian's Abseil looks for deadlocks at each lock of gRPC's, which costs
  // more than the locks.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const int code = lifesign::cli::RunCommandLine(argc, argv);
  // Threads of gRPC's and the client library's live on for a moment: nothing
  // static may be destroyed under them.
  std::fflush(nullptr);
  std::quick_exit(code);
}
