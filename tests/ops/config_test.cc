// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/limits.h"
#include "server/ops/config/command_line.h"
#include "server/ops/config/config_document.h"
#include "server/ops/config/load_config.h"
#include "server/ops/config/setting.h"

namespace lifesign {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class ConfigTest : public testing::Test {
 protected:
  // Writes a configuration file and gives it to --config.
  void File(const std::string& text) {
    file_ = absl::StrCat(
        testing::TempDir(), "/",
        testing::UnitTest::GetInstance()->current_test_info()->name(), ".conf");
    std::ofstream(file_) << text;
  }

  ServerCommand Run(std::vector<std::string> flags = {}) {
    if (!file_.empty()) {
      flags.insert(flags.begin(), absl::StrCat("--config=", file_));
    }
    std::vector<const char*> argv = {"lifesignd"};
    for (const std::string& flag : flags) {
      argv.push_back(flag.c_str());
    }
    out_.str("");
    err_.str("");
    return ReadCommandLine(static_cast<int>(argv.size()), argv.data(), "1.2.3",
                           out_, err_);
  }

  // What was complained of, without the program's and the directory's name.
  std::vector<std::string> Errors() const {
    std::vector<std::string> lines;
    for (const absl::string_view line :
         absl::StrSplit(err_.str(), '\n', absl::SkipEmpty())) {
      const std::string text(line);
      const auto slash = text.rfind(".conf");
      lines.push_back(slash == std::string::npos ? text : text.substr(slash));
    }
    return lines;
  }

