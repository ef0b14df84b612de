// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client/cli/calls.h"
#include "client/cli/commands.h"
#include "client/cli/steering.h"
#include "client/cli/terminal/event_queue.h"
#include "client/cli/terminal/interrupts.h"
#include "client/cli/terminal/terminal.h"
#include "client/cli/text/session_lines.h"
#include "lifesign/client/session.h"

namespace lifesign::cli {
namespace {

using client::Lifecycle;
using client::Link;
using client::SessionEnd;
using client::SessionStatus;
using Clock = std::chrono::steady_clock;

constexpr int kLookMs = 200;

// A terminal steers only the process that it shows.
bool StdinIsOurs() {
  return !StdinIsTerminal() || tcgetpgrp(STDIN_FILENO) == getpgrp();
}

class BeatLoop {
 public:
  BeatLoop(const Settings& settings, const BeatSettings& beat)
      : settings_(settings), beat_(beat), lines_(beat.user, beat.session) {}

  ExitCode Run() {
    client::SessionSpec spec;
    spec.user_id = beat_.user;
    spec.session_id = beat_.session;
    spec.device_class = beat_.device;
    spec.lifecycle = beat_.lifecycle;
    if (!beat_.rooms.empty()) {
      spec.rooms.emplace(beat_.rooms.begin(), beat_.rooms.end());
    }
    client::SessionOptions options;
    options.tenant = settings_.tenant;
    options.on_status = [this](const SessionStatus& status) {
      statuses_.Push(status);
    };
    auto opened = client::Session::Open(server_.channel(), spec, options);
    if (!opened.ok()) {
      std::fputs(
          absl::StrCat("lifesign: ", opened.status().message(), "\n").c_str(),
          stderr);
      return kExitUsage;
    }
    session_ = std::move(*opened);
    if (StdinIsTerminal() && stdin_open_ && !settings_.json) {
      WriteOut(kKeysText);
    }
    while (!result_.has_value()) Step();
    return *result_;
  }

 private:
  void Step() {
    pollfd fds[] = {{interrupts_.fd(), POLLIN, 0},
                    {statuses_.fd(), POLLIN, 0},
                    {stdin_open_ ? STDIN_FILENO : -1, POLLIN, 0}};
    poll(fds, std::size(fds), kLookMs);
    for (const SessionStatus& status : statuses_.TakeAll()) Tell(status);
    if (result_.has_value()) return;
    if (interrupts_.Take() != 0) return Leave();
    if (fds[2].revents != 0) ReadInput();
    if (result_.has_value()) return;
    const auto age = Clock::now() - started_;
    if (!connected_once_ && age >= settings_.timeout) {
      result_ = ReportNoAnswer(settings_, session_->status().last_error);
    } else if (beat_.for_duration > Duration::zero() &&
               age >= beat_.for_duration) {
      Leave();
    }
  }

  void Tell(const SessionStatus& status) {
    if (status.end == SessionEnd::kRefused) {
      Print(status);
      result_ = Report(settings_, status.last_error);
      return;
    }
    if (!connected_once_ && status.link == Link::kWaiting) {
      result_ = ReportNoAnswer(settings_, status.last_error);
      return;
    }
    connected_once_ |= status.link == Link::kConnected;
    Print(status);
    if (status.end == SessionEnd::kTakenOver) result_ = kExitNegative;
  }

  void Print(const SessionStatus& status) {
    const std::string line =
        settings_.json ? lines_.Json(status) : lines_.Text(status, palette_);
    if (!line.empty() && !WriteOut(line)) Leave();
  }

  void ReadInput() {
    char buffer[256];
    const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
    if (n <= 0) {
      // Nobody steers any more; the session stays.
      stdin_open_ = false;
      return;
    }
    const absl::string_view input(buffer, static_cast<std::size_t>(n));
    for (const Steer& steer : steering_.Take(input)) {
      if (!result_.has_value()) Do(steer);
    }
  }

  void Do(const Steer& steer) {
    switch (steer.kind) {
      case Steer::Kind::kInteract:
        session_->Interacted();
        break;
      case Steer::Kind::kIdle:
        session_->SetLifecycle(Lifecycle::kIdle);
        break;
      case Steer::Kind::kBackground:
        session_->SetLifecycle(Lifecycle::kBackground);
        break;
      case Steer::Kind::kNetworkChange:
        session_->OnNetworkChange();
        break;
      case Steer::Kind::kLeave:
        Leave();
        break;
      case Steer::Kind::kVanish:
        result_ = kExitOk;
        break;
      case Steer::Kind::kUnknown:
        std::fputs(absl::StrCat("lifesign: '", steer.text, "' is not one of ",
                                kSteeringWords, "\n")
                       .c_str(),
                   stderr);
        break;
    }
  }

  // Says goodbye and waits until the server knows.
  void Leave() {
    session_->Leave(beat_.linger);
    session_->Await(
        [](const SessionStatus& status) {
          return status.end != SessionEnd::kNotEnded;
        },
        settings_.timeout);
    const SessionStatus status = session_->status();
    if (status.end == SessionEnd::kNotEnded) {
      result_ = ReportNoAnswer(settings_, status.last_error);
      return;
    }
    result_ = kExitOk;
    const std::string line =
        settings_.json ? lines_.Json(status) : lines_.Text(status, palette_);
    WriteOut(line);
  }

  const Settings& settings_;
  const BeatSettings& beat_;
  const Clock::time_point started_ = Clock::now();
  const Palette palette_{ColoursWanted()};
  // Before any thread of gRPC's.
  Interrupts interrupts_;
  EventQueue<SessionStatus> statuses_;
  bool stdin_open_ = StdinIsOurs();
  Steering steering_{StdinIsTerminal() ? Steering::Input::kKeys
                                       : Steering::Input::kLines};
  SingleKeys keys_;
  Server server_{settings_};
  SessionLines lines_;
  std::unique_ptr<client::Session> session_;

  bool connected_once_ = false;
  absl::optional<ExitCode> result_;
};

}  // namespace

ExitCode Beat(const Settings& settings, const BeatSettings& beat) {
  return BeatLoop(settings, beat).Run();
}

}  // namespace lifesign::cli
