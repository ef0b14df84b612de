// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/command_line.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/exit_codes.h"
#include "client/cli/settings.h"
#include "server/base/duration_text.h"
#include "server/base/limits.h"
#include "server/base/utf8.h"

namespace lifesign::cli {
namespace {

constexpr int kMostPeople = 5000;
constexpr int kMostGateways = 64;
constexpr int kMostClients = 20000;
constexpr int kMostWatchers = 500;

// What each command's --help says below its flags.
std::string Footer(const std::string& examples) {
  return absl::StrCat(
      "Examples:\n", examples, "\n", kExitCodesText,
      "\nEvery command also takes --target, --tenant, --timeout, --json and "
      "--see-through; see lifesign --help.");
}

// "2s", "1m30s"; at most `most`.
Duration DurationOf(const std::string& name, const std::string& text,
                    Duration most) {
  const absl::optional<Duration> parsed = ParseDuration(text);
  if (!parsed.has_value()) {
    throw CLI::ValidationError(
        name, absl::StrCat("'", text, "' is no duration such as 2s or 1m30s"));
  }
  if (*parsed > most) {
    throw CLI::ValidationError(name,
                               absl::StrCat("at most ", FormatDuration(most)));
  }
  return *parsed;
}

CLI::Option* AddDuration(CLI::App* app, const std::string& name,
                         Duration* duration, const std::string& description,
                         Duration most = Duration::max()) {
  return app
      ->add_option_function<std::string>(
          name,
          [duration, name, most](const std::string& text) {
            *duration = DurationOf(name, text, most);
          },
          absl::StrCat(description, " (default ", FormatDuration(*duration),
                       ")"))
      ->type_name("DURATION");
}

CLI::Option* AddDuration(CLI::App* app, const std::string& name,
                         absl::optional<Duration>* duration,
                         const std::string& description) {
  return app
      ->add_option_function<std::string>(
          name,
          [duration, name](const std::string& text) {
            *duration = DurationOf(name, text, Duration::max());
          },
          description)
      ->type_name("DURATION");
}

const std::map<std::string, v1::PresenceState>& States() {
  static const std::map<std::string, v1::PresenceState> states = {
      {"active", v1::PRESENCE_STATE_ACTIVE},
      {"idle", v1::PRESENCE_STATE_IDLE},
      {"away", v1::PRESENCE_STATE_AWAY},
      {"stale", v1::PRESENCE_STATE_STALE},
      {"offline", v1::PRESENCE_STATE_OFFLINE}};
  return states;
}

// Ids are UTF-8; what else they must be the server says.
std::string NotUtf8(const std::string& text) {
  return IsUtf8(text) ? "" : "not UTF-8";
}

// Shorter than what CLI11 says of a range that is open above.
std::string BelowOne(const std::string& text) {
  std::int64_t number = 0;
  return absl::SimpleAtoi(text, &number) && number > 0 ? "" : "at least 1";
}

std::string BelowZero(const std::string& text) {
  std::int64_t number = 0;
  return absl::SimpleAtoi(text, &number) && number >= 0 ? "" : "at least 0";
}

// The session of a terminal: this process's.
std::string DefaultSession() {
  char host[64] = {};
  gethostname(host, sizeof host - 1);
  return absl::StrCat("beat-", host, "-", getpid());
}

class CommandLine {
 public:
  CommandLine() : app_("lifesign: who is here, asked and told from a shell.") {
    app_.name("lifesign");
    app_.require_subcommand(1);
    app_.fallthrough();
    AddSettings();
    AddRead();
    AddWho();
    AddAwait();
    AddWatch();
    AddRoom();
    AddBeat();
    AddSet();
    AddSimulate();
    app_.footer(absl::StrCat(
        "Examples:\n"
        "  lifesign get ann bob\n"
        "  lifesign --target presence:7400 watch ann --json | jq .after.state\n"
        "  lifesign beat ann --session laptop\n",
        kExitCodesText,
        "\nColours only on a terminal, and not if NO_COLOR is set."));
  }

