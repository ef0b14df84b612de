// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Holds a session for one user, and prints how users change. Each line of input
// is an interaction of the user; the end of input leaves.
//
// usage: first [SERVER [USER [WATCHED...]]]
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "lifesign/client/channel.h"
#include "lifesign/client/session.h"
#include "lifesign/client/watcher.h"

namespace client = lifesign::client;

void Print(const client::WatchEvent& event) {
  if (event.kind == client::WatchEvent::Kind::kChange) {
    const auto& user = event.change.after;
    const std::string state = lifesign::v1::PresenceState_Name(user.state());
    std::cout << user.user_id() << " is "
              << state.substr(std::string("PRESENCE_STATE_").size())
              << std::endl;
  } else if (event.kind == client::WatchEvent::Kind::kEnded) {
    std::cerr << "watch: " << client::ToString(event.error) << std::endl;
  }
}

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto argument = [&](size_t i, const char* otherwise) {
    return i < arguments.size() ? arguments[i] : otherwise;
  };
  const std::string user = argument(1, "alice");
  std::vector<std::string> watched = {user};
  if (arguments.size() > 2) {
    watched.assign(arguments.begin() + 2, arguments.end());
  }

  const auto channel = client::MakeChannel(argument(0, "127.0.0.1:7400"));
  const auto watcher =
      client::Watcher::Start(channel, {.user_ids = watched, .on_event = Print});
  // Beats, reconnects and everything else is the library's.
  const auto session = client::Session::Open(
      channel, {.user_id = user,
                .session_id = std::to_string(std::random_device{}()),
                .device_class = lifesign::v1::DEVICE_CLASS_DESKTOP});
  if (!watcher.ok() || !session.ok()) {
    std::cerr << watcher.status() << " " << session.status() << std::endl;
    return EXIT_FAILURE;
  }
  for (std::string line; std::getline(std::cin, line);) {
    (*session)->Interacted();
  }
  (*session)->Leave();
  const bool left = (*session)->Await(
      [](const client::SessionStatus& status) {
        return status.end != client::SessionEnd::kNotEnded;
      },
      std::chrono::seconds(5));
  return left ? EXIT_SUCCESS : EXIT_FAILURE;
}
