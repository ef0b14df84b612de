// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/channel/self_call.h"

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace lifesign {
namespace {

constexpr char kHealthCheck[] = "/grpc.health.v1.Health/Check";
constexpr Duration kLogEvery = seconds(10);

// The bucket of a round trip: its length in bits.
std::size_t BucketOf(Duration round_trip) {
  std::size_t bucket = 0;
  for (auto rest = round_trip.count(); rest > 0; rest >>= 1) {
    ++bucket;
  }
  return std::min(bucket, AnswerLateness::kBuckets - 1);
}

}  // namespace

std::int64_t AnswerLateness::answered() const {
  std::int64_t sum = 0;
  for (const std::int64_t count : calls) {
    sum += count;
  }
  return sum;
}

Duration AnswerLateness::Percentile(double share) const {
  const auto wanted = static_cast<std::int64_t>(
      std::ceil(share * static_cast<double>(answered())));
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += calls[i];
    if (seen >= wanted) {
      return std::min(worst, Duration(std::int64_t{1} << i));
    }
  }
  return worst;
}

struct SelfCall::Stub {
  explicit Stub(grpc::Server& server)
      : generic(server.InProcessChannel(grpc::ChannelArguments())) {}
  grpc::GenericStub generic;
};

// Freed by whoever pokes or stops, never on a thread of gRPC's: the context
// holds the channel, and if the last channel of a process ends on a poller, the
// poller waits for itself (grpc/grpc#32584) and the process aborts later.
struct SelfCall::Call {
  grpc::ClientContext context;
  // The health of "", the whole server: an empty HealthCheckRequest.
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  RealTime began;
  bool answered = false;
};

SelfCall::SelfCall(grpc::Server& server, const Clock& clock)
    : clock_(clock),
      stub_(std::make_unique<Stub>(server)),
      late_log_(kLogEvery) {}

SelfCall::~SelfCall() { Stop(); }

void SelfCall::Poke(RealTime now) {
  Call* call = nullptr;
  {
    MutexLock lock(mutex_);
    if (stopped_) {
      return;
    }
    if (call_ != nullptr && !call_->answered) {
      LogLate(now, "no answer yet from the server's pollers",
              now - call_->began);
      return;
    }
    if (now < next_) {
      return;
    }
    next_ = now + kInterval;
    call_ = std::make_unique<Call>();
    call_->began = clock_.RealNow();
    call = call_.get();
  }
  // An empty buffer is no message; one of no bytes is.
  const grpc::Slice nothing;
  call->request = grpc::ByteBuffer(&nothing, 1);
  stub_->generic.UnaryCall(
      &call->context, kHealthCheck, grpc::StubOptions(), &call->request,
      &call->response,
      [this](const grpc::Status& status) { OnDone(status.ok()); });
}

void SelfCall::OnDone(bool ok) {
  const RealTime now = clock_.RealNow();
  MutexLock lock(mutex_);
  const Duration round_trip = now - call_->began;
  if (ok) {
    ++lateness_.calls[BucketOf(round_trip)];
    lateness_.worst = std::max(lateness_.worst, round_trip);
    LogLate(now, "the server's pollers answered late", round_trip);
  } else if (!stopped_) {
    ++lateness_.failed;
  }
  call_->answered = true;
  // Under the lock: who waits may destroy this as soon as it is released.
  answered_.NotifyAll();
}

void SelfCall::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  if (call_ != nullptr && !call_->answered) {
    call_->context.TryCancel();
  }
  while (call_ != nullptr && !call_->answered) {
    answered_.Wait(mutex_);
  }
}

AnswerLateness SelfCall::lateness() const {
  MutexLock lock(mutex_);
  AnswerLateness lateness = lateness_;
  if (call_ != nullptr && !call_->answered) {
    lateness.waiting = clock_.RealNow() - call_->began;
  }
  return lateness;
}

void SelfCall::LogLate(RealTime now, absl::string_view what,
                       Duration lateness) {
  if (lateness < kLate) {
    return;
  }
  if (const auto held_back = late_log_.Admit(now)) {
    const LogField fields[] = {{"lateness", lateness},
                               {"worst", lateness_.worst},
                               {"held_back", *held_back}};
    Log(LogLevel::kWarning, what, fields);
  }
}

}  // namespace lifesign
