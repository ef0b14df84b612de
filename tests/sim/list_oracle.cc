// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/list_oracle.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "lifesign/client/error.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode.h"
#include "server/transport/codec/read_time.h"
#include "server/transport/codec/times.h"
#include "tests/sim/read_oracle.h"

namespace lifesign::sim {
namespace {

constexpr Duration kTokenLife = seconds(600);

}  // namespace

void ListOracle::Fail(const v1::ListPresencesRequest& request,
                      const std::string& what) {
  v1::ListPresencesRequest shown = request;
  if (!request.page_token().empty()) shown.set_page_token("given");
  verdict_.Fail(absl::StrCat("listing ", shown.ShortDebugString(), ": ", what));
}

absl::optional<v1::ListPresencesResponse> ListOracle::Ask(
    const v1::ListPresencesRequest& request, bool refused) {
  grpc::ByteBuffer bytes;
  const client::Error error =
      client::ErrorFrom(calls_.ListPresences(SerializeToBytes(request), bytes));
  v1::ListPresencesResponse page;
  if (error.ok() ? !ParseMessage(bytes, page)
                 : error.reason != v1::ERROR_REASON_INVALID_PAGE_TOKEN ||
                       error.code != grpc::StatusCode::INVALID_ARGUMENT) {
    Fail(request, "is answered with " + client::ToString(error));
  } else if (error.ok() == refused) {
    Fail(request, refused ? "a token is taken that must be refused"
                          : "is refused: " + client::ToString(error));
  }
  if (!error.ok()) return absl::nullopt;
  return page;
}

bool ListOracle::Matches(const v1::ListPresencesRequest& filter,
                         const PresenceRecord& record) const {
  if (!record.known) return false;
  const auto& states = filter.states();
  const bool of_states =
      states.empty() ? IsLive(record.state)
                     : std::find(states.begin(), states.end(),
                                 EncodeState(record.state)) != states.end();
  if (!of_states || !filter.has_seen_within()) return of_states;
  return record.last_seen.has_value() &&
         now_.wall - *record.last_seen <= *DecodeDuration(filter.seen_within());
}

void ListOracle::Next(const v1::ListPresencesRequest& wanted,
                      Listing& listing) {
  if (listing.request.page_token().empty()) {
    listing = Listing();
    listing.request = wanted;
  }
  v1::ListPresencesRequest request = listing.request;
  request.set_page_size(wanted.page_size());
  const bool begins = request.page_token().empty();
  const bool refused =
      !begins && (listing.epoch != engine_.epoch() ||
                  now_.presence - listing.token_told > kTokenLife);
  std::map<std::string, Listing::Place> places;
  for (const std::string& user : users_) {
    places[user] = PlaceOf(user, ViewOf(listing.request));
  }
  const auto page = Ask(request, refused);
  // Of those that it looked at it told changes.
  truth_.EvaluateEveryone(users_, now_);
  truth_.Collect(now_);
  if (!page.has_value()) {
    listing = Listing();
    journal_.Count("page token refused");
    return;
  }
  if (begins) {
    listing.staying = places;
    // Who comes to another place by being looked at now is, to who sees
    // through, on the page that is the only one.
    for (auto& [user, place] : listing.staying) {
      if (!listing.request.see_through() || !page->next_page_token().empty()) {
        break;
      }
      place = PlaceOf(user, ViewOf(listing.request));
    }
  }
  Follow(listing);
  CheckPage(request, *page, listing);
  listing.request.set_page_token(page->next_page_token());
  listing.epoch = engine_.epoch();
  listing.token_told = now_.presence;
  ++listing.pages;
  if (!page->next_page_token().empty()) {
    if (listing.pages > static_cast<int>(users_.size()) + 1) {
      Fail(request, "does not end");
    }
    return;
  }
  for (const auto& [user, place] : listing.staying) {
    if (!listing.told.contains(user)) {
      Fail(request, user + " is there all the time, and left out");
    }
  }
  journal_.Count(listing.pages == 1 ? "listing of one page"
                                    : "listing of many pages");
}

Listing::Place ListOracle::PlaceOf(const std::string& user, View view) const {
  Listing::Place place;
  place.forgotten = truth_.TimesForgotten(user, view);
  place.forgotten_in_public = truth_.TimesForgotten(user, View::kPublic);
  place.known_in_public = truth_.AsEmitted(user, View::kPublic, now_).known;
  return place;
}

void ListOracle::Follow(Listing& listing) {
  std::erase_if(listing.staying, [&](const auto& item) {
    const auto& [user, place] = item;
    const View view = ViewOf(listing.request);
    return PlaceOf(user, view) != place ||
           !Matches(listing.request, truth_.AsEmitted(user, view, now_));
  });
}

void ListOracle::CheckPage(const v1::ListPresencesRequest& request,
                           const v1::ListPresencesResponse& page,
                           Listing& listing) {
  if (page.presences_size() > request.page_size()) {
    Fail(request, absl::StrCat("a page of ", page.presences_size()));
  }
  const View view = ViewOf(request);
  v1::ListPresencesResponse expected;
  for (const v1::Presence& told : page.presences()) {
    const std::string& user = told.user_id();
    const property::ModelUserView model = truth_.model().Read(user, view, now_);
    EncodeUser(UserViewOf(model, engine_.GetUser(user, now_, view).confidence),
               *expected.add_presences());
    if (!Matches(request, model.record)) {
      Fail(request, user + " is told, and does not match");
    }
    if (!listing.told.insert(user).second) {
      Fail(request, user + " is told twice");
    }
  }
  expected.set_next_page_token(page.next_page_token());
  EncodeReadTime(engine_, now_, expected);
  // A map has no order of its own.
  if (expected.ShortDebugString() == page.ShortDebugString()) return;
  Fail(request,
       absl::StrCat("a page\n    model:  ", expected.ShortDebugString(),
                    "\n    server: ", page.ShortDebugString()));
}

void ListOracle::AskOtherwise(const Listing& listing) {
  if (listing.request.page_token().empty()) return;
  v1::ListPresencesRequest request = listing.request;
  if (request.has_seen_within()) {
    request.clear_seen_within();
  } else {
    request.mutable_seen_within()->set_seconds(1);
  }
  Ask(request, /*refused=*/true);
  journal_.Count("token of another filter refused");
}

}  // namespace lifesign::sim
