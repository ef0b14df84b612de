// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What lifesignd tells its parent when it ends.
#ifndef LIFESIGN_SERVER_OPS_EXIT_CODES_H_
#define LIFESIGN_SERVER_OPS_EXIT_CODES_H_

namespace lifesign {

enum ExitCode : int {
  // Asked to end and drained within its budget; or it did what was asked
  // (--help, --version, --check-config, --print-config).
  kExitOk = 0,
  // Something it could not go on from; the last log line says what.
  kExitFailure = 1,
  // The command line or the configuration is wrong; standard error says where.
  // Starting again without a change will not help.
  kExitUsage = 2,
  // The address cannot be listened on: in use, not of this machine, or not
  // permitted.
  kExitCannotListen = 3,
  // Asked to end, but clients were still there when the drain budget had run
  // out; they were cut. No presence is wrong for that: they reconnect.
  kExitDrainCutShort = 4,
  // Ended at once by a second signal n while draining: kExitSignalBase + n, as
  // shells say it.
  kExitSignalBase = 128,
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_EXIT_CODES_H_
