// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/transport/invisible/one_server.h"

#include <utility>

#include "absl/strings/str_split.h"
#include "server/base/limits.h"
#include "server/transport/codec/decode.h"
#include "server/transport/codec/decode_query.h"
#include "server/transport/codec/encode.h"

namespace lifesign::testing {
namespace {

constexpr std::uint64_t kSeed = 5;

// A mailbox holds a few changes: a slow client loses some.
StreamLimits Limits() {
  StreamLimits limits;
  limits.max_mailbox_bytes = 1'500;
  return limits;
}

std::pair<std::string, std::string> Split(const std::string& name) {
  return absl::StrSplit(name, absl::MaxSplits('/', 1));
}

PresenceEngine::Options EngineOptions(const Policy& policy, bool& announced,
                                      const Now& start) {
  PresenceEngine::Options options;
  options.policy = policy;
  // Few, so that users share them.
  options.shards = 2;
  options.hash_seed = kSeed;
  options.epoch = static_cast<Revision>(start.wall.time_since_epoch().count());
  options.on_changes = [&announced] { announced = true; };
  options.encode_rooms = RoomEncoders();
  return options;
}

}  // namespace

std::string Flat(const grpc::ByteBuffer& bytes) {
  std::vector<grpc::Slice> slices;
  if (!bytes.Valid() || !bytes.Dump(&slices).ok()) return "";
  std::string flat;
  for (const grpc::Slice& slice : slices) {
    flat.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return flat;
}

OneServer::OneServer(const Policy& policy, bool may_see_through)
    : time_(clock_),
      engine_(EngineOptions(policy, announced_, time_.Read()), time_.Read()),
      deadlines_(time_.Read().presence),
      jitter_(kSeed),
      publisher_(engine_, time_),
      parts_{engine_,    time_,    deadlines_,     chores_,
             publisher_, jitter_,  heartbeats_,    watches_,
             awaits_,    Limits(), may_see_through},
      calls_(parts_),
      next_tick_(clock_.RealNow() + limits::kDefaultTick) {}

OneServer::~OneServer() {
  while (!watching_.empty()) EndWatch(watching_.begin()->first);
  for (const auto& [name, awaiting] : awaiting_) {
    if (!awaiting->call.finished()) awaiting->call.Break();
    awaiting->call.Done();
  }
}

void OneServer::Advance(Duration by) {
  const RealTime until = clock_.RealNow() + by;
  while (next_tick_ <= until) {
    clock_.Advance(next_tick_ - clock_.RealNow());
    next_tick_ += limits::kDefaultTick;
    time_.Tick();
    engine_.Tick(now());
    deadlines_.Fire(now());
    announced_ = true;
    Settle();
  }
  clock_.Advance(until - clock_.RealNow());
  TakeWrites(/*also_slow=*/true);
}

void OneServer::Settle() {
  if (announced_) {
    announced_ = false;
    engine_.Publish(now(), EncodeChange);
  }
  TakeWrites(/*also_slow=*/false);
}

void OneServer::TakeWrites(bool also_slow) {
  bool more = true;
  while (more) {
    chores_.Drain();
    more = false;
    for (auto& [name, watching] : watching_) {
      if (watching->slow && !also_slow) continue;
      more |= watching->call.writing();
      watching->call.TakeWrites();
    }
    for (auto& [name, awaiting] : awaiting_) awaiting->call.TakeWrites();
    more |= !chores_.idle();
  }
}

void OneServer::Open(const std::string& name, absl::optional<SignalKind> with,
                     DeviceClass device,
                     absl::optional<AvailabilityDeclaration> declaring,
                     const std::vector<absl::string_view>* rooms) {
  const auto [user, session] = Split(name);
  OpenRequest request;
  request.name = {user, session};
  request.binding = {next_stream_++, 1};
  request.device = device;
  if (with.has_value()) {
    request.signal.emplace();
    request.signal->kind = *with;
  }
  request.rooms = rooms;
  if (declaring.has_value()) request.availability = &*declaring;
  request.replaces_availability = declaring.has_value();
  const OpenOutcome outcome = engine_.Open(request, now());
  if (outcome.ok()) refs_[name] = outcome.ref;
  Settle();
}

void OneServer::Send(const std::string& name, const Signal& signal) {
  const auto found = refs_.find(name);
  if (found == refs_.end()) return;
  engine_.Apply(found->second, signal, now());
  Settle();
}

void OneServer::Declare(const std::string& name, SignalKind kind,
                        const AvailabilityDeclaration& said) {
  Signal signal;
  signal.kind = kind;
  Declaration declaration;
  declaration.availability = &said;
  engine_.ApplyDeclaring(refs_.at(name), signal, declaration, now());
  Settle();
}

void OneServer::DeclareAlone(const std::string& user,
                             const AvailabilityDeclaration& said) {
  engine_.Declare(user, said, now());
  Settle();
}

void OneServer::ChangeRooms(const std::string& name, const RoomChange& rooms,
                            const AvailabilityDeclaration* declaring) {
  const auto found = refs_.find(name);
  if (found == refs_.end()) return;
  Declaration declaration;
  declaration.rooms = &rooms;
  declaration.availability = declaring;
  engine_.ApplyDeclaring(found->second, Signal(), declaration, now());
  Settle();
}

void OneServer::Want(const std::string& name, const std::string& target,
                     const std::string& room, Duration expires_in) {
  const auto found = refs_.find(name);
  if (found == refs_.end()) return;
  const IntentDeclaration intent = {room, target, expires_in};
  Declaration declaration;
  declaration.intents = {&intent, 1};
  engine_.ApplyDeclaring(found->second, Signal(), declaration, now());
  Settle();
}

void OneServer::OpenForGuest(const std::string& name,
                             const std::string& guest) {
  const auto [user, session] = Split(name);
  OpenRequest request;
  request.name = {user, session};
  request.binding = {next_stream_++, 1};
  request.signal.emplace();
  request.guest = guest;
  const OpenOutcome outcome = engine_.Open(request, now());
  if (outcome.ok()) refs_[name] = outcome.ref;
  Settle();
}

void OneServer::CloseStream(const std::string& name) {
  const auto found = refs_.find(name);
  if (found != refs_.end()) engine_.Disconnect(found->second, now());
  Settle();
}

void OneServer::Watch(const std::string& name, v1::WatchPresenceRequest request,
                      Client client) {
  auto watching = std::make_unique<Watching>();
  auto& call = watching->call;
  watching->slow = client == Client::kSlow;
  if (client == Client::kFollowing) {
    watching->stream = std::make_shared<WatchStream>(parts_);
  } else {
    WatchOptions options;
    ASSERT_FALSE(
        DecodeWatch(request, limits::kMaxWatchedUsers, options).has_value());
    watching->stream = std::make_shared<WatchStream>(parts_, options);
  }
  call.Attach(watching->stream);
  watching->stream->Start(call);
  watching_[name] = std::move(watching);
  if (client == Client::kFollowing) {
    v1::FollowPresenceRequest first;
    v1::FollowPresenceRequest second;
    *first.mutable_watch() = std::move(request);
    auto& users = *first.mutable_watch()->mutable_users()->mutable_user_ids();
    if (first.watch().resume_token().empty()) {
      second.mutable_add()->add_user_ids(users.at(0));
      users.DeleteSubrange(0, 1);
    }
    ASSERT_TRUE(call.Send(first));
    Settle();
    if (second.has_add()) {
      ASSERT_TRUE(call.Send(second));
    }
  }
  Settle();
}

void OneServer::EndWatch(const std::string& name) {
  Watching& watching = *watching_.at(name);
  if (!watching.call.finished()) watching.call.Break();
  watching.call.Done();
  watching_.erase(name);
}

std::vector<std::string> OneServer::HeardBy(const std::string& name) {
  Watching& watching = *watching_.at(name);
  std::vector<std::string> heard;
  for (const grpc::ByteBuffer& bytes : watching.call.bytes()) {
    heard.push_back(Flat(bytes));
  }
  if (watching.call.finished()) {
    heard.push_back("error " + watching.call.status().error_details());
  }
  return heard;
}

std::string OneServer::TokenOf(const std::string& name) {
  std::string token;
  for (const auto& response : watching_.at(name)->call.responses()) {
    if (!response.resume_token().empty()) token = response.resume_token();
  }
  return token;
}

void OneServer::Await(const std::string& name,
                      const v1::AwaitPresenceRequest& request) {
  AwaitOptions options;
  ASSERT_FALSE(DecodeAwait(request, hours(1), options).has_value());
  const std::int64_t weight = options.weight;
  auto awaiting = std::make_unique<Awaiting>(weight);
  const auto await = std::make_shared<AwaitCall>(parts_, std::move(options),
                                                 *awaiting->quota.Take(weight));
  awaiting->call.Attach(await);
  await->Start(awaiting->call);
  awaiting_[name] = std::move(awaiting);
  Settle();
}

std::string OneServer::AnswerOf(const std::string& name) const {
  const auto& call = awaiting_.at(name)->call;
  if (!call.finished()) return "";
  if (call.bytes().empty()) return "error " + call.status().error_details();
  return Flat(call.bytes().front());
}

std::string OneServer::LookOnce(v1::AwaitPresenceRequest request) {
  request.mutable_wait();
  Await("once", request);
  std::string answer = AnswerOf("once");
  awaiting_.at("once")->call.Done();
  awaiting_.erase("once");
  return answer;
}

}  // namespace lifesign::testing
