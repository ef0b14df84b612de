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

// Lives until its callback has run, whoever has let go of it.
struct SelfCall::Call {
  grpc::ClientContext context;
  // The health of "", the whole server: an empty HealthCheckRequest.
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  RealTime began;
};

SelfCall::SelfCall(grpc::Server& server, const Clock& clock)
    : clock_(clock),
      stub_(std::make_unique<Stub>(server)),
      late_log_(kLogEvery) {}

SelfCall::~SelfCall() { Stop(); }

void SelfCall::Poke(RealTime now) {
  std::shared_ptr<Call> call;
  {
    MutexLock lock(mutex_);
    if (stopped_) {
      return;
    }
    if (in_flight_ != nullptr) {
      LogLate(now, "no answer yet from the server's pollers",
              now - in_flight_->began);
      return;
    }
    if (now < next_) {
      return;
    }
    next_ = now + kInterval;
    call = std::make_shared<Call>();
    call->began = clock_.RealNow();
    in_flight_ = call;
  }
  // An empty buffer is no message; one of no bytes is.
  const grpc::Slice nothing;
  call->request = grpc::ByteBuffer(&nothing, 1);
  stub_->generic.UnaryCall(
      &call->context, kHealthCheck, grpc::StubOptions(), &call->request,
      &call->response,
      [this, call](grpc::Status status) { OnDone(*call, status.ok()); });
}

void SelfCall::OnDone(const Call& call, bool ok) {
  const RealTime now = clock_.RealNow();
  const Duration round_trip = now - call.began;
  MutexLock lock(mutex_);
  if (ok) {
    ++lateness_.calls[BucketOf(round_trip)];
    lateness_.worst = std::max(lateness_.worst, round_trip);
    LogLate(now, "the server's pollers answered late", round_trip);
  } else if (!stopped_) {
    ++lateness_.failed;
  }
  in_flight_ = nullptr;
  // Under the lock: who waits may destroy this as soon as it is released.
  idle_.NotifyAll();
}

void SelfCall::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  if (in_flight_ != nullptr) {
    in_flight_->context.TryCancel();
  }
  while (in_flight_ != nullptr) {
    idle_.Wait(mutex_);
  }
}

AnswerLateness SelfCall::lateness() const {
  MutexLock lock(mutex_);
  AnswerLateness lateness = lateness_;
  if (in_flight_ != nullptr) {
    lateness.waiting = clock_.RealNow() - in_flight_->began;
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
