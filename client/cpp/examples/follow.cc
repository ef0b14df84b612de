// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A list of friends that grows and shrinks while it is watched. Each line of
// input adds a user ("bob") or removes one ("-bob"), with a connection or
// without.
//
// usage: follow [SERVER]
#include <cstdlib>
#include <iostream>
#include <string>

#include "lifesign/client/channel.h"
#include "lifesign/client/watcher.h"

namespace client = lifesign::client;

namespace {

// In one piece: two threads do.
void Say(const std::string& line) { std::cout << line + '\n' << std::flush; }

// On the library's callback thread.
void Print(const client::WatchEvent& event) {
  if (event.kind == client::WatchEvent::Kind::kChange) {
    const auto& user = event.change.after;
    const std::string state =
        lifesign::v1::PresenceState_Name(user.state())
            .substr(std::string("PRESENCE_STATE_").size());
    Say(user.user_id() + " is " + state);
  } else if (event.kind == client::WatchEvent::Kind::kRefused) {
    for (const std::string& user : event.user_ids) {
      std::cerr << user << ": " << client::ToString(event.error) << std::endl;
    }
  } else if (event.kind == client::WatchEvent::Kind::kEnded) {
    std::cerr << client::ToString(event.error) << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto watcher = client::Watcher::Start(
      client::MakeChannel(argc > 1 ? argv[1] : "127.0.0.1:7400"),
      {.on_event = Print});
  if (!watcher.ok()) {
    std::cerr << watcher.status() << std::endl;
    return EXIT_FAILURE;
  }
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) continue;
    const bool removes = line[0] == '-';
    const std::string user = line.substr(removes ? 1 : 0);
    const absl::Status status =
        removes ? (*watcher)->Remove({user}) : (*watcher)->Add({user});
    if (!status.ok()) {
      std::cerr << status << std::endl;
    } else if (removes) {
      Say(user + " is off the list");
    }
  }
}
