// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/encode.h"
#include "server/transport/codec/times.h"
#include "tests/property/step.h"

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

std::vector<std::string> Everyone(const WorldOptions& options) {
  std::vector<std::string> users;
  for (int i = 0; i < options.users; ++i) users.push_back(PeerUser(i));
  for (int i = 0; i < options.members; ++i) users.push_back(MemberUser(i));
  return users;
}

v1::SignalKind Encode(SignalKind kind) {
  switch (kind) {
    case SignalKind::kActive:
      return v1::SIGNAL_KIND_ACTIVE;
    case SignalKind::kIdle:
      return v1::SIGNAL_KIND_IDLE;
    case SignalKind::kBackground:
      return v1::SIGNAL_KIND_BACKGROUND;
    case SignalKind::kDetach:
      return v1::SIGNAL_KIND_DETACH;
    case SignalKind::kLeave:
      break;
  }
  return v1::SIGNAL_KIND_LEAVE;
}

template <typename Message>
void EncodeSignal(const Signal& signal, Message& to) {
  to.set_kind(Encode(signal.kind));
  if (signal.idle_for.has_value()) {
    EncodeDuration(*signal.idle_for, *to.mutable_idle_for());
  }
}

std::string RoomName(int room) { return absl::StrCat("r", room); }

template <typename Message>
void EncodeRooms(const SignalStep& signal, Message& to) {
  for (const int room : signal.leave) {
    to.mutable_rooms()->add_leave(RoomName(room));
  }
  for (const int room : signal.join) {
    to.mutable_rooms()->add_join(RoomName(room));
  }
}

template <typename Message>
void EncodeLinger(const Signal& signal, Message& to) {
  if (signal.linger.count() > 0) {
    EncodeDuration(signal.linger, *to.mutable_linger());
  }
}

void EncodeOptions(const OpenStep& open, v1::OpenOptions& to) {
  to.set_instance(open.instance);
  if (open.device.has_value()) to.set_device_class(EncodeDevice(*open.device));
  if (open.rooms.has_value()) {
    v1::RoomSet& rooms = *to.mutable_rooms();
    for (const int room : *open.rooms) rooms.add_room_ids(RoomName(room));
  }
  if (!open.metadata.has_value()) return;
  auto& entries = *to.mutable_metadata()->mutable_entries();
  if (*open.metadata != 0) entries["key"] = absl::StrCat(*open.metadata);
}

void EncodeOpen(const OpenStep& open, v1::Open& to) {
  to.set_handle(open.handle);
  to.set_user_id(PeerUser(open.user));
  to.set_session_id(property::SessionId(open.session));
  EncodeOptions(open, *to.mutable_options());
  if (open.signal.has_value()) EncodeSignal(*open.signal, to);
}

template <typename Container>
auto* At(Container& container, int index) {
  const auto place = static_cast<std::size_t>(index);
  return place < container.size() ? &container[place] : nullptr;
}

}  // namespace

std::string PeerUser(int user) { return property::UserName(user); }
std::string MemberUser(int member) { return absl::StrCat("m", member); }

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
      return Say(*call, step);
    case Step::Kind::kBabble: {
      const grpc::Slice babble("\x07\xff\xff");
      return call->Send(grpc::ByteBuffer(&babble, 1));
    }
    default:
      return call->HalfClose();
  }
}

void World::Say(Call& call, const Step& step) {
  v1::HeartbeatRequest message;
  for (const OpenStep& open : step.opens) {
    EncodeOpen(open, *message.add_opens());
  }
  for (const SignalStep& signal : step.signals) {
    for (int i = 0; i < signal.times; ++i) {
      v1::Signal& said = *message.add_signals();
      said.set_handle(signal.handle);
      EncodeSignal(signal.signal, said);
      EncodeLinger(signal.signal, said);
      EncodeRooms(signal, said);
    }
  }
  message.set_answer_now(step.flag);
  message.set_answer_always(step.flag && step.seed % 8 == 0);
  call.Send(SerializeToBytes(message));
}

void World::SendSignal(const Step& step) {
  v1::SendSignalRequest request;
  if (!step.opens.empty()) {
    const OpenStep& open = step.opens.front();
    request.set_user_id(PeerUser(open.user));
    request.set_session_id(property::SessionId(open.session));
    EncodeOptions(open, *request.mutable_open());
    if (open.signal.has_value()) EncodeSignal(*open.signal, request);
  } else if (!step.signals.empty() && !step.users.empty()) {
    const Signal& signal = step.signals.front().signal;
    request.set_user_id(PeerUser(step.users[0]));
    request.set_session_id(property::SessionId(step.who));
    if (step.back != property::kNobody && server_.up()) {
      request.set_attachment(server_.signals().GivenFor(
          request.user_id(), request.session_id(), step.back));
    }
    if (request.attachment() == kNoAttachment &&
        signal.kind != SignalKind::kLeave) {
      return;
    }
    EncodeSignal(signal, request);
    EncodeLinger(signal, request);
    EncodeRooms(step.signals.front(), request);
  } else {
    return;
  }
  network_.SendSignal(request, step.length, nullptr);
  // A proxy sent it again.
  if (step.flag) network_.SendSignal(request, step.other, nullptr);
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
  watcher->Watch(UsersOf(step), step.length, step.other, step.seed);
}

std::vector<std::string> World::UsersOf(const Step& step) const {
  const std::vector<std::string> everyone = Everyone(options_);
  std::vector<std::string> users;
  for (const int user : step.users) {
    if (const std::string* name = At(everyone, user)) users.push_back(*name);
  }
  return users;
}

void World::Observe(const Step& step) {
  Observer* observer = At(observers_, step.who);
  if (observer == nullptr) return;
  v1::WatchPresenceRequest request;
  if (step.flag) {
    request.mutable_all();
  } else {
    for (const std::string& user : UsersOf(step)) {
      request.mutable_users()->add_user_ids(user);
    }
    request.mutable_users();
  }
  for (int state = 0; state < static_cast<int>(kStates); ++state) {
    if ((step.back >> state) % 2 == 0) continue;
    request.add_states(EncodeState(static_cast<State>(state)));
  }
  if (step.devices) request.set_detail(v1::WATCH_DETAIL_DEVICES);
  EncodeDuration(step.length, *request.mutable_batching_delay());
  EncodeDuration(step.other, *request.mutable_progress_interval());
  observer->Observe(request, step.seed);
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
    default: {
      const std::vector<std::string> everyone = Everyone(options_);
      const std::string* user = At(everyone, step.who);
      if (user == nullptr) return;
      return server_.At(now, [this, user = *user] { server_.Read(user); });
    }
  }
}

// --- Coming to rest

State World::StateOf(const std::string& user) const {
  const Told* newest = server_.truth().Published(user, Detail::kState);
  return newest == nullptr ? State::kOffline : newest->change.after.state;
}

bool World::AllTold() const {
  const auto state_of = [&](const std::string& user) {
    return EncodeState(StateOf(user));
  };
  const std::vector<std::string> everyone = Everyone(options_);
  return std::all_of(
             watchers_.begin(), watchers_.end(),
             [&](const Watcher& watcher) { return watcher.Holds(state_of); }) &&
         std::all_of(observers_.begin(), observers_.end(),
                     [&](const Observer& observer) {
                       return observer.Holds(everyone, state_of);
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
      absl::StrAppend(&words, " ", user, " is ", property::Word(StateOf(user)));
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
  return std::all_of(members_.begin(), members_.end(),
                     [&](const Member& member) {
                       return !member.here() || IsLive(StateOf(member.user()));
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
