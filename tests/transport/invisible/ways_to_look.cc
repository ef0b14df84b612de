// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/transport/invisible/ways_to_look.h"

#include <initializer_list>
#include <utility>

namespace lifesign::testing {
namespace {

// The answers about each of the cast, one after the other.
template <typename Request>
std::function<std::string(OneServer&, const Cast&)> OfEach(grpc::Status (
    UnaryCalls::*method)(const grpc::ByteBuffer&, grpc::ByteBuffer&) const) {
  return [method](OneServer& server, const Cast& cast) {
    std::string answers;
    for (const std::string& user : cast) {
      Request request;
      request.set_user_id(user);
      answers += server.Call(method, request) + "\n";
    }
    return answers;
  };
}

std::string BatchOfAll(OneServer& server, const Cast& cast) {
  v1::BatchGetPresencesRequest request;
  for (const std::string& user : cast) request.add_user_ids(user);
  request.add_user_ids(cast.front());
  return server.Call(&UnaryCalls::BatchGetPresences, request);
}

// Asking for more than one may see is answered alike for whomever it is about.
std::string AskingToSeeThrough(OneServer& server, const Cast& cast) {
  v1::GetPresenceRequest request;
  request.set_user_id(cast.front());
  request.set_see_through(true);
  return server.Call(&UnaryCalls::GetPresence, request);
}

std::string ListsTheLive(OneServer& server, const Cast&) {
  return AllPages(server, v1::ListPresencesRequest());
}

std::string ListsAllByTwo(OneServer& server, const Cast&) {
  v1::ListPresencesRequest request;
  request.set_page_size(2);
  for (int state = v1::PRESENCE_STATE_UNSPECIFIED + 1;
       v1::PresenceState_IsValid(state); ++state) {
    request.add_states(static_cast<v1::PresenceState>(state));
  }
  return AllPages(server, std::move(request));
}

std::string ListsThoseOffline(OneServer& server, const Cast&) {
  v1::ListPresencesRequest request;
  request.add_states(v1::PRESENCE_STATE_OFFLINE);
  return AllPages(server, std::move(request));
}

std::string ListsThoseSeenLately(OneServer& server, const Cast&) {
  std::string answers;
  for (const int within : {1, 10, 60}) {
    v1::ListPresencesRequest request;
    request.add_states(v1::PRESENCE_STATE_OFFLINE);
    request.add_states(v1::PRESENCE_STATE_ACTIVE);
    request.mutable_seen_within()->set_seconds(within);
    answers += AllPages(server, std::move(request));
  }
  return answers;
}

std::string CountsAll(OneServer& server, const Cast&) {
  return server.Call(&UnaryCalls::CountPresences, v1::CountPresencesRequest());
}

// Asking for more than one may see.
template <typename Request>
std::function<std::string(OneServer&, const Cast&)> Asking(grpc::Status (
    UnaryCalls::*method)(const grpc::ByteBuffer&, grpc::ByteBuffer&) const) {
  return [method](OneServer& server, const Cast&) {
    Request request;
    request.set_see_through(true);
    return server.Call(method, request);
  };
}

// At least `needed` of `users`.
v1::AwaitPresenceRequest AwaitOf(const Cast& users, v1::PresenceState at_least,
                                 int needed) {
  v1::AwaitPresenceRequest request;
  v1::PresencePredicate& predicate = *request.add_predicates();
  for (const std::string& user : users) {
    predicate.mutable_users()->add_user_ids(user);
  }
  predicate.set_at_least(at_least);
  predicate.set_needed(needed);
  return request;
}

std::string LooksForEach(OneServer& server, const Cast& cast) {
  std::string answers;
  for (const v1::PresenceState at_least :
       {v1::PRESENCE_STATE_ACTIVE, v1::PRESENCE_STATE_STALE}) {
    for (int needed = 1; needed <= 4; ++needed) {
      answers += server.LookOnce(AwaitOf(cast, at_least, needed)) + "\n";
    }
  }
  return answers;
}

v1::WatchPresenceRequest OfEveryone(const Cast&) {
  v1::WatchPresenceRequest request;
  request.mutable_progress_interval()->set_seconds(10);
  request.mutable_all();
  return request;
}

v1::WatchPresenceRequest OfRoom(const char* room,
                                v1::RoomView view = v1::ROOM_VIEW_MEMBERS) {
  v1::WatchPresenceRequest request;
  request.mutable_progress_interval()->set_seconds(10);
  request.mutable_room()->set_room_id(room);
  request.mutable_room()->set_view(view);
  return request;
}

v1::WatchPresenceRequest OfIntents(const std::string& user) {
  v1::WatchPresenceRequest request = OfRoom(kRooms[0], v1::ROOM_VIEW_INTENTS);
  request.mutable_room()->set_user_id(user);
  return request;
}

v1::WatchPresenceRequest WithDevices(v1::WatchPresenceRequest request) {
  request.set_detail(v1::WATCH_DETAIL_DEVICES);
  return request;
}

v1::WatchPresenceRequest OfStates(
    v1::WatchPresenceRequest request,
    std::initializer_list<v1::PresenceState> states) {
  for (const v1::PresenceState state : states) request.add_states(state);
  return request;
}

v1::WatchPresenceRequest OfUsers(const Cast& cast) {
  v1::WatchPresenceRequest request;
  request.mutable_progress_interval()->set_seconds(10);
  for (const std::string& user : cast) {
    request.mutable_users()->add_user_ids(user);
  }
  return request;
}

// Both, one after the other.
template <typename Way>
std::vector<Way> Joined(std::vector<Way> ways, const std::vector<Way>& more) {
  ways.insert(ways.end(), more.begin(), more.end());
  return ways;
}

}  // namespace

std::string AllPages(OneServer& server, v1::ListPresencesRequest request) {
  std::string answers;
  v1::ListPresencesResponse page;
  do {
    const std::string answer = server.Call(&UnaryCalls::ListPresences, request);
    answers += answer + "\n";
    if (!page.ParseFromString(answer)) return answers;
    request.set_page_token(page.next_page_token());
  } while (!page.next_page_token().empty());
  return answers;
}

const std::vector<Question>& Questions() {
  static const std::vector<Question> questions = Joined<Question>(
      {
          {"GetPresence",
           OfEach<v1::GetPresenceRequest>(&UnaryCalls::GetPresence)},
          {"BatchGetPresences", BatchOfAll},
          {"ListSessions",
           OfEach<v1::ListSessionsRequest>(&UnaryCalls::ListSessions)},
          {"ExplainPresence",
           OfEach<v1::ExplainPresenceRequest>(&UnaryCalls::ExplainPresence)},
          {"asking to see through", AskingToSeeThrough},
          {"ListPresences", ListsTheLive},
          {"ListPresences, all, page by page", ListsAllByTwo},
          {"ListPresences, who is offline", ListsThoseOffline},
          {"ListPresences, who was seen lately", ListsThoseSeenLately},
          {"CountPresences", CountsAll},
          {"asking to see through a list",
           Asking<v1::ListPresencesRequest>(&UnaryCalls::ListPresences)},
          {"asking to see through counts",
           Asking<v1::CountPresencesRequest>(&UnaryCalls::CountPresences)},
          {"AwaitPresence, looking once", LooksForEach},
      },
      QuestionsOfRooms());
  return questions;
}

const std::vector<WayToWatch>& WaysToWatch() {
  static const std::vector<WayToWatch> ways = {
      {"everyone by name", OfUsers},
      {"the one alone",
       [](const Cast& cast) { return OfUsers({cast.front()}); }},
      {"all but the one",
       [](const Cast& cast) {
         return OfUsers(Cast(cast.begin() + 1, cast.end()));
       }},
      {"with a batching delay",
       [](const Cast& cast) {
         v1::WatchPresenceRequest request = OfUsers(cast);
         request.mutable_batching_delay()->set_nanos(700'000'000);
         return request;
       }},
      {"devices", [](const Cast& cast) { return WithDevices(OfUsers(cast)); }},
      {"who is active",
       [](const Cast& cast) {
         return OfStates(OfUsers(cast), {v1::PRESENCE_STATE_ACTIVE});
       }},
      {"the whole tenant", OfEveryone},
      {"the whole tenant, devices",
       [](const Cast& cast) { return WithDevices(OfEveryone(cast)); }},
      {"the whole tenant, who is active or offline",
       [](const Cast& cast) {
         return OfStates(OfEveryone(cast), {v1::PRESENCE_STATE_ACTIVE,
                                            v1::PRESENCE_STATE_OFFLINE});
       }},
      {"the whole tenant, slowly", OfEveryone, OneServer::Client::kSlow},
      {"everyone by name, slowly", OfUsers, OneServer::Client::kSlow},
      {"following", OfUsers, OneServer::Client::kFollowing},
      {"who is in the lobby", [](const Cast&) { return OfRoom(kRooms[0]); }},
      {"who is in the attic, devices",
       [](const Cast&) { return WithDevices(OfRoom(kRooms[1])); }},
      {"who is active in the lobby, slowly",
       [](const Cast&) {
         return OfStates(OfRoom(kRooms[0]), {v1::PRESENCE_STATE_ACTIVE});
       },
       OneServer::Client::kSlow},
      {"how many are in the lobby",
       [](const Cast&) { return OfRoom(kRooms[0], v1::ROOM_VIEW_OCCUPANCY); }},
      {"how many are in the attic",
       [](const Cast&) { return OfRoom(kRooms[1], v1::ROOM_VIEW_OCCUPANCY); }},
      {"who wants the one",
       [](const Cast& cast) { return OfIntents(cast[0]); }},
      {"who wants another",
       [](const Cast& cast) { return OfIntents(cast[1]); }},
  };
  return ways;
}

const std::vector<WayToAwait>& WaysToAwait() {
  static const std::vector<WayToAwait> ways = Joined<WayToAwait>(
      {
          {"the one to be active",
           [](const Cast& cast) {
             return AwaitOf({cast[0]}, v1::PRESENCE_STATE_ACTIVE, 1);
           }},
          // Gives up.
          {"the one to be there, for 20 s",
           [](const Cast& cast) {
             auto request = AwaitOf({cast[0]}, v1::PRESENCE_STATE_STALE, 1);
             request.mutable_wait()->set_seconds(20);
             return request;
           }},
          // Others come, and it is decided without the one.
          {"the one and another to be there",
           [](const Cast& cast) {
             return AwaitOf({cast[0], cast[3]}, v1::PRESENCE_STATE_STALE, 1);
           }},
          {"four to be active",
           [](const Cast& cast) {
             return AwaitOf(cast, v1::PRESENCE_STATE_ACTIVE, 4);
           }},
      },
      WaysToAwaitInRooms());
  return ways;
}

}  // namespace lifesign::testing
