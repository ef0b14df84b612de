// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/conformance/runner_cc/matching.h"

#include <regex>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace lifesign::conformance {
namespace {

// Longer than 64-bit integers need: they must stay exact.
using Number = long double;

bool ReadNumber(const Value& value, Number& number) {
  if (value.has_number_value()) {
    number = value.number_value();
    return true;
  }
  // 64-bit integers are strings in JSON.
  std::uint64_t integer = 0;
  if (absl::SimpleAtoi(value.string_value(), &integer)) {
    number = integer;
    return true;
  }
  double fraction = 0;
  const bool read = absl::SimpleAtod(value.string_value(), &fraction);
  number = fraction;
  return read;
}

bool IsAbsent(const Value* value) {
  if (value == nullptr) return true;
  switch (value->kind_case()) {
    case Value::kNumberValue:
      return value->number_value() == 0;
    case Value::kStringValue:
      return value->string_value().empty() || value->string_value() == "0";
    case Value::kBoolValue:
      return !value->bool_value();
    case Value::kListValue:
      return value->list_value().values().empty();
    case Value::kStructValue:
      return false;
    default:
      return true;
  }
}

bool IsBeyond(char order, const Value& actual, const Value& limit) {
  Number number = 0;
  Number bound = 0;
  return ReadNumber(actual, number) && ReadNumber(limit, bound) &&
         (order == '<' ? number < bound : number > bound);
}

Value TextValue(std::string text) {
  Value value;
  value.set_string_value(std::move(text));
  return value;
}

// "uuu", or a list of "u1", "u2", "u3".
Value Repeated(const std::string& text, bool numbered, int times) {
  std::string whole;
  Value list;
  for (int i = 1; i <= times; ++i) {
    if (numbered) {
      list.mutable_list_value()->add_values()->set_string_value(
          absl::StrCat(text, i));
    } else {
      whole += text;
    }
  }
  return numbered ? list : TextValue(whole);
}

bool ScalarMatches(const Value& expected, const Value* actual,
                   const Saved& saved) {
  const std::string& text = expected.string_value();
  if (text == "$any") return !IsAbsent(actual);
  if (IsAbsent(&expected)) return IsAbsent(actual);
  if (actual == nullptr) return false;
  if (text.size() > 1 && (text[0] == '<' || text[0] == '>')) {
    return IsBeyond(text[0], *actual,
                    Resolved(TextValue(text.substr(1)), saved));
  }
  if (expected.has_number_value()) {
    Number number = 0;
    return ReadNumber(*actual, number) && number == expected.number_value();
  }
  if (expected.has_bool_value()) return actual->bool_value();
  return actual->has_string_value() &&
         actual->string_value() == Resolved(expected, saved).string_value();
}

Differences DifferInMembers(const Value& expected, const Value& actual,
                            const Saved& saved, const std::string& path) {
  Differences all;
  for (const auto& [name, member] : expected.struct_value().fields()) {
    const Differences found = Differ(member, Find(actual, name), saved,
                                     absl::StrCat(path, ".", name));
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

Differences DifferInElements(const Value& expected, const Value& actual,
                             const Saved& saved, const std::string& path) {
  Differences all;
  for (int i = 0; i < expected.list_value().values_size(); ++i) {
    const Differences found =
        Differ(expected.list_value().values(i), &actual.list_value().values(i),
               saved, absl::StrCat(path, ".", i));
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

Differences One(const Value& expected, const Value* actual, const Saved& saved,
                const std::string& path) {
  std::string line = absl::StrCat(path, ": expected ", Show(expected));
  const std::size_t name = expected.string_value().find('$');
  if (name != std::string::npos) {
    const auto found = saved.find(expected.string_value().substr(name + 1));
    if (found != saved.end()) {
      absl::StrAppend(&line, " (that is ", Show(found->second), ")");
    }
  }
  absl::StrAppend(&line, ", was ",
                  actual == nullptr ? "nothing" : Show(*actual));
  return {line};
}

}  // namespace

Value Resolved(const Value& value, const Saved& saved) {
  Value resolved = value;
  if (value.has_struct_value()) {
    for (auto& [name, member] :
         *resolved.mutable_struct_value()->mutable_fields()) {
      member = Resolved(member, saved);
    }
  } else if (value.has_list_value()) {
    for (Value& element : *resolved.mutable_list_value()->mutable_values()) {
      element = Resolved(element, saved);
    }
  } else if (value.string_value().substr(0, 1) == "$") {
    static const std::regex repeated("\\$\\{(.+)([*#])(\\d+)\\}");
    std::smatch parts;
    if (std::regex_match(value.string_value(), parts, repeated)) {
      return Repeated(parts[1], parts[2] == "#", std::stoi(parts[3]));
    }
    const auto found = saved.find(value.string_value().substr(1));
    if (found != saved.end()) return found->second;
  }
  return resolved;
}

Value At(const Value& value, const std::string& path) {
  Value within = value;
  for (const absl::string_view name : absl::StrSplit(path, '.')) {
    Value next;
    if (within.has_list_value()) {
      int index = -1;
      if (absl::SimpleAtoi(name, &index) && index >= 0 &&
          index < within.list_value().values_size()) {
        next = within.list_value().values(index);
      }
    } else if (const Value* member = Find(within, std::string(name))) {
      next = *member;
    }
    within = next;
  }
  return within;
}

Differences Differ(const Value& expected, const Value* actual,
                   const Saved& saved, const std::string& path) {
  if (expected.has_struct_value()) {
    if (actual == nullptr || !actual->has_struct_value()) {
      return One(expected, actual, saved, path);
    }
    return DifferInMembers(expected, *actual, saved, path);
  }
  if (expected.has_list_value() && !IsAbsent(&expected)) {
    if (actual == nullptr || actual->list_value().values_size() !=
                                 expected.list_value().values_size()) {
      return One(expected, actual, saved, path);
    }
    return DifferInElements(expected, *actual, saved, path);
  }
  if (ScalarMatches(expected, actual, saved)) return {};
  return One(expected, actual, saved, path);
}

}  // namespace lifesign::conformance
