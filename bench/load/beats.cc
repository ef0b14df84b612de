// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/load/beats.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "bench/load/fail.h"
#include "bench/load/histogram.h"
#include "bench/load/json.h"
#include "bench/load/messages.h"
#include "bench/load/pacer.h"
#include "bench/load/process_meter.h"
#include "bench/load/raw_call.h"
#include "bench/load/wait.h"
#include "server/base/limits.h"
#include "server/base/mutex.h"

namespace lifesign::bench {
namespace {

// A stream, its sessions, and its messages in turn.
class Beater {
 public:
  Beater(const std::shared_ptr<grpc::Channel>& channel,
         const BeatsOptions& options, int index)
      : options_(options), first_user_(index * options.sessions_per_stream) {
    const int messages = options.sessions_per_stream / options.batch;
    for (int m = 0; m < messages; ++m) {
      std::vector<std::uint32_t> handles;
      for (int i = 0; i < options.batch; ++i) {
        handles.push_back(HandleOf(m * options.batch + i));
      }
      messages_.push_back(ToBytes(Signals(handles, v1::SIGNAL_KIND_ACTIVE)));
    }
    call_ = std::make_unique<RawCall>(
        channel, kHeartbeatMethod,
        [this](const grpc::ByteBuffer& bytes) { OnAnswer(bytes); },
        [this] { OnTaken(); });
  }

  void OpenSessions() {
    for (int next = 0; next < options_.sessions_per_stream;) {
      v1::HeartbeatRequest request;
      request.set_answer_always(next == 0 && options_.acked);
      const int end = std::min(options_.sessions_per_stream,
                               next + limits::kMaxOpensPerMessage);
      for (; next < end; ++next) {
        AddOpen(HandleOf(next), first_user_ + next, request);
      }
      ++open_messages_;
      call_->Send(ToBytes(request));
    }
  }
  bool opened() const { return opened_ == options_.sessions_per_stream; }

  void Send(SteadyTime intended) {
    if (options_.acked) {
      MutexLock lock(mutex_);
      intended_.push_back(intended);
    }
    ++sent_;
    call_->Send(messages_[next_]);
    next_ = (next_ + 1) % messages_.size();
  }

  // From now on each message is followed by the next one.
  void SendOnAndOn(std::atomic<bool>& on) {
    on_and_on_ = &on;
    Send(SteadyNow());
  }

  std::int64_t sent() const { return sent_; }
  std::int64_t taken() const { return taken_ - open_messages_; }
  std::int64_t answered() const { return answered_; }
  bool ended() { return call_->ended(); }
  // Not to be called while messages are answered.
  const Histogram& latency() const { return latency_; }

 private:
  void OnAnswer(const grpc::ByteBuffer& bytes) {
    bool known = false;
    {
      MutexLock lock(mutex_);
      if (!intended_.empty()) {
        known = true;
        latency_.Record(Nanoseconds(SteadyNow() - intended_.front()));
        intended_.pop_front();
      }
    }
    if (!known) {
      v1::HeartbeatResponse response;
      if (!FromBytes(bytes, response)) return;
      for (const auto& update : response.updates()) {
        if (update.has_opened()) ++opened_;
      }
      return;
    }
    ++answered_;
    if (options_.acked) SendNext();
  }
  void OnTaken() {
    ++taken_;
    if (!options_.acked) SendNext();
  }
  void SendNext() {
    std::atomic<bool>* on = on_and_on_;
    if (on != nullptr && *on) Send(SteadyNow());
  }

  const BeatsOptions& options_;
  const int first_user_;
  std::vector<grpc::ByteBuffer> messages_;
  std::size_t next_ = 0;

  int open_messages_ = 0;
  std::atomic<int> opened_{0};
  std::atomic<std::int64_t> sent_{0};
  std::atomic<std::int64_t> taken_{0};
  std::atomic<std::int64_t> answered_{0};
  std::atomic<std::atomic<bool>*> on_and_on_{nullptr};

