// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A call without gRPC: what a stream asks of it is recorded, what it tells the
// stream is told by the test.
#ifndef LIFESIGN_TESTS_TRANSPORT_STREAMS_FAKE_CALL_H_
#define LIFESIGN_TESTS_TRANSPORT_STREAMS_FAKE_CALL_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "server/transport/call/stream_port.h"
#include "server/transport/codec/bytes.h"

namespace lifesign::testing {

// Fails the test on what would make gRPC abort the process: a second read, a
// second write, a second finish, anything after the end. Not thread-safe.
template <typename Response>
class FakeCall final : public StreamPort {
 public:
  // --- For the stream ---
  void Read() override {
    EXPECT_FALSE(reading_) << "two reads";
    EXPECT_FALSE(finished()) << "read after the end";
    reading_ = true;
  }
  void Write(grpc::ByteBuffer bytes) override {
    EXPECT_FALSE(writing_) << "two writes";
    EXPECT_FALSE(finished()) << "write after the end";
    writing_ = true;
    Response response;
    EXPECT_TRUE(ParseMessage(bytes, response));
    responses_.push_back(std::move(response));
    bytes_.push_back(bytes);
  }
  void Finish(const grpc::Status& status) override {
    EXPECT_FALSE(finished()) << "two ends";
    status_ = status;
  }
  void Cancel() override { cancelled_ = true; }

  // --- For the test ---
  void Attach(std::shared_ptr<StreamLogic> logic) { logic_ = std::move(logic); }

  // A message of the client, if the stream reads. False if it does not.
  template <typename Request>
  bool Send(const Request& request) {
    return SendBytes(SerializeToBytes(request));
  }
  bool SendBytes(const grpc::ByteBuffer& bytes) {
    if (!reading_) return false;
    reading_ = false;
    logic_->OnRead(bytes);
    return true;
  }
  void HalfClose() {
    reading_ = false;
    logic_->OnReadsDone();
  }
  // The client takes the message in flight.
  void TakeWrite(bool ok = true) {
    ASSERT_TRUE(writing_) << "nothing in flight";
    writing_ = false;
    logic_->OnWritten(ok);
  }
  // The client takes everything there is.
  void TakeWrites() {
    while (writing_) TakeWrite();
  }
  // The connection is lost: reads and writes fail.
  void Break() {
    logic_->OnCancelled();
    if (reading_) HalfClose();
    if (writing_) TakeWrite(false);
  }
  // All operations are over.
  void Done() {
    ASSERT_TRUE(finished());
    if (writing_) TakeWrite(false);
    if (reading_) HalfClose();
    logic_->OnDone();
    logic_.reset();
  }

  bool reading() const { return reading_; }
  bool writing() const { return writing_; }
  bool finished() const { return status_.has_value(); }
  bool cancelled() const { return cancelled_; }
  const grpc::Status& status() const { return *status_; }
  const std::vector<Response>& responses() const { return responses_; }
  const Response& last() const { return responses_.back(); }
  const std::vector<grpc::ByteBuffer>& bytes() const { return bytes_; }
  // Forgets what was written so far.
  void Clear() {
    responses_.clear();
    bytes_.clear();
  }

 private:
  std::shared_ptr<StreamLogic> logic_;
  bool reading_ = false;
  bool writing_ = false;
  bool cancelled_ = false;
  absl::optional<grpc::Status> status_;
  std::vector<Response> responses_;
  std::vector<grpc::ByteBuffer> bytes_;
};

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_TRANSPORT_STREAMS_FAKE_CALL_H_
