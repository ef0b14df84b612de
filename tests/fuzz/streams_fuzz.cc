// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Two heartbeat streams, a watch and a follower of one server, under any order
// of messages, reads, writes, time, breaks and drains: gRPC's rules are kept
// (FakeCall), every call ends once, and what a stream holds stays bounded.
//
// Input: operations, each a byte; the low two bits of it choose the stream
// where there is a choice.
#include <array>
#include <memory>

#include <gtest/gtest.h>

#include "lifesign/v1/presence_service.pb.h"
#include "server/base/limits.h"
#include "server/transport/codec/decode.h"
#include "server/transport/heartbeat/heartbeat_stream.h"
#include "server/transport/watch/watch_stream.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/input.h"
#include "tests/transport/streams/fake_call.h"
#include "tests/transport/streams/stream_world.h"

namespace lifesign {
namespace {

using testing::FakeCall;
using testing::FuzzInput;
using testing::StreamWorld;

// More do not find more.
constexpr int kMostOperations = 200;
// Small, so that it is met.
constexpr int kSessionsPerStream = 4;

class HeartbeatCall {
 public:
  explicit HeartbeatCall(StreamWorld& world)
      : stream_(std::make_shared<HeartbeatStream>(world.parts())) {
    call_.Attach(stream_);
    stream_->Start(call_);
  }

  void Do(std::uint8_t operation, FuzzInput& input) {
    switch (operation % 8) {
      case 0:
      case 1:
      case 2: {
        const absl::string_view piece = input.TakePiece();
        const grpc::Slice slice(piece.data(), piece.size());
        call_.SendBytes(grpc::ByteBuffer(&slice, 1));
        break;
      }
      case 3:
        if (call_.writing()) call_.TakeWrite(operation < 128 || !broken_);
        break;
      case 4:
        if (call_.reading() && operation >= 128) call_.HalfClose();
        break;
      case 5:
        if (operation >= 192) Break();
        break;
      case 6:
        stream_->TellDrain(seconds(1));
        break;
      default:
        if (operation >= 192) stream_->EndForDrain();
        break;
    }
  }

  void Break() {
    if (broken_) return;
    broken_ = true;
    call_.Break();
  }

  void End() {
    Break();
    LIFESIGN_FUZZ_CHECK(call_.finished());
    call_.Done();
  }

 private:
  FakeCall<v1::HeartbeatResponse> call_;
  std::shared_ptr<HeartbeatStream> stream_;
  bool broken_ = false;
};

class WatchCall {
 public:
  WatchCall(StreamWorld& world, WatchOptions options)
      : stream_(
            std::make_shared<WatchStream>(world.parts(), std::move(options))) {
    call_.Attach(stream_);
    stream_->Start(call_);
  }

  void Do(std::uint8_t operation) {
    if (operation % 4 != 3) {
      if (call_.writing()) call_.TakeWrite();
    } else if (operation >= 56) {
      stream_->EndForDrain();
    }
  }

  void End() {
    call_.Break();
    LIFESIGN_FUZZ_CHECK(call_.finished());
    call_.Done();
  }

 private:
  FakeCall<v1::WatchPresenceResponse> call_;
  std::shared_ptr<WatchStream> stream_;
};

class FollowCall {
 public:
  explicit FollowCall(StreamWorld& world)
      : stream_(std::make_shared<WatchStream>(world.parts())) {
    call_.Attach(stream_);
    stream_->Start(call_);
  }

  void Do(std::uint8_t operation, FuzzInput& input) {
    if (operation % 4 == 0) {
      const absl::string_view piece = input.TakePiece();
      const grpc::Slice slice(piece.data(), piece.size());
      call_.SendBytes(grpc::ByteBuffer(&slice, 1));
    } else if (operation % 4 != 3) {
      if (call_.writing()) call_.TakeWrite();
    } else if (call_.reading() && operation >= 32) {
      call_.HalfClose();
    }
  }

  void End() {
    call_.Break();
    LIFESIGN_FUZZ_CHECK(call_.finished());
    call_.Done();
  }

 private:
  FakeCall<v1::WatchPresenceResponse> call_;
  std::shared_ptr<WatchStream> stream_;
};

void Run(FuzzInput input) {
  StreamLimits limits;
  limits.max_sessions_per_stream = kSessionsPerStream;
  limits.max_sessions_per_user = kSessionsPerStream - 1;
  StreamWorld world(limits);
  std::array<std::unique_ptr<HeartbeatCall>, 2> beats = {
      std::make_unique<HeartbeatCall>(world),
      std::make_unique<HeartbeatCall>(world)};
  WatchOptions options;
  options.users = {"u1", "u2"};
  options.progress_interval = limits::kDefaultProgressInterval;
  WatchCall watch(world, options);
  FollowCall follower(world);

  for (int i = 0; i < kMostOperations && !input.empty(); ++i) {
    const std::uint8_t operation = input.TakeByte();
    switch (operation % 4) {
      case 0:
      case 1:
        beats[operation % 4]->Do(operation / 4, input);
        break;
      case 2:
        if (operation >= 128) {
          follower.Do((operation - 128) / 4, input);
        } else {
          watch.Do(operation / 2);
        }
        break;
      default:
        world.Advance(milliseconds(100) * (1 << (operation / 4 % 8)));
        break;
    }
    world.Publish();
  }
  for (const auto& beat : beats) beat->End();
  watch.End();
  follower.End();
  world.AwaitChores();
}

}  // namespace
}  // namespace lifesign

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  // What FakeCall expects ends the process.
  static const bool breaks = [] {
    ::testing::GTEST_FLAG(break_on_failure) = true;
    return true;
  }();
  (void)breaks;
  lifesign::Run(lifesign::testing::FuzzInput(data, size));
  return 0;
}
