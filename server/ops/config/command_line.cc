// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/config/command_line.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/ops/config/config_document.h"
#include "server/ops/config/flag_help.h"
#include "server/ops/config/load_config.h"
#include "server/ops/config/setting.h"

namespace lifesign {
namespace {

constexpr std::size_t kMaxConfigFileBytes = 1u << 20;

// What the flags said, before anybody asked whether it makes sense.
struct Flags {
  bool help = false;
  bool version = false;
  bool check_config = false;
  bool print_config = false;
  std::string config_file;
  // Of AllSettings(), in its order; none: the flag was not given.
  std::vector<std::vector<std::string>> texts;
};

std::string FlagNames(const Setting& setting) {
  std::string dashed =
      absl::StrReplaceAll(setting.path, {{".", "-"}, {"_", "-"}});
  std::string names = absl::StrCat("--", setting.path, ",--", dashed);
  for (const ShortFlag& known : kShortFlags) {
    if (setting.path == known.path) {
      absl::StrAppend(&names, ",--", known.flag);
    }
  }
  return names;
}

void AddSettingFlag(const Setting& setting, std::vector<std::string>& texts,
                    CLI::App& app) {
  if (setting.field->cpp_type() ==
      google::protobuf::FieldDescriptor::CPPTYPE_BOOL) {
    app.add_flag_callback(FlagNames(setting), [] {})
        ->each([&texts](const std::string& text) { texts = {text}; });
    return;
  }
  const bool repeated = setting.field->is_repeated();
  app.add_option_function<std::vector<std::string>>(
         FlagNames(setting),
         [&texts, repeated](const std::vector<std::string>& given) {
           texts = given;
           if (!repeated) {
             texts = {given.back()};
           }
         })
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

// What CLI11 parses, last argument first, as it wants it. "--log.file=" becomes
// two arguments: it would take the next one for the value instead of none.
std::vector<std::string> Arguments(int argc, const char* const* argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    std::string argument = argv[i];
    const std::size_t equals = argument.find('=');
    if (argument.rfind("--", 0) == 0 && equals + 1 == argument.size()) {
      argument.pop_back();
      arguments.emplace_back();
    }
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

// Reads the flags; errors of the command line itself go to `errors`.
Flags ReadFlags(int argc, const char* const* argv,
                std::vector<ConfigError>& errors) {
  Flags flags;
  flags.texts.resize(AllSettings().size());
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.add_flag("--help,-h", flags.help);
  app.add_flag("--version", flags.version);
  app.add_flag("--check-config", flags.check_config);
  app.add_flag("--print-config", flags.print_config);
  app.add_option("--config", flags.config_file);
  for (std::size_t i = 0; i < flags.texts.size(); ++i) {
    AddSettingFlag(AllSettings()[i], flags.texts[i], app);
  }
  try {
    app.parse(Arguments(argc, argv));
  } catch (const CLI::ParseError& error) {
    errors.push_back({"", "", error.what()});
    return flags;
  }
  for (const std::string& extra : app.remaining()) {
    errors.push_back({"", "",
                      absl::StrCat("unknown argument \"", extra,
                                   "\"; --help lists those there are")});
  }
  return flags;
}

void ReadFile(const std::string& name, ConfigDocument& document,
              std::vector<ConfigError>& errors) {
  errno = 0;
  std::ifstream file(name, std::ios::binary);
  std::string text(kMaxConfigFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.fail() && !file.eof())) {
    errors.push_back(
        {name, "",
         absl::StrCat("cannot be read: ",
                      errno != 0 ? std::strerror(errno) : "is it a file?")});
    return;
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxConfigFileBytes) {
    errors.push_back({name, "", "is longer than 1 MiB"});
    return;
  }
  for (ConfigError& error : document.Parse(name, text)) {
    errors.push_back(std::move(error));
  }
}

// File, then flags over it, then whether all of it fits together.
ConfigDocument ReadSettings(const Flags& flags,
                            std::vector<ConfigError>& errors) {
  ConfigDocument document;
  if (!flags.config_file.empty()) {
    ReadFile(flags.config_file, document, errors);
  }
  for (std::size_t i = 0; i < flags.texts.size(); ++i) {
    if (flags.texts[i].empty()) {
      continue;
    }
    for (ConfigError& error :
         document.SetFromFlag(AllSettings()[i], flags.texts[i])) {
      errors.push_back(std::move(error));
    }
  }
  if (errors.empty()) {
    errors = CheckConfig(document);
  }
  return document;
}

}  // namespace

ServerCommand ReadCommandLine(int argc, const char* const* argv,
                              absl::string_view version, std::ostream& out,
                              std::ostream& err) {
  ServerCommand command;
  std::vector<ConfigError> errors;
  const Flags flags = ReadFlags(argc, argv, errors);
  if (flags.help) {
    out << FlagHelp();
    return command;
  }
  if (flags.version) {
    out << "lifesignd " << std::string(version) << "\n";
    return command;
  }
  const ConfigDocument document = ReadSettings(flags, errors);
  if (!errors.empty()) {
    for (const ConfigError& error : errors) {
      err << "lifesignd: " << error.ToString() << "\n";
    }
    command.exit_code = kExitUsage;
    return command;
  }
  config::v1::Config config = EffectiveConfig(document);
  if (flags.print_config) {
    out << ConfigText(config);
  } else if (flags.check_config) {
    out << "lifesignd: the configuration is valid\n";
  } else {
    command.config = std::move(config);
  }
  return command;
}

}  // namespace lifesign
