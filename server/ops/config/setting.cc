// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/config/setting.h"

#include <cassert>
#include <cstdint>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "server/base/duration_text.h"
#include "server/ops/config/config_descriptor.h"

namespace lifesign {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Comments are not part of the descriptor that is compiled into generated
// code, so they are looked up in the descriptor set that the build embeds.
const FieldDescriptor* WithComments(const FieldDescriptor& field) {
  static const google::protobuf::DescriptorPool* const kPool = [] {
    auto* pool = new google::protobuf::DescriptorPool();
    google::protobuf::FileDescriptorSet files;
    const absl::string_view bytes = ConfigDescriptorSet();
    const bool parsed =
        files.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
    assert(parsed);
    static_cast<void>(parsed);
    for (const auto& file : files.file()) {
      pool->BuildFile(file);
    }
    return pool;
  }();
  return kPool->FindFieldByName(field.full_name());
}

std::string CommentOf(const FieldDescriptor& field) {
  google::protobuf::SourceLocation location;
  const FieldDescriptor* commented = WithComments(field);
  if (commented == nullptr || !commented->GetSourceLocation(&location)) {
    return "";
  }
  std::string text = location.leading_comments;
  // Line ends of the source are not those of the help.
  for (char& c : text) {
    if (c == '\n') {
      c = ' ';
    }
  }
  absl::RemoveExtraAsciiWhitespace(&text);
  return text;
}

std::vector<Setting> ReadSettings() {
  std::vector<Setting> settings;
  const Descriptor* config = config::v1::Config::descriptor();
  for (int i = 0; i < config->field_count(); ++i) {
    const FieldDescriptor* section = config->field(i);
    const Descriptor* type = section->message_type();
    for (int j = 0; j < type->field_count(); ++j) {
      const FieldDescriptor* field = type->field(j);
      settings.push_back({absl::StrCat(section->name(), ".", field->name()),
                          section, field, CommentOf(*field)});
    }
  }
  return settings;
}

std::int64_t IntegerOf(const FieldDescriptor& field, const Message& section) {
  const auto& reflection = *section.GetReflection();
  return field.cpp_type() == FieldDescriptor::CPPTYPE_INT32
             ? reflection.GetInt32(section, &field)
             : reflection.GetInt64(section, &field);
}

// A value on the scale on which min and max are compared.
absl::optional<std::int64_t> OnScale(absl::string_view text, bool duration) {
  if (duration) {
    const auto value = ParseDuration(text);
    return value.has_value() ? absl::optional<std::int64_t>(value->count())
                             : absl::nullopt;
  }
  std::int64_t value = 0;
  return absl::SimpleAtoi(text, &value) ? absl::optional<std::int64_t>(value)
                                        : absl::nullopt;
}

// Keeps the first error of a text format value.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int, int, const std::string& message) override {
    if (text.empty()) {
      text = message;
    }
  }
  std::string text;
};

absl::Status AppendElement(absl::string_view text, const FieldDescriptor& field,
                           Message& section) {
  Message* element = section.GetReflection()->AddMessage(&section, &field);
  google::protobuf::TextFormat::Parser parser;
  FirstError error;
  parser.RecordErrorsTo(&error);
  if (parser.ParseFromString(std::string(text), element)) {
    return absl::OkStatus();
  }
  section.GetReflection()->RemoveLast(&section, &field);
  return absl::InvalidArgumentError(error.text);
}

absl::Status SetInteger(absl::string_view text, const FieldDescriptor& field,
                        Message& section) {
  const auto& reflection = *section.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
    std::int32_t value = 0;
    if (!absl::SimpleAtoi(text, &value)) {
      return absl::InvalidArgumentError("must be a whole number of 32 bits");
    }
    reflection.SetInt32(&section, &field, value);
    return absl::OkStatus();
  }
  std::int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) {
    return absl::InvalidArgumentError("must be a whole number of 64 bits");
  }
  reflection.SetInt64(&section, &field, value);
  return absl::OkStatus();
}

