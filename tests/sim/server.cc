// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/server.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/transport/await/await_call.h"
#include "server/transport/call/refused_stream.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/decode.h"
#include "server/transport/codec/decode_query.h"
#include "server/transport/heartbeat/heartbeat_stream.h"
#include "server/transport/watch/watch_stream.h"
#include "tests/property/policies.h"

namespace lifesign::sim {
namespace {

// Ticks that are late, but not so late that presence time stands still.
constexpr Duration kRarestTick = milliseconds(1'900);
// Ticks on the way to an instant come so many times closer as it comes.
constexpr int kTicksToHorizon = 5;
// A tick after which there is nothing to publish is followed by a round so
// often: then nothing must be published.
constexpr int kTicksToARound = 4;

const Policy& PolicyOf(int policy) {
  return property::Policies()[static_cast<std::size_t>(policy)];
}

WorldOptions OfRun(WorldOptions options, std::uint64_t run) {
  // Each run has a secret of its own.
  options.seed += run << 32;
  return options;
}

PresenceRuntime::Options RuntimeOptions(const WorldOptions& options,
                                        const Policy& policy, Rounds& rounds) {
  PresenceRuntime::Options runtime;
  runtime.policy = policy;
  runtime.shards = options.shards;
  runtime.limits.max_sessions_per_user = options.max_sessions_per_user;
  runtime.limits.max_sessions_per_stream = options.max_sessions_per_stream;
  runtime.limits.max_mailbox_bytes = options.max_mailbox_bytes;
  runtime.seed = options.seed;
  runtime.threads = false;
  runtime.rounds = &rounds;
  runtime.may_see_through = options.may_see_through;
  return runtime;
}

void Refuse(Call& call, const ApiError& error) {
  const auto stream = std::make_shared<RefusedStream>(ToGrpcStatus(error));
  call.Attach(stream, nullptr);
  stream->Start(call);
}

}  // namespace

Server::Run::Run(const WorldOptions& world,
                 const std::vector<std::string>& users, const Policy& policy,
                 const Now& now, const Clock& clock, Rounds& publisher,
                 Journal& journal, Verdict& verdict)
    : options(world),
      awaited_users(limits::kMaxAwaitedUsers),
      runtime(RuntimeOptions(options, policy, publisher), clock),
      unary(runtime.parts()),
      truth(options, users, policy, now, runtime.engine(), journal, verdict),
      rooms(unary, truth, now, journal, verdict),
      signals(options, policy, truth, rooms, now, journal, verdict),
      watches(options, runtime.engine(), users, truth, now, journal, verdict),
      awaits(runtime.engine(), truth, now, journal, verdict),
      counts(unary, runtime.engine(), truth, now, journal, verdict),
      reads(unary, runtime.engine(), world.may_see_through, truth, signals,
            rooms, now, verdict),
      lists(unary, runtime.engine(), users, truth, now, journal, verdict) {}

Server::Server(const WorldOptions& options, std::vector<std::string> users,
               Schedule& schedule, Journal& journal, Verdict& verdict)
    : options_(options),
      users_(std::move(users)),
      schedule_(schedule),
      journal_(journal),
      verdict_(verdict),
      random_(options.seed, 1),
      clock_(schedule.now()),
      policy_(options.policy) {}

Server::~Server() = default;

// --- Its life

void Server::Start() {
  clock_ = OwnClock(schedule_.now());
  now_ = clock_.At(schedule_.clock().Read());
  frozen_until_ = RealTime::min();
  frozen_.clear();
  round_expected_ = false;
  ++runs_;
  Rounds& rounds = *this;
  run_ = std::make_unique<Run>(OfRun(options_, runs_), users_,
                               PolicyOf(policy_), now_, schedule_.clock(),
                               rounds, journal_, verdict_);
  run_->truth.OnChange([this](const Change& change) {
    if (!change.ChangesState()) return;
    run_->awaits.OnEmitted(change);
    run_->signals.witness().OnChange(change, now_.presence);
    if (on_told_ && Includes(change.audience, View::kPublic)) {
      on_told_(change.after.user, change.after.state);
    }
  });
  run_->truth.OnPublish(
      [this](const Change& change) { run_->awaits.OnPublished(change); });
  run_->watches.SetOnTold(on_told_);
  run_->runtime.gate().Set(ServingGate::State::kServing);
  journal_.Note(schedule_.now(), "server starts", runs_);
  TickAt(schedule_.now() + options_.tick);
}

void Server::Stop() {
  journal_.Note(schedule_.now(), "server stops", runs_);
  run_.reset();
}

void Server::Freeze(Duration length) {
  frozen_until_ = std::max(frozen_until_, schedule_.now() + length);
  schedule_.At(frozen_until_, [this] { Thaw(); });
}

void Server::Thaw() {
  if (schedule_.now() < frozen_until_) return;
  for (auto& work : std::exchange(frozen_, {})) {
    At(schedule_.now(), std::move(work));
  }
}

void Server::Heal() {
  frozen_until_ = RealTime::min();
  rounds_held_until_ = RealTime::min();
  if (up()) Thaw();
}

// --- In its process

void Server::At(RealTime at, std::function<void()> work) {
  schedule_.At(at, [this, run = runs_, work = std::move(work)] {
    if (run_ == nullptr || runs_ != run) return;
    if (schedule_.now() < frozen_until_) {
      frozen_.push_back(work);
    } else {
      Enter(work);
    }
  });
}

void Server::ReadClock() {
  now_ = clock_.At(schedule_.clock().Read());
  const Now actual = run_->runtime.Read();
  if (actual.presence == now_.presence && actual.real == now_.real &&
      actual.wall == now_.wall) {
    return;
  }
  verdict_.Fail(
      absl::StrCat("presence time ", actual.presence.time_since_epoch().count(),
                   " us and not ", now_.presence.time_since_epoch().count()));
}

void Server::Enter(const std::function<void()>& work) {
  ReadClock();
  work();
  Collect();
  run_->signals.Settled();
  Chores& chores = run_->runtime.parts().chores;
  if (chores.idle()) {
    run_->awaits.Settled();
  } else {
    At(schedule_.now(), [&chores] { chores.Drain(); });
  }
  if (run_->truth.NeedsRound()) {
    const auto within =
        static_cast<std::uint64_t>(options_.round_within.count() + 1);
    ExpectRound(Duration(static_cast<std::int64_t>(random_.Below(within))));
  }
}

void Server::Collect() {
  if (run_->watches.TookCopies()) {
    run_->truth.EvaluateEveryone(users_, now_);
  }
  run_->truth.Collect(now_);
  run_->watches.Collected();
}

void Server::TickAt(RealTime at) {
  At(at, [this] {
    Tick();
    const RealTime now = schedule_.now();
    TickAt(now + std::clamp((horizon_ - now) / kTicksToHorizon, options_.tick,
                            kRarestTick));
  });
}

bool Server::Tick() {
  const bool fires = clock_.Tick(schedule_.now());
  now_ = clock_.At(schedule_.clock().Read());
  if (fires) run_->truth.Tick(now_);
  run_->runtime.Tick();
  ReadClock();
  Collect();
  journal_.Note(schedule_.now(), fires ? "tick" : "late tick", runs_);
  // What is told only to those who see through waits for a tick at most.
  const bool waits = !run_->truth.AllPublished() && !run_->truth.NeedsRound();
  if (++ticks_ % kTicksToARound == 0 || waits) ExpectRound(Duration(0));
  if (!fires) return false;
  run_->truth.FollowForgetting(users_, now_);
  run_->signals.Ticked();
  run_->signals.witness().OnTick(now_.presence);
  run_->watches.Ticked();
  run_->awaits.Ticked();
  run_->counts.Ticked();
  return true;
}

void Server::Recount() {
  if (!Tick()) return;
  Round();
  if (!run_->truth.AllPublished()) return;
  run_->rooms.Recount(View::kPublic);
  if (options_.may_see_through) run_->rooms.Recount(View::kTrue);
}

void Server::ExpectRound(Duration after) {
  if (round_expected_) return;
  round_expected_ = true;
  At(std::max(schedule_.now() + after, rounds_held_until_),
     [this] { Round(); });
}

void Server::Round() {
  round_expected_ = false;
  run_->truth.Publish(now_);
  run_->awaits.Published();
  Collect();
  if (run_->truth.AllPublished() && run_->runtime.parts().chores.idle()) {
    run_->watches.Published();
  }
}

void Server::PublishNow() {
  // What is left to do when the process goes is nothing to anybody.
  if (!up()) return;
  // Only the engine knows who was looked at in this step.
  run_->truth.EvaluateEveryone(users_, now_);
  run_->truth.Collect(now_);
  run_->truth.Publish(now_);
  run_->awaits.Published();
}

void Server::Accept(Call& call) {
  Run& run = *run_;
  if (const auto refusal = run.runtime.gate().Refusal()) {
    journal_.Count("stream refused");
    return Refuse(call, *refusal);
  }
  switch (call.kind()) {
    case Call::Kind::kWatch:
      return AcceptWatch(call);
    case Call::Kind::kAwait:
      return AcceptAwait(call);
    case Call::Kind::kHeartbeat:
      break;
  }
  const auto stream = std::make_shared<HeartbeatStream>(run.runtime.parts());
  call.Attach(stream, run.signals.Begin(stream->id(), call));
  stream->Start(call);
}

void Server::AcceptWatch(Call& call) {
  Run& run = *run_;
  v1::WatchPresenceRequest request;
  WatchOptions options;
  const auto error =
      ParseMessage(call.request(), request)
          ? DecodeWatch(request, run.runtime.parts().limits.max_watched_users,
                        options)
          : MalformedMessage();
  if (error.has_value()) return Refuse(call, *error);
  const auto stream =
      std::make_shared<WatchStream>(run.runtime.parts(), options);
  call.Attach(stream, run.watches.Begin(stream->id(), options, call));
  stream->Start(call);
}

void Server::AcceptAwait(Call& call) {
  Run& run = *run_;
  v1::AwaitPresenceRequest request;
  AwaitOptions options;
  const Duration time_left = call.deadline() == RealTime::max()
                                 ? seconds(limits::kMaxDurationSeconds)
                                 : call.deadline() - now_.real;
  const auto error = ParseMessage(call.request(), request)
                         ? DecodeAwait(request, time_left, options)
                         : MalformedMessage();
  if (error.has_value()) return Refuse(call, *error);
  auto share = run.awaited_users.Take(
      static_cast<std::int64_t>(options.terms.users.size()));
  const auto await = std::make_shared<AwaitCall>(
      run.runtime.parts(), std::move(options), *std::move(share));
  call.Attach(await, run.awaits.Begin(request, call));
  await->Start(call);
}

void Server::Drain(Duration budget) {
  if (draining()) return;
  journal_.Count("drain");
  run_->signals.OnDrain();
  run_->watches.OnDrain();
  // Those who hold sessions have a third of it.
  run_->awaits.OnDrain(now_.presence + budget / 3);
  run_->runtime.drain().Begin(budget);
}

bool Server::draining() const {
  return run_->runtime.gate().state() == ServingGate::State::kDraining;
}

void Server::SetPolicy(int policy) {
  policy_ = policy;
  run_->runtime.engine().SetPolicy(PolicyOf(policy));
  run_->truth.model().SetPolicy(PolicyOf(policy));
  run_->signals.OnPolicy(PolicyOf(policy));
}

void Server::Read(const std::string& user) {
  run_->reads.Read(user);
  run_->counts.Read(View::kPublic);
  if (options_.may_see_through) run_->counts.Read(View::kTrue);
}

void Server::List(int listing, const v1::ListPresencesRequest& request,
                  bool otherwise) {
  Listing& held = listings_.at(static_cast<std::size_t>(listing));
  if (otherwise) {
    run_->lists.AskOtherwise(held);
  } else {
    run_->lists.Next(request, held);
  }
}

grpc::Status Server::SendSignal(const v1::SendSignalRequest& request,
                                v1::SendSignalResponse& response) {
  const auto expected = run_->signals.Expect(request);
  grpc::ByteBuffer bytes;
  const auto refusal = run_->runtime.gate().Refusal();
  const grpc::Status status =
      refusal.has_value()
          ? ToGrpcStatus(*refusal)
          : run_->unary.SendSignal(SerializeToBytes(request), bytes);
  if (status.ok() && !ParseMessage(bytes, response)) {
    verdict_.Fail("SendSignal answers what is malformed");
  }
  run_->signals.Check(expected, status, response);
  return status;
}

}  // namespace lifesign::sim
