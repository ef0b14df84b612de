// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/logging/grpc_log.h"

#include <grpc/support/log.h>

#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mutex.h"

namespace lifesign {
namespace {

// A place in gRPC's source that logs, as often as a client likes it to.
constexpr Duration kOncePerPlace = seconds(1);

class GrpcLog {
 public:
  void Write(const gpr_log_func_args& args) {
    absl::optional<std::int64_t> held_back;
    {
      MutexLock lock(mutex_);
      held_back =
          throttles_
              .try_emplace(std::make_pair(args.file, args.line), kOncePerPlace)
              .first->second.Admit(clock_.RealNow());
    }
    if (!held_back.has_value()) {
      return;
    }
    absl::string_view file = args.file;
    file.remove_prefix(file.rfind('/') + 1);  // npos + 1 is 0
    const LogField fields[] = {{"text", args.message},
                               {"file", file},
                               {"line", args.line},
                               {"held_back", *held_back}};
    Log(LevelOf(args.severity), "grpc", fields);
  }

 private:
  static LogLevel LevelOf(gpr_log_severity severity) {
    switch (severity) {
      case GPR_LOG_SEVERITY_DEBUG:
        return LogLevel::kDebug;
      case GPR_LOG_SEVERITY_INFO:
        return LogLevel::kInfo;
      case GPR_LOG_SEVERITY_ERROR:
        break;
    }
    // What gRPC calls an error is mostly a client's: nothing of ours failed.
    return LogLevel::kWarning;
  }

  const SystemClock clock_;

  // Innermost of all: nothing is taken while it is held.
  Mutex mutex_;
  // Grows to the number of such places and no further: file names are literals.
  absl::flat_hash_map<std::pair<const char*, int>, LogThrottle> throttles_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace

void RedirectGrpcLog() {
  // Never destroyed: gRPC's threads log until the process ends.
  static auto* const kLog = new GrpcLog();
  gpr_set_log_verbosity(MinLogLevel() == LogLevel::kDebug
                            ? GPR_LOG_SEVERITY_INFO
                            : GPR_LOG_SEVERITY_ERROR);
  gpr_set_log_function([](gpr_log_func_args* args) { kLog->Write(*args); });
}

}  // namespace lifesign