  int Run(int argc, char** argv) {
    beat_.session = DefaultSession();
    try {
      app_.parse(argc, argv);
    } catch (const CLI::Success& help) {
      app_.exit(help);
      return kExitOk;
    } catch (const CLI::ParseError& error) {
      const std::vector<std::string> unknown = app_.remaining();
      if (app_.get_subcommands().empty() && !unknown.empty() &&
          !unknown.front().empty()) {
        // Otherwise it is only said that a command is missing.
        const std::string& first = unknown.front();
        std::cerr << "There is no "
                  << (first.front() == '-' ? "option" : "command") << " '"
                  << first << "'\nRun with --help for more information.\n";
      } else {
        app_.exit(error);
      }
      return kExitUsage;
    }
    if (app_.got_subcommand("get")) return Get(settings_, get_);
    if (app_.got_subcommand("who")) return Who(settings_, who_);
    if (app_.got_subcommand("await")) {
      if (await_.users.empty() == await_.room.empty() ||
          (await_.needed == 0 && !await_.room.empty())) {
        std::cerr << "Await whom? Name users, or say --room; in a room, say "
                     "--at-least.\n"
                     "Run with --help for more information.\n";
        return kExitUsage;
      }
      return AwaitUsers(settings_, await_);
    }
    if (app_.got_subcommand("sessions")) {
      return Sessions(settings_, sessions_);
    }
    if (app_.got_subcommand("explain")) return Explain(settings_, explain_);
    if (app_.got_subcommand("watch")) {
      const int whom = int{!watch_.users.empty()} + int{watch_.all} +
                       int{!watch_.room.empty()};
      if (whom != 1 || (watch_.occupancy && watch_.room.empty())) {
        std::cerr << "Watch whom? Name users, or say --all, or --room.\n"
                     "Run with --help for more information.\n";
        return kExitUsage;
      }
      return Watch(settings_, watch_);
    }
    if (app_.got_subcommand("room")) return Room(settings_, room_);
    if (app_.got_subcommand("beat")) return Beat(settings_, beat_);
    if (app_.got_subcommand("set")) return Set(settings_, set_);
    return Simulate(settings_, simulate_);
  }

 private:
  void AddSettings() {
    app_.add_option("--target", settings_.target, "The server, as host:port")
        ->envname("LIFESIGN_TARGET")
        ->capture_default_str();
    app_.add_option("--tenant", settings_.tenant,
                    "The tenant (default: the caller's own)")
        ->check(NotUtf8);
    AddDuration(&app_, "--timeout", &settings_.timeout,
                "For an answer, or the first word of a stream");
    app_.add_flag("--json", settings_.json,
                  "One JSON object a line instead of text");
    app_.add_flag("--see-through", settings_.see_through,
                  "Ask for what is true of invisible users; the server must "
                  "allow it");
  }

  // A command that asks about `users`.
  CLI::App* AddQuestion(const std::string& name, const std::string& description,
                        std::vector<std::string>* users, bool many) {
    CLI::App* command = app_.add_subcommand(name, description);
    CLI::Option* option =
        command->add_option("USER", *users, "Whom to ask about")
            ->required()
            ->check(NotUtf8)
            ->type_name("");
    if (!many) option->expected(1);
    return command;
  }

  void AddRead() {
    AddQuestion("get", "What users are: state, devices, confidence",
                &get_.users, true)
        ->footer(Footer("  lifesign get ann bob\n"
                        "  lifesign get ann >/dev/null && echo ann is here\n"
                        "  lifesign get ann --json | jq .presence.state\n"
                        "Says 0 if any of them is live, 1 if none is."));
    AddQuestion("sessions", "The open sessions of a user", &sessions_.users,
                false)
        ->footer(Footer("  lifesign sessions ann\n"
                        "  lifesign sessions ann --json | jq -r "
                        ".session.session_id\n"
                        "Says 1 if there is none."));
    CLI::App* explain = AddQuestion(
        "explain",
        "Why a user is what they are, session by session, and what changes "
        "next",
        &explain_.users, false);
    explain
        ->add_option("--room", explain_.room,
                     "Also whether they are in a room, by which sessions, and "
                     "until when")
        ->check(NotUtf8)
        ->type_name("ROOM");
    explain->footer(
        Footer("  lifesign explain ann\n"
               "  lifesign explain ann --room lobby\n"
               "  lifesign explain ann --json | jq .next_change"));
  }

