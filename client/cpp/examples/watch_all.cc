// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Keeps a list of everyone who is there, and prints how it changes. Over broken
// links and restarts of the server the library goes on from where it was.
//
// usage: watch_all [SERVER]
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include "lifesign/client/channel.h"
#include "lifesign/client/watcher.h"

namespace client = lifesign::client;
using lifesign::v1::PresenceState;

namespace {

bool IsHere(PresenceState state) {
  return state == lifesign::v1::PRESENCE_STATE_ACTIVE ||
         state == lifesign::v1::PRESENCE_STATE_IDLE;
}

void Print(const lifesign::v1::PresenceRecord& user) {
  std::cout << user.user_id() << " is ";
  if (IsHere(user.state())) {
    std::cout << lifesign::v1::PresenceState_Name(user.state())
                     .substr(std::string("PRESENCE_STATE_").size());
  } else {
    std::cout << "not here";
  }
  std::cout << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const auto watcher = client::Watcher::Start(
      client::MakeChannel(argc > 1 ? argv[1] : "127.0.0.1:7400"),
      {.all_users = true,
       .states = {lifesign::v1::PRESENCE_STATE_ACTIVE,
                  lifesign::v1::PRESENCE_STATE_IDLE}});
  if (!watcher.ok()) {
    std::cerr << watcher.status() << std::endl;
    return EXIT_FAILURE;
  }
  for (;;) {
    const auto event = (*watcher)->Next(std::chrono::hours(1));
    if (!event.has_value()) continue;  // A quiet hour.
    if (event->kind == client::WatchEvent::Kind::kChange) {
      Print(event->change.after);
    } else if (event->kind == client::WatchEvent::Kind::kSynced) {
      std::cout << (*watcher)->View().size() << " are here" << std::endl;
    } else if (event->kind == client::WatchEvent::Kind::kEnded) {
      std::cerr << client::ToString(event->error) << std::endl;
      return EXIT_FAILURE;
    }
  }
}