  Mutex mutex_;
  std::deque<SteadyTime> intended_ ABSL_GUARDED_BY(mutex_);
  Histogram latency_;

  std::unique_ptr<RawCall> call_;
};

class Beats {
 public:
  explicit Beats(const BeatsOptions& options) : options_(options) {
    const auto channels = MakeChannels(options.target, options.connections);
    for (int i = 0; i < options.streams; ++i) {
      beaters_.push_back(std::make_unique<Beater>(
          channels[static_cast<std::size_t>(i % options.connections)], options,
          i));
    }
  }

  bool Open() {
    if (options_.floor) return true;
    for (auto& beater : beaters_) beater->OpenSessions();
    return WaitUntil([this] {
      return std::all_of(beaters_.begin(), beaters_.end(),
                         [](const auto& beater) { return beater->opened(); });
    });
  }

  void Beat(double seconds) {
    if (options_.rate > 0) {
      BeatByTheClock(seconds);
    } else {
      BeatAsFastAsAnswered(seconds);
    }
  }

  // Waits until the server has nothing of ours left to do.
  bool Settle() {
    const bool done = WaitUntil([this] {
      const std::int64_t open =
          options_.acked ? Sum(&Beater::answered) : Sum(&Beater::taken);
      return open >= Sum(&Beater::sent);
    });
    std::this_thread::sleep_for(kQuietAfter);
    return done;
  }

  template <typename Number>
  Number Sum(Number (Beater::*count)() const) const {
    Number sum = 0;
    for (const auto& beater : beaters_) sum += ((*beater).*count)();
    return sum;
  }
  bool AnyEnded() {
    return std::any_of(beaters_.begin(), beaters_.end(),
                       [](const auto& beater) { return beater->ended(); });
  }
  std::unique_ptr<Histogram> Latency() const {
    auto all = std::make_unique<Histogram>();
    for (const auto& beater : beaters_) all->Merge(beater->latency());
    return all;
  }

 private:
  void BeatByTheClock(double seconds) {
    const auto messages =
        static_cast<std::int64_t>(seconds * options_.rate + 0.5);
    Pacer pacer(options_.rate, SteadyNow());
    for (std::int64_t i = 0; i < messages; ++i) {
      const SteadyTime intended = pacer.Next();
      beaters_[next_]->Send(intended);
      next_ = (next_ + 1) % beaters_.size();
    }
  }
  void BeatAsFastAsAnswered(double seconds) {
    on_ = true;
    for (auto& beater : beaters_) beater->SendOnAndOn(on_);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    on_ = false;
  }

  const BeatsOptions& options_;
  std::atomic<bool> on_{false};
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<Beater>> beaters_;
};

}  // namespace

int RunBeats(const BeatsOptions& options) {
  Beats beats(options);
  if (!beats.Open()) {
    return Fail("the sessions did not open");
  }
  beats.Beat(options.warmup_seconds);
  bool settled = beats.Settle();

  const ProcessMeter server(options.server_pid);
  const std::int64_t sent_before = beats.Sum(&Beater::sent);
  const std::int64_t cpu_before = server.CpuNanoseconds();
  const SteadyTime start = SteadyNow();
  beats.Beat(options.seconds);
  const double seconds =
      std::chrono::duration<double>(SteadyNow() - start).count();
  settled = beats.Settle() && settled;
  const std::int64_t cpu = server.CpuNanoseconds() - cpu_before;
  if (!settled || beats.AnyEnded()) {
    return Fail("not every message was taken");
  }
  const std::int64_t messages = beats.Sum(&Beater::sent) - sent_before;
  const auto latency = beats.Latency();
  JsonLine()
      .Add("messages", messages)
      .Add("signals", messages * options.batch)
      .Add("seconds", seconds)
      .Add("server_cpu_ns", cpu)
      .Add("answer_p50_ns", latency->Percentile(0.5))
      .Add("answer_p99_ns", latency->Percentile(0.99))
      .Print();
  return 0;
}

}  // namespace lifesign::bench
