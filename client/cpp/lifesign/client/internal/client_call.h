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

// The annotations that every reactor of ours makes, and the only place where
// one lets itself go.
//
// gRPC orders a reaction after the start of the operation that it ends, in a
// library that ThreadSanitizer does not see into: the annotations say so.
template <typename Reactor>
class SelfOwned : public Reactor {
 public:
  grpc::ClientContext& context() { return context_; }

  // Starts the call, which the stub has made. Keeps itself until OnDone.
  void Begin(std::shared_ptr<SelfOwned> self) {
    self_ = std::move(self);
    BeforeStart();
    StartOperations();
    this->StartCall();
  }

  void OnDone(const grpc::Status& status) final {
    AfterStart();
    OnEnded(ErrorFrom(status));
    // The last thing it does is to let itself go, and not on this thread: it
    // holds the channel, by its context and its owner. See LetGo.
    LetGo(std::move(self_));
  }

 protected:
  // Starts whatever the call begins with.
  virtual void StartOperations() {}
  // The last that is heard of the call.
  virtual void OnEnded(const Error& error) = 0;

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
  std::shared_ptr<SelfOwned> self_;
  grpc::ClientContext context_;
};

// One streaming call, which passes on what happens to its owner, keeps it alive
// and decides nothing.
//
// Owner has, each called without a lock held:
//   bool OnRead(bool ok, const Response&)   whether to read on; not after !ok
//   void OnEnded(const Error&)              the last one
template <typename Reactor, typename Owner, typename Response>
class StreamCall : public SelfOwned<Reactor> {
 public:
  // `patient`: waits for a connection that has just failed, instead of failing
  // with it.
  StreamCall(std::shared_ptr<Owner> owner, bool patient)
      : owner_(std::move(owner)) {
    this->context().set_wait_for_ready(patient);
  }

  void Cancel() {
    this->BeforeStart();
    this->context().TryCancel();
  }

  void OnReadInitialMetadataDone(bool) final { this->AfterStart(); }

  void OnReadDone(bool ok) final {
    this->AfterStart();
    const bool more = owner_->OnRead(ok, response_);
    this->BeforeStart();
    if (ok && more) {
      this->StartRead(&response_);
    } else {
      this->RemoveHold();
    }
  }

 protected:
  Owner& owner() { return *owner_; }

 private:
  void StartOperations() final {
    // While it stands, writes may be started outside of reactions.
    this->AddHold();
    this->StartRead(&response_);
  }
  void OnEnded(const Error& error) final { owner_->OnEnded(error); }

  const std::shared_ptr<Owner> owner_;
  Response response_;
};

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_CLIENT_CALL_H_
