// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/simulate/simulation.h"

#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/commands.h"
#include "client/cli/text/json_line.h"
#include "client/cli/text/watch_lines.h"
#include "client/cli/text/words.h"
#include "lifesign/client/channel.h"
#include "server/base/duration_text.h"

namespace lifesign::simulate {
namespace {

using cli::ExitCode;
using client::WatchEvent;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Between two looks at a table that moves, or two lines.
constexpr Duration kTableLook = milliseconds(200);
constexpr Duration kLineLook = seconds(1);
constexpr Duration kRateWindow = seconds(1);
constexpr Duration kSnapshotLook = milliseconds(20);
// For all goodbyes together.
constexpr Duration kGoodbye = seconds(2);
// Between two messages that the slow watcher reads; for it to catch up.
constexpr Duration kSlow = seconds(3);
constexpr Duration kCatchUp = seconds(5);
// What a watch takes.
constexpr std::size_t kMostUsers = 10000;

constexpr int kNameWidth = 10;
constexpr int kStateWidth = 7;
constexpr int kCauseWidth = 15;

void Say(const std::string& text) {
  std::fputs(absl::StrCat("lifesign: ", text, "\n").c_str(), stderr);
}

double SecondsOf(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// What the devices that hold a session are: "desktop web:2 mobile".
std::string DevicesOf(const Person& person) {
  std::map<v1::DeviceClass, int> devices;
  for (const StreamPlayer* player : person.players) {
    if (player->present()) ++devices[player->role().device];
  }
  return absl::StrJoin(devices, " ", [](std::string* out, const auto& device) {
    absl::StrAppend(out, cli::DeviceWord(device.first));
    if (device.second > 1) absl::StrAppend(out, ":", device.second);
  });
}

// "typing, tab hidden, phone in a tunnel".
std::string DoingOf(const Person& person) {
  return absl::StrJoin(person.players, ", ",
                       [](std::string* out, const StreamPlayer* player) {
                         out->append(DoingText(player->doing()));
                       });
}

}  // namespace

Simulation::Simulation(const cli::Settings& settings,
                       const cli::SimulateSettings& simulate)
    : settings_(settings),
      simulate_(simulate),
      table_(cli::StdoutIsTerminal() && !settings.json) {}

ExitCode Simulation::Run() {
  ExitCode result = LearnPace();
  if (result != cli::kExitOk) return result;
  stopwatch_ = Stopwatch();
  fleet_ =
      std::make_unique<Fleet>(settings_, simulate_, unit_, ledger_, stopwatch_);
  for (const Person& person : fleet_->people()) {
    people_[person.name] = &person;
  }
  result = StartWatchers();
  if (result != cli::kExitOk) return result;
  Play();
  return Finish();
}

ExitCode Simulation::LearnPace() {
  const Role first = CastPeople(1, simulate_.seed).front();
  v1::SendSignalRequest request;
  request.set_tenant(settings_.tenant);
  request.set_user_id(first.user);
  request.set_session_id(first.session);
  request.mutable_open()->set_device_class(first.device);
  request.mutable_open()->set_instance(FirstInstance(simulate_.seed, 0));
  request.set_kind(v1::SIGNAL_KIND_ACTIVE);
  v1::SendSignalResponse response;
  const client::Error error =
      server_.Call(&v1::PresenceService::Stub::SendSignal, request, &response);
  if (!error.ok()) return cli::Report(settings_, error);
  unit_ = absl::ToChronoMicroseconds(cli::DurationOf(response.next_interval()));
  if (unit_ <= Duration::zero()) {
    Say("the server promised no interval");
    return cli::kExitFault;
  }
  Say(absl::StrCat("promised a beat every ", FormatDuration(unit_),
                   "; that is the pace"));
  return cli::kExitOk;
}

ExitCode Simulation::StartWatchers() {
  const std::vector<std::string> users = fleet_->Users();
  if (users.size() > kMostUsers) {
    Say(absl::StrCat(users.size(), " users; a watch takes ", kMostUsers));
    return cli::kExitUsage;
  }
  const auto channel = client::MakeChannel(settings_.target);
  for (int i = 0; i < simulate_.watchers; ++i) {
    client::WatchOptions options;
    options.tenant = settings_.tenant;
    options.user_ids = users;
    options.on_response = [this](const v1::WatchPresenceResponse& response) {
      ledger_.Received(response, stopwatch_.Elapsed());
    };
    // All count; one is looked at.
    const bool looked_at = i == 0;
    options.on_event = [this, looked_at](const WatchEvent& event) {
      if (looked_at && event.kind == WatchEvent::Kind::kChange) {
        changes_.Push(event.change);
      }
    };
    auto watcher = client::Watcher::Start(channel, std::move(options));
    if (!watcher.ok()) {
      Say(std::string(watcher.status().message()));
      return cli::kExitUsage;
    }
    watchers_.push_back(std::move(*watcher));
  }
  const ExitCode result = StartOtherWatchers();
  return result == cli::kExitOk ? AwaitSnapshots() : result;
}

ExitCode Simulation::StartOtherWatchers() {
  const auto channel = client::MakeChannel(settings_.target);
  for (const std::string& room : Rooms()) {
    client::WatchOptions options;
    options.tenant = settings_.tenant;
    options.room_id = room;
    options.occupancy = true;
    // What is told is read off the watcher.
    options.on_event = [](const WatchEvent&) {};
    auto watcher = client::Watcher::Start(channel, std::move(options));
    if (!watcher.ok()) {
      Say(std::string(watcher.status().message()));
      return cli::kExitUsage;
    }
    room_watchers_.push_back(std::move(*watcher));
  }
  slow_watcher_ = std::make_unique<SlowWatcher>(
      client::MakeChannel(settings_.target), settings_.tenant, kSlow);
  return cli::kExitOk;
}

ExitCode Simulation::AwaitSnapshots() {
  const Duration until = stopwatch_.Elapsed() + settings_.timeout;
  const auto waiting = [this] {
    return std::find_if(
        watchers_.begin(), watchers_.end(),
        [](const auto& watcher) { return !watcher->status().synced; });
  };
  for (auto late = waiting(); late != watchers_.end(); late = waiting()) {
    if (stopwatch_.Elapsed() >= until) {
      return cli::ReportNoAnswer(settings_, (*late)->status().last_error);
    }
    Wait(stopwatch_.Elapsed() + kSnapshotLook);
    if (interrupted_) return cli::kExitOk;
  }
  return cli::kExitOk;
}

void Simulation::Wait(Duration next_look) {
  const Duration now = stopwatch_.Elapsed();
  const Duration wait = std::max(next_look - now, Duration::zero());
  pollfd fds[] = {{interrupts_.fd(), POLLIN, 0}, {changes_.fd(), POLLIN, 0}};
  poll(fds, std::size(fds),
       static_cast<int>(std::chrono::ceil<milliseconds>(wait).count()));
  interrupted_ |= interrupts_.Take() != 0;
}

bool Simulation::Over() const {
  return interrupted_ || unread_ ||
         (simulate_.seconds > 0 &&
          stopwatch_.Elapsed() >= seconds(simulate_.seconds));
}

void Simulation::Play() {
  absl::optional<cli::AlternateScreen> screen;
  if (table_) screen.emplace();
  const Duration between = table_ ? kTableLook : kLineLook;
  Duration next_look = Duration::zero();
  while (!Over()) {
    fleet_->Play();
    TakeChanges();
    const Duration now = stopwatch_.Elapsed();
    if (now >= next_look) {
      const Figures current = figures();
      Sample(current);
      if (screen.has_value()) {
        screen->Show(Table(PictureOf(current), cli::SizeOfScreen(), palette_));
      } else {
        Look(current);
      }
      next_look = now + between;
    }
    Duration next = std::min(next_look, fleet_->due());
    if (simulate_.seconds > 0) {
      next = std::min<Duration>(next, seconds(simulate_.seconds));
    }
    Wait(next);
  }
}

void Simulation::TakeChanges() {
  for (const client::PresenceChange& change : changes_.TakeAll()) {
    known_[change.after.user_id()] = change.after;
    if (!table_ && change.before.has_value()) PrintChange(change);
  }
}

void Simulation::PrintChange(const client::PresenceChange& change) {
  std::string line;
  if (settings_.json) {
    line = cli::WatchLines({}).Json(change);
  } else {
    const auto found = people_.find(change.after.user_id());
    // Of a gateway's clients there are too many.
    if (found == people_.end()) return;
    line = absl::StrFormat(
        "%6.1f s  %s %s -> %s %s %s\n", SecondsOf(stopwatch_.Elapsed()),
        cli::Padded(change.after.user_id(), kNameWidth),
        cli::Padded(cli::StateWord(change.before->state()), kStateWidth),
        palette_.State(
            change.after.state(),
            cli::Padded(cli::StateWord(change.after.state()), kStateWidth)),
        cli::Padded(cli::CauseWords(change.after.cause()), kCauseWidth),
        DoingOf(*found->second));
  }
  unread_ |= !cli::WriteOut(line);
}

Figures Simulation::figures() const {
  const Fleet::Totals fleet = fleet_->totals();
  const Ledger::Totals told = ledger_.totals();
  return {fleet.users,
          fleet.sessions,
          fleet.signals,
          told.changes,
          static_cast<int>(watchers_.size()),
          told.false_offline};
}

void Simulation::Sample(const Figures& current) {
  const Duration now = stopwatch_.Elapsed();
  if (now - before_.at < kRateWindow) return;
  const double span = SecondsOf(now - before_.at);
  signals_per_second_ =
      static_cast<double>(current.signals - before_.signals) / span;
  changes_per_second_ =
      static_cast<double>(current.changes - before_.changes) / span;
  before_ = {now, current.signals, current.changes};
}

void Simulation::Look(const Figures& current) {
  if (settings_.json) {
    unread_ |= !cli::WriteOut(current.Json("figures") + "\n");
    return;
  }
  const Picture picture = PictureOf(current);
  const std::string time =
      absl::StrFormat("%6.1f s  ", SecondsOf(stopwatch_.Elapsed()));
  unread_ |= !cli::WriteOut(absl::StrCat(
      time,
      absl::StrFormat("signals sent %d (%.0f/s), changes received %d (%.1f/s), "
                      "suppressed %d, false offline %d\n",
                      current.signals, signals_per_second_, current.changes,
                      changes_per_second_, current.suppressed(),
                      current.false_offline),
      time, "rooms: ", RoomsText(picture.rooms), "\n",  //
      time, SlowText(picture), "\n"));
}

std::vector<RoomRow> Simulation::RoomRows() const {
  std::vector<RoomRow> rows;
  for (const auto& watcher : room_watchers_) {
    const auto occupancy = watcher->occupancy();
    if (!occupancy.has_value()) continue;
    RoomRow row = {occupancy->room_id(), occupancy->users(), 0};
    for (const v1::UserCount& count : occupancy->user_counts()) {
      if (count.state() == v1::PRESENCE_STATE_ACTIVE)
        row.active = count.users();
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

bool Simulation::SlowWatcherCatchesUp() {
  const Duration until = stopwatch_.Elapsed() + kCatchUp;
  const SlowWatcher::Totals before = slow_watcher_->totals();
  const Duration began = stopwatch_.Elapsed();
  // What is true goes on changing meanwhile.
  bool caught_up = false;
  while (!caught_up && stopwatch_.Elapsed() < until) {
    TakeChanges();
    SlowWatcher::States truth;
    for (const auto& [user, record] : known_) truth[user] = record.state();
    caught_up = slow_watcher_->CatchUp(truth, kSnapshotLook);
  }
  if (!caught_up) {
    Say("the watcher that hardly read did not catch up");
  } else if (!settings_.json) {
    cli::WriteOut(absl::StrFormat(
        "%6.1f s  the watcher that hardly read caught up with everybody: %d "
        "records more, in %s\n",
        SecondsOf(stopwatch_.Elapsed()),
        slow_watcher_->totals().records - before.records,
        FormatDuration(
            std::chrono::ceil<milliseconds>(stopwatch_.Elapsed() - began))));
  }
  return caught_up;
}

std::string Simulation::Title() const {
  std::string time = absl::StrFormat("%.1f s", SecondsOf(stopwatch_.Elapsed()));
  if (simulate_.seconds > 0) {
    absl::StrAppend(&time, " of ", simulate_.seconds);
  }
  return absl::StrCat("lifesign simulate  ", settings_.target, "  ", time,
                      "  seed ", simulate_.seed, "  a beat every ",
                      FormatDuration(unit_), "  Ctrl-C ends");
}

PersonRow Simulation::RowOf(const Person& person, absl::Time now) const {
  PersonRow row;
  row.name = person.name;
  row.devices = DevicesOf(person);
  row.doing = DoingOf(person);
  const auto found = known_.find(person.name);
  if (found == known_.end()) return row;
  const v1::PresenceRecord& record = found->second;
  row.state = record.state();
  row.cause = record.cause();
  row.since = record.has_since() ? std::max(now - cli::TimeOf(record.since()),
                                            absl::ZeroDuration())
                                 : absl::FromChrono(stopwatch_.Elapsed());
  return row;
}

Picture Simulation::PictureOf(const Figures& current) const {
  Picture picture;
  picture.title = Title();
  picture.figures = current;
  picture.signals_per_second = signals_per_second_;
  picture.changes_per_second = changes_per_second_;
  picture.rooms = RoomRows();
  const SlowWatcher::Totals slow = slow_watcher_->totals();
  picture.slow_messages = slow.messages;
  picture.slow_records = slow.records;
  picture.delay_p99 = absl::FromChrono(ledger_.delay_p99());
  picture.groups = {{"people", {}}, {"gateways", {}}};
  for (const auto& [user, record] : known_) {
    const std::size_t group = people_.contains(user) ? 0 : 1;
    if (v1::PresenceState_IsValid(record.state())) {
      ++picture.groups[group].users[record.state()];
    }
  }
  const absl::Time now =
      watchers_.front()->status().server_now.value_or(absl::Now());
  for (const Person& person : fleet_->people()) {
    picture.people.push_back(RowOf(person, now));
  }
  return picture;
}

ExitCode Simulation::Finish() {
  TakeChanges();
  const Figures final_figures = figures();
  const bool watched =
      std::any_of(watchers_.begin(), watchers_.end(), [](const auto& watcher) {
        return watcher->status().link == client::Link::kConnected;
      });
  for (const std::string& user : ledger_.falsely_offline()) {
    Say(absl::StrCat(user, " was told OFFLINE while alive and beating"));
  }
  const bool caught_up = !watched || SlowWatcherCatchesUp();
  fleet_->Leave(kGoodbye);
  const std::string line =
      settings_.json ? final_figures.Json("run") : final_figures.Line();
  cli::WriteOut(line + "\n");
  if (final_figures.false_offline > 0 || !caught_up) {
    return cli::kExitNegative;
  }
  if (!watched) {
    Say(absl::StrCat("lost the server at ", settings_.target));
    return cli::kExitUnreachable;
  }
  return cli::kExitOk;
}

}  // namespace lifesign::simulate

namespace lifesign::cli {

ExitCode Simulate(const Settings& settings, const SimulateSettings& simulate) {
  return simulate::Simulation(settings, simulate).Run();
}

}  // namespace lifesign::cli
