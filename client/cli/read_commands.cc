// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The commands that ask one question: get, sessions, explain, room.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/calls.h"
#include "client/cli/commands.h"
#include "client/cli/presence_output.h"
#include "client/cli/terminal/terminal.h"
#include "client/cli/text/explanation.h"
#include "client/cli/text/json_line.h"
#include "client/cli/text/occupancy_text.h"
#include "client/cli/text/palette.h"
#include "client/cli/text/words.h"

namespace lifesign::cli {
namespace {

using Stub = v1::PresenceService::Stub;

// The most ids that one BatchGetPresences takes.
constexpr std::size_t kBatch = 1000;

constexpr std::size_t kStateWidth = 7;

void PrintSessions(const v1::ListSessionsResponse& response) {
  const Palette palette(ColoursWanted());
  std::size_t width = 0;
  for (const v1::Session& session : response.sessions()) {
    width = std::max(width, WidthOf(Printable(session.session_id())));
  }
  for (const v1::Session& session : response.sessions()) {
    const std::string state = Padded(StateWord(session.state()), kStateWidth);
    PrintLine(absl::StrCat(Padded(Printable(session.session_id()), width), "  ",
                           palette.State(session.state(), state), "  ",
                           SessionText(session, TimeOf(response.read_time()))));
  }
}

}  // namespace

ExitCode Get(const Settings& settings, const UsersSettings& get) {
  Server server(settings);
  const Palette palette(ColoursWanted());
  std::size_t width = 0;
  for (const std::string& user : get.users) {
    width = std::max(width, WidthOf(Printable(user)));
  }
  bool anybody = false;
  for (std::size_t begin = 0; begin < get.users.size(); begin += kBatch) {
    const std::size_t end = std::min(begin + kBatch, get.users.size());
    v1::BatchGetPresencesRequest request;
    request.set_tenant(settings.tenant);
    request.set_see_through(settings.see_through);
    for (std::size_t i = begin; i < end; ++i) {
      request.add_user_ids(get.users[i]);
    }
    v1::BatchGetPresencesResponse response;
    const client::Error error =
        server.Call(&Stub::BatchGetPresences, request, &response);
    if (!error.ok()) return Report(settings, error);
    for (const v1::Presence& presence : response.presences()) {
      anybody |= presence.state() != v1::PRESENCE_STATE_OFFLINE;
    }
    if (settings.json) {
      PrintPresencesAsJson(response);
    } else {
      PrintPresences(response.presences(), TimeOf(response.read_time()), width,
                     palette);
      if (end == get.users.size()) NoteReconvergence(response);
    }
  }
  return anybody ? kExitOk : kExitNegative;
}

ExitCode Sessions(const Settings& settings, const UsersSettings& sessions) {
  Server server(settings);
  const std::string& user = sessions.users.front();
  v1::ListSessionsRequest request;
  request.set_tenant(settings.tenant);
  request.set_see_through(settings.see_through);
  request.set_user_id(user);
  v1::ListSessionsResponse response;
  const client::Error error =
      server.Call(&Stub::ListSessions, request, &response);
  if (!error.ok()) return Report(settings, error);
  if (settings.json) {
    for (const v1::Session& session : response.sessions()) {
      PrintLine(JsonLine()
                    .Text("user_id", user)
                    .Message("session", session)
                    .Message("read_time", response.read_time())
                    .Done());
    }
  } else if (response.sessions().empty()) {
    PrintLine(absl::StrCat(Printable(user), " has no open session"));
    NoteReconvergence(response);
  } else {
    PrintSessions(response);
    NoteReconvergence(response);
  }
  return response.sessions().empty() ? kExitNegative : kExitOk;
}

ExitCode Explain(const Settings& settings, const ExplainSettings& explain) {
  Server server(settings);
  v1::ExplainPresenceRequest request;
  request.set_tenant(settings.tenant);
  request.set_see_through(settings.see_through);
  request.set_user_id(explain.users.front());
  request.set_room_id(explain.room);
  v1::ExplainPresenceResponse response;
  const client::Error error =
      server.Call(&Stub::ExplainPresence, request, &response);
  if (!error.ok()) return Report(settings, error);
  if (settings.json) {
    PrintLine(JsonOf(response));
  } else {
    WriteOut(ExplanationText(response, absl::LocalTimeZone(),
                             Palette(ColoursWanted())));
  }
  return kExitOk;
}

ExitCode Room(const Settings& settings, const RoomSettings& room) {
  Server server(settings);
  v1::GetRoomRequest request;
  request.set_see_through(settings.see_through);
  request.set_tenant(settings.tenant);
  request.set_room_id(room.room);
  v1::GetRoomResponse response;
  const client::Error error = server.Call(&Stub::GetRoom, request, &response);
  if (!error.ok()) return Report(settings, error);
  if (settings.json) {
    PrintLine(JsonOf(response));
  } else {
    WriteOut(OccupancyText(response.occupancy(), Palette(ColoursWanted())));
    NoteReconvergence(response);
  }
  return response.occupancy().users() == 0 ? kExitNegative : kExitOk;
}

}  // namespace lifesign::cli
