// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Clients for measurements: each command puts one kind of load on a server and
// prints what it took as one line of JSON.
#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "absl/synchronization/mutex.h"
#include "bench/load/answers.h"
#include "bench/load/beats.h"
#include "bench/load/fanout.h"
#include "bench/load/idle_streams.h"
#include "bench/load/snapshot.h"
#include "bench/load/storm.h"
#include "bench/load/transitions.h"

namespace lifesign::bench {
namespace {

// Waits end when they should, not 50 µs later.
constexpr unsigned long kTimerSlackNanoseconds = 1;

// Of all threads to come. As many connections as the system lets us have.
void PrepareProcess() {
  prctl(PR_SET_TIMERSLACK, kTimerSlackNanoseconds);
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
}

template <typename Options>
CLI::App* AddCommand(CLI::App& app, const char* name, const char* help,
                     Options& options) {
  CLI::App* command = app.add_subcommand(name, help);
  command->add_option("--target", options.target, "HOST:PORT")->required();
  return command;
}

template <typename Options>
void AddServer(CLI::App& command, Options& options) {
  command.add_option("--server-pid", options.server_pid)->required();
  command.add_flag("--floor", options.floor);
}

int Run(int argc, char** argv) {
  CLI::App app("Load on a presence server.");
  app.require_subcommand(1);

  BeatsOptions beats;
  CLI::App* command =
      AddCommand(app, "beats", "Heartbeats of open sessions", beats);
  AddServer(*command, beats);
  command->add_option("--connections", beats.connections);
  command->add_option("--streams", beats.streams);
  command->add_option("--sessions-per-stream", beats.sessions_per_stream);
  command->add_option("--batch", beats.batch);
  command->add_flag("--acked", beats.acked);
  command->add_option("--rate", beats.rate);
  command->add_option("--warmup-seconds", beats.warmup_seconds);
  command->add_option("--seconds", beats.seconds);

  FanoutOptions fanout;
  command = AddCommand(app, "fanout", "One change to many watches", fanout);
  AddServer(*command, fanout);
  command->add_option("--connections", fanout.connections);
  command->add_option("--watchers", fanout.watchers);
  command->add_option("--users", fanout.users);
  command->add_option("--changes-per-second", fanout.changes_per_second);
  command->add_option("--batching-delay-seconds",
                      fanout.batching_delay_seconds);
  command->add_option("--seconds", fanout.seconds);

  TransitionsOptions transitions;
  command = AddCommand(app, "transitions", "How soon a watch knows, under load",
                       transitions);
  AddServer(*command, transitions);
  command->add_option("--streams", transitions.streams);
  command->add_option("--beating", transitions.beating);
  command->add_option("--flipping", transitions.flipping);
  command->add_option("--rate", transitions.rate);
  command->add_option("--messages-per-flip", transitions.messages_per_flip);
  command->add_option("--warmup-seconds", transitions.warmup_seconds);
  command->add_option("--seconds", transitions.seconds);

  IdleStreamsOptions idle;
  command = AddCommand(app, "idle", "Streams that say nothing", idle);
  AddServer(*command, idle);
  command->add_option("--streams", idle.streams);
  command->add_option("--connections", idle.connections);

  SnapshotOptions snapshot;
  command = AddCommand(app, "snapshot", "How long a snapshot takes", snapshot);
  AddServer(*command, snapshot);
  command->add_option("--users", snapshot.users);
  command->add_option("--watches", snapshot.watches);

  StormOptions storm;
  command = AddCommand(app, "storm", "All clients cut, all back", storm);
  command->add_option("--clients", storm.clients);
  command->add_option("--clients-per-connection", storm.clients_per_connection);
  command->add_option("--reconnect-seconds", storm.reconnect_seconds);
  command->add_option("--after-seconds", storm.after_seconds);

  AnswersOptions answers;
  command = app.add_subcommand("answers", "Idle servers asked now and then");
  command->add_option("--target", answers.targets, "HOST:PORT, each server")
      ->required();
  command->add_option("--answers", answers.answers);
  command->add_option("--least-seconds", answers.least_seconds);
  command->add_option("--most-seconds", answers.most_seconds);
  command->add_option("--seed", answers.seed);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  PrepareProcess();
  if (app.got_subcommand("beats")) return RunBeats(beats);
  if (app.got_subcommand("fanout")) return RunFanout(fanout);
  if (app.got_subcommand("transitions")) return RunTransitions(transitions);
  if (app.got_subcommand("idle")) return RunIdleStreams(idle);
  if (app.got_subcommand("snapshot")) return RunSnapshot(snapshot);
  if (app.got_subcommand("storm")) return RunStorm(storm);
  return RunAnswers(answers);
}

}  // namespace
}  // namespace lifesign::bench

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const int code = lifesign::bench::Run(argc, argv);
  // Threads of gRPC's live on for a moment.
  std::fflush(nullptr);
  std::quick_exit(code);
}
