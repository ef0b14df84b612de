// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The server as it is shipped, in a process of its own.
#ifndef LIFESIGN_TESTS_REALTIME_TESTING_LIFESIGND_PROCESS_H_
#define LIFESIGN_TESTS_REALTIME_TESTING_LIFESIGND_PROCESS_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "tests/realtime/testing/child_process.h"

namespace lifesign::testing {

// One after another, on one port. Not thread-safe.
class LifesigndProcess {
 public:
  // Starts it on a free port of loopback with a tick of 10 ms and `flags`, and
  // waits until it can be connected to. REQUIRES: nothing; a server that does
  // not start fails the test, with its log.
  explicit LifesigndProcess(std::vector<std::string> flags);
  ~LifesigndProcess();

  // Of 127.0.0.1.
  int port() const { return port_; }
  const std::string& address() const { return address_; }
  // A connection of its own, with settings like those of the client library.
  std::shared_ptr<grpc::Channel> NewChannel() const;

  // Stands still, with all its connections, until `Thaw`.
  bool Freeze() { return process_->Freeze(); }
  void Thaw() { process_->Thaw(); }
  // SIGTERM.
  void AskToEnd();
  // See ChildProcess.
  absl::optional<int> AwaitExit() { return process_->AwaitExit(); }
  bool IsRunning() { return process_->IsRunning(); }
  // SIGKILL: as power fails.
  void Kill() { process_->Kill(); }
  // Another one, on the same port and with the same flags. REQUIRES: the one
  // before has ended.
  void StartAgain();

  // The memory it occupies; 0 if the system does not tell.
  std::size_t ResidentBytes() const;

 private:
  void Start();
  std::string Log() const;

  const std::vector<std::string> flags_;
  std::string scratch_;
  std::string address_ = "127.0.0.1:0";
  int port_ = 0;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_REALTIME_TESTING_LIFESIGND_PROCESS_H_
