// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/config/config_document.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace lifesign {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using ParseInfoTree = google::protobuf::TextFormat::ParseInfoTree;

// What a person who wrote `name` probably meant: the field of `type` that is
// the fewest edits away, if those are few.
std::string NearestField(const Descriptor& type, absl::string_view name) {
  std::string nearest;
  std::size_t fewest = name.size() / 3 + 1;
  for (int i = 0; i < type.field_count(); ++i) {
    const std::string& field = type.field(i)->name();
    // Levenshtein's distance, a row at a time.
    std::vector<std::size_t> row(field.size() + 1);
    for (std::size_t column = 0; column < row.size(); ++column) {
      row[column] = column;
    }
    for (std::size_t line = 1; line <= name.size(); ++line) {
      std::size_t diagonal = std::exchange(row[0], line);
      for (std::size_t column = 1; column < row.size(); ++column) {
        const std::size_t replaced =
            diagonal + (name[line - 1] == field[column - 1] ? 0 : 1);
        diagonal = row[column];
        row[column] =
            std::min({replaced, row[column] + 1, row[column - 1] + 1});
      }
    }
    if (row.back() <= fewest) {
      fewest = row.back() - (row.back() > 0 ? 1 : 0);
      nearest = field;
    }
  }
  return nearest;
}

// Collects what the parser reports. It goes on after an unknown field, which
// it only warns of; for us that is an error like any other.
class Collector : public google::protobuf::io::ErrorCollector {
 public:
  Collector(absl::string_view file, absl::string_view text)
      : file_(file), lines_(absl::StrSplit(text, '\n')) {}

  void AddError(int line, int column, const std::string& message) override {
    errors_.push_back({Place(line, column), "", message});
  }

  void AddWarning(int line, int column, const std::string& message) override {
    // Message type "lifesign.config.v1.Policy" has no field named "tttl".
    const std::vector<absl::string_view> parts = absl::StrSplit(message, '"');
    const Descriptor* type =
        parts.size() == 5 ? google::protobuf::DescriptorPool::generated_pool()
                                ->FindMessageTypeByName(std::string(parts[1]))
                          : nullptr;
    if (type == nullptr) {
      AddError(line, column, message);
      return;
    }
    const absl::string_view name = parts[3];
    std::string text = absl::StrCat("unknown setting \"", name, "\"");
    const std::string meant = NearestField(*type, name);
    if (!meant.empty()) {
      absl::StrAppend(&text, "; did you mean \"", meant, "\"?");
    }
    errors_.push_back({Place(line, StartOf(name, line, column)), "", text});
  }

  std::vector<ConfigError> TakeErrors() { return std::move(errors_); }

 private:
  std::string Place(int line, int column) const {
    return line < 0 ? file_
                    : absl::StrCat(file_, ":", line + 1, ":", column + 1);
  }

  // The parser points behind the name it does not know.
  int StartOf(absl::string_view name, int line, int column) const {
    if (line < 0 || static_cast<std::size_t>(line) >= lines_.size()) {
      return column;
    }
    const absl::string_view before =
        lines_[line].substr(0, static_cast<std::size_t>(column));
    const std::size_t start = before.rfind(name);
    return start == absl::string_view::npos ? column : static_cast<int>(start);
  }

  const std::string file_;
  const std::vector<absl::string_view> lines_;
  std::vector<ConfigError> errors_;
};

// Notes where each field below `prefix` was written.
void CollectPlaces(const Message& message, const ParseInfoTree& tree,
                   const std::string& file, const std::string& prefix,
                   absl::flat_hash_map<std::string, std::string>& where) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const auto& reflection = *message.GetReflection();
    const int count =
        field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const int index = field->is_repeated() ? i : -1;
      std::string path = absl::StrCat(prefix, field->name());
      if (field->is_repeated()) {
        absl::StrAppend(&path, "[", i, "]");
      }
      const auto place = tree.GetLocation(field, index);
      where[path] =
          absl::StrCat(file, ":", place.line + 1, ":", place.column + 1);
      if (field->message_type() == nullptr) {
        continue;
      }
      const ParseInfoTree* nested = tree.GetTreeForNested(field, index);
      const Message& below =
          field->is_repeated()
              ? reflection.GetRepeatedMessage(message, field, i)
              : reflection.GetMessage(message, field);
      if (nested != nullptr) {
        CollectPlaces(below, *nested, file, absl::StrCat(path, "."), where);
      }
    }
  }
}

}  // namespace

std::string ConfigError::ToString() const {
  std::string line;
  if (!where.empty()) {
    absl::StrAppend(&line, where, ": ");
  }
  // A flag says the path already.
  if (!path.empty() && where != absl::StrCat("--", path)) {
    absl::StrAppend(&line, path, ": ");
  }
  return absl::StrCat(line, text);
}

std::vector<ConfigError> ConfigDocument::Parse(absl::string_view file,
                                               absl::string_view text) {
  Collector collector(file, text);
  ParseInfoTree places;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  parser.WriteLocationsTo(&places);
  parser.AllowUnknownField(true);
  const bool parsed = parser.ParseFromString(std::string(text), &written_);
  std::vector<ConfigError> errors = collector.TakeErrors();
  if (!parsed && errors.empty()) {
    errors.push_back({std::string(file), "", "cannot be read"});
  }
  if (errors.empty()) {
    CollectPlaces(written_, places, std::string(file), "", where_);
  }
  return errors;
}

std::vector<ConfigError> ConfigDocument::SetFromFlag(
    const Setting& setting, const std::vector<std::string>& texts) {
  std::vector<ConfigError> errors;
  Message* section =
      written_.GetReflection()->MutableMessage(&written_, setting.section);
  const std::string flag = absl::StrCat("--", setting.path);
  if (setting.field->is_repeated()) {
    section->GetReflection()->ClearField(section, setting.field);
    const std::string rows = absl::StrCat(setting.path, "[");
    absl::erase_if(where_, [&rows](const auto& entry) {
      return absl::StartsWith(entry.first, rows);
    });
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string path = setting.path;
    if (setting.field->is_repeated()) {
      absl::StrAppend(&path, "[", i, "]");
    }
    const absl::Status set = SetFromText(texts[i], *setting.field, *section);
    if (!set.ok()) {
      errors.push_back({flag, path, std::string(set.message())});
    }
    where_[path] = flag;
  }
  return errors;
}

bool ConfigDocument::IsWritten(absl::string_view path) const {
  return where_.contains(path);
}

std::string ConfigDocument::Where(absl::string_view path) const {
  // What was not written itself may be part of what was: a row, a section.
  for (absl::string_view part = path;;) {
    const auto found = where_.find(part);
    if (found != where_.end()) {
      return found->second;
    }
    const std::size_t dot = part.rfind('.');
    if (dot == absl::string_view::npos) {
      return "";
    }
    part = part.substr(0, dot);
  }
}

}  // namespace lifesign
