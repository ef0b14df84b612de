// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/config/flag_help.h"

#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/ops/config/setting.h"

namespace lifesign {
namespace {

using google::protobuf::FieldDescriptor;

constexpr std::size_t kColumns = 80;
constexpr char kIndent[] = "      ";

constexpr char kUsage[] =
    "lifesignd: a presence server over gRPC.\n"
    "\n"
    "Usage: lifesignd [--config FILE] [--SECTION.SETTING=VALUE ...]\n"
    "\n"
    "Starts on 127.0.0.1:7400 with no arguments at all. A flag outranks the\n"
    "file. --policy.ttl=5m may also be written --policy-ttl=5m.\n"
    "\n"
    "  --config FILE\n"
    "      Settings in protobuf text format: policy { ttl: \"5m\" }\n"
    "  --check-config\n"
    "      Says whether the configuration is valid, and ends.\n"
    "  --print-config\n"
    "      Prints every setting as it would be used, as a file for --config,\n"
    "      and ends.\n"
    "  --version\n"
    "      Prints the version and ends.\n"
    "  -h, --help\n"
    "      Prints this and ends.\n";

constexpr char kExitCodes[] =
    "\n"
    "Exit codes: 0 ended as asked; 1 failure; 2 wrong arguments or\n"
    "configuration; 3 cannot listen; 4 clients were cut at the end of the "
    "drain\n"
    "budget; 128+n ended by a second signal n.\n";

void AppendWrapped(absl::string_view text, std::string& help) {
  std::size_t column = kColumns;
  for (const absl::string_view word :
       absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (column + 1 + word.size() > kColumns) {
      if (help.back() != '\n') {
        help.push_back('\n');
      }
      help.append(kIndent);
      column = sizeof(kIndent) - 1;
    } else {
      help.push_back(' ');
      ++column;
    }
    absl::StrAppend(&help, word);
    column += word.size();
  }
  help.push_back('\n');
}

absl::string_view ValueName(const FieldDescriptor& field) {
  if (DeclarationOf(field).duration()) {
    return "DURATION";
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true|false";
    case FieldDescriptor::CPPTYPE_STRING:
      return "TEXT";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "ROW";
    default:
      return "NUMBER";
  }
}

std::string Describe(const Setting& setting) {
  const FieldDescriptor& field = *setting.field;
  std::string text = setting.help;
  std::string allowed = AllowedText(field);
  if (!allowed.empty()) {
    allowed.front() =
        absl::ascii_toupper(static_cast<unsigned char>(allowed.front()));
    absl::StrAppend(&text, " ", allowed, ".");
  }
  if (!DeclarationOf(field).default_value().empty()) {
    absl::StrAppend(&text, " Default: ", DeclarationOf(field).default_value(),
                    ".");
  }
  return text;
}

}  // namespace

std::string FlagHelp() {
  std::string help = kUsage;
  const FieldDescriptor* section = nullptr;
  for (const Setting& setting : AllSettings()) {
    if (setting.section != section) {
      section = setting.section;
      absl::StrAppend(&help, "\n", section->name(), ": ", SectionHelp(*section),
                      "\n");
    }
    absl::StrAppend(&help, "  --", setting.path, "=",
                    ValueName(*setting.field));
    for (const ShortFlag& known : kShortFlags) {
      if (setting.path == known.path) {
        absl::StrAppend(&help, ", --", known.flag);
      }
    }
    help.push_back('\n');
    AppendWrapped(Describe(setting), help);
  }
  return help + kExitCodes;
}

}  // namespace lifesign
