// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Measures the core without gRPC: each command prints lines of JSON.
#include <CLI/CLI.hpp>

#include "bench/micro/apply.h"
#include "bench/micro/crowded_room.h"
#include "bench/micro/expiry.h"
#include "bench/micro/memory.h"
#include "bench/micro/query.h"
#include "bench/micro/scale.h"
#include "bench/micro/tick.h"
#include "bench/micro/watches.h"

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

  MemoryOptions memory;
  command = app.add_subcommand("memory", "Bytes per session");
  command->add_option("--users", memory.users);
  command->add_option("--sessions-per-user", memory.sessions_per_user);
  command->add_option("--shards", memory.shards);

  TickOptions tick;
  command = app.add_subcommand("tick", "Ticks with nothing due");
  command->add_option("--sessions", tick.sessions);
  command->add_option("--shards", tick.shards);

  ExpiryOptions expiry;
  command = app.add_subcommand("expiry", "Waits while many expire");
  command->add_option("--sessions", expiry.sessions);
  command->add_option("--shards", expiry.shards);

  QueryOptions query;
  command = app.add_subcommand("query", "Counts, lists and awaits");
  command->add_option("--sessions", query.sessions);
  command->add_option("--shards", query.shards);
  CrowdedRoomOptions room;
  command = app.add_subcommand("crowded-room", "Waits while a room fills");
  command->add_option("--crowd", room.crowd);
  command->add_option("--seconds", room.seconds, "for each line");
  command->add_option("--watchers", room.watchers);
  command->add_option("--shards", room.shards);

  ScaleOptions scale;
  command = app.add_subcommand("scale", "Sizes, shards and threads");
  command->add_option("--most-sessions", scale.most_sessions);
  command->add_option("--seconds", scale.seconds, "of CPU time, each");
  command->add_option("--shards", scale.shards);
  command->add_option("--sessions-of-shards", scale.sessions_of_shards);

  WatchesOptions watches;
  command = app.add_subcommand("watches", "Pairs of watch and user; copies");
  command->add_option("--pairs", watches.pairs);
  command->add_option("--users", watches.users);
  command->add_option("--shards", watches.shards);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (app.got_subcommand("apply")) return RunApply(apply);
  if (app.got_subcommand("memory")) return RunMemory(memory);
  if (app.got_subcommand("tick")) return RunTick(tick);
  if (app.got_subcommand("expiry")) return RunExpiry(expiry);
  if (app.got_subcommand("watches")) return RunWatches(watches);
  if (app.got_subcommand("query")) return RunQuery(query);
  if (app.got_subcommand("crowded-room")) return RunCrowdedRoom(room);
  return RunScale(scale);
}

}  // namespace
}  // namespace lifesign::bench

int main(int argc, char** argv) { return lifesign::bench::Run(argc, argv); }
