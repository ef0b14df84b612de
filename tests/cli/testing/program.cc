// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/cli/testing/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "server/base/clock.h"

namespace lifesign::testing {
namespace {

// A new session, so that the terminal it opens becomes its own, and no signal
// held back or ignored that the test's process may have.
void SetAttributes(posix_spawnattr_t* attributes) {
  posix_spawnattr_init(attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(attributes, &none);
  sigset_t defaults;
  sigfillset(&defaults);
  posix_spawnattr_setsigdefault(attributes, &defaults);
  posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID |
                                           POSIX_SPAWN_SETSIGMASK |
                                           POSIX_SPAWN_SETSIGDEF);
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) {
    pointers.push_back(const_cast<char*>(text.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

void Pipe(UniqueFd& read_end, UniqueFd& write_end) {
  int ends[2] = {-1, -1};
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  read_end = UniqueFd(ends[0]);
  write_end = UniqueFd(ends[1]);
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments, Input input,
                 const std::vector<std::string>& environment) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  UniqueFd stdin_end;
  UniqueFd stdout_end;
  UniqueFd stderr_end;
  Pipe(error_output_, stderr_end);
  if (input == Input::kTerminal) {
    int master = -1;
    int slave = -1;
    char name[64];
    const winsize size = {30, 100, 0, 0};
    EXPECT_EQ(openpty(&master, &slave, name, nullptr, &size), 0);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    fcntl(slave, F_SETFD, FD_CLOEXEC);
    terminal_ = UniqueFd(slave);
    modes_at_start_ = Modes();
    output_ = UniqueFd(master);
    input_ = UniqueFd(fcntl(master, F_DUPFD_CLOEXEC, 0));
    posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
  } else {
    Pipe(output_, stdout_end);
    posix_spawn_file_actions_adddup2(&actions, stdout_end.get(), 1);
    if (input == Input::kPipe) {
      Pipe(stdin_end, input_);
      posix_spawn_file_actions_adddup2(&actions, stdin_end.get(), 0);
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    }
  }
  posix_spawn_file_actions_adddup2(&actions, stderr_end.get(), 2);
  posix_spawnattr_t attributes;
  SetAttributes(&attributes);

  std::vector<std::string> all = environment;
  const char* path = std::getenv("PATH");
  all.push_back(absl::StrCat("PATH=", path == nullptr ? "" : path));
  all.emplace_back("TERM=xterm");
  all.emplace_back("TZ=UTC");
  EXPECT_EQ(posix_spawnp(&pid_, arguments[0].c_str(), &actions, &attributes,
                         Pointers(arguments).data(), Pointers(all).data()),
            0)
      << arguments[0];
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
}

Program::~Program() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool Program::ReadSome(Duration patience) {
  pollfd fds[] = {{output_.get(), POLLIN, 0}, {error_output_.get(), POLLIN, 0}};
  if (!output_.is_open() && !error_output_.is_open()) return false;
  poll(fds, std::size(fds),
       static_cast<int>(std::max<Duration::rep>(patience.count() / 1000, 0)));
  char buffer[16384];
  const auto take = [&](const pollfd& from, UniqueFd& fd, std::string& to) {
    if (from.revents == 0) return;
    const ssize_t n = read(fd.get(), buffer, sizeof buffer);
    if (n > 0) {
      to.append(buffer, static_cast<std::size_t>(n));
    } else {
      fd.Close();
    }
  };
  take(fds[0], output_, out_);
  take(fds[1], error_output_, errors_);
  return true;
}

bool Program::AwaitOutput(absl::string_view text, Duration patience) {
  const SystemClock clock;
  const RealTime deadline = clock.RealNow() + patience;
  for (;;) {
    const std::size_t found = out_.find(std::string(text), waited_for_);
    if (found != std::string::npos) {
      waited_for_ = found + text.size();
      return true;
    }
    const Duration left = deadline - clock.RealNow();
    if (left <= Duration::zero() || !output_.is_open()) return false;
    ReadSome(left);
  }
}

void Program::Say(absl::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(input_.get(), text.data(), text.size());
    ASSERT_GT(n, 0);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void Program::CloseInput() { input_.Close(); }

void Program::Signal(int signal) { kill(pid_, signal); }

termios Program::Modes() const {
  termios modes = {};
  EXPECT_EQ(tcgetattr(terminal_.get(), &modes), 0);
  return modes;
}

int Program::Wait() {
  const SystemClock clock;
  const RealTime deadline = clock.RealNow() + seconds(40);
  int status = 0;
  // Read on meanwhile: it may wait for its reader. A terminal of which we hold
  // the other end never says that it was closed.
  for (;;) {
    ReadSome(milliseconds(20));
    const pid_t ended = waitpid(pid_, &status, WNOHANG);
    if (ended == pid_) break;
    if (clock.RealNow() > deadline) {
      ADD_FAILURE() << "it does not end; so far it said:\n" << out_ << errors_;
      kill(pid_, SIGKILL);
      waitpid(pid_, &status, 0);
      break;
    }
  }
  pid_ = -1;
  for (std::size_t before = 0; before != out_.size() + errors_.size();) {
    before = out_.size() + errors_.size();
    ReadSome(milliseconds(0));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Ended RunToEnd(const std::vector<std::string>& arguments,
               const std::vector<std::string>& environment) {
  Program program(arguments, Program::Input::kNothing, environment);
  const int code = program.Wait();
  return {code, program.out(), program.errors()};
}

}  // namespace lifesign::testing
