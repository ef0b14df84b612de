// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// `lifesign simulate`: the fleet, those who watch it, and the view of both.
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_SIMULATION_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_SIMULATION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/optional.h"
#include "client/cli/calls.h"
#include "client/cli/settings.h"
#include "client/cli/simulate/figures.h"
#include "client/cli/simulate/fleet.h"
#include "client/cli/simulate/ledger.h"
#include "client/cli/simulate/slow_watcher.h"
#include "client/cli/simulate/stopwatch.h"
#include "client/cli/simulate/table.h"
#include "client/cli/terminal/event_queue.h"
#include "client/cli/terminal/interrupts.h"
#include "client/cli/terminal/terminal.h"
#include "lifesign/client/watcher.h"

namespace lifesign::simulate {

// For one thread; runs once.
class Simulation {
 public:
  Simulation(const cli::Settings& settings,
             const cli::SimulateSettings& simulate);

  cli::ExitCode Run();

 private:
  // What the first watcher was told last of a user.
  using Known = absl::flat_hash_map<std::string, v1::PresenceRecord>;

  // Opens the first session by a call, and learns from the answer how quick
  // everybody is.
  cli::ExitCode LearnPace();
  // Starts the watchers and waits until each has its snapshot.
  cli::ExitCode StartWatchers();
  // Those of rooms, and one that hardly reads.
  cli::ExitCode StartOtherWatchers();
  cli::ExitCode AwaitSnapshots();
  // Plays until the time is over or somebody interrupts.
  void Play();
  void Wait(Duration next_look);
  cli::ExitCode Finish();

  void TakeChanges();
  void PrintChange(const client::PresenceChange& change);
  // Prints how things stand, in a line.
  void Look(const Figures& figures);
  void Sample(const Figures& figures);
  Figures figures() const;
  Picture PictureOf(const Figures& figures) const;
  std::vector<RoomRow> RoomRows() const;
  // Whether the watcher that hardly reads, once it reads, comes to hold what
  // the others do.
  bool SlowWatcherCatchesUp();
  PersonRow RowOf(const Person& person, absl::Time now) const;
  std::string Title() const;
  bool Over() const;

  const cli::Settings& settings_;
  const cli::SimulateSettings& simulate_;
  const bool table_;
  const cli::Palette palette_{cli::ColoursWanted()};
  // Before any thread of gRPC's.
  cli::Interrupts interrupts_;
  cli::Server server_{settings_};
  Stopwatch stopwatch_;
  Ledger ledger_;
  cli::EventQueue<client::PresenceChange> changes_;
  Duration unit_{0};
  std::unique_ptr<Fleet> fleet_;
  // Whose change is printed: people, by name.
  absl::flat_hash_map<std::string, const Person*> people_;
  std::vector<std::unique_ptr<client::Watcher>> watchers_;
  std::vector<std::unique_ptr<client::Watcher>> room_watchers_;
  std::unique_ptr<SlowWatcher> slow_watcher_;

  Known known_;
  bool interrupted_ = false;
  bool unread_ = false;  // nobody reads what is printed
  struct Sampled {
    Duration at{0};
    std::uint64_t signals = 0;
    std::uint64_t changes = 0;
  };
  Sampled before_;
  double signals_per_second_ = 0;
  double changes_per_second_ = 0;
};

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_SIMULATION_H_
