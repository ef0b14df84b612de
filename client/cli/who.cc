// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// `who`: everybody who is online, or in a room, or how many they are.
#include <google/protobuf/util/time_util.h>

#include "client/cli/calls.h"
#include "client/cli/commands.h"
#include "client/cli/presence_output.h"
#include "client/cli/terminal/terminal.h"
#include "client/cli/text/counts.h"

namespace lifesign::cli {
namespace {

using google::protobuf::util::TimeUtil;
using Stub = v1::PresenceService::Stub;

// The most that one ListPresences tells.
constexpr int kPage = 1000;

v1::ListPresencesRequest RequestOf(const Settings& settings,
                                   const WhoSettings& who) {
  v1::ListPresencesRequest request;
  request.set_tenant(settings.tenant);
  request.set_page_size(kPage);
  request.set_see_through(settings.see_through);
  request.set_room_id(who.room);
  for (const v1::PresenceState state : who.states) request.add_states(state);
  if (who.seen_within.has_value()) {
    *request.mutable_seen_within() =
        TimeUtil::MicrosecondsToDuration(who.seen_within->count());
  }
  return request;
}

// False if nobody reads any more.
bool Print(const Settings& settings, const v1::ListPresencesResponse& page,
           const Palette& palette) {
  if (settings.json) return PrintPresencesAsJson(page);
  return PrintPresences(page.presences(), TimeOf(page.read_time()),
                        NameWidth(page.presences()), palette);
}

ExitCode Count(const Settings& settings, const WhoSettings& who,
               Server& server) {
  v1::CountPresencesRequest request;
  request.set_tenant(settings.tenant);
  request.set_see_through(settings.see_through);
  request.set_room_id(who.room);
  v1::CountPresencesResponse counts;
  const client::Error error =
      server.Call(&Stub::CountPresences, request, &counts);
  if (!error.ok()) return Report(settings, error);
  if (settings.json) {
    PrintLine(JsonOf(counts));
  } else {
    WriteOut(who.room.empty() ? CountsText(counts)
                              : RoomCountsText(who.room, counts));
    NoteReconvergence(counts);
  }
  return counts.users() > 0 ? kExitOk : kExitNegative;
}

}  // namespace

ExitCode Who(const Settings& settings, const WhoSettings& who) {
  Server server(settings);
  if (who.count) return Count(settings, who, server);
  const Palette palette(ColoursWanted());
  v1::ListPresencesRequest request = RequestOf(settings, who);
  v1::ListPresencesResponse page;
  bool anybody = false;
  do {
    page.Clear();
    const client::Error error =
        server.Call(&Stub::ListPresences, request, &page);
    if (!error.ok()) return Report(settings, error);
    anybody |= !page.presences().empty();
    if (!Print(settings, page, palette)) return kExitOk;
    request.set_page_token(page.next_page_token());
  } while (!page.next_page_token().empty());
  if (!settings.json) NoteReconvergence(page);
  return anybody ? kExitOk : kExitNegative;
}

}  // namespace lifesign::cli
