// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/clock.h"
#include "server/base/limits.h"
#include "server/base/log.h"
#include "server/base/mutex.h"
#include "server/transport/channel/channel_settings.h"
#include "server/transport/channel/self_call.h"
#include "tests/testing/eventually.h"
#include "tests/testing/generic_call.h"

namespace lifesign {
namespace {

using testing::Eventually;
using testing::GenericCall;

// While shut, every call blocks the thread of gRPC that brings it.
class Gate : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext*) override {
    {
      MutexLock lock(mutex_);
      ++entered_;
      while (shut_) {
        changed_.Wait(mutex_);
      }
    }
    class Refusal : public grpc::ServerGenericBidiReactor {
     public:
      Refusal() { Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "")); }
      void OnDone() override { delete this; }
    };
    return new Refusal();
  }
  void Shut() {
    MutexLock lock(mutex_);
    shut_ = true;
  }
  void Open() {
    MutexLock lock(mutex_);
    shut_ = false;
    changed_.NotifyAll();
  }
  int entered() {
    MutexLock lock(mutex_);
    return entered_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool shut_ ABSL_GUARDED_BY(mutex_) = false;
  int entered_ ABSL_GUARDED_BY(mutex_) = 0;
};

class ChannelTest : public ::testing::Test {
 protected:
  void Serve(bool reflection = true) {
    grpc::ServerBuilder builder;
    ChannelSettings settings;
    settings.reflection = reflection;
    ApplyChannelSettings(settings, builder);
    server_.reset();
    // gRPC wants a new one for each server.
    gate_ = std::make_unique<Gate>();
    builder.RegisterCallbackGenericService(gate_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  ~ChannelTest() override {
    gate_->Open();
    if (server_ != nullptr) {
      server_->Shutdown(std::chrono::system_clock::now());
    }
  }

  std::unique_ptr<Gate> gate_;
  SimulatedClock clock_;
  std::unique_ptr<grpc::Server> server_;
};

constexpr char kReflection[] =
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

TEST_F(ChannelTest, ReflectionIsASetting) {
  Serve(/*reflection=*/true);
  // Handled by its service, which sees a request that it cannot answer.
  GenericCall on(*server_, kReflection);
  EXPECT_NE(on.Await().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  server_->Shutdown();
  Serve(/*reflection=*/false);
  GenericCall off(*server_, kReflection);
  EXPECT_EQ(off.Await().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

// A call of reflection whose client sends nothing and does not end it.
class IdleReflection final
    : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit IdleReflection(grpc::Server& server)
      : stub_(server.InProcessChannel(grpc::ChannelArguments())) {
    stub_.PrepareBidiStreamingCall(&context_, kReflection, grpc::StubOptions(),
                                   this);
    StartCall();
  }
  ~IdleReflection() override {
    context_.TryCancel();
    MutexLock lock(mutex_);
    while (!status_.has_value()) changed_.Wait(mutex_);
  }

  void OnDone(const grpc::Status& status) override {
    MutexLock lock(mutex_);
    status_ = status;
    changed_.NotifyAll();
  }

  bool Refused() {
    MutexLock lock(mutex_);
    return status_.has_value() &&
           status_->error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED;
  }

 private:
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  Mutex mutex_;
  CondVar changed_;
  absl::optional<grpc::Status> status_ ABSL_GUARDED_BY(mutex_);
};

// Each holds a thread; without a bound a client could take all there are.
TEST_F(ChannelTest, IdleCallsOfReflectionBlockFewThreads) {
  Serve();
  std::vector<std::unique_ptr<IdleReflection>> calls;
  for (int i = 0; i < 3 * limits::kMaxReflectionThreads; ++i) {
    calls.push_back(std::make_unique<IdleReflection>(*server_));
  }
  EXPECT_TRUE(Eventually([&] {
    return std::count_if(calls.begin(), calls.end(), [](const auto& call) {
             return call->Refused();
           }) >= 2 * limits::kMaxReflectionThreads;
  }));
  GenericCall health(*server_, "/grpc.health.v1.Health/Check");
  EXPECT_EQ(health.Await().error_code(), grpc::StatusCode::OK);
}

TEST_F(ChannelTest, HealthIsServed) {
  Serve();
  GenericCall health(*server_, "/grpc.health.v1.Health/Check");
  EXPECT_EQ(health.Await().error_code(), grpc::StatusCode::OK);
}

TEST_F(ChannelTest, TheServerCallsItselfOnceAnInterval) {
  Serve();
  SelfCall self_call(*server_, clock_);
  const auto answered = [&](std::int64_t count) {
    return Eventually([&] { return self_call.lateness().answered() == count; });
  };
  self_call.Poke(clock_.RealNow());
  EXPECT_TRUE(answered(1));
  clock_.Advance(SelfCall::kInterval - Duration(1));
  self_call.Poke(clock_.RealNow());
  EXPECT_TRUE(answered(1));
  clock_.Advance(Duration(1));
  self_call.Poke(clock_.RealNow());
  EXPECT_TRUE(answered(2));
  EXPECT_EQ(self_call.lateness().failed, 0);

  self_call.Stop();
  clock_.Advance(SelfCall::kInterval);
  self_call.Poke(clock_.RealNow());
  EXPECT_EQ(self_call.lateness().answered(), 2);
}

// Counts what is logged.
class Recorder : public LogSink {
 public:
  Recorder() { SetLogSink(this); }
  ~Recorder() override { SetLogSink(nullptr); }
  void Write(const LogRecord& record) override {
    MutexLock lock(mutex_);
    lines_.emplace_back(record.message);
  }
  std::vector<std::string> lines() {
    MutexLock lock(mutex_);
    return lines_;
  }

 private:
  Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(ChannelTest, BlockedPollersShowInTheLatenessAndInTheLog) {
  Serve();
  Recorder recorder;
  SelfCall self_call(*server_, clock_);
  // All pollers: gRPC has half as many as there are cores, 2 to 16.
  const int pollers = std::clamp(
      static_cast<int>(std::thread::hardware_concurrency()) / 2, 2, 16);
  gate_->Shut();
  std::vector<std::unique_ptr<GenericCall>> calls;
  for (int i = 0; i < pollers; ++i) {
    calls.push_back(std::make_unique<GenericCall>(*server_, "/any/Method"));
  }
  ASSERT_TRUE(Eventually([&] { return gate_->entered() == pollers; }));

  self_call.Poke(clock_.RealNow());
  clock_.Advance(seconds(3));
  EXPECT_EQ(self_call.lateness().waiting, seconds(3));
  self_call.Poke(clock_.RealNow());
  EXPECT_THAT(recorder.lines(), ::testing::ElementsAre(
                                    "no answer yet from the server's pollers"));

  gate_->Open();
  EXPECT_TRUE(Eventually([&] { return self_call.lateness().answered() == 1; }));
  EXPECT_EQ(self_call.lateness().worst, seconds(3));
  EXPECT_EQ(self_call.lateness().waiting, Duration(0));
  for (const auto& call : calls) {
    call->Await();
  }
}

TEST(AnswerLatenessTest, PercentilesAreUpperBoundsAtMostTwiceTooHigh) {
  AnswerLateness lateness;
  EXPECT_EQ(lateness.Percentile(0.5), Duration(0));
  lateness.calls[7] = 99;  // 64 to 127 µs
  lateness.calls[20] = 1;  // about half a second
  lateness.worst = microseconds(600'000);
  EXPECT_EQ(lateness.Percentile(0.5), microseconds(128));
  EXPECT_EQ(lateness.Percentile(0.99), microseconds(128));
  EXPECT_EQ(lateness.Percentile(1), microseconds(600'000));
}

}  // namespace
}  // namespace lifesign
