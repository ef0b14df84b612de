// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/testing/presence_story.h"

#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ostream>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace lifesign {
namespace {

constexpr Duration kTick = milliseconds(100);
// Ticks fall between the round tenths at which stories happen.
constexpr Duration kTickPhase = milliseconds(37);

const char* Word(State state) {
  static constexpr const char* kWords[] = {"ACTIVE", "IDLE", "AWAY", "STALE",
                                           "OFFLINE"};
  return kWords[static_cast<std::size_t>(state)];
}

const char* Word(Cause cause) {
  static constexpr const char* kWords[] = {
      "NONE",  "SIGNAL",        "DECAY",       "EXPIRY",
      "LEAVE", "RECONVERGENCE", "AVAILABILITY"};
  return kWords[static_cast<std::size_t>(cause)];
}

std::string Text(const Event& event) {
  return absl::StrCat(Word(event.change.before), "→",
                      Word(event.change.after.state), " ",
                      Word(event.change.after.cause));
}

const char* Word(AvailabilityKind kind) {
  static constexpr const char* kWords[] = {"AVAILABLE", "BUSY",
                                           "DO_NOT_DISTURB", "INVISIBLE"};
  return kWords[static_cast<std::size_t>(kind)];
}

Duration Micros(double seconds) {
  return Duration(std::llround(seconds * 1e6));
}

double Seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

class ToldMatcher {
 public:
  using is_gtest_matcher = void;

  explicit ToldMatcher(const std::string& text) : whole_(text) {
    const std::vector<std::string> parts = absl::StrSplit(text, " @");
    text_ = parts.at(0);
    const std::vector<std::string> when = absl::StrSplit(parts.at(1), ' ');
    const bool read = absl::SimpleAtod(when.at(0), &at_);
    assert(read);
    static_cast<void>(read);
    by_tick_ = when.size() > 1 || text_.find(" DECAY") != std::string::npos ||
               text_.find(" EXPIRY") != std::string::npos;
  }

  bool MatchAndExplain(const Event& event, std::ostream*) const {
    const double late = event.at - at_;
    constexpr double kMicrosecond = 1e-6;
    return Text(event) == text_ && late > -kMicrosecond / 2 &&
           late < (by_tick_ ? Seconds(kTick) : 0) + kMicrosecond / 2;
  }
  void DescribeTo(std::ostream* out) const { *out << "is " << whole_; }
  void DescribeNegationTo(std::ostream* out) const {
    *out << "is not " << whole_;
  }

 private:
  std::string whole_;
  std::string text_;
  double at_ = 0;
  bool by_tick_ = false;
};

}  // namespace

void PrintTo(const Event& event, std::ostream* out) {
  *out << Text(event) << " @" << event.at;
}

::testing::Matcher<const Event&> Told(const std::string& text) {
  return ToldMatcher(text);
}

std::vector<::testing::Matcher<const Event&>> Tells(
    const std::vector<std::string>& texts) {
  std::vector<::testing::Matcher<const Event&>> matchers;
  for (const std::string& text : texts) matchers.push_back(Told(text));
  return matchers;
}

PresenceStory::PresenceStory() {
  PresenceEngine::Options options;
  options.shards = 4;
  Begin(std::move(options));
}

