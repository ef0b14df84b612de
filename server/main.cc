// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// lifesignd: reads its configuration, serves, and ends when asked to.

#include <google/protobuf/stubs/logging.h>
#include <grpc/grpc.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>

#include "absl/synchronization/mutex.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mutex.h"
#include "server/ops/config/command_line.h"
#include "server/ops/config/part_options.h"
#include "server/ops/drain/termination_signals.h"
#include "server/ops/exit_codes.h"
#include "server/ops/logging/async_log.h"
#include "server/ops/logging/library_logs.h"
#include "server/ops/port_file.h"
#include "server/presence_server.h"

namespace lifesign {
namespace {

// That the process was asked to end.
class EndRequest {
 public:
  void Make(int signal_number) {
    MutexLock lock(mutex_);
    signal_ = signal_number;
    made_.NotifyAll();
  }
  int Await() {
    MutexLock lock(mutex_);
    while (signal_ == 0) made_.Wait(mutex_);
    return signal_;
  }

 private:
  Mutex mutex_;
  CondVar made_;
  int signal_ ABSL_GUARDED_BY(mutex_) = 0;
};

ExitCode Serve(const config::v1::Config& config, const Clock& clock,
               EndRequest& end) {
  auto server = PresenceServer::Start(config, clock);
  if (!server.ok()) {
    LogError("cannot listen", {{"address", config.server().listen_address()},
                               {"error", server.status().message()}});
    return kExitCannotListen;
  }
  const SocketAddress& address = (*server)->address();
  LogInfo("listening",
          {{"address", address.ToString()}, {"version", LIFESIGN_VERSION}});
  if (!config.server().port_file().empty()) {
    const absl::Status written =
        WritePortFile(config.server().port_file(), address.port());
    if (!written.ok()) {
      LogError("cannot write the port file", {{"error", written.message()}});
      return kExitFailure;
    }
  }
  const int signal_number = end.Await();
  LogInfo("asked to end", {{"signal", signal_number}});
  const bool in_time = (*server)->Shutdown(DrainBudgetOf(config));
  LogInfo("ended", {{"in_time", in_time}});
  return in_time ? kExitOk : kExitDrainCutShort;
}

int Main(int argc, const char* const* argv) {
  const ServerCommand command =
      ReadCommandLine(argc, argv, LIFESIGN_VERSION, std::cout, std::cerr);
  if (!command.config.has_value()) return command.exit_code;
  const config::v1::Config& config = *command.config;

  // Debian's absl::Mutex, which gRPC takes many of, checks for deadlocks by
  // default and costs three times as much with it.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Before any thread is started: see TerminationSignals.
  EndRequest end;
  const TerminationSignals signals([&](int number) { end.Make(number); });

  const SystemClock clock;
  const auto log =
      AsyncLog::Start(LogOptionsOf(config, isatty(STDERR_FILENO) == 1), clock);
  if (!log.ok()) {
    std::cerr << "lifesignd: " << log.status().message() << "\n";
    return kExitFailure;
  }
  grpc_init();
  RedirectLibraryLogs();
  const ExitCode code = Serve(config, clock, end);
  grpc_shutdown();
  return code;
}

}  // namespace
}  // namespace lifesign

int main(int argc, char** argv) { return lifesign::Main(argc, argv); }
