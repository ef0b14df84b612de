// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The command line of `lifesign`: its commands, flags and --help.
#ifndef LIFESIGN_CLIENT_CLI_COMMAND_LINE_H_
#define LIFESIGN_CLIENT_CLI_COMMAND_LINE_H_

namespace lifesign::cli {

// Reads the command line, runs the command it names, and returns the exit code
// for the shell. Prints --help to standard output, what is wrong to standard
// error.
int RunCommandLine(int argc, char** argv);

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_COMMAND_LINE_H_
