// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/conformance/runner_cc/server_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "absl/strings/strip.h"

extern char** environ;

namespace lifesign::conformance {
namespace {

// Both ends close in whoever is started from here; the child's own copies do
// not.
struct Pipe {
  Pipe() {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) == 0) {
      out = ends[0];
      in = ends[1];
    }
  }
  int out = -1;
  int in = -1;
};

}  // namespace

ServerProcess::ServerProcess() {
  const char* binary = std::getenv("LIFESIGN_CONFORMANCE_SERVER");
  if (binary == nullptr) return;
  const Pipe commands;
  const Pipe answers;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, commands.out, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, answers.in, STDOUT_FILENO);
  std::string name = binary;
  std::array<char*, 2> arguments = {name.data(), nullptr};
  if (posix_spawn(&pid_, binary, &actions, nullptr, arguments.data(),
                  environ) != 0) {
    pid_ = -1;
  }
  posix_spawn_file_actions_destroy(&actions);
  close(commands.out);
  close(answers.in);
  to_ = fdopen(commands.in, "w");
  from_ = fdopen(answers.out, "r");
  if (pid_ != -1) ReadAddress();
}

ServerProcess::~ServerProcess() {
  // The server ends when nobody can tell it anything any more.
  if (to_ != nullptr) std::fclose(to_);
  if (pid_ != -1) waitpid(pid_, nullptr, 0);
  if (from_ != nullptr) std::fclose(from_);
}

bool ServerProcess::Tell(const std::string& command) {
  Say(command);
  return Answer("ok") == "ok";
}

bool ServerProcess::Restart() {
  Say("restart");
  return ReadAddress();
}

bool ServerProcess::ReadAddress() {
  const std::string line = Answer("port ");
  address_ = line.empty() ? "" : "127.0.0.1:" + line.substr(5);
  return !line.empty();
}

void ServerProcess::Say(const std::string& command) {
  if (to_ == nullptr) return;
  std::fprintf(to_, "%s\n", command.c_str());
  std::fflush(to_);
}

std::string ServerProcess::Answer(const std::string& word) {
  std::array<char, 128> line = {};
  if (from_ == nullptr || std::fgets(line.data(), static_cast<int>(line.size()),
                                     from_) == nullptr) {
    return "";
  }
  std::string text(absl::StripSuffix(line.data(), "\n"));
  return text.rfind(word, 0) == 0 ? text : "";
}

}  // namespace lifesign::conformance
