// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What docs/concepts.md § 10 says of lists.
#ifndef LIFESIGN_TESTS_SIM_LIST_ORACLE_H_
#define LIFESIGN_TESTS_SIM_LIST_ORACLE_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/transport/unary/unary_calls.h"
#include "tests/sim/journal.h"
#include "tests/sim/truth.h"
#include "tests/sim/verdict.h"

namespace lifesign::sim {

// What a client holds of a listing between two of its pages; also longer than
// a run of the server.
struct Listing {
  // How often a user had been forgotten, in public and by those whom the
  // listing is for, and whether the public knows them.
  struct Place {
    int forgotten = 0;
    int forgotten_in_public = 0;
    bool known_in_public = false;

    friend bool operator==(const Place&, const Place&) = default;
  };

  // The filter, and the token of the next page; none: it is to begin.
  v1::ListPresencesRequest request;
  Revision epoch = 0;  // of who made the token
  PresenceTime token_told{};
  int pages = 0;
  // On pages so far.
  std::set<std::string> told;
  // Who was known and matched whenever a page was made, and stayed where they
  // were. Whoever comes to be known in public, or is not any more, is one who
  // comes anew, also to who sees through.
  std::map<std::string, Place> staying;
};

// Asks for pages, one at a time.
class ListOracle {
 public:
  // All outlive it. `users`: whoever may come.
  ListOracle(const UnaryCalls& calls, PresenceEngine& engine,
             const std::vector<std::string>& users, Truth& truth,
             const Now& now, Journal& journal, Verdict& verdict)
      : calls_(calls),
        engine_(engine),
        users_(users),
        truth_(truth),
        now_(now),
        journal_(journal),
        verdict_(verdict) {}

  // The next page of `listing`, as `wanted` says how long; the first one if it
  // is over, with the filter of `wanted`.
  void Next(const v1::ListPresencesRequest& wanted, Listing& listing);
  // As if the next page were asked for with another filter: changes nothing.
  void AskOtherwise(const Listing& listing);

 private:
  // None if the request was refused, as it must be if `refused`.
  absl::optional<v1::ListPresencesResponse> Ask(
      const v1::ListPresencesRequest& request, bool refused);
  bool Matches(const v1::ListPresencesRequest& filter,
               const PresenceRecord& record) const;
  void CheckPage(const v1::ListPresencesRequest& request,
                 const v1::ListPresencesResponse& page, Listing& listing);
  static View ViewOf(const v1::ListPresencesRequest& request) {
    return request.see_through() ? View::kTrue : View::kPublic;
  }
  Listing::Place PlaceOf(const std::string& user, View view) const;
  // Who stays, as of this page.
  void Follow(Listing& listing);
  void Fail(const v1::ListPresencesRequest& request, const std::string& what);

  const UnaryCalls& calls_;
  PresenceEngine& engine_;
  const std::vector<std::string>& users_;
  Truth& truth_;
  const Now& now_;  // moves
  Journal& journal_;
  Verdict& verdict_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_LIST_ORACLE_H_
