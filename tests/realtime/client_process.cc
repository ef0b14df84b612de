// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A client in a process of its own, for tests that freeze or kill it.
//
//   client_process session ADDRESS USER SESSION
//       Holds a session; writes "connected" once the server has answered.
//   client_process watch ADDRESS USER
//       Watches; writes "synced", and "STATE REVISION" for every change.
//
// Runs until it is killed.
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "lifesign/client/channel.h"
#include "lifesign/client/session.h"
#include "lifesign/client/watcher.h"

namespace {

using lifesign::client::Link;
using lifesign::client::MakeChannel;
using lifesign::client::Session;
using lifesign::client::SessionStatus;
using lifesign::client::Watcher;
using lifesign::client::WatchEvent;

int HoldSession(const std::string& address, const std::string& user,
                const std::string& id) {
  const auto session =
      Session::Open(MakeChannel(address), {.user_id = user, .session_id = id});
  if (!session.ok()) return 1;
  const bool connected = (*session)->Await(
      [](const SessionStatus& status) {
        return status.link == Link::kConnected;
      },
      std::chrono::seconds(30));
  if (!connected) return 1;
  std::cout << "connected" << std::endl;
  pause();
  return 0;
}

int Watch(const std::string& address, const std::string& user) {
  const auto watcher =
      Watcher::Start(MakeChannel(address), {.user_ids = {user}});
  if (!watcher.ok()) return 1;
  while (const auto event = (*watcher)->Next(std::chrono::hours(1))) {
    if (event->kind == WatchEvent::Kind::kSynced) {
      std::cout << "synced" << std::endl;
    } else if (event->kind == WatchEvent::Kind::kChange) {
      const auto& now = event->change.after;
      std::cout << lifesign::v1::PresenceState_Name(now.state()) << " "
                << now.revision() << std::endl;
    } else if (event->kind == WatchEvent::Kind::kEnded) {
      return 1;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const absl::string_view role = argc > 1 ? argv[1] : "";
  if (role == "session" && argc == 5) {
    return HoldSession(argv[2], argv[3], argv[4]);
  }
  if (role == "watch" && argc == 4) return Watch(argv[2], argv[3]);
  std::cerr << "client_process: wrong arguments\n";
  return 2;
}
