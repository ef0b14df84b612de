// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Measures the core without gRPC: each command prints lines of JSON.
#include <CLI/CLI.hpp>

#include "bench/micro/apply.h"

namespace lifesign::bench {
namespace {

int Run(int argc, char** argv) {
  CLI::App app("Measures the core without gRPC.");
  app.require_subcommand(1);

  ApplyOptions apply;
  CLI::App* command = app.add_subcommand("apply", "Heartbeats and the floor");
  command->add_option("--sessions", apply.sessions);
  command->add_option("--seconds", apply.seconds, "of CPU time, each");
  command->add_option("--runs", apply.runs);
  command->add_option("--shards", apply.shards);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return RunApply(apply);
}

}  // namespace
}  // namespace lifesign::bench

int main(int argc, char** argv) { return lifesign::bench::Run(argc, argv); }
