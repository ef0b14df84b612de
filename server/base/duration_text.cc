// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/base/duration_text.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace lifesign {
namespace {

struct Unit {
  absl::string_view name;
  std::int64_t microseconds;
};

// From the largest to the smallest.
constexpr Unit kUnits[] = {{"h", 3'600'000'000},
                           {"m", 60'000'000},
                           {"s", 1'000'000},
                           {"ms", 1'000},
                           {"us", 1}};
constexpr std::size_t kUnitCount = sizeof(kUnits) / sizeof(kUnits[0]);
constexpr std::size_t kMaxFractionDigits = 6;

std::size_t CountLeading(absl::string_view text, bool (*is)(unsigned char)) {
  std::size_t count = 0;
  while (count < text.size() && is(static_cast<unsigned char>(text[count]))) {
    ++count;
  }
  return count;
}

// `digits` times `scale`, added to `sum`. False: it does not fit.
bool Accumulate(absl::string_view digits, std::int64_t scale,
                std::int64_t& sum) {
  std::int64_t number = 0;
  for (const char digit : digits) {
    if (__builtin_mul_overflow(number, std::int64_t{10}, &number) ||
        __builtin_add_overflow(number, std::int64_t{digit - '0'}, &number)) {
      return false;
    }
  }
  return !__builtin_mul_overflow(number, scale, &number) &&
         !__builtin_add_overflow(sum, number, &sum);
}

// Adds 0.`digits` of a unit. False: finer than a microsecond.
bool AccumulateFraction(absl::string_view digits, std::int64_t unit,
                        std::int64_t& sum) {
  for (const char digit : digits) {
    if (unit % 10 != 0) {
      return digits.find_first_not_of('0') == absl::string_view::npos;
    }
    unit /= 10;
    if (__builtin_add_overflow(sum, (digit - '0') * unit, &sum)) {
      return false;
    }
  }
  return true;
}

}  // namespace

absl::optional<Duration> ParseDuration(absl::string_view text) {
  if (text == "0") {
    return Duration(0);
  }
  std::int64_t sum = 0;
  std::size_t next_unit = 0;
  if (text.empty()) {
    return absl::nullopt;
  }
  while (!text.empty()) {
    const absl::string_view whole =
        text.substr(0, CountLeading(text, absl::ascii_isdigit));
    text.remove_prefix(whole.size());
    absl::string_view fraction;
    if (!text.empty() && text.front() == '.') {
      text.remove_prefix(1);
      fraction = text.substr(0, CountLeading(text, absl::ascii_isdigit));
      text.remove_prefix(fraction.size());
      if (fraction.empty() || fraction.size() > kMaxFractionDigits) {
        return absl::nullopt;
      }
    }
    const absl::string_view name =
        text.substr(0, CountLeading(text, absl::ascii_isalpha));
    text.remove_prefix(name.size());
    while (next_unit < kUnitCount && kUnits[next_unit].name != name) {
      ++next_unit;
    }
    if (whole.empty() || next_unit == kUnitCount) {
      return absl::nullopt;
    }
    const std::int64_t unit = kUnits[next_unit++].microseconds;
    if (!Accumulate(whole, unit, sum) ||
        !AccumulateFraction(fraction, unit, sum)) {
      return absl::nullopt;
    }
  }
  return Duration(sum);
}

std::string FormatDuration(Duration duration) {
  // Unsigned: the least duration has no positive counterpart.
  std::uint64_t rest = static_cast<std::uint64_t>(duration.count());
  std::string text;
  if (duration.count() < 0) {
    rest = 0 - rest;
    text = "-";
  }
  if (rest == 0) {
    return "0s";
  }
  for (const Unit& unit : kUnits) {
    const auto size = static_cast<std::uint64_t>(unit.microseconds);
    if (rest >= size) {
      absl::StrAppend(&text, rest / size, unit.name);
      rest %= size;
    }
  }
  return text;
}

}  // namespace lifesign