void PresenceStory::Begin(PresenceEngine::Options options) {
  real_ = RealTime(seconds(7'000));
  wall_ = WallTime(seconds(1'767'225'600));
  clock_ = std::make_unique<PresenceClock>(real_);
  start_ = {clock_->At(real_), real_, wall_};
  next_tick_ = real_ + kTickPhase;
  options.epoch = static_cast<Revision>(wall_.time_since_epoch().count());
  engine_ = std::make_unique<PresenceEngine>(std::move(options), start_);
  WatchTerms terms;
  terms.mailbox_bytes = SIZE_MAX;
  watch_ = std::make_shared<Watch>(std::weak_ptr<WatchListener>(), terms);
  terms.view = View::kTrue;
  true_watch_ = std::make_shared<Watch>(std::weak_ptr<WatchListener>(), terms);
  watched_.clear();
  events_.clear();
  true_events_.clear();
  clients_.clear();
}

void PresenceStory::BeginWith(const Policy& policy) {
  PresenceEngine::Options options;
  options.policy = policy;
  Begin(std::move(options));
}

Now PresenceStory::now() const { return {clock_->At(real_), real_, wall_}; }

double PresenceStory::second() const {
  return Seconds(now().presence - start_.presence);
}

TickReport PresenceStory::Tick() {
  const bool whole = clock_->Tick(real_);
  if (whole) last_tick_ = engine_->Tick(now());
  Publish();
  return last_tick_;
}

void PresenceStory::At(double second) {
  const Duration by = Micros(second) - (now().presence - start_.presence);
  ASSERT_GE(by.count(), 0) << "a story does not run backwards";
  const RealTime until = real_ + by;
  for (; next_tick_ <= until; next_tick_ += kTick) {
    wall_ += next_tick_ - real_;
    real_ = next_tick_;
    Tick();
  }
  wall_ += until - real_;
  real_ = until;
}

void PresenceStory::JumpTo(double second) {
  const RealTime until =
      real_ + Micros(second) - (now().presence - start_.presence);
  // The clock still hears of every tick; the engine does not.
  for (; next_tick_ <= until; next_tick_ += kTick) clock_->Tick(next_tick_);
  wall_ += until - real_;
  real_ = until;
}

void PresenceStory::Freeze(double length) {
  real_ += Micros(length);
  wall_ += Micros(length);
  while (next_tick_ <= real_) next_tick_ += kTick;
}

void PresenceStory::JumpWall(double by) { wall_ += Micros(by); }

std::pair<std::string, std::string> PresenceStory::Split(
    const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  return {parts.at(0), parts.at(1)};
}

void PresenceStory::WatchUser(const std::string& user) {
  if (!watched_.insert(user).second) return;
  for (const auto& watch : {watch_, true_watch_}) {
    engine_->CopyAndRegister(watch, std::vector<std::string>{user}, now());
  }
}

void PresenceStory::Publish() {
  engine_->Publish(now(), [this](const Change& change, Detail detail) {
    const std::string& user = change.after.user;
    if (detail == Detail::kState && Includes(change.audience, View::kPublic)) {
      events_[user].push_back({second(), change});
    }
    if (detail == Detail::kState && Includes(change.audience, View::kTrue)) {
      true_events_[user].push_back({second(), change});
    }
    return std::shared_ptr<const void>();
  });
}

Client PresenceStory::Open(const std::string& name, const Opening& how) {
  Client client;
  std::tie(client.user, client.session) = Split(name);
  WatchUser(client.user);
  OpenRequest request;
  request.name = {client.user, client.session};
  if (!how.unary) request.binding = {next_stream_++, 1};
  request.instance = how.instance;
  request.device = how.device;
  request.metadata = how.metadata;
  request.guest = how.guest;
  std::vector<absl::string_view> rooms;
  if (how.rooms.has_value()) {
    rooms.assign(how.rooms->begin(), how.rooms->end());
    request.rooms = &rooms;
  }
  if (how.with.has_value()) {
    Signal signal;
    signal.kind = *how.with;
    signal.idle_for = how.idle_for;
    request.signal = signal;
  }
  if (how.declaring.has_value()) request.availability = &*how.declaring;
  request.replaces_availability = how.in_any_case;
  client.opened = engine_->Open(request, now());
  Publish();
  if (client.opened.ok()) clients_[name] = client;
  return client;
}

Client PresenceStory::Login(const std::string& name, Opening how) {
  how.with = SignalKind::kActive;
  return Open(name, how);
}

SignalOutcome PresenceStory::Send(const std::string& name, SignalKind kind,
                                  absl::optional<Duration> idle_for) {
  Signal signal;
  signal.kind = kind;
  signal.idle_for = idle_for;
  return Apply(clients_.at(name), signal);
}

SignalOutcome PresenceStory::Leave(const std::string& name, Duration linger) {
  Signal signal;
  signal.kind = SignalKind::kLeave;
  signal.linger = linger;
  return Apply(clients_.at(name), signal);
}

SignalOutcome PresenceStory::ChangeRooms(
    const std::string& name, SignalKind kind,
    const std::vector<std::string>& join,
    const std::vector<std::string>& leave) {
  Signal signal;
  signal.kind = kind;
  RoomChange rooms;
  rooms.join.assign(join.begin(), join.end());
  rooms.leave.assign(leave.begin(), leave.end());
  Declaration declaration;
  declaration.rooms = &rooms;
  const SignalOutcome outcome = engine_->ApplyDeclaring(
      clients_.at(name).opened.ref, signal, declaration, now());
  Publish();
  return outcome;
}

SignalOutcome PresenceStory::Want(const std::string& name,
                                  const std::string& target,
                                  const std::string& room,
                                  Duration expires_in) {
  const IntentDeclaration intent = {room, target, expires_in};
  Declaration declaration;
  declaration.intents = {&intent, 1};
  const SignalOutcome outcome = engine_->ApplyDeclaring(
      clients_.at(name).opened.ref, Signal{}, declaration, now());
  Publish();
  return outcome;
}

SignalOutcome PresenceStory::Declare(const std::string& name,
                                     const AvailabilityDeclaration& said,
                                     SignalKind with) {
  Signal signal;
  signal.kind = with;
  Declaration declaration;
  declaration.availability = &said;
  const SignalOutcome outcome = engine_->ApplyDeclaring(
      clients_.at(name).opened.ref, signal, declaration, now());
  Publish();
  return outcome;
}

Refusal PresenceStory::DeclareAlone(const std::string& user,
                                    const AvailabilityDeclaration& said) {
  WatchUser(user);
  const Refusal refusal = engine_->Declare(user, said, now());
  Publish();
  return refusal;
}

SignalOutcome PresenceStory::SendBy(const Client& client, SignalKind kind) {
  Signal signal;
  signal.kind = kind;
  return Apply(client, signal);
}

SignalOutcome PresenceStory::Apply(const Client& client, const Signal& signal) {
  const SignalOutcome outcome =
      engine_->Apply(client.opened.ref, signal, now());
  Publish();
  return outcome;
}

SignalOutcome PresenceStory::Unary(const std::string& name,
                                   Attachment attachment, SignalKind kind) {
  const auto [user, session] = Split(name);
  WatchUser(user);
  Signal signal;
  signal.kind = kind;
  const SignalOutcome outcome =
      engine_->ApplyUnary({user, session}, attachment, signal, now());
  Publish();
  return outcome;
}

void PresenceStory::CloseStream(const std::string& name) {
  CloseStreamOf(clients_.at(name));
}

void PresenceStory::CloseStreamOf(const Client& client) {
  engine_->Disconnect(client.opened.ref, now());
  Publish();
}

void PresenceStory::Beat(const std::string& name, double every, double until) {
  const double first = second();
  for (int i = 1; first + i * every <= until + 1e-9; ++i) {
    At(first + i * every);
    Active(name);
  }
}

UserView PresenceStory::User(const std::string& user, View view) {
  UserView read = engine_->GetUser(user, now(), view);
  Publish();
  return read;
}

SessionView PresenceStory::Session(const std::string& name) {
  const auto [user, session] = Split(name);
  for (SessionView& view : engine_->ListSessions(user, now())) {
    if (view.session == session) return std::move(view);
  }
  ADD_FAILURE() << name << " is not open";
  return SessionView{};
}

std::size_t PresenceStory::SessionsOf(const std::string& user) {
  return engine_->ListSessions(user, now()).size();
}

Occupancy PresenceStory::In(const std::string& room, View view) {
  return engine_->GetOccupancy(room, now(), view);
}

std::vector<std::string> PresenceStory::NamesOf(const PresencePage& page) {
  std::vector<std::string> names;
  for (const UserView& user : page.users) names.push_back(user.record.user);
  return names;
}

std::vector<std::string> PresenceStory::List(const ListFilter& filter,
                                             std::size_t page_size) {
  std::vector<std::string> all;
  absl::optional<ListPlace> from;
  do {
    const PresencePage page = engine().List(filter, from, page_size, now());
    EXPECT_LE(page.users.size(), page_size);
    for (const std::string& name : NamesOf(page)) all.push_back(name);
    from = page.next;
  } while (from.has_value());
  return all;
}

std::string PresenceStory::AvailabilityOf(const std::string& user) {
  return Text(User(user).record.availability);
}

std::string PresenceStory::Text(const AvailabilityViewPtr& view) const {
  if (view == nullptr) return "AVAILABLE";
  std::string text = Word(view->kind);
  if (!view->text.empty()) absl::StrAppend(&text, " '", view->text, "'");
  if (view->expires_at.has_value()) {
    absl::StrAppend(&text, " until ", OnTheWall(view->expires_at));
  }
  return text;
}

RoomExplanation PresenceStory::Explained(const std::string& user,
                                         const std::string& room) {
  return *engine_->Explain(user, now(), room).room;
}

std::vector<std::string> PresenceStory::WhoWants(const std::string& target,
                                                 const std::string& room,
                                                 View view) {
  std::vector<std::string> users;
  for (const IntentView& one :
       engine_->IntentsTowards(room, target, now(), view)) {
    users.push_back(one.from);
  }
  return users;
}

double PresenceStory::OnTheWall(absl::optional<WallTime> time) const {
  return time.has_value() ? Seconds(*time - start_.wall)
                          : std::numeric_limits<double>::quiet_NaN();
}

const std::vector<Event>& PresenceStory::EventsOf(const std::string& user) {
  Publish();
  return events_[user];
}

const std::vector<Event>& PresenceStory::TrueEventsOf(const std::string& user) {
  Publish();
  return true_events_[user];
}

}  // namespace lifesign
