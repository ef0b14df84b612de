// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/load/idle_streams.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "bench/load/fail.h"
#include "bench/load/json.h"
#include "bench/load/messages.h"
#include "bench/load/process_meter.h"
#include "bench/load/raw_call.h"
#include "bench/load/wait.h"

namespace lifesign::bench {
namespace {

// So long after the last answer the server has freed what it needed meanwhile.
constexpr auto kSettling = std::chrono::seconds(1);

// One stream after the other, so that no backlog counts as their memory.
bool OpenEach(const IdleStreamsOptions& options, int first, int count,
              std::vector<std::unique_ptr<RawCall>>& calls) {
  const auto channels =
      MakeChannels(options.target, std::min(options.connections, count));
  std::atomic<int> answered{0};
  for (int i = 0; i < count; ++i) {
    auto& call = calls.emplace_back(std::make_unique<RawCall>(
        channels[static_cast<std::size_t>(i) % channels.size()],
        kHeartbeatMethod,
        [&answered](const grpc::ByteBuffer&) { ++answered; }));
    v1::HeartbeatRequest request;
    AddOpen(1, first + i, request);
    call->Send(ToBytes(request));
    if (!WaitUntil([&] { return answered > i; })) return false;
  }
  return true;
}

}  // namespace

int RunIdleStreams(const IdleStreamsOptions& options) {
  std::vector<std::unique_ptr<RawCall>> calls;
  if (!OpenEach(options, 0, 1, calls)) return Fail("no stream opens");
  std::this_thread::sleep_for(kSettling);
  const ProcessMeter server(options.server_pid);
  const std::int64_t before = server.AnonymousBytes();
  if (!OpenEach(options, 1, options.streams, calls)) {
    return Fail("not every stream opens");
  }
  std::this_thread::sleep_for(kSettling);
  JsonLine()
      .Add("streams", options.streams)
      .Add("connections", options.connections)
      .Add("bytes", server.AnonymousBytes() - before)
      .Print();
  for (auto& call : calls) call->Cancel();
  return 0;
}

}  // namespace lifesign::bench
