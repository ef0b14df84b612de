// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The shared scenarios, each a test, against C++ over gRPC.
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "tests/conformance/runner_cc/interpreter.h"
#include "tests/conformance/runner_cc/server_process.h"

namespace lifesign::conformance {
namespace {

struct Scenario {
  std::string file;
  Value content;
};

// A file that is not JSON is a scenario that fails.
std::vector<Scenario> AllScenarios() {
  std::vector<Scenario> all;
  for (const auto& entry :
       std::filesystem::directory_iterator(LIFESIGN_SCENARIOS)) {
    if (entry.path().extension() != ".json") continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    Value list;
    const auto read =
        google::protobuf::util::JsonStringToMessage(text.str(), &list);
    if (!read.ok()) all.push_back({entry.path().filename(), Value()});
    for (const Value& scenario : list.list_value().values()) {
      all.push_back({entry.path().stem(), scenario});
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Scenario& one, const Scenario& other) {
                     return one.file < other.file;
                   });
  return all;
}

std::string TextOf(const Scenario& scenario, const char* member) {
  const Value* text = Find(scenario.content, member);
  return text == nullptr ? "not JSON" : text->string_value();
}

void PrintTo(const Scenario& scenario, std::ostream* out) {
  *out << TextOf(scenario, "name");
}

// GoogleTest takes letters and digits only.
std::string TestName(const ::testing::TestParamInfo<Scenario>& info) {
  std::string name = info.param.file + "_" + TextOf(info.param, "name");
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

class Scenarios : public ::testing::TestWithParam<Scenario> {};

TEST_P(Scenarios, ComeOutAsWritten) {
  ServerProcess server;
  ASSERT_NE(server.address(), "")
      << "LIFESIGN_CONFORMANCE_SERVER did not start";
  Interpreter interpreter(server);
  const Value* steps = Find(GetParam().content, "steps");
  ASSERT_NE(steps, nullptr) << GetParam().file << " is not a list of scenarios";
  int number = 0;
  for (const Value& step : steps->list_value().values()) {
    ++number;
    const Differences found = interpreter.Do(step);
    ASSERT_TRUE(found.empty())
        << TextOf(GetParam(), "name") << "\n(" << TextOf(GetParam(), "says")
        << ")\nstep " << number << ": " << Show(step) << "\n  "
        << absl::StrJoin(found, "\n  ");
  }
}

INSTANTIATE_TEST_SUITE_P(Cc, Scenarios, ::testing::ValuesIn(AllScenarios()),
                         TestName);

}  // namespace
}  // namespace lifesign::conformance
