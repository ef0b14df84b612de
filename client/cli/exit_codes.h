// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What `lifesign` tells the script that called it.
#ifndef LIFESIGN_CLIENT_CLI_EXIT_CODES_H_
#define LIFESIGN_CLIENT_CLI_EXIT_CODES_H_

namespace lifesign::cli {

enum ExitCode : int {
  kExitOk = 0,
  // It went well and the answer is no: nobody asked for is live (get), nobody
  // is there (who), they did not come in time (await), there is no open session
  // (sessions), the session was taken over (beat), somebody was wrongly told
  // OFFLINE (simulate).
  kExitNegative = 1,
  // The command line is wrong.
  kExitUsage = 2,
  // No server there, none that answers in time, or one that drains.
  kExitUnreachable = 3,
  // The server refused: an id it does not take, a right that is missing, a
  // limit that is reached.
  kExitRefused = 4,
  // A fault of the server, or of a proxy before it.
  kExitFault = 5,
};

// The same as text for --help.
inline constexpr char kExitCodesText[] =
    "Exit codes: 0 yes; 1 the answer is no; 2 wrong usage; 3 no server within "
    "--timeout;\n  4 refused by the server; 5 a fault of the server.";

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_EXIT_CODES_H_
