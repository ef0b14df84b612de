// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What clients ask of the server, from steps of a script.
#ifndef LIFESIGN_TESTS_SIM_REQUESTS_H_
#define LIFESIGN_TESTS_SIM_REQUESTS_H_

#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "lifesign/v1/presence_service.pb.h"
#include "tests/sim/step.h"
#include "tests/sim/world_options.h"

namespace lifesign::sim {

std::string PeerUser(int user);
std::string MemberUser(int member);
// Peers' users, then members.
std::vector<std::string> Everyone(const WorldOptions& options);
// Of these numbers among everyone; numbers of nobody are left out.
std::vector<std::string> NamesOf(const std::vector<int>& users,
                                 const WorldOptions& options);

// kSay.
v1::HeartbeatRequest Said(const Step& step);
// kSendSignal, without an attachment. None if the step has nothing to send.
absl::optional<v1::SendSignalRequest> SentAlone(const Step& step);
// kDeclare. None if there is nothing to declare.
absl::optional<v1::SendSignalRequest> Declared(const Step& step);
// kObserve.
v1::WatchPresenceRequest Observed(const Step& step,
                                  const WorldOptions& options);
// kAwait.
v1::AwaitPresenceRequest Awaited(const Step& step, const WorldOptions& options);
// kList: its filter, and the size of a page.
v1::ListPresencesRequest Listed(const Step& step);

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_REQUESTS_H_
