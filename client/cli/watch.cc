// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/cli/calls.h"
#include "client/cli/commands.h"
#include "client/cli/terminal/event_queue.h"
#include "client/cli/terminal/interrupts.h"
#include "client/cli/terminal/terminal.h"
#include "client/cli/text/json_line.h"
#include "client/cli/text/occupancy_text.h"
#include "client/cli/text/watch_lines.h"
#include "client/cli/text/words.h"
#include "lifesign/client/watcher.h"

namespace lifesign::cli {
namespace {

using client::Link;
using client::WatchEvent;
using Steady = std::chrono::steady_clock;

// How often the link is looked at, while no event says anything of it.
constexpr int kLookMs = 200;

// What the file holds; empty if there is none.
std::string ReadToken(const std::string& file) {
  std::ifstream in(file);
  std::string text;
  std::getline(in, text);
  std::string token;
  return absl::Base64Unescape(text, &token) ? token : "";
}

// As a whole or not at all.
bool WriteToken(const std::string& file, const std::string& token) {
  const std::string written = absl::StrCat(file, ".new");
  {
    std::ofstream out(written);
    out << absl::Base64Escape(token) << "\n";
    if (!out.flush()) return false;
  }
  return std::rename(written.c_str(), file.c_str()) == 0;
}

class WatchLoop {
 public:
  WatchLoop(const Settings& settings, const WatchSettings& watch)
      : settings_(settings), watch_(watch), lines_(watch.users) {}

  ExitCode Run() {
    client::WatchOptions options;
    options.tenant = settings_.tenant;
    options.user_ids = watch_.users;
    options.all_users = watch_.all;
    options.room_id = watch_.room;
    options.occupancy = watch_.occupancy;
    options.states = watch_.states;
    if (watch_.devices) options.detail = v1::WATCH_DETAIL_DEVICES;
    if (!watch_.resume_file.empty()) {
      options.resume_token = ReadToken(watch_.resume_file);
    }
    options.see_through = settings_.see_through;
    options.on_event = [this](const WatchEvent& event) { events_.Push(event); };
    auto started = client::Watcher::Start(server_.channel(), options);
    if (!started.ok()) {
      std::fputs(
          absl::StrCat("lifesign: ", started.status().message(), "\n").c_str(),
          stderr);
      return kExitUsage;
    }
    watcher_ = std::move(*started);
    while (!result_.has_value()) Step();
    return KeepToken() ? *result_ : kExitUsage;
  }

 private:
  // Waits for something to happen, and deals with it.
  void Step() {
    pollfd fds[] = {{interrupts_.fd(), POLLIN, 0}, {events_.fd(), POLLIN, 0}};
    poll(fds, std::size(fds), kLookMs);
    if (interrupts_.Take() != 0) {
      result_ = kExitOk;
      return;
    }
    const client::WatchStatus status = watcher_->status();
    for (const WatchEvent& event : events_.TakeAll()) {
      if (!result_.has_value()) Tell(event, status);
    }
    if (result_.has_value()) return;
    LookAtLink(status);
    const auto age = Steady::now() - started_;
    if (watch_.for_duration > Duration::zero() && age >= watch_.for_duration) {
      result_ = kExitOk;
    }
  }

  // For the next run. False if it cannot be.
  bool KeepToken() {
    if (watch_.resume_file.empty()) return true;
    const std::string token = watcher_->resume_token();
    if (token.empty() || WriteToken(watch_.resume_file, token)) return true;
    std::fputs(absl::StrCat("lifesign: cannot write ", watch_.resume_file, "\n")
                   .c_str(),
               stderr);
    return false;
  }

  void Tell(const WatchEvent& event, const client::WatchStatus& status) {
    const absl::Time now = status.server_now.value_or(absl::Now());
    bool taken = true;
    switch (event.kind) {
      case WatchEvent::Kind::kChange:
        taken = WriteOut(settings_.json
                             ? lines_.Json(event.change)
                             : lines_.Text(event.change, now, zone_, palette_));
        if (synced_ && ++changes_ == watch_.count) result_ = kExitOk;
        break;
      case WatchEvent::Kind::kSynced:
        synced_ = true;
        if (settings_.json) taken = Event("synced");
        break;
      case WatchEvent::Kind::kStale:
        taken = Note("stale",
                     "nothing heard for long: what is above may be "
                     "old");
        break;
      case WatchEvent::Kind::kFresh:
        taken = Note("fresh", "heard again: what is above holds");
        break;
      case WatchEvent::Kind::kRefused:
        break;  // Nobody is added.
      case WatchEvent::Kind::kEnded:
        result_ = Report(settings_, event.error);
        break;
      case WatchEvent::Kind::kOccupancy:
        taken = WriteOut(
            settings_.json
                ? OccupancyJson(event.occupancy)
                : absl::StrCat(Clock(now, now, zone_), "  ",
                               OccupancyLine(event.occupancy, palette_)));
        if (synced_ && ++changes_ == watch_.count) result_ = kExitOk;
        break;
    }
    // Whoever read has gone, as `head` does.
    if (!taken) result_ = kExitOk;
  }

  // Says when the link is lost, once each time; gives up if there never was
  // one.
  void LookAtLink(const client::WatchStatus& status) {
    const bool lost = status.link == Link::kWaiting;
    if (!synced_) {
      if (lost || Steady::now() - started_ >= settings_.timeout) {
        result_ = ReportNoAnswer(settings_, status.last_error);
      }
      return;
    }
    if (lost && !told_lost_) {
      Note("lost", absl::StrCat("connection lost (",
                                client::ToString(status.last_error),
                                "); trying again"));
    }
    if (status.link == Link::kConnected && told_lost_) {
      Note("connected", "connected again");
    }
    if (lost || status.link == Link::kConnected) told_lost_ = lost;
  }

  bool Event(const char* name) {
    return WriteOut(JsonLine().Text("event", name).Done() + "\n");
  }

  // In JSON an event among the others; else a note on standard error.
  bool Note(const char* name, const std::string& text) {
    if (settings_.json) return Event(name);
    std::fputs(absl::StrCat("lifesign: ", text, "\n").c_str(), stderr);
    return true;
  }

  const Settings& settings_;
  const WatchSettings& watch_;
  const Steady::time_point started_ = Steady::now();
  const absl::TimeZone zone_ = absl::LocalTimeZone();
  const Palette palette_{ColoursWanted()};
  // Before any thread of gRPC's.
  Interrupts interrupts_;
  EventQueue<WatchEvent> events_;
  Server server_{settings_};
  WatchLines lines_;
  std::unique_ptr<client::Watcher> watcher_;

  bool synced_ = false;
  bool told_lost_ = false;
  std::int64_t changes_ = 0;
  absl::optional<ExitCode> result_;
};

}  // namespace

ExitCode Watch(const Settings& settings, const WatchSettings& watch) {
  return WatchLoop(settings, watch).Run();
}

}  // namespace lifesign::cli