  void AddWho() {
    CLI::App* command =
        app_.add_subcommand("who", "Everybody who is online, one line each");
    CLI::Option* const count = command->add_flag(
        "--count", who_.count,
        "How many there are: users and sessions, by state and device class");
    command
        ->add_option("--state", who_.states,
                     "Only who is in one of these states (default: any but "
                     "offline); offline tells who is remembered")
        ->delimiter(',')
        ->transform(CLI::CheckedTransformer(States(), CLI::ignore_case))
        ->type_name("active|idle|away|stale|offline,...")
        ->option_text("active|idle|away|stale|offline,...")
        ->excludes(count);
    command->add_option("--room", who_.room, "Only who is in this room")
        ->check(NotUtf8)
        ->type_name("ROOM");
    AddDuration(command, "--seen-within", &who_.seen_within,
                "Only who was heard of so lately")
        ->excludes(count);
    command->footer(
        Footer("  lifesign who\n"
               "  lifesign who --count\n"
               "  lifesign who --state active,idle\n"
               "  lifesign who --state offline --seen-within 5m\n"
               "  lifesign who --room lobby\n"
               "  lifesign who --json | jq -r .presence.user_id\n"
               "Says 1 if there is nobody."));
  }

  void AddAwait() {
    CLI::App* command = app_.add_subcommand(
        "await", "Waits until users are there, or enough are in a room");
    command->add_option("USER", await_.users, "Whom to ask about")
        ->check(NotUtf8)
        ->type_name("");
    command->add_option("--room", await_.room, "The users in a room instead")
        ->check(NotUtf8)
        ->type_name("ROOM");
    static const std::map<std::string, v1::PresenceState> kAtLeast = {
        {"active", v1::PRESENCE_STATE_ACTIVE},
        {"idle", v1::PRESENCE_STATE_IDLE},
        {"away", v1::PRESENCE_STATE_AWAY},
        {"stale", v1::PRESENCE_STATE_STALE}};
    command
        ->add_option("--state", await_.at_least,
                     "What they are to be, or higher")
        ->transform(CLI::CheckedTransformer(kAtLeast, CLI::ignore_case))
        ->option_text("active|idle|away|stale (default active)");
    CLI::Option* const need =
        command
            ->add_option("--need,--at-least", await_.needed,
                         "How many of them are enough (default 1)")
            ->check(BelowOne);
    command
        ->add_flag_callback(
            "--all", [this] { await_.needed = 0; }, "All of them are needed")
        ->excludes(need);
    AddDuration(command, "--wait", &await_.wait, "For so long, up to 5m",
                limits::kMaxAwait);
    command->footer(
        Footer("  lifesign await ann && echo ann is here\n"
               "  lifesign await ann bob cid --need 2 --state idle\n"
               "  lifesign await ann bob --all --wait 30s\n"
               "  lifesign await --room standup --at-least 3\n"
               "Says 1 if they did not come in time."));
  }

