// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A gateway: it holds the sessions of clients that speak some protocol of their
// own, all on one stream. Here the clients are lines of input:
//
//   + ann tab       ann's tab connects, in use
//   . ann tab       it beats: still there, and used just now
//   b ann tab       it went to the background
//   x ann tab       its connection broke; the session stays, and decays
//   - ann tab       it said goodbye, and may be back within 5 s (a refresh)
//
// usage: gateway [SERVER]
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <utility>

#include "lifesign/client/channel.h"
#include "lifesign/client/gateway_stream.h"

namespace client = lifesign::client;

namespace {

// On the library's callback thread.
void Print(client::Handle handle, const client::SessionStatus& status) {
  std::cout << "session " << handle << ": ";
  if (status.end == client::SessionEnd::kTakenOver) {
    std::cout << "taken over by another instance";
  } else if (status.end != client::SessionEnd::kNotEnded) {
    std::cout << "ended";
  } else {
    std::cout << lifesign::v1::PresenceState_Name(status.state)
              << ", to be heard of within "
              << status.next_interval.count() / 1e6 << " s";
  }
  if (!status.last_error.ok()) {
    std::cout << " (" << client::ToString(status.last_error) << ")";
  }
  std::cout << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const auto gateway = client::GatewayStream::Make(
      client::MakeChannel(argc > 1 ? argv[1] : "127.0.0.1:7400"),
      {.on_session = Print});
  std::map<std::pair<std::string, std::string>, client::Handle> connected;
  std::string word;
  std::string user;
  std::string session;
  while (std::cin >> word >> user >> session) {
    const auto key = std::make_pair(user, session);
    if (word == "+") {
      const auto handle =
          gateway->Open({.user_id = user,
                         .session_id = session,
                         .device_class = lifesign::v1::DEVICE_CLASS_WEB});
      if (handle.ok()) {
        connected[key] = *handle;
      } else {
        std::cerr << handle.status() << std::endl;
      }
      continue;
    }
    const auto found = connected.find(key);
    if (found == connected.end()) continue;
    const client::Handle handle = found->second;
    if (word == ".") gateway->Signal(handle, client::Lifecycle::kActive);
    if (word == "b") gateway->Signal(handle, client::Lifecycle::kBackground);
    if (word == "x") gateway->Detach(handle);
    if (word == "-") gateway->Leave(handle, std::chrono::seconds(5));
    if (word == "x" || word == "-") connected.erase(found);
  }
  // Everybody whose session is still held is gone with the gateway: it decays.
  return gateway->AwaitSettled(std::chrono::seconds(5)) ? EXIT_SUCCESS
                                                        : EXIT_FAILURE;
}
