// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Follows users by pulling events, and says how true the view is.
//
// usage: watch SERVER USER...
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "lifesign/client/channel.h"
#include "lifesign/client/watcher.h"

namespace client = lifesign::client;

namespace {

std::string Name(const lifesign::v1::PresenceRecord& record) {
  return lifesign::v1::PresenceState_Name(record.state())
      .substr(std::string("PRESENCE_STATE_").size());
}

void Print(const client::PresenceChange& change) {
  std::cout << change.after.user_id() << ": ";
  if (change.before.has_value()) std::cout << Name(*change.before) << " -> ";
  std::cout << Name(change.after) << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: watch SERVER USER..." << std::endl;
    return EXIT_FAILURE;
  }
  const auto watcher = client::Watcher::Start(
      client::MakeChannel(argv[1]),
      {.user_ids = std::vector<std::string>(argv + 2, argv + argc)});
  if (!watcher.ok()) {
    std::cerr << watcher.status() << std::endl;
    return EXIT_FAILURE;
  }
  for (;;) {
    const auto event = (*watcher)->Next(std::chrono::minutes(1));
    if (!event.has_value()) continue;  // A quiet minute.
    switch (event->kind) {
      case client::WatchEvent::Kind::kChange:
        Print(event->change);
        break;
      case client::WatchEvent::Kind::kSynced:
        std::cout << "(complete)" << std::endl;
        break;
      case client::WatchEvent::Kind::kStale:
        std::cout << "(cut off: this is what was known)" << std::endl;
        break;
      case client::WatchEvent::Kind::kFresh:
        std::cout << "(connected again)" << std::endl;
        break;
      case client::WatchEvent::Kind::kRefused:
        break;  // Nobody is added.
      case client::WatchEvent::Kind::kEnded:
        std::cerr << client::ToString(event->error) << std::endl;
        return EXIT_FAILURE;
      case client::WatchEvent::Kind::kOccupancy:
        break;  // Of rooms.
    }
  }
}
