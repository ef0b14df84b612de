// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Tells a story to the engine, on simulated time, and writes down what its
// watchers are told of it. For tests of what needs no transport.
#ifndef LIFESIGN_TESTS_TESTING_PRESENCE_STORY_H_
#define LIFESIGN_TESTS_TESTING_PRESENCE_STORY_H_

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/presence_clock.h"
#include "server/core/presence_engine.h"
#include "server/core/query/list.h"

namespace lifesign {

// An event that a watcher of one user was told.
struct Event {
  double at;  // seconds since the start, on the presence clock
  Change change;
};
void PrintTo(const Event& event, std::ostream* out);

// Matches an Event written as in the list of cases, "ACTIVE→IDLE DECAY @15".
// What depends on a tick (DECAY, EXPIRY, or marked "(a tick)") may come up to
// one tick later; everything else comes at its instant.
::testing::Matcher<const Event&> Told(const std::string& text);

// "OFFLINE→ACTIVE SIGNAL @0" and what else is written.
std::vector<::testing::Matcher<const Event&>> Tells(
    const std::vector<std::string>& texts);

// A session as its client knows it.
struct Client {
  std::string user;
  std::string session;
  OpenOutcome opened;
};

// How a session is opened.
struct Opening {
  absl::optional<SignalKind> with = absl::nullopt;
  absl::optional<Duration> idle_for = absl::nullopt;
  Instance instance = 1;
  absl::optional<DeviceClass> device = absl::nullopt;
  bool unary = false;
  const Metadata* metadata = nullptr;
  absl::optional<std::vector<std::string>> rooms = absl::nullopt;
  // The user that the session was of until now.
  std::string guest = {};
  absl::optional<AvailabilityDeclaration> declaring = absl::nullopt;
  bool in_any_case = false;  // replaces what the server holds
};

// Names are written "user/session".
class PresenceStory : public ::testing::Test {
 protected:
  PresenceStory();

  // Starts over with other options; before anything else.
  void Begin(PresenceEngine::Options options);
  void BeginWith(const Policy& policy);

  // --- Time: seconds since the start ---

  // Lets time go by, with a tick every 100 ms, to `second`.
  void At(double second);
  // Likewise, without ticks.
  void JumpTo(double second);
  // The process stands still for so long: real time goes by, nothing runs.
  void Freeze(double length);
  void JumpWall(double by);
  Now now() const;
  double second() const;
  TickReport Tick();
  const TickReport& last_tick() const { return last_tick_; }

  // --- What clients do, now ---

  Client Open(const std::string& name, const Opening& how);
  Client Open(const std::string& name) { return Open(name, Opening()); }
  // An open that carries ACTIVE.
  Client Login(const std::string& name, Opening how = Opening());
  // By the stream of the session's newest opening.
  SignalOutcome Send(const std::string& name, SignalKind kind,
                     absl::optional<Duration> idle_for = absl::nullopt);
  SignalOutcome Active(const std::string& name) {
    return Send(name, SignalKind::kActive);
  }
  SignalOutcome Leave(const std::string& name, Duration linger = Duration(0));
  // Likewise, leaving and joining rooms.
  SignalOutcome ChangeRooms(const std::string& name, SignalKind kind,
                            const std::vector<std::string>& join,
                            const std::vector<std::string>& leave);
  SignalOutcome Join(const std::string& name, const std::string& room) {
    return ChangeRooms(name, SignalKind::kActive, {room}, {});
  }
  SignalOutcome LeaveRoom(const std::string& name, const std::string& room) {
    return ChangeRooms(name, SignalKind::kActive, {}, {room});
  }
  // Likewise: the user wants to reach another one.
  SignalOutcome Want(const std::string& name, const std::string& target,
                     const std::string& room, Duration expires_in);
  // An ACTIVE that declares something.
  SignalOutcome Declare(const std::string& name,
                        const AvailabilityDeclaration& said,
                        SignalKind with = SignalKind::kActive);
  // The word of a user for whom no session speaks.
  Refusal DeclareAlone(const std::string& user,
                       const AvailabilityDeclaration& said);
  // By the stream of an older opening.
  SignalOutcome SendBy(const Client& client, SignalKind kind);
  SignalOutcome Unary(const std::string& name, Attachment attachment,
                      SignalKind kind);
  // The stream of the session's newest opening, or of `client`, closes.
  void CloseStream(const std::string& name);
  void CloseStreamOf(const Client& client);
  // ACTIVE every `every` seconds, from now + every up to `until`.
  void Beat(const std::string& name, double every, double until);

  // --- What is seen ---

  UserView User(const std::string& user, View view = View::kPublic);
  State StateOf(const std::string& user) { return User(user).record.state; }
  SessionView Session(const std::string& name);
  std::size_t SessionsOf(const std::string& user);
  Occupancy In(const std::string& room, View view = View::kPublic);
  // Whether and why they are there.
  RoomExplanation Explained(const std::string& user, const std::string& room);
  // Who wants to reach them there.
  std::vector<std::string> WhoWants(const std::string& target,
                                    const std::string& room,
                                    View view = View::kPublic);
  // Whom a page names, in its order; and a whole listing, page by page.
  static std::vector<std::string> NamesOf(const PresencePage& page);
  std::vector<std::string> List(const ListFilter& filter,
                                std::size_t page_size = 100);
  // What others are told: "AVAILABLE", "BUSY 'at lunch' until 90".
  std::string AvailabilityOf(const std::string& user);
  std::string Text(const AvailabilityViewPtr& view) const;
  // Seconds since the start, of a time on the wall.
  double OnTheWall(absl::optional<WallTime> time) const;
  // What a watcher from the start has been told of `user`; and one who sees
  // through. A test that watches rooms besides does so with Detail::kDevices:
  // theirs are not among these.
  const std::vector<Event>& EventsOf(const std::string& user);
  const std::vector<Event>& TrueEventsOf(const std::string& user);

  PresenceEngine& engine() { return *engine_; }

 private:
  static std::pair<std::string, std::string> Split(const std::string& name);
  SignalOutcome Apply(const Client& client, const Signal& signal);
  void WatchUser(const std::string& user);
  void Publish();

  Now start_;
  RealTime real_;
  WallTime wall_;
  std::unique_ptr<PresenceClock> clock_;
  std::unique_ptr<PresenceEngine> engine_;
  std::shared_ptr<Watch> watch_;
  std::shared_ptr<Watch> true_watch_;
  std::set<std::string> watched_;
  std::map<std::string, std::vector<Event>> events_;
  std::map<std::string, std::vector<Event>> true_events_;
  std::map<std::string, Client> clients_;
  RealTime next_tick_;
  TickReport last_tick_;
  std::uint64_t next_stream_ = 1;
};

}  // namespace lifesign

#endif  // LIFESIGN_TESTS_TESTING_PRESENCE_STORY_H_
