// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/load/answers.h"

#include <chrono>
#include <memory>
#include <random>
#include <thread>

#include "bench/load/fail.h"
#include "bench/load/histogram.h"
#include "bench/load/json.h"
#include "bench/load/messages.h"
#include "bench/load/pacer.h"
#include "bench/load/raw_call.h"
#include "server/base/mutex.h"

namespace lifesign::bench {
namespace {

constexpr auto kLongestAnswer = std::chrono::seconds(10);

// A stream with one session, whose every heartbeat asks for its answer.
class Asker {
 public:
  explicit Asker(const std::string& target)
      : channel_(MakeChannels(target, 1)[0]),
        call_(channel_, kHeartbeatMethod,
              [this](const grpc::ByteBuffer&) { OnAnswer(); }) {}

  // Whether the answer came.
  bool Open() {
    v1::HeartbeatRequest request;
    AddOpen(1, 0, request);
    return Ask(request);
  }
  bool Beat() {
    const std::uint32_t handle = 1;
    return Ask(Signals({&handle, 1}, v1::SIGNAL_KIND_ACTIVE));
  }

 private:
  bool Ask(v1::HeartbeatRequest request) {
    request.set_answer_now(true);
    MutexLock lock(mutex_);
    answered_ = false;
    call_.Send(ToBytes(request));
    while (!answered_) {
      if (!changed_.WaitFor(mutex_, kLongestAnswer)) return answered_;
    }
    return true;
  }
  void OnAnswer() {
    MutexLock lock(mutex_);
    answered_ = true;
    changed_.NotifyAll();
  }

  Mutex mutex_;
  CondVar changed_;
  bool answered_ ABSL_GUARDED_BY(mutex_) = false;
  const std::shared_ptr<grpc::Channel> channel_;
  RawCall call_;
};

// Asks one server `count` times. False if it does not answer.
bool AskInTurn(const AnswersOptions& options, std::size_t target, int count,
               Histogram& latency) {
  std::mt19937_64 random(options.seed + target);
  std::uniform_real_distribution<double> pause(options.least_seconds,
                                               options.most_seconds);
  Asker asker(options.targets[target]);
  if (!asker.Open()) return false;
  for (int i = 0; i < count; ++i) {
    const SteadyTime intended =
        SteadyNow() + std::chrono::nanoseconds(
                          static_cast<std::int64_t>(pause(random) * 1e9));
    std::this_thread::sleep_until(intended);
    if (!asker.Beat()) return false;
    latency.Record(Nanoseconds(SteadyNow() - intended));
  }
  return true;
}

}  // namespace

int RunAnswers(const AnswersOptions& options) {
  const std::size_t servers = options.targets.size();
  const int each = options.answers / static_cast<int>(servers);
  std::vector<Histogram> latencies(servers);
  std::vector<char> ok(servers, 0);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < servers; ++i) {
    threads.emplace_back(
        [&, i] { ok[i] = AskInTurn(options, i, each, latencies[i]) ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  auto all = std::make_unique<Histogram>();
  for (std::size_t i = 0; i < servers; ++i) {
    if (ok[i] == 0) return Fail("a server does not answer");
    all->Merge(latencies[i]);
  }
  JsonLine()
      .Add("answers", all->count())
      .Add("answer_p50_ns", all->Percentile(0.5))
      .Add("answer_p99_ns", all->Percentile(0.99))
      .Add("answer_max_ns", all->max())
      .Print();
  return 0;
}

}  // namespace lifesign::bench