  void AddWatch() {
    CLI::App* command = app_.add_subcommand(
        "watch", "What users are, and each change until Ctrl-C");
    command->add_option("USER", watch_.users, "Whom to ask about")
        ->check(NotUtf8)
        ->type_name("");
    command->add_flag("--all", watch_.all, "Everyone of the tenant instead");
    command->add_option("--room", watch_.room, "The users in a room instead")
        ->check(NotUtf8)
        ->type_name("ROOM");
    command->add_flag("--occupancy", watch_.occupancy,
                      "Of the room, how many are there and not who");
    command
        ->add_option("--states", watch_.states,
                     "Only who comes to one of these, or leaves it (default: "
                     "all)")
        ->transform(CLI::CheckedTransformer(States(), CLI::ignore_case))
        ->delimiter(',')
        ->option_text("STATE[,STATE...]");
    command->add_flag("--devices", watch_.devices,
                      "Also changes of the state on a class of device alone");
    command
        ->add_option("--resume", watch_.resume_file,
                     "Go on from where the last watch with this file ended: "
                     "tell only what has changed since. The file is made")
        ->option_text("FILE");
    command
        ->add_option("--count", watch_.count,
                     "End after so many changes, the first word about each "
                     "user not counted (default: never)")
        ->check(BelowOne);
    AddDuration(command, "--for", &watch_.for_duration,
                "End after so long; 0: never");
    command->footer(
        Footer("  lifesign watch ann bob\n"
               "  lifesign watch --all --states active,idle\n"
               "  lifesign watch --all --resume seen.token --for 1s\n"
               "  lifesign watch ann --count 1\n"
               "  lifesign watch ann --json --for 1m"));
  }

  void AddRoom() {
    CLI::App* command =
        app_.add_subcommand("room", "How many are in a room, now and lately");
    command->add_option("ROOM", room_.room, "The room")
        ->required()
        ->check(NotUtf8)
        ->type_name("");
    command->footer(
        Footer("  lifesign room lobby\n"
               "  lifesign room lobby --json | jq .occupancy.users\n"
               "Says 1 if nobody is there."));
  }

  void AddBeat() {
    CLI::App* command = app_.add_subcommand(
        "beat",
        "Hold a session: keys, or lines of standard input, steer it; Ctrl-C "
        "leaves");
    command->add_option("USER", beat_.user, "Whose session")
        ->required()
        ->check(NotUtf8)
        ->type_name("");
    command
        ->add_option("--session", beat_.session,
                     "Its id (default: beat-HOST-PID)")
        ->check(NotUtf8);
    static const std::map<std::string, v1::DeviceClass> kDevices = {
        {"web", v1::DEVICE_CLASS_WEB},
        {"mobile", v1::DEVICE_CLASS_MOBILE},
        {"desktop", v1::DEVICE_CLASS_DESKTOP},
        {"tv", v1::DEVICE_CLASS_TV},
        {"bot", v1::DEVICE_CLASS_BOT},
        {"other", v1::DEVICE_CLASS_OTHER}};
    command->add_option("--device", beat_.device, "The class of its device")
        ->transform(CLI::CheckedTransformer(kDevices, CLI::ignore_case))
        ->type_name("web|mobile|desktop|tv|bot|other")
        ->option_text("web|mobile|desktop|tv|bot|other (default desktop)");
    static const std::map<std::string, client::Lifecycle> kLifecycles = {
        {"active", client::Lifecycle::kActive},
        {"idle", client::Lifecycle::kIdle},
        {"background", client::Lifecycle::kBackground}};
    command->add_option("--lifecycle", beat_.lifecycle, "How it begins")
        ->transform(CLI::CheckedTransformer(kLifecycles, CLI::ignore_case))
        ->option_text("active|idle|background (default active)");
    command
        ->add_option("--room", beat_.rooms,
                     "The rooms that it is in, and no others; may be given "
                     "again (default: it stays where it is)")
        ->check(NotUtf8)
        ->type_name("ROOM")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    AddDuration(command, "--for", &beat_.for_duration,
                "Leave after so long; 0: never");
    AddDuration(command, "--linger", &beat_.linger,
                "When leaving, how long the session may still be opened again, "
                "up to 10s",
                limits::kMaxLinger);
    command->footer(Footer(
        "  lifesign beat ann\n"
        "  lifesign beat ann --session laptop --device web --for 1m\n"
        "  lifesign beat ann --room lobby --room help\n"
        "  printf 'idle\\nleave\\n' | lifesign beat ann --json\n"
        "Lines: active, idle, background, network, leave, vanish. On a "
        "terminal single keys.\nWhen standard input ends, the session stays.\n"
        "Says 1 if the session was taken over."));
  }

