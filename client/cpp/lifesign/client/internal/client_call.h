// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What the client side's gRPC reactors have in common.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_CLIENT_CALL_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_CLIENT_CALL_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <memory>
#include <utility>

#include "lifesign/client/error.h"
#include "lifesign/client/internal/threads.h"

#if defined(__SANITIZE_THREAD__)
#define LIFESIGN_CLIENT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LIFESIGN_CLIENT_TSAN 1
#endif
#endif
#ifdef LIFESIGN_CLIENT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace lifesign::client::internal {

// Has `channel`, if it has failed to connect and waits, try again now: what it
// failed on may be gone.
inline void ConnectAtOnce(grpc::Channel& channel) {
  if (channel.GetState(/*try_to_connect=*/false) ==
      GRPC_CHANNEL_TRANSIENT_FAILURE) {
    grpc::experimental::ChannelResetConnectionBackoff(&channel);
  }
}

// One streaming call, which passes on what happens to its owner and decides
// nothing. It keeps itself, and thereby its owner, alive from Begin to OnDone.
//
// gRPC orders a reaction after the start of the operation that it ends, in a
// library that ThreadSanitizer does not see into: the annotations say so.
//
// Owner has, each called without a lock held:
//   bool OnRead(bool ok, Response&)   whether to read on; not after !ok
//   void OnEnded(Error)               the last one
template <typename Reactor, typename Owner, typename Response>
class ClientCall : public Reactor {
 public:
  // `patient`: waits for a connection that has just failed, instead of failing
  // with it.
  ClientCall(std::shared_ptr<Owner> owner, bool patient)
      : owner_(std::move(owner)) {
    context_.set_wait_for_ready(patient);
  }

  grpc::ClientContext& context() { return context_; }

  // Starts the call, which the stub has made.
  void Begin(std::shared_ptr<ClientCall> self) {
    self_ = std::move(self);
    BeforeStart();
    // While it stands, writes may be started outside of reactions.
    this->AddHold();
    this->StartRead(&response_);
    this->StartCall();
  }

  void Cancel() {
    BeforeStart();
    context_.TryCancel();
  }

  void OnReadInitialMetadataDone(bool) final { AfterStart(); }

  void OnReadDone(bool ok) final {
    AfterStart();
    const bool more = owner_->OnRead(ok, response_);
    BeforeStart();
    if (ok && more) {
      this->StartRead(&response_);
    } else {
      this->RemoveHold();
    }
  }

  void OnDone(const grpc::Status& status) final {
    AfterStart();
    owner_->OnEnded(ErrorFrom(status));
    // The last thing it does is to let itself go, and not on this thread: it
    // holds the channel, by its context and its owner.
    LetGo(std::move(self_));
  }

 protected:
  Owner& owner() { return *owner_; }

  void BeforeStart() {
#ifdef LIFESIGN_CLIENT_TSAN
    __tsan_release(this);
#endif
  }
  void AfterStart() {
#ifdef LIFESIGN_CLIENT_TSAN
    __tsan_acquire(this);
#endif
  }

 private:
  const std::shared_ptr<Owner> owner_;
  std::shared_ptr<ClientCall> self_;
  grpc::ClientContext context_;
  Response response_;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_CLIENT_CALL_H_
