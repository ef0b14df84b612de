// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/realtime/testing/lifesignd_process.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/eventually.h"

namespace lifesign::testing {
namespace {

// All that is in the file; empty if there is none.
std::string ContentOf(const std::string& path) {
  const std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

std::string NewDirectory() {
  std::string name = ::testing::TempDir() + "lifesignd-XXXXXX";
  EXPECT_NE(mkdtemp(name.data()), nullptr) << name;
  return name;
}

}  // namespace

LifesigndProcess::LifesigndProcess(std::vector<std::string> flags)
    : flags_(std::move(flags)), scratch_(NewDirectory()) {
  Start();
}

LifesigndProcess::~LifesigndProcess() {
  process_.reset();
  if (::testing::Test::HasFailure()) {
    std::cerr << "the server's log:\n" << Log();
  }
  std::error_code ignored;
  std::filesystem::remove_all(scratch_, ignored);
}

void LifesigndProcess::Start() {
  const std::string port_file = scratch_ + "/port";
  std::filesystem::remove(port_file);
  std::vector<std::string> command = {
      LIFESIGN_SERVER, absl::StrCat("--server.listen_address=", address_),
      absl::StrCat("--server.port_file=", port_file), "--server.tick=10ms",
      "--log.format=json"};
  command.insert(command.end(), flags_.begin(), flags_.end());
  process_ = std::make_unique<ChildProcess>(command, scratch_ + "/log");
  std::string port;
  Eventually([&] {
    port = ContentOf(port_file);
    return !port.empty() || !process_->IsRunning();
  });
  ASSERT_TRUE(absl::SimpleAtoi(port, &port_)) << Log();
  address_ = absl::StrCat("127.0.0.1:", port_);
}

void LifesigndProcess::StartAgain() {
  ASSERT_FALSE(process_->IsRunning());
  Start();
}

void LifesigndProcess::AskToEnd() { process_->Signal(SIGTERM); }

std::shared_ptr<grpc::Channel> LifesigndProcess::NewChannel() const {
  grpc::ChannelArguments arguments;
  // Otherwise channels to one address share a connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(),
                                   arguments);
}

std::size_t LifesigndProcess::ResidentBytes() const {
  std::ifstream file(absl::StrCat("/proc/", process_->pid(), "/statm"));
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::string LifesigndProcess::Log() const {
  return ContentOf(scratch_ + "/log");
}

}  // namespace lifesign::testing