absl::Status CheckString(const config::v1::Setting& declared,
                         const std::string& value) {
  if (value.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("must not contain a zero byte");
  }
  if (declared.choices().empty()) {
    return absl::OkStatus();
  }
  for (const std::string& choice : declared.choices()) {
    if (value == choice) {
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("must be one of ", absl::StrJoin(declared.choices(), ", "),
                   ", but is \"", value, "\""));
}

}  // namespace

const std::vector<Setting>& AllSettings() {
  static const auto* const kSettings = new std::vector<Setting>(ReadSettings());
  return *kSettings;
}

std::string SectionHelp(const FieldDescriptor& section) {
  return CommentOf(section);
}

const config::v1::Setting& DeclarationOf(const FieldDescriptor& field) {
  return field.options().GetExtension(config::v1::setting);
}

std::string AllowedText(const FieldDescriptor& field) {
  const config::v1::Setting& declared = DeclarationOf(field);
  if (!declared.choices().empty()) {
    return absl::StrCat("one of ", absl::StrJoin(declared.choices(), ", "));
  }
  if (declared.min().empty() && declared.max().empty()) {
    return "";
  }
  return absl::StrCat(declared.min(), " to ", declared.max());
}

std::string ValueText(const config::v1::Config& config,
                      const Setting& setting) {
  const FieldDescriptor& field = *setting.field;
  assert(!field.is_repeated());
  const Message& section =
      config.GetReflection()->GetMessage(config, setting.section);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return section.GetReflection()->GetBool(section, &field) ? "true"
                                                               : "false";
    case FieldDescriptor::CPPTYPE_STRING:
      return section.GetReflection()->GetString(section, &field);
    default:
      return absl::StrCat(IntegerOf(field, section));
  }
}

absl::Status SetFromText(absl::string_view text, const FieldDescriptor& field,
                         Message& section) {
  if (field.is_repeated()) {
    return AppendElement(text, field, section);
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL: {
      bool value = false;
      if (!absl::SimpleAtob(text, &value)) {
        return absl::InvalidArgumentError("must be true or false");
      }
      section.GetReflection()->SetBool(&section, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_STRING:
      section.GetReflection()->SetString(&section, &field, std::string(text));
      return absl::OkStatus();
    default:
      return SetInteger(text, field, section);
  }
}

absl::Status CheckValue(const FieldDescriptor& field, const Message& section) {
  if (field.is_repeated() ||
      field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL ||
      field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    return absl::OkStatus();
  }
  const config::v1::Setting& declared = DeclarationOf(field);
  std::string written;
  absl::optional<std::int64_t> value;
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    written = section.GetReflection()->GetString(section, &field);
    if (!declared.duration()) {
      return CheckString(declared, written);
    }
    value = OnScale(written, true);
    if (!value.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "must be a duration such as \"250ms\", \"15s\" or \"1m30s\", but is "
          "\"",
          written, "\""));
    }
  } else {
    value = IntegerOf(field, section);
    written = absl::StrCat(*value);
  }
  const std::int64_t min = OnScale(declared.min(), declared.duration())
                               .value_or(std::numeric_limits<int64_t>::min());
  const std::int64_t max = OnScale(declared.max(), declared.duration())
                               .value_or(std::numeric_limits<int64_t>::max());
  if (*value < min || *value > max) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be ", AllowedText(field), ", but is ", written));
  }
  return absl::OkStatus();
}

void FillDefaults(config::v1::Config& config) {
  for (const Setting& setting : AllSettings()) {
    Message* section =
        config.GetReflection()->MutableMessage(&config, setting.section);
    if (setting.field->is_repeated() ||
        section->GetReflection()->HasField(*section, setting.field)) {
      continue;
    }
    const absl::Status set =
        SetFromText(DeclarationOf(*setting.field).default_value(),
                    *setting.field, *section);
    assert(set.ok());
    static_cast<void>(set);
  }
}

Duration DurationSetting(absl::string_view text) {
  const auto value = ParseDuration(text);
  assert(value.has_value());
  return value.value_or(Duration(0));
}

}  // namespace lifesign
