// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The commands of `lifesign`. Each prints to standard output, says errors on
// standard error, and returns the exit code.
#ifndef LIFESIGN_CLIENT_CLI_COMMANDS_H_
#define LIFESIGN_CLIENT_CLI_COMMANDS_H_

#include "client/cli/exit_codes.h"
#include "client/cli/settings.h"

namespace lifesign::cli {

// What users are, one line each, in the order asked for.
ExitCode Get(const Settings& settings, const UsersSettings& get);

// Everybody who is online, one line each; or how many they are.
ExitCode Who(const Settings& settings, const WhoSettings& who);

// Waits until some of several users are there.
ExitCode AwaitUsers(const Settings& settings, const AwaitSettings& await);

// The open sessions of one user, one line each.
ExitCode Sessions(const Settings& settings, const UsersSettings& sessions);

// Why one user is what they are.
ExitCode Explain(const Settings& settings, const ExplainSettings& explain);

// What users become, one line a change, until it is interrupted.
ExitCode Watch(const Settings& settings, const WatchSettings& watch);

// How many are in a room, now and lately.
ExitCode Room(const Settings& settings, const RoomSettings& room);

// Holds one session; keys or lines of standard input steer it.
ExitCode Beat(const Settings& settings, const BeatSettings& beat);

// Declares the availability of one user.
ExitCode Set(const Settings& settings, const SetSettings& set);

// Plays a fleet of clients against the server, and shows what a watcher is
// told.
ExitCode Simulate(const Settings& settings, const SimulateSettings& simulate);

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_COMMANDS_H_
