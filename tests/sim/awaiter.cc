// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/sim/awaiter.h"

#include "absl/strings/str_cat.h"
#include "lifesign/client/error.h"
#include "server/transport/codec/bytes.h"

namespace lifesign::sim {

Awaiter::Awaiter(Network& network, Schedule& schedule, Journal& journal,
                 Verdict& verdict)
    : network_(network),
      schedule_(schedule),
      journal_(journal),
      verdict_(verdict) {}

Awaiter::~Awaiter() { Stop(); }

void Awaiter::Await(const v1::AwaitPresenceRequest& request,
                    absl::optional<Duration> deadline, std::uint64_t seed) {
  Stop();
  answered_ = false;
  call_ = network_.Begin(Call::Kind::kAwait, *this, SerializeToBytes(request),
                         seed);
  if (!deadline.has_value()) return;
  const RealTime at = schedule_.now() + *deadline;
  call_->SetDeadline(at);
  schedule_.At(at, [this, life = life_] {
    if (life != life_) return;
    journal_.Count("await past its deadline");
    Stop();
  });
}

void Awaiter::Stop() {
  ++life_;
  if (call_ == nullptr) return;
  call_->Forsake();
  call_->CancelByClient();
  call_.reset();
}

void Awaiter::OnMessage(const grpc::ByteBuffer& message) {
  v1::AwaitPresenceResponse response;
  if (answered_ || !ParseMessage(message, response)) {
    verdict_.Fail("an await is answered with what is no answer");
  }
  answered_ = true;
}

void Awaiter::OnEnded(const grpc::Status& status) {
  ++life_;
  call_.reset();
  // The server is gone, drains, or cannot be reached.
  const bool ended = status.error_code() == grpc::StatusCode::UNAVAILABLE;
  if (status.ok() ? answered_ : ended) return;
  verdict_.Fail(absl::StrCat("an await ends: ",
                             client::ToString(client::ErrorFrom(status))));
}

}  // namespace lifesign::sim
