// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The network that the simulation believes in.
#include "tests/sim/call.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lifesign::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

grpc::ByteBuffer Bytes(const std::string& text) {
  const grpc::Slice slice(text);
  return {&slice, 1};
}

std::string Text(const grpc::ByteBuffer& bytes) {
  grpc::Slice slice;
  EXPECT_TRUE(bytes.DumpToSingleSlice(&slice).ok());
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

// Writes down what it is told; reads on by itself.
class Logic final : public StreamLogic {
 public:
  explicit Logic(StreamPort& port) : port_(port) { port_.Read(); }

  void OnRead(const grpc::ByteBuffer& message) override {
    told.push_back(Text(message));
    port_.Read();
  }
  void OnReadsDone() override { told.push_back("reads done"); }
  void OnWritten(bool ok) override {
    told.push_back(ok ? "written" : "not written");
  }
  void OnCancelled() override {
    told.push_back("cancelled");
    if (!finished) port_.Finish(grpc::Status::CANCELLED);
    finished = true;
  }
  void OnDone() override { told.push_back("done"); }

  std::vector<std::string> told;
  bool finished = false;

 private:
  StreamPort& port_;
};

class CallTest : public ::testing::Test, public CallClient, public Process {
 protected:
  bool up() const override { return listens_; }
  void At(RealTime at, std::function<void()> work) override {
    schedule_.At(at, std::move(work));
  }
  void Accept(Call& call) override {
    logic_ = std::make_shared<Logic>(call);
    call.Attach(logic_, nullptr);
  }
  void OnTaken() override {}
  void OnMessage(const grpc::ByteBuffer& message) override {
    received_.push_back(Text(message));
  }
  void OnEnded(const grpc::Status& status) override {
    received_.push_back(status.ok() ? "OK" : "ended");
  }

  void Begin(int window = 2) {
    call_ = std::make_shared<Call>(
        Call::Kind::kHeartbeat, 1, Call::World{schedule_, *this, verdict_},
        Route{milliseconds(1), milliseconds(90), window}, *this,
        grpc::ByteBuffer(), 7);
    call_->Begin();
    Run(seconds(1));
  }
  void Run(Duration length) {
    const RealTime until = schedule_.now() + length;
    while (schedule_.RunNext(until)) {
    }
  }

  Schedule schedule_;
  Verdict verdict_;
  bool listens_ = true;
  std::shared_ptr<Logic> logic_;
  std::shared_ptr<Call> call_;
  std::vector<std::string> received_;
};

TEST_F(CallTest, CarriesInOrderWhateverEachTakes) {
  Begin();
  for (const char* text : {"1", "2", "3", "4", "5"}) call_->Send(Bytes(text));
  Run(seconds(1));
  EXPECT_THAT(logic_->told, ElementsAre("1", "2", "3", "4", "5"));
}

TEST_F(CallTest, LosesWhatHadNotArrivedWhenItBroke) {
  Begin();
  call_->Send(Bytes("1"));
  Run(seconds(1));
  call_->Send(Bytes("2"));
  call_->Break(seconds(10), seconds(20));
  call_->Send(Bytes("3"));
  Run(seconds(9));
  EXPECT_THAT(logic_->told, ElementsAre("1"));
  Run(seconds(2));
  EXPECT_THAT(logic_->told,
              ElementsAre("1", "reads done", "cancelled", "done"));
  EXPECT_THAT(received_, IsEmpty());
  Run(seconds(10));
  EXPECT_THAT(received_, ElementsAre("ended"));
  EXPECT_TRUE(call_->over());
  EXPECT_FALSE(verdict_.failed());
}

TEST_F(CallTest, TakesNoMoreThanItsWindowUntilTheClientReads) {
  Begin(/*window=*/1);
  call_->Stall(false, true, schedule_.now() + seconds(60));
  call_->Write(Bytes("1"));
  Run(seconds(1));
  call_->Write(Bytes("2"));
  Run(seconds(30));
  EXPECT_THAT(logic_->told, ElementsAre("written"));
  EXPECT_TRUE(call_->writing());
  Run(seconds(60));
  EXPECT_THAT(logic_->told, ElementsAre("written", "written"));
  EXPECT_THAT(received_, ElementsAre("1", "2"));
}

TEST_F(CallTest, EndsAfterWhatWasWritten) {
  Begin();
  call_->Write(Bytes("1"));
  call_->Finish(grpc::Status::OK);
  Run(seconds(1));
  EXPECT_THAT(logic_->told, ElementsAre("written", "reads done", "done"));
  EXPECT_THAT(received_, ElementsAre("1", "OK"));
}

TEST_F(CallTest, FailsTheWorldOnWhatMakesGrpcAbort) {
  Begin();
  call_->Write(Bytes("1"));
  EXPECT_FALSE(verdict_.failed());
  call_->Write(Bytes("2"));
  EXPECT_TRUE(verdict_.failed());
}

TEST_F(CallTest, IsRefusedWhereNobodyListens) {
  listens_ = false;
  Begin();
  EXPECT_THAT(received_, ElementsAre("ended"));
  EXPECT_TRUE(call_->over());
}

}  // namespace
}  // namespace lifesign::sim
