// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Every way in which a caller without the right to see through can learn of a
// user. A way that is not here is not compared: whoever adds a call, a field
// of a request or a kind of watch adds it here.
#ifndef LIFESIGN_TESTS_TRANSPORT_INVISIBLE_WAYS_TO_LOOK_H_
#define LIFESIGN_TESTS_TRANSPORT_INVISIBLE_WAYS_TO_LOOK_H_

#include <functional>
#include <string>
#include <vector>

#include "lifesign/v1/presence_service.pb.h"
#include "tests/transport/invisible/one_server.h"

namespace lifesign::testing {

// All users of the story; the first one is who leaves or becomes invisible.
using Cast = std::vector<std::string>;

// A question, and the bytes of its answer.
struct Question {
  std::string name;
  std::function<std::string(OneServer&, const Cast&)> ask;
};
const std::vector<Question>& Questions();
// Those of them that are about rooms.
std::vector<Question> QuestionsOfRooms();
// All pages from the one that `request` asks for, tokens included.
std::string AllPages(OneServer& server, v1::ListPresencesRequest request);

// In which they may be.
inline constexpr const char* kRooms[] = {"lobby", "attic"};

// A watch of some of them.
struct WayToWatch {
  std::string name;
  std::function<v1::WatchPresenceRequest(const Cast&)> request;
  OneServer::Client client = OneServer::Client::kUsual;
};
const std::vector<WayToWatch>& WaysToWatch();

// Waiting for some of them, or for who is in a room or wants somebody there.
struct WayToAwait {
  std::string name;
  std::function<v1::AwaitPresenceRequest(const Cast&)> request;
};
const std::vector<WayToAwait>& WaysToAwait();
// Those of them that are about rooms.
std::vector<WayToAwait> WaysToAwaitInRooms();

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_TRANSPORT_INVISIBLE_WAYS_TO_LOOK_H_
