// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode.h"
#include "tests/property/step.h"
#include "tests/sim/requests.h"

namespace lifesign::sim {
namespace {

// Networks slower than this make the client library doubt them.
constexpr Duration kSlowNetwork = seconds(2);
// A server that vanished for longer is noticed only by asking.
constexpr Duration kNoticed = seconds(5);
// Until every client is back: the longest wait between two attempts, and an
// attempt that hung.
constexpr Duration kRest = seconds(75);
// What is on its way then arrives, and the longest reconvergence is over.
constexpr Duration kToCome = seconds(200);
constexpr Duration kPause = milliseconds(500);

template <typename Container>
auto* At(Container& container, int index) {
  const auto place = static_cast<std::size_t>(index);
  return place < container.size() ? &container[place] : nullptr;
}

}  // namespace

World::World(const WorldOptions& options, std::ostream* follower)
    : options_(options),
      start_(schedule_.now()),
      journal_(follower),
      server_(options_, Everyone(options_), schedule_, journal_, verdict_),
      network_(options_, schedule_, server_, journal_, verdict_),
      peers_(static_cast<std::size_t>(options.peers)),
      promises_hold_(options.policy == 0 &&
                     options.most_delay <= kSlowNetwork) {
  for (int i = 0; i < options.members; ++i) {
    members_.emplace_back(MemberUser(i), network_, schedule_);
  }
  for (int i = 0; i < options.watchers; ++i) {
    watchers_.emplace_back(network_, schedule_, journal_, verdict_);
  }
  for (int i = 0; i < options.observers; ++i) {
    observers_.emplace_back(network_, schedule_, journal_, verdict_);
  }
  for (int i = 0; i < options.awaiters; ++i) {
    awaiters_.emplace_back(network_, schedule_, journal_, verdict_);
  }
  server_.SetOnTold([this](const std::string& user, State state) {
    if (!promises_hold_ || state < State::kStale) return;
    for (const Member& member : members_) {
      if (member.user() != user || !member.steady()) continue;
      verdict_.Fail(absl::StrCat("false departure: ", user, " is told ",
                                 property::Word(state),
                                 " and has been beating all the time"));
    }
  });
  server_.Start();
}

World::~World() {
  if (server_.up()) StopServer(Duration(0));
}

void World::RunUntil(RealTime until) {
  server_.OnHorizon(until);
  while (!verdict_.failed() && schedule_.RunNext(until)) {
  }
}

void World::Run(const Step& step) {
  RunUntil(start_ + step.at);
  if (verdict_.failed()) return;
  journal_.Note(schedule_.now(), "step", static_cast<std::uint64_t>(step.kind),
                journal_.followed() ? Line(step) : "");
  switch (step.kind) {
    case Step::Kind::kWait:
      return;
    case Step::Kind::kConnect:
    case Step::Kind::kSay:
    case Step::Kind::kBabble:
    case Step::Kind::kHalfClose:
    case Step::Kind::kSendSignal:
    case Step::Kind::kDeclare:
      return RunPeer(step);
    case Step::Kind::kJoin:
    case Step::Kind::kInteract:
    case Step::Kind::kTurn:
    case Step::Kind::kLeave:
    case Step::Kind::kNetworkChange:
    case Step::Kind::kDie:
      return RunMember(step);
    case Step::Kind::kWatch:
      return Watch(step);
    case Step::Kind::kUnwatch:
      if (Watcher* watcher = At(watchers_, step.who)) watcher->Stop();
      return;
    case Step::Kind::kObserve:
      return Observe(step);
    case Step::Kind::kAwait:
      return Await(step);
    case Step::Kind::kIgnore:
      if (Observer* observer = At(observers_, step.who)) observer->Stop();
      return;
    case Step::Kind::kBreak:
    case Step::Kind::kStall:
      return RunNetwork(step);
    default:
      return RunServer(step);
  }
}

// --- Clients

Call* World::CallOf(const Step& step) {
  Peer* peer = At(peers_, step.who);
  if (peer == nullptr) return nullptr;
  std::erase_if(peer->calls, [](const auto& call) { return call->over(); });
  const auto back = static_cast<std::size_t>(step.back);
  return back < peer->calls.size()
             ? peer->calls[peer->calls.size() - 1 - back].get()
             : nullptr;
}

void World::RunPeer(const Step& step) {
  if (step.kind == Step::Kind::kSendSignal) return SendSignal(step);
  if (step.kind == Step::Kind::kDeclare) {
    const auto request = Declared(step);
    if (request.has_value()) {
      network_.SendSignal(*request, step.length, nullptr);
    }
    return;
  }
  if (step.kind == Step::Kind::kConnect) {
    if (Peer* peer = At(peers_, step.who)) {
      peer->calls.push_back(network_.Begin(Call::Kind::kHeartbeat, deaf_,
                                           grpc::ByteBuffer(), step.seed));
    }
    return;
  }
  Call* call = CallOf(step);
  if (call == nullptr) return;
  switch (step.kind) {
    case Step::Kind::kSay:
      return call->Send(SerializeToBytes(Said(step)));
    case Step::Kind::kBabble: {
      const grpc::Slice babble("\x07\xff\xff");
      return call->Send(grpc::ByteBuffer(&babble, 1));
    }
    default:
      return call->HalfClose();
  }
}

void World::SendSignal(const Step& step) {
  absl::optional<v1::SendSignalRequest> request = SentAlone(step);
  if (!request.has_value()) return;
  if (!request->has_open()) {
    if (step.back != property::kNobody && server_.up()) {
      request->set_attachment(server_.signals().GivenFor(
          request->user_id(), request->session_id(), step.back));
    }
    if (request->attachment() == kNoAttachment &&
        request->kind() != v1::SIGNAL_KIND_LEAVE) {
      return;
    }
  }
  network_.SendSignal(*request, step.length, nullptr);
  // A proxy sent it again.
  if (step.flag) network_.SendSignal(*request, step.other, nullptr);
}

void World::RunMember(const Step& step) {
  Member* member = At(members_, step.who);
  if (member == nullptr) return;
  switch (step.kind) {
    case Step::Kind::kJoin:
      return member->Join(step.lifecycle, step.seed);
    case Step::Kind::kInteract:
      return member->Interact();
    case Step::Kind::kTurn:
      return member->Turn(step.lifecycle);
    case Step::Kind::kLeave:
      return member->Leave(step.length);
    case Step::Kind::kNetworkChange:
      return member->OnNetworkChange();
    default:
      return member->Die(step.length);
  }
}

void World::Watch(const Step& step) {
  Watcher* watcher = At(watchers_, step.who);
  if (watcher == nullptr) return;
  watcher->Watch(NamesOf(step.users, options_), step.length, step.other,
                 step.seed);
}

void World::Observe(const Step& step) {
  Observer* observer = At(observers_, step.who);
  if (observer == nullptr) return;
  observer->Observe(Observed(step, options_), step.seed);
}

void World::Await(const Step& step) {
  Awaiter* awaiter = At(awaiters_, step.who);
  if (awaiter == nullptr) return;
  absl::optional<Duration> deadline;
  if (step.other.count() > 0) deadline = step.other;
  awaiter->Await(Awaited(step, options_), deadline, step.seed);
}

// --- Faults

void World::HarmHolderOf(const Call& call) {
  for (Member& member : members_) {
    if (member.call() == &call) member.Harm();
  }
}

void World::RunNetwork(const Step& step) {
  const auto& calls = network_.calls();
  const auto back = static_cast<std::size_t>(step.back);
  if (back >= calls.size()) return;
  Call& call = *calls[calls.size() - 1 - back];
  HarmHolderOf(call);
  if (step.kind == Step::Kind::kBreak) {
    call.Break(step.length, step.other);
  } else {
    call.Stall(step.flag, true, schedule_.now() + step.length);
  }
}

void World::StopServer(Duration clients_learn) {
  if (clients_learn > kNoticed) {
    for (Member& member : members_) member.Harm();
  }
  network_.OnServerGone(clients_learn);
  server_.Stop();
}

void World::StartServer() {
  if (!server_.up()) server_.Start();
}

void World::RunServer(const Step& step) {
  if (step.kind == Step::Kind::kJumpWall) {
    schedule_.JumpWall(step.length);
    return;
  }
  if (!server_.up()) return;
  const RealTime now = schedule_.now();
  switch (step.kind) {
    case Step::Kind::kTick:
      return server_.At(now, [this] { server_.Tick(); });
    case Step::Kind::kRecount:
      return server_.At(now, [this] { server_.Recount(); });
    case Step::Kind::kFreeze:
      return server_.Freeze(step.length);
    case Step::Kind::kHoldRounds:
      return server_.HoldRounds(now + step.length);
    case Step::Kind::kDrain:
      server_.At(now, [this, budget = step.length] { server_.Drain(budget); });
      schedule_.After(step.length + seconds(1),
                      [this, run = server_.runs(), downtime = step.other] {
                        if (!server_.up() || server_.runs() != run) return;
                        StopServer(Duration(0));
                        schedule_.After(downtime, [this] { StartServer(); });
                      });
      return;
    case Step::Kind::kRestart:
      StopServer(step.other);
      schedule_.After(step.length, [this] { StartServer(); });
      return;
    case Step::Kind::kSetPolicy:
      promises_hold_ = false;
      return server_.At(
          now, [this, policy = step.back] { server_.SetPolicy(policy); });
    case Step::Kind::kList:
      return server_.At(
          now, [this, lister = step.who, request = Listed(step),
                flag = step.flag] { server_.List(lister, request, flag); });
    default: {
      const std::vector<std::string> everyone = Everyone(options_);
      const std::string* user = At(everyone, step.who);
      if (user == nullptr) return;
      return server_.At(now, [this, user = *user] { server_.Read(user); });
    }
  }
}

// --- Coming to rest

State World::StateOf(const std::string& user, View view) const {
  const Told* newest = server_.truth().Published(user, view, Detail::kState);
  return newest == nullptr ? State::kOffline : newest->change.after.state;
}

bool World::AllTold() const {
  const auto state_in = [&](View view) {
    return [this, view](const std::string& user) {
      return EncodeState(StateOf(user, view));
    };
  };
  const std::vector<std::string> everyone = Everyone(options_);
  return std::all_of(watchers_.begin(), watchers_.end(),
                     [&](const Watcher& watcher) {
                       return watcher.Holds(state_in(View::kPublic));
                     }) &&
         std::all_of(observers_.begin(), observers_.end(),
                     [&](const Observer& observer) {
                       return observer.Holds(
                           everyone,
                           state_in(observer.sees_through() ? View::kTrue
                                                            : View::kPublic));
                     });
}

void World::Settle() {
  if (verdict_.failed()) return;
  journal_.Note(schedule_.now(), "settle", 0);
  server_.Heal();
  if (server_.up() && server_.draining()) StopServer(Duration(0));
  StartServer();
  network_.Heal();
  RunUntil(schedule_.now() + kRest);
  const RealTime patience = schedule_.now() + kToCome;
  while (!verdict_.failed() && !(AllTold() && AllBack()) &&
         schedule_.now() < patience) {
    RunUntil(schedule_.now() + kPause);
  }
  if (verdict_.failed()) return;
  if (!AllTold()) {
    std::string words = "a watcher does not hold what is so:";
    for (const std::string& user : Everyone(options_)) {
      absl::StrAppend(&words, " ", user, " is ",
                      property::Word(StateOf(user, View::kPublic)), ", truly ",
                      property::Word(StateOf(user, View::kTrue)));
    }
    for (const Watcher& watcher : watchers_) {
      absl::StrAppend(&words, "\n    ", watcher.Words());
    }
    for (const Observer& observer : observers_) {
      absl::StrAppend(&words, "\n    ", observer.Words());
    }
    verdict_.Fail(words);
  }
  if (!AllBack()) verdict_.Fail("a member beats and stays OFFLINE");
}

bool World::AllBack() const {
  return std::all_of(
      members_.begin(), members_.end(), [&](const Member& member) {
        return !member.here() || IsLive(StateOf(member.user(), View::kPublic));
      });
}

std::vector<Duration> World::Boundaries() const {
  std::vector<Duration> boundaries;
  if (!server_.up()) return boundaries;
  const PresenceTime presence = server_.now().presence;
  const Duration real = server_.now().real - start_;
  for (const PresenceTime at :
       server_.truth().model().Boundaries(server_.now())) {
    boundaries.push_back(real + (at - presence));
  }
  return boundaries;
}

}  // namespace lifesign::sim