  std::string file_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(ConfigTest, ServesOnLoopbackWithNoConfigurationAtAll) {
  const ServerCommand command = Run();
  ASSERT_TRUE(command.config.has_value()) << err_.str();
  EXPECT_EQ(command.config->server().listen_address(), "127.0.0.1:7400");
  EXPECT_EQ(command.config->log().format(), "auto");
}

// concepts.md § 3: the defaults of the built-in policy.
TEST_F(ConfigTest, DefaultsAreThoseOfThePolicy) {
  const ServerCommand command = Run();
  ASSERT_TRUE(command.config.has_value()) << err_.str();
  EXPECT_EQ(PolicyOf(*command.config), Policy());
  EXPECT_EQ(command.config->limits().max_sessions_per_user(),
            limits::kMaxSessionsPerUser);
  EXPECT_EQ(command.config->limits().max_sessions_per_stream(),
            limits::kMaxSessionsPerStream);
  EXPECT_EQ(command.config->policy().max_retained_users(),
            limits::kMaxRetainedUsers);
  EXPECT_EQ(DurationSetting(command.config->server().tick()),
            limits::kDefaultTick);
}

TEST_F(ConfigTest, EverySettingHasHelpAndAnAllowedDefault) {
  config::v1::Config config;
  FillDefaults(config);
  for (const Setting& setting : AllSettings()) {
    EXPECT_THAT(setting.help, testing::Not(IsEmpty())) << setting.path;
    EXPECT_TRUE(setting.field->options().HasExtension(config::v1::setting))
        << setting.path;
    EXPECT_TRUE(CheckValue(*setting.field, config.GetReflection()->GetMessage(
                                               config, setting.section))
                    .ok())
        << setting.path;
  }
}

TEST_F(ConfigTest, FileSetsAndFlagOutranksFile) {
  File("policy { ttl: \"5m\" offline_retention: \"2h\" }");
  const ServerCommand command = Run({"--policy.ttl=6m"});
  ASSERT_TRUE(command.config.has_value()) << err_.str();
  EXPECT_EQ(command.config->policy().ttl(), "6m");
  EXPECT_EQ(command.config->policy().offline_retention(), "2h");
}

TEST_F(ConfigTest, EverySettingIsAFlagInBothSpellings) {
  for (const Setting& setting : AllSettings()) {
    if (setting.field->is_repeated()) {
      continue;
    }
    config::v1::Config defaults;
    FillDefaults(defaults);
    const std::string value = ValueText(defaults, setting);
    std::string dashed = setting.path;
    for (char& c : dashed) {
      c = c == '.' || c == '_' ? '-' : c;
    }
    for (const std::string& name : {setting.path, dashed}) {
      const ServerCommand command = Run({absl::StrCat("--", name, "=", value)});
      EXPECT_TRUE(command.config.has_value()) << name << ": " << err_.str();
    }
  }
}

TEST_F(ConfigTest, FlagsTakeDurationsNumbersAndSwitches) {
  const ServerCommand command =
      Run({"--server.tick=250ms", "--server-shards", "8",
           "--server.reflection=false", "--server.insecure",
           "--server.listen_address=[::]:0"});
  ASSERT_TRUE(command.config.has_value()) << err_.str();
  EXPECT_EQ(command.config->server().tick(), "250ms");
  EXPECT_EQ(command.config->server().shards(), 8);
  EXPECT_FALSE(command.config->server().reflection());
  EXPECT_TRUE(command.config->server().insecure());
}

TEST_F(ConfigTest, DeviceRowsOverrideWhatTheyName) {
  File(
      "policy {\n"
      "  device_rows { device_class: DEVICE_CLASS_MOBILE ttl: \"10m\" }\n"
      "  device_rows { device_class: DEVICE_CLASS_TV away_window: \"200s\" }\n"
      "}\n");
  const ServerCommand command = Run();
  ASSERT_TRUE(command.config.has_value()) << err_.str();
  const Policy policy = PolicyOf(*command.config);
  EXPECT_EQ(policy.RowFor(DeviceClass::kMobile).ttl, seconds(600));
  EXPECT_EQ(policy.RowFor(DeviceClass::kMobile).away_window, seconds(180));
  EXPECT_EQ(policy.RowFor(DeviceClass::kTv).away_window, seconds(200));
  EXPECT_EQ(policy.RowFor(DeviceClass::kWeb), policy.defaults);
}

TEST_F(ConfigTest, DeviceRowsOfFlagsReplaceThoseOfTheFile) {
  File("policy { device_rows { device_class: DEVICE_CLASS_TV ttl: \"10m\" } }");
  const ServerCommand command =
      Run({"--policy.device_rows=device_class: DEVICE_CLASS_WEB ttl: \"7m\"",
           "--policy.device_rows=device_class: DEVICE_CLASS_BOT ttl: \"8m\""});
  ASSERT_TRUE(command.config.has_value()) << err_.str();
  const Policy policy = PolicyOf(*command.config);
  EXPECT_EQ(policy.RowFor(DeviceClass::kTv), policy.defaults);
  EXPECT_EQ(policy.RowFor(DeviceClass::kWeb).ttl, seconds(420));
  EXPECT_EQ(policy.RowFor(DeviceClass::kBot).ttl, seconds(480));
}

TEST_F(ConfigTest, TimeScaleShortensEveryDurationOfThePolicy) {
  const ServerCommand command = Run({"--policy.time_scale_percent=10"});
  ASSERT_TRUE(command.config.has_value()) << err_.str();
  const Policy policy = PolicyOf(*command.config);
  EXPECT_EQ(policy, ScalePolicy(Policy(), 1, 10));
  EXPECT_EQ(policy.defaults.ttl, seconds(24));
  EXPECT_EQ(policy.defaults.active_window, milliseconds(1500));
}

TEST_F(ConfigTest, SeveralErrorsAreToldAtOnceEachWithLineColumnAndField) {
  File(
      "server {\n"
      "  tick: \"2s\"\n"
      "  listen_address: \"localhost\"\n"
      "}\n"
      "log { level: \"loud\" }\n");
  const ServerCommand command = Run({"--policy.ttl=soon"});
  EXPECT_FALSE(command.config.has_value());
  EXPECT_EQ(command.exit_code, kExitUsage);
  EXPECT_THAT(
      Errors(),
      testing::UnorderedElementsAre(
          ".conf:2:3: server.tick: must be 1ms to 1s, but is 2s",
          StartsWith(".conf:3:3: server.listen_address: must be an address"),
          ".conf:5:7: log.level: must be one of debug, info, warning, error, "
          "but is \"loud\"",
          StartsWith("lifesignd: --policy.ttl: must be a "
                     "duration")));
}

TEST_F(ConfigTest, UnknownSettingsAreAllToldWithWhatWasMeant) {
  File(
      "server { listen_adress: \"127.0.0.1:0\" }\n"
      "policy {\n"
      "  tll: \"5m\"\n"
      "}\n"
      "polcy { }\n");
  Run();
  EXPECT_THAT(
      Errors(),
      ElementsAre(".conf:1:10: unknown setting \"listen_adress\"; did you mean "
                  "\"listen_address\"?",
                  ".conf:3:3: unknown setting \"tll\"; did you mean \"ttl\"?",
                  ".conf:5:1: unknown setting \"polcy\"; did you mean "
                  "\"policy\"?"));
}

TEST_F(ConfigTest, SyntaxErrorsNameLineAndColumn) {
  File("server {\n  shards: many\n}\n");
  Run();
  EXPECT_THAT(Errors(), ElementsAre(StartsWith(".conf:2:11: ")));
  File("server { shards: 1 shards: 2 }");
  Run();
  EXPECT_THAT(Errors(), ElementsAre(HasSubstr("multiple times")));
  File("server {");
  Run();
  EXPECT_THAT(Errors(), SizeIs(1));
}

TEST_F(ConfigTest, BrokenRelationPointsAtTheFieldThatWasWritten) {
  // ttl is the default of 240 s; the person wrote away_window.
  File("policy {\n  away_window: \"300s\"\n}\n");
  EXPECT_EQ(Run().exit_code, kExitUsage);
  EXPECT_THAT(Errors(), ElementsAre(StartsWith(".conf:2:3: policy.")));
}

TEST_F(ConfigTest, BrokenRelationOfADeviceRowPointsIntoTheRow) {
  File(
      "policy {\n"
      "  device_rows {\n"
      "    device_class: DEVICE_CLASS_MOBILE\n"
      "    ttl: \"10s\"\n"
      "  }\n"
      "}\n");
  EXPECT_EQ(Run().exit_code, kExitUsage);
  EXPECT_THAT(
      Errors(),
      ElementsAre(StartsWith(".conf:4:5: policy.device_rows[0].ttl: ")));
}

TEST_F(ConfigTest, EachDeviceClassHasOneRow) {
  File(
      "policy {\n"
      "  device_rows { device_class: DEVICE_CLASS_TV }\n"
      "  device_rows { device_class: DEVICE_CLASS_TV }\n"
      "  device_rows { ttl: \"5m\" }\n"
      "}\n");
  EXPECT_EQ(Run().exit_code, kExitUsage);
  EXPECT_THAT(
      Errors(),
      ElementsAre(".conf:3:17: policy.device_rows[1].device_class: "
                  "DEVICE_CLASS_TV has a row already",
                  StartsWith(".conf:4:3: policy.device_rows[2].device_class: "
                             "must name a class")));
}

TEST_F(ConfigTest, BeyondLoopbackNeedsInsecure) {
  EXPECT_EQ(Run({"--server.listen_address=0.0.0.0:7400"}).exit_code,
            kExitUsage);
  EXPECT_THAT(Errors(), ElementsAre(HasSubstr("--insecure")));
  EXPECT_EQ(Run({"--server.listen_address=[::]:7400"}).exit_code, kExitUsage);
  EXPECT_TRUE(Run({"--server.listen_address=0.0.0.0:7400", "--insecure"})
                  .config.has_value());
  for (const char* loopback :
       {"127.0.0.1:0", "127.8.0.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0"}) {
    EXPECT_TRUE(Run({absl::StrCat("--server.listen_address=", loopback)})
                    .config.has_value())
        << err_.str();
  }
}

// concepts.md § 13: who may see through must be known.
TEST_F(ConfigTest, SeeingThroughIsForLoopbackOnly) {
  const ServerCommand command = Run({"--see-through"});
  ASSERT_TRUE(command.config.has_value()) << err_.str();
  EXPECT_TRUE(command.config->server().see_through());
  EXPECT_EQ(Run({"--server.listen_address=0.0.0.0:7400", "--insecure",
                 "--see-through"})
                .exit_code,
            kExitUsage);
  EXPECT_THAT(Errors(), ElementsAre(HasSubstr("server.see_through")));
}

TEST_F(ConfigTest, UnknownFlagsAreToldAndStopTheStart) {
  EXPECT_EQ(Run({"--server.shard=1", "extra"}).exit_code, kExitUsage);
  EXPECT_THAT(Errors(), SizeIs(2));
}

TEST_F(ConfigTest, MissingFileIsTold) {
  file_ = "/nowhere/lifesignd.conf";
  EXPECT_EQ(Run().exit_code, kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("No such file or directory"));
  file_ = testing::TempDir();
  EXPECT_EQ(Run().exit_code, kExitUsage);
}

TEST_F(ConfigTest, PrintedConfigurationMeansTheSame) {
  File("policy { ttl: \"5m\" device_rows { device_class: DEVICE_CLASS_TV } }");
  const ServerCommand first = Run();
  const ServerCommand printed = Run({"--print-config"});
  EXPECT_FALSE(printed.config.has_value());
  EXPECT_EQ(printed.exit_code, kExitOk);
  File(out_.str());
  const ServerCommand second = Run();
  ASSERT_TRUE(first.config.has_value());
  ASSERT_TRUE(second.config.has_value()) << err_.str();
  EXPECT_EQ(first.config->SerializeAsString(),
            second.config->SerializeAsString());
}

TEST_F(ConfigTest, CheckConfigEndsWithoutServing) {
  EXPECT_FALSE(Run({"--check-config"}).config.has_value());
  EXPECT_THAT(out_.str(), HasSubstr("valid"));
  const ServerCommand wrong = Run({"--check-config", "--server.tick=1h"});
  EXPECT_EQ(wrong.exit_code, kExitUsage);
}

TEST_F(ConfigTest, HelpNamesEverySettingWithinEightyColumns) {
  Run({"--help"});
  const std::string help = out_.str();
  for (const Setting& setting : AllSettings()) {
    EXPECT_THAT(help, HasSubstr(absl::StrCat("  --", setting.path, "=")));
  }
  for (const absl::string_view line : absl::StrSplit(help, '\n')) {
    EXPECT_LE(line.size(), 80u) << std::string(line);
  }
  EXPECT_THAT(help, HasSubstr("One of debug, info, warning,"));
}

TEST_F(ConfigTest, VersionIsTold) {
  Run({"--version"});
  EXPECT_EQ(out_.str(), "lifesignd 1.2.3\n");
}

}  // namespace
}  // namespace lifesign
