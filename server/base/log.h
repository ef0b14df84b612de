// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Structured log lines: a fixed message and named fields.
//
//   LogInfo("drain started", {{"streams", streams}, {"budget", budget}});
//
// The message is a constant a person can search for; whatever varies is a
// field. A duration is told in seconds. Where lines go is decided once, by
// `SetLogSink`; until then they go to standard error. Nothing here knows a
// clock, a file or a format of lines: whoever writes them stamps and escapes
// them (server/ops/logging).
//
// Thread-safe. No function here blocks on the network or throws.
#ifndef LIFESIGN_SERVER_BASE_LOG_H_
#define LIFESIGN_SERVER_BASE_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "absl/types/variant.h"
#include "server/base/time.h"

namespace lifesign {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// "debug", "info", "warning", "error".
absl::string_view LogLevelName(LogLevel level);

// One named value of a line. A view: key and text must outlive the call that
// logs them, and no longer.
class LogField {
 public:
  using Value = absl::variant<absl::string_view, int64_t, uint64_t, double,
                              bool, Duration>;

  LogField(absl::string_view key, absl::string_view text)
      : key_(key), value_(text) {}
  // Not left to the overloads above: a literal would become a bool.
  LogField(absl::string_view key, const char* text)
      : key_(key), value_(absl::string_view(text)) {}
  LogField(absl::string_view key, const std::string& text)
      : key_(key), value_(absl::string_view(text)) {}
  LogField(absl::string_view key, bool value) : key_(key), value_(value) {}
  LogField(absl::string_view key, double value) : key_(key), value_(value) {}
  LogField(absl::string_view key, Duration value) : key_(key), value_(value) {}
  template <typename Integer,
            std::enable_if_t<std::is_integral<Integer>::value, int> = 0>
  LogField(absl::string_view key, Integer value) : key_(key) {
    if constexpr (std::is_signed<Integer>::value) {
      value_ = static_cast<int64_t>(value);
    } else {
      value_ = static_cast<uint64_t>(value);
    }
  }

  absl::string_view key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  absl::string_view key_;
  Value value_;
};

// One line, before anybody formatted it. Valid during `LogSink::Write` only.
struct LogRecord {
  LogLevel level;
  absl::string_view message;
  absl::Span<const LogField> fields;
};

// Where lines go.
class LogSink {
 public:
  virtual ~LogSink() = default;

  // Takes one line. Called by any thread, also while locks are held: must not
  // block and must not log.
  virtual void Write(const LogRecord& record) = 0;
};

// Sends all lines from now on to `sink`; null: to standard error, as text.
// The caller keeps `sink` alive until it was replaced and every call that may
// be writing to it has returned.
void SetLogSink(LogSink* sink);

// Lines below `level` are dropped before anything is formatted. Default: info.
void SetMinLogLevel(LogLevel level);
LogLevel MinLogLevel();

void Log(LogLevel level, absl::string_view message,
         absl::Span<const LogField> fields);

inline void LogDebug(absl::string_view message,
                     std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kDebug, message, fields);
}
inline void LogInfo(absl::string_view message,
                    std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, message, fields);
}
inline void LogWarning(absl::string_view message,
                       std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarning, message, fields);
}
inline void LogError(absl::string_view message,
                     std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, message, fields);
}

// Lets one line of a kind through per `period`, and counts those it held back,
// so that what happens a thousand times a second is told once, with its number.
//
//   if (auto held_back = throttle.Admit(now)) {
//     LogWarning("connection refused", {{"more", *held_back}});
//   }
//
// Not thread-safe.
class LogThrottle {
 public:
  explicit LogThrottle(Duration period) : period_(period) {}

  // Whether a line may be written at `now`. If so: how many were held back
  // since the last one.
  absl::optional<int64_t> Admit(RealTime now);

 private:
  const Duration period_;

  RealTime next_ = RealTime::min();
  int64_t held_back_ = 0;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_BASE_LOG_H_