  void AddSet() {
    CLI::App* command = app_.add_subcommand(
        "set", "Declare the availability of a user, whatever is open");
    command->add_option("USER", set_.user, "Whose")
        ->required()
        ->check(NotUtf8)
        ->type_name("");
    static const std::map<std::string, v1::AvailabilityKind> kKinds = {
        {"available", v1::AVAILABILITY_KIND_AVAILABLE},
        {"busy", v1::AVAILABILITY_KIND_BUSY},
        {"dnd", v1::AVAILABILITY_KIND_DO_NOT_DISTURB},
        {"invisible", v1::AVAILABILITY_KIND_INVISIBLE}};
    command
        ->add_option("AVAILABILITY", set_.kind,
                     "available, busy, dnd or invisible")
        ->required()
        ->transform(CLI::CheckedTransformer(kKinds, CLI::ignore_case))
        ->type_name("")
        ->option_text("available|busy|dnd|invisible");
    command->add_option("--text", set_.text, "In the user's words")
        ->check(NotUtf8);
    AddDuration(command, "--for", &set_.for_duration,
                "How long it holds; 0: until it is replaced");
    command->footer(
        Footer("  lifesign set ann dnd --for 30m --text 'in a meeting'\n"
               "  lifesign set ann invisible --for 8h\n"
               "  lifesign set ann available\n"
               "It shows while the user is live."));
  }

  void AddSimulate() {
    CLI::App* command = app_.add_subcommand(
        "simulate",
        "A fleet of clients: tabs that sleep, phones that hand over, gateways, "
        "people who come and go; its pace is that of the intervals that the "
        "server promises");
    command
        ->add_option("--people", simulate_.people,
                     "People, each with one to three sessions on streams of "
                     "their own")
        ->check(CLI::Range(1, kMostPeople))
        ->capture_default_str();
    command
        ->add_option("--gateways", simulate_.gateways,
                     "Gateways, each with many sessions on one stream")
        ->check(CLI::Range(0, kMostGateways))
        ->capture_default_str();
    command
        ->add_option("--clients", simulate_.clients_per_gateway,
                     "Clients of each gateway, one session each")
        ->check(CLI::Range(1, kMostClients))
        ->capture_default_str();
    command
        ->add_option("--watchers", simulate_.watchers,
                     "Watchers, each of everybody")
        ->check(CLI::Range(1, kMostWatchers))
        ->capture_default_str();
    command
        ->add_option("--seed", simulate_.seed,
                     "Who does what and when; the same seed plays the same")
        ->capture_default_str();
    command
        ->add_option("--seconds", simulate_.seconds,
                     "How long; 0: until Ctrl-C")
        ->check(BelowZero)
        ->capture_default_str();
    command->footer(Footer(
        "  lifesign simulate\n"
        "  lifesign simulate --seconds 15 --people 20 --gateways 0\n"
        "  lifesign simulate --seconds 60 --json | tail -1\n"
        "People are in rooms, and one watcher of everybody hardly reads.\n"
        "On a terminal a live table, else plain lines; the last line is\n"
        "  run: users=… sessions=… signals=… changes=… watchers=… "
        "suppressed=… false_offline=…\n"
        "signals: written to streams, those of opens included. changes: "
        "distinct (user, revision)\nthat the watchers received. suppressed: "
        "signals - changes. false_offline: users told\nOFFLINE while a session "
        "of theirs was alive and beating. Says 1 if there is one, or if the "
        "slow watcher\ndoes not catch up once it reads."));
  }

  CLI::App app_;
  Settings settings_;
  UsersSettings get_;
  WhoSettings who_;
  AwaitSettings await_;
  UsersSettings sessions_;
  ExplainSettings explain_;
  WatchSettings watch_;
  RoomSettings room_;
  BeatSettings beat_;
  SetSettings set_;
  SimulateSettings simulate_;
};

}  // namespace

int RunCommandLine(int argc, char** argv) {
  return CommandLine().Run(argc, argv);
}

}  // namespace lifesign::cli
