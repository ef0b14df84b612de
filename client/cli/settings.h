// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What was asked for on the command line, one struct for each command.
#ifndef LIFESIGN_CLIENT_CLI_SETTINGS_H_
#define LIFESIGN_CLIENT_CLI_SETTINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "lifesign/client/session_status.h"
#include "lifesign/v1/presence.pb.h"
#include "server/base/limits.h"
#include "server/base/time.h"

namespace lifesign::cli {

// Of every command.
struct Settings {
  std::string target = "127.0.0.1:7400";
  std::string tenant;
  // For a call, or for the first word of a stream.
  Duration timeout = seconds(5);
  // One JSON object a line instead of text for people.
  bool json = false;
  // Ask for what is true of users who are invisible to others.
  bool see_through = false;
};

struct UsersSettings {
  std::vector<std::string> users;
};

struct ExplainSettings {
  // One.
  std::vector<std::string> users;
  // Not empty: also whether they are in it.
  std::string room;
};

struct WhoSettings {
  // None: any but OFFLINE.
  std::vector<v1::PresenceState> states;
  absl::optional<Duration> seen_within;
  // How many there are, instead of who they are.
  bool count = false;
  // Not empty: only those in it.
  std::string room;
};

struct AwaitSettings {
  std::vector<std::string> users;
  // Not empty: the users in it instead.
  std::string room;
  v1::PresenceState at_least = v1::PRESENCE_STATE_ACTIVE;
  // How many of them; 0: all.
  int needed = 1;
  Duration wait = limits::kMaxAwait;
};

struct WatchSettings {
  // Whom: everyone, or these.
  bool all = false;
  // Not empty: the users in it, or how many they are.
  std::string room;
  bool occupancy = false;
  std::vector<std::string> users;
  // The states of interest; none: all.
  std::vector<v1::PresenceState> states;
  // Also the state on each class of device.
  bool devices = false;
  // Where the token lies that the last run ended with. Empty: nowhere.
  std::string resume_file;
  // End after so many changes; after so long. 0: not.
  std::int64_t count = 0;
  Duration for_duration{0};
};

struct BeatSettings {
  std::string user;
  std::string session;
  v1::DeviceClass device = v1::DEVICE_CLASS_DESKTOP;
  client::Lifecycle lifecycle = client::Lifecycle::kActive;
  // Empty: those of a session that goes on are left as they are.
  std::vector<std::string> rooms;
  Duration linger{0};
  // Leave after so long. 0: not.
  Duration for_duration{0};
};

struct RoomSettings {
  std::string room;
};

struct SetSettings {
  std::string user;
  v1::AvailabilityKind kind = v1::AVAILABILITY_KIND_AVAILABLE;
  std::string text;
  // 0: until it is replaced.
  Duration for_duration{0};
};

struct SimulateSettings {
  int people = 60;
  int gateways = 2;
  int clients_per_gateway = 150;
  int watchers = 3;
  std::uint64_t seed = 1;
  // 0: until Ctrl-C.
  int seconds = 0;
};

}  // namespace lifesign::cli

#endif  // LIFESIGN_CLIENT_CLI_SETTINGS_H_
