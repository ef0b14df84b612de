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
#include "lifesign/v1/presence_service.grpc.pb.h"

namespace lifesign::bench {
namespace {

// A stream with one session, whose every heartbeat asks for its answer.
//
// Its calls are blocking ones: the pollers that gRPC has for callbacks fall
// asleep in an idle client as they do in an idle server, and it is the server
// that is measured.
class Asker {
 public:
  explicit Asker(const std::string& target)
      : stub_(v1::PresenceService::NewStub(MakeChannels(target, 1)[0])),
        call_(stub_->Heartbeat(&context_)) {}
  ~Asker() {
    context_.TryCancel();
    call_->Finish();
  }

  // Whether the answer came.
  bool Open() {
    v1::HeartbeatRequest request;
    AddOpen(HandleOf(0), 0, request);
    return Ask(request);
  }
  bool Beat() {
    const std::uint32_t handle = HandleOf(0);
    v1::HeartbeatRequest request =
        Signals({&handle, 1}, v1::SIGNAL_KIND_ACTIVE);
    return Ask(request);
  }

 private:
  bool Ask(v1::HeartbeatRequest& request) {
    request.set_answer_now(true);
    v1::HeartbeatResponse response;
    return call_->Write(request) && call_->Read(&response);
  }

  const std::unique_ptr<v1::PresenceService::Stub> stub_;
  grpc::ClientContext context_;
  const std::unique_ptr<
      grpc::ClientReaderWriter<v1::HeartbeatRequest, v1::HeartbeatResponse>>
      call_;
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
