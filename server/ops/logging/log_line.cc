// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/logging/log_line.h"

#include <cmath>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "server/base/duration_text.h"
#include "server/base/utf8.h"

namespace lifesign {
namespace {

constexpr double kMicrosecondsPerSecond = 1e6;

void AppendTime(WallTime time, std::string& line) {
  line +=
      absl::FormatTime("%Y-%m-%d%ET%H:%M:%E6SZ",
                       absl::FromUnixMicros(time.time_since_epoch().count()),
                       absl::UTCTimeZone());
}

// Whether `point` must not be shown as it is.
bool IsHarmful(std::uint32_t point) {
  return IsControlCodePoint(point) || IsBidiControlCodePoint(point) ||
         IsLineSeparatorCodePoint(point);
}

void AppendJsonText(absl::string_view text, std::string& line) {
  line.push_back('"');
  while (!text.empty()) {
    const absl::string_view before = text;
    const std::uint32_t point = TakeCodePoint(text);
    if (point == kNotUtf8) {
      line += "\\ufffd";
    } else if (point == '"' || point == '\\') {
      line.push_back('\\');
      line.push_back(static_cast<char>(point));
    } else if (IsHarmful(point)) {
      absl::StrAppend(&line, "\\u", absl::Hex(point, absl::kZeroPad4));
    } else {
      absl::StrAppend(&line, before.substr(0, before.size() - text.size()));
    }
  }
  line.push_back('"');
}

struct JsonValue {
  void operator()(absl::string_view text) const { AppendJsonText(text, line); }
  void operator()(bool value) const { line += value ? "true" : "false"; }
  void operator()(double value) const {
    if (std::isfinite(value)) {
      absl::StrAppend(&line, value);
    } else {
      line += "null";
    }
  }
  void operator()(Duration value) const {
    absl::StrAppendFormat(
        &line, "%.6f",
        static_cast<double>(value.count()) / kMicrosecondsPerSecond);
  }
  template <typename Integer>
  void operator()(Integer value) const {
    absl::StrAppend(&line, value);
  }

  std::string& line;
};

bool IsPlainWord(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) &&
        absl::string_view("._:/+-@[]").find(c) == absl::string_view::npos) {
      return false;
    }
  }
  return !text.empty();
}

// `text` with what could move a terminal's cursor, or end the line, spelt out.
void AppendEscaped(absl::string_view text, std::string& line) {
  while (!text.empty()) {
    const absl::string_view before = text;
    const std::uint32_t point = TakeCodePoint(text);
    if (point == kNotUtf8) {
      absl::StrAppend(
          &line, "\\x{",
          absl::Hex(static_cast<unsigned char>(before[0]), absl::kZeroPad2),
          "}");
    } else if (point == '\n') {
      line += "\\n";
    } else if (point == '"' || point == '\\') {
      line.push_back('\\');
      line.push_back(static_cast<char>(point));
    } else if (IsHarmful(point)) {
      absl::StrAppend(&line, "\\u{", absl::Hex(point), "}");
    } else {
      absl::StrAppend(&line, before.substr(0, before.size() - text.size()));
    }
  }
}

struct TextValue {
  void operator()(absl::string_view text) const {
    if (IsPlainWord(text)) {
      absl::StrAppend(&line, text);
      return;
    }
    line.push_back('"');
    AppendEscaped(text, line);
    line.push_back('"');
  }
  void operator()(bool value) const { line += value ? "true" : "false"; }
  void operator()(Duration value) const { line += FormatDuration(value); }
  template <typename Number>
  void operator()(Number value) const {
    absl::StrAppend(&line, value);
  }

  std::string& line;
};

}  // namespace

std::string JsonLine(const LogRecord& record, WallTime time) {
  std::string line = "{\"time\":\"";
  AppendTime(time, line);
  absl::StrAppend(&line, "\",\"level\":\"", LogLevelName(record.level),
                  "\",\"message\":");
  AppendJsonText(record.message, line);
  for (const LogField& field : record.fields) {
    line.push_back(',');
    if (absl::holds_alternative<Duration>(field.value())) {
      AppendJsonText(absl::StrCat(field.key(), "_s"), line);
    } else {
      AppendJsonText(field.key(), line);
    }
    line.push_back(':');
    absl::visit(JsonValue{line}, field.value());
  }
  line.push_back('}');
  return line;
}

std::string TextLine(const LogRecord& record, WallTime time) {
  std::string line;
  AppendTime(time, line);
  absl::StrAppend(&line, " ", absl::AsciiStrToUpper(LogLevelName(record.level)),
                  " ");
  AppendEscaped(record.message, line);
  for (const LogField& field : record.fields) {
    line.push_back(' ');
    AppendEscaped(field.key(), line);
    line.push_back('=');
    absl::visit(TextValue{line}, field.value());
  }
  return line;
}

}  // namespace lifesign
