// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/base/log.h"

#include <atomic>
#include <cstdio>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/base/duration_text.h"

namespace lifesign {
namespace {

std::atomic<LogSink*> g_sink{nullptr};
std::atomic<LogLevel> g_min_level{LogLevel::kInfo};

struct ValueText {
  std::string operator()(absl::string_view text) const {
    return absl::StrCat("\"", absl::CHexEscape(text), "\"");
  }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(Duration value) const { return FormatDuration(value); }
  template <typename Number>
  std::string operator()(Number value) const {
    return absl::StrCat(value);
  }
};

// For programs that set no sink, such as tests.
void WriteToStandardError(const LogRecord& record) {
  std::string line = absl::StrCat(LogLevelName(record.level), " ",
                                  absl::CHexEscape(record.message));
  for (const LogField& field : record.fields) {
    absl::StrAppend(&line, " ", absl::CHexEscape(field.key()), "=",
                    absl::visit(ValueText{}, field.value()));
  }
  line.push_back('\n');
  // One call, so that lines of several threads do not mix.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

absl::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "unknown";
}

void SetLogSink(LogSink* sink) {
  g_sink.store(sink, std::memory_order_release);
}

void SetMinLogLevel(LogLevel level) {
  g_min_level.store(level, std::memory_order_relaxed);
}

LogLevel MinLogLevel() { return g_min_level.load(std::memory_order_relaxed); }

void Log(LogLevel level, absl::string_view message,
         absl::Span<const LogField> fields) {
  if (level < MinLogLevel()) {
    return;
  }
  const LogRecord record{level, message, fields};
  LogSink* sink = g_sink.load(std::memory_order_acquire);
  if (sink == nullptr) {
    WriteToStandardError(record);
    return;
  }
  sink->Write(record);
}

absl::optional<int64_t> LogThrottle::Admit(RealTime now) {
  if (now < next_) {
    ++held_back_;
    return absl::nullopt;
  }
  next_ = SaturatingAdd(now, period_);
  const int64_t held_back = held_back_;
  held_back_ = 0;
  return held_back;
}

}  // namespace lifesign
