// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Many clients in one process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lifesign/client/gateway_stream.h"
#include "lifesign/client/watcher.h"
#include "tests/client/client_fixture.h"

namespace lifesign::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ManyClientsTest : public ClientTest {};

int ThreadsOfThisProcess() {
  std::ifstream status("/proc/self/status");
  std::string word;
  int threads = 0;
  while (status >> word) {
    if (word == "Threads:") status >> threads;
  }
  return threads;
}

TEST_F(ManyClientsTest, SessionsCostNoThreadOfTheirOwn) {
  const auto channel = Channel();
  std::vector<std::unique_ptr<Session>> sessions;
  const auto open_until = [&](size_t count) {
    while (sessions.size() < count) {
      sessions.push_back(*Session::Open(
          channel, {.user_id = "user" + std::to_string(sessions.size()),
                    .session_id = "tab"}));
    }
    for (const auto& session : sessions) {
      ASSERT_TRUE(session->Await(Connected, kPatience));
    }
  };
  // The scripted server takes a thread a stream; the client must not.
  open_until(20);
  const int few = ThreadsOfThisProcess();
  open_until(120);
  EXPECT_LE(ThreadsOfThisProcess(), few + 100 + 10);
}

// Everything at once, for ThreadSanitizer and for what it cannot see.
TEST_F(ManyClientsTest,
       ObjectsStandCallsFromManyThreadsWhileTheirStreamsBreak) {
  server_.Promise(milliseconds(50));
  const auto channel = Channel();
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int worker = 0; worker < 3; ++worker) {
    threads.emplace_back([&, worker] {
      int round = 0;
      while (!done) {
        const std::string name =
            std::to_string(worker) + "." + std::to_string(++round);
        SessionOptions options;
        options.on_status = [](auto&) {};
        auto session = *Session::Open(
            channel, {.user_id = name, .session_id = "s"}, std::move(options));
        GatewayOptions gateway_options;
        gateway_options.beats = Beats::kByStream;
        gateway_options.on_session = [](Handle, auto&) {};
        auto gateway = GatewayStream::Make(channel, std::move(gateway_options));
        WatchOptions watch;
        watch.user_ids = {"ann"};
        if (round % 2 == 0) watch.on_event = [](auto&) {};
        auto watcher = *Watcher::Start(channel, std::move(watch));
        // No more streams than the server, with its thread for each, can end.
        session->Await(Connected, seconds(5));
        for (int i = 0; i < 50; ++i) {
          const auto handle =
              gateway->Open({.user_id = name, .session_id = std::to_string(i)});
          session->Interacted();
          session->SetLifecycle(i % 2 == 0 ? Lifecycle::kIdle
                                           : Lifecycle::kActive);
          if (handle.ok()) {
            gateway->Signal(*handle, Lifecycle::kBackground);
            if (i % 3 == 0) gateway->Leave(*handle, milliseconds(i));
            if (i % 3 == 1) gateway->Detach(*handle);
            gateway->status(*handle);
          }
          if (i % 10 == 0) {
            session->OnNetworkChange();
            gateway->OnNetworkChange();
            watcher->OnNetworkChange();
          }
          watcher->status();
        }
        if (round % 2 == 0) session->Leave();
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    int streams = -1;
    EXPECT_TRUE(server_.Await([&streams](auto& seen) {
      if (streams < 0) streams = seen.streams;
      return seen.streams > streams + 5;
    }));
    server_.BreakStreams();
    if (i % 10 == 9) server_.Restart();
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace lifesign::client
