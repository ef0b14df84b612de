// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A unary call by name, on bytes: for services whose proto file we do not have.
#ifndef LIFESIGN_TESTS_TESTING_GENERIC_CALL_H_
#define LIFESIGN_TESTS_TESTING_GENERIC_CALL_H_

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server.h>

#include <string>
#include <vector>

#include "server/base/mutex.h"

namespace lifesign::testing {

// Starts when it is made. REQUIRES: Await() returned before it is destroyed.
class GenericCall : public grpc::ClientUnaryReactor {
 public:
  // Calls `server` in-process: "/package.Service/Method" with the bytes of a
  // request.
  GenericCall(grpc::Server& server, const std::string& method,
              const std::string& request = "")
      : stub_(server.InProcessChannel(grpc::ChannelArguments())) {
    const grpc::Slice bytes(request);
    request_ = grpc::ByteBuffer(&bytes, 1);
    stub_.PrepareUnaryCall(&context_, method, grpc::StubOptions(), &request_,
                           &response_, this);
    StartCall();
  }

  void OnDone(const grpc::Status& status) override {
    MutexLock lock(mutex_);
    status_ = status;
    done_ = true;
    changed_.NotifyAll();
  }

  grpc::Status Await() {
    MutexLock lock(mutex_);
    while (!done_) {
      changed_.Wait(mutex_);
    }
    return status_;
  }

  // The bytes of the response. REQUIRES: Await() returned OK.
  std::string Response() const {
    std::vector<grpc::Slice> slices;
    std::string bytes;
    if (response_.Dump(&slices).ok()) {
      for (const grpc::Slice& slice : slices) {
        bytes.append(reinterpret_cast<const char*>(slice.begin()),
                     slice.size());
      }
    }
    return bytes;
  }

 private:
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;

  Mutex mutex_;
  CondVar changed_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_TESTING_GENERIC_CALL_H_
