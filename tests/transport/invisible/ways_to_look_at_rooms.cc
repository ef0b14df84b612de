// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include <functional>
#include <string>
#include <utility>

#include "tests/transport/invisible/ways_to_look.h"

namespace lifesign::testing {
namespace {

using Ask = std::function<std::string(OneServer&, const Cast&)>;

std::string RoomsAll(OneServer& server, const Cast& cast) {
  std::string answers;
  for (const char* room : kRooms) {
    for (const std::string& user : cast) {
      v1::GetRoomRequest request;
      request.set_room_id(room);
      request.set_intents_for_user_id(user);
      answers += server.Call(&UnaryCalls::GetRoom, request) + "\n";
    }
  }
  return answers;
}

// Of each room, what `request` asks for of all.
std::string PagesOfEach(OneServer& server, v1::ListPresencesRequest request) {
  std::string answers;
  for (const char* room : kRooms) {
    request.set_room_id(room);
    answers += AllPages(server, request);
  }
  return answers;
}

std::string ListsMembers(OneServer& server, const Cast&) {
  return PagesOfEach(server, v1::ListPresencesRequest());
}

std::string ListsMembersOneByOne(OneServer& server, const Cast&) {
  v1::ListPresencesRequest request;
  request.set_page_size(1);
  return PagesOfEach(server, std::move(request));
}

std::string ListsMembersByState(OneServer& server, const Cast&) {
  std::string answers;
  for (int state = v1::PRESENCE_STATE_UNSPECIFIED + 1;
       v1::PresenceState_IsValid(state); ++state) {
    v1::ListPresencesRequest request;
    request.add_states(static_cast<v1::PresenceState>(state));
    request.set_page_size(1);
    answers += PagesOfEach(server, std::move(request));
  }
  return answers;
}

std::string ListsMembersSeenLately(OneServer& server, const Cast&) {
  std::string answers;
  for (const int within : {1, 10, 60}) {
    v1::ListPresencesRequest request;
    request.mutable_seen_within()->set_seconds(within);
    answers += PagesOfEach(server, std::move(request));
  }
  return answers;
}

std::string CountsMembers(OneServer& server, const Cast&) {
  std::string answers;
  for (const char* room : kRooms) {
    v1::CountPresencesRequest request;
    request.set_room_id(room);
    answers += server.Call(&UnaryCalls::CountPresences, request) + "\n";
  }
  return answers;
}

std::string ExplainsMembers(OneServer& server, const Cast& cast) {
  std::string answers;
  for (const char* room : kRooms) {
    for (const std::string& user : cast) {
      v1::ExplainPresenceRequest request;
      request.set_user_id(user);
      request.set_room_id(room);
      answers += server.Call(&UnaryCalls::ExplainPresence, request) + "\n";
    }
  }
  return answers;
}

void AddRoom(v1::AwaitPresenceRequest& request, const char* room,
             v1::PresenceState at_least, int needed) {
  v1::PresencePredicate& predicate = *request.add_predicates();
  predicate.set_room_id(room);
  predicate.set_at_least(at_least);
  predicate.set_needed(needed);
}

void AddIntents(v1::AwaitPresenceRequest& request, const char* room,
                const std::string& target, int needed) {
  v1::PresencePredicate& predicate = *request.add_predicates();
  predicate.mutable_intents()->set_room_id(room);
  predicate.mutable_intents()->set_user_id(target);
  predicate.set_needed(needed);
}

// Looking once tells of each predicate, be there another that holds.
std::string LooksIntoRooms(OneServer& server, const Cast&) {
  std::string answers;
  for (const char* room : kRooms) {
    v1::AwaitPresenceRequest request;
    for (const v1::PresenceState at_least :
         {v1::PRESENCE_STATE_ACTIVE, v1::PRESENCE_STATE_IDLE,
          v1::PRESENCE_STATE_STALE}) {
      for (int needed = 1; needed <= 3; ++needed) {
        AddRoom(request, room, at_least, needed);
      }
    }
    answers += server.LookOnce(std::move(request)) + "\n";
  }
  return answers;
}

std::string LooksForIntents(OneServer& server, const Cast& cast) {
  std::string answers;
  for (const char* room : kRooms) {
    v1::AwaitPresenceRequest request;
    for (const std::string& target : cast) {
      for (int needed = 1; needed <= 2; ++needed) {
        AddIntents(request, room, target, needed);
      }
    }
    answers += server.LookOnce(std::move(request)) + "\n";
  }
  return answers;
}

// Asking for more than one may see, about the first room.
template <typename Request>
Ask Asking(grpc::Status (UnaryCalls::*method)(const grpc::ByteBuffer&,
                                              grpc::ByteBuffer&) const) {
  return [method](OneServer& server, const Cast&) {
    Request request;
    request.set_room_id(kRooms[0]);
    request.set_see_through(true);
    return server.Call(method, request);
  };
}

std::string AskingToExplain(OneServer& server, const Cast& cast) {
  v1::ExplainPresenceRequest request;
  request.set_user_id(cast.front());
  request.set_room_id(kRooms[0]);
  request.set_see_through(true);
  return server.Call(&UnaryCalls::ExplainPresence, request);
}

// Those begun when all gather are given up soon after the one went.
constexpr int kWaitSeconds = 60;

WayToAwait Members(std::string name, const char* room,
                   v1::PresenceState at_least, int needed) {
  return {std::move(name), [=](const Cast&) {
            v1::AwaitPresenceRequest request;
            AddRoom(request, room, at_least, needed);
            request.mutable_wait()->set_seconds(kWaitSeconds);
            return request;
          }};
}

WayToAwait Intents(std::string name, const char* room, std::size_t target,
                   int needed) {
  return {std::move(name), [=](const Cast& cast) {
            v1::AwaitPresenceRequest request;
            AddIntents(request, room, cast[target], needed);
            request.mutable_wait()->set_seconds(kWaitSeconds);
            return request;
          }};
}

// Any of which is enough; the default wait.
v1::AwaitPresenceRequest AnyOfAll(const Cast& cast) {
  v1::AwaitPresenceRequest request;
  AddRoom(request, kRooms[1], v1::PRESENCE_STATE_STALE, 2);
  AddIntents(request, kRooms[0], cast[1], 2);
  AddIntents(request, kRooms[1], cast[0], 1);
  v1::PresencePredicate& users = *request.add_predicates();
  users.mutable_users()->add_user_ids(cast[3]);
  users.set_at_least(v1::PRESENCE_STATE_ACTIVE);
  return request;
}

}  // namespace

std::vector<Question> QuestionsOfRooms() {
  return {
      {"GetRoom", RoomsAll},
      {"ListPresences, of a room", ListsMembers},
      {"ListPresences, of a room, page by page", ListsMembersOneByOne},
      {"ListPresences, of a room, by state", ListsMembersByState},
      {"ListPresences, of a room, who was seen lately", ListsMembersSeenLately},
      {"CountPresences, of a room", CountsMembers},
      {"ExplainPresence, of a room", ExplainsMembers},
      {"AwaitPresence, looking once into a room", LooksIntoRooms},
      {"AwaitPresence, looking once for intents", LooksForIntents},
      {"asking to see through a room",
       Asking<v1::GetRoomRequest>(&UnaryCalls::GetRoom)},
      {"asking to see through a list of a room",
       Asking<v1::ListPresencesRequest>(&UnaryCalls::ListPresences)},
      {"asking to see through a count of a room",
       Asking<v1::CountPresencesRequest>(&UnaryCalls::CountPresences)},
      {"asking to see through an explanation of a room", AskingToExplain},
  };
}

std::vector<WayToAwait> WaysToAwaitInRooms() {
  return {
      // The one is not who makes them hold.
      Members("somebody in the lobby", kRooms[0], v1::PRESENCE_STATE_STALE, 1),
      Members("somebody active in the attic", kRooms[1],
              v1::PRESENCE_STATE_ACTIVE, 1),
      Members("two in the attic", kRooms[1], v1::PRESENCE_STATE_STALE, 2),
      // There never are.
      Members("three in the lobby", kRooms[0], v1::PRESENCE_STATE_STALE, 3),
      // Until the one goes there may be; then nobody wants whom nobody sees.
      Intents("somebody who wants the one", kRooms[0], 0, 1),
      Intents("two who want the one", kRooms[0], 0, 2),
      // The one does; when they went, only what others want counts.
      Intents("somebody who wants another", kRooms[0], 1, 1),
      Intents("two who want another", kRooms[0], 1, 2),
      Intents("somebody who wants another in the attic", kRooms[1], 1, 1),
      {"any of all that", AnyOfAll},
  };
}

}  // namespace lifesign::testing
