// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/logging/library_logs.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mutex.h"

namespace lifesign {
namespace {

// A place in a library's source that logs, as often as a client likes it to.
constexpr Duration kOncePerPlace = seconds(1);

class LibraryLogs {
 public:
  // `file`: a literal.
  void Write(absl::string_view library, LogLevel level, const char* file,
             int line, absl::string_view text) {
    absl::optional<std::int64_t> held_back;
    {
      MutexLock lock(mutex_);
      held_back =
          throttles_.try_emplace(std::make_pair(file, line), kOncePerPlace)
              .first->second.Admit(clock_.RealNow());
    }
    if (!held_back.has_value()) return;
    absl::string_view name = file;
    name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
    const LogField fields[] = {{"text", text},
                               {"file", name},
                               {"line", line},
                               {"held_back", *held_back}};
    Log(level, library, fields);
  }

 private:
  const SystemClock clock_;

  // Innermost of all: nothing is taken while it is held.
  Mutex mutex_;
  // Grows to the number of such places and no further: file names are literals.
  absl::flat_hash_map<std::pair<const char*, int>, LogThrottle> throttles_
      ABSL_GUARDED_BY(mutex_);
};

// Never destroyed: the libraries' threads log until the process ends.
LibraryLogs& Logs() {
  static auto* const kLogs = new LibraryLogs();
  return *kLogs;
}

LogLevel LevelOf(gpr_log_severity severity) {
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

void WriteGrpcLine(gpr_log_func_args* args) {
  Logs().Write("grpc", LevelOf(args->severity), args->file, args->line,
               args->message);
}

void WriteProtobufLine(google::protobuf::LogLevel level, const char* file,
                       int line, const std::string& text) {
  Logs().Write("protobuf",
               level == google::protobuf::LOGLEVEL_INFO ? LogLevel::kInfo
                                                        : LogLevel::kWarning,
               file, line, text);
}

}  // namespace

void RedirectLibraryLogs() {
  gpr_set_log_verbosity(MinLogLevel() == LogLevel::kDebug
                            ? GPR_LOG_SEVERITY_INFO
                            : GPR_LOG_SEVERITY_ERROR);
  gpr_set_log_function(WriteGrpcLine);
  google::protobuf::SetLogHandler(WriteProtobufLine);
}

}  // namespace lifesign
