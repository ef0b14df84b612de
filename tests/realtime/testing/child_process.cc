// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/realtime/testing/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "tests/testing/eventually.h"

namespace lifesign::testing {
namespace {

constexpr int kCannotStart = 127;

// In the child: everything before exec is async-signal-safe.
[[noreturn]] void Become(char* const* arguments, int output, int error_log,
                         pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have ended before that was asked for.
  if (getppid() != parent) _exit(kCannotStart);
  dup2(output, STDOUT_FILENO);
  dup2(error_log, STDERR_FILENO);
  execv(arguments[0], arguments);
  _exit(kCannotStart);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command,
                           const std::string& error_log) {
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<int, 2> ends = {-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return;
  output_ = UniqueFd(ends[0]);
  const UniqueFd input(ends[1]);
  const UniqueFd log(
      open(error_log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) Become(arguments.data(), input.get(), log.get(), parent);
}

ChildProcess::~ChildProcess() { Kill(); }

void ChildProcess::Look(int options) {
  if (pid_ < 0 || exit_.has_value()) return;
  int status = 0;
  if (waitpid(pid_, &status, options) != pid_) return;
  if (WIFSTOPPED(status)) {
    stopped_ = true;
  } else if (WIFEXITED(status)) {
    exit_ = WEXITSTATUS(status);
  } else if (WIFSIGNALED(status)) {
    exit_ = -WTERMSIG(status);
  }
}

bool ChildProcess::IsRunning() {
  Look(WNOHANG);
  return pid_ > 0 && !exit_.has_value();
}

void ChildProcess::Signal(int number) {
  // Until its end was seen, the id is not given to another process.
  if (IsRunning()) kill(pid_, number);
}

bool ChildProcess::Freeze() {
  Signal(SIGSTOP);
  return Eventually([&] {
    Look(WNOHANG | WUNTRACED);
    return stopped_;
  });
}

void ChildProcess::Thaw() {
  stopped_ = false;
  Signal(SIGCONT);
}

void ChildProcess::Kill() {
  Signal(SIGKILL);
  Look(0);
}

absl::optional<int> ChildProcess::AwaitExit() {
  Eventually([&] { return !IsRunning(); });
  return exit_;
}

absl::optional<std::string> ChildProcess::ReadLine() {
  for (;;) {
    const std::size_t end = unread_.find('\n');
    if (end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    pollfd waiting = {output_.get(), POLLIN, 0};
    const auto patience =
        std::chrono::duration_cast<milliseconds>(kPatience).count();
    if (poll(&waiting, 1, static_cast<int>(patience)) <= 0) {
      return absl::nullopt;
    }
    std::array<char, 4096> bytes;
    const ssize_t n = read(output_.get(), bytes.data(), bytes.size());
    if (n <= 0) return absl::nullopt;
    unread_.append(bytes.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace lifesign::testing
