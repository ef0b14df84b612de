// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A conformance_server of one's own: a real server whose clock stands still.
#ifndef LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_SERVER_PROCESS_H_
#define LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_SERVER_PROCESS_H_

#include <sys/types.h>

#include <cstdio>
#include <string>

namespace lifesign::conformance {

// Runs until destroyed. Its binary is named by LIFESIGN_CONFORMANCE_SERVER.
class ServerProcess {
 public:
  ServerProcess();
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  const std::string& address() const { return address_; }

  // One line, for example "advance 15s"; returns when that is done. False if
  // it did not obey.
  bool Tell(const std::string& command);
  // A new run, which has another address.
  bool Restart();

 private:
  void Say(const std::string& command);
  // Its next line if that begins with `word`; empty otherwise.
  std::string Answer(const std::string& word);
  bool ReadAddress();

  pid_t pid_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
  std::string address_;
};

}  // namespace lifesign::conformance

#endif  // LIFESIGN_TESTS_CONFORMANCE_RUNNER_CC_SERVER_PROCESS_H_
