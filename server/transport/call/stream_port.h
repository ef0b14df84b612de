// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The two sides of a streaming call: what its logic may ask of it, and what it
// tells its logic. The logic of every stream is a plain class behind these, so
// that it runs in tests without gRPC.
#ifndef LIFESIGN_SERVER_TRANSPORT_CALL_STREAM_PORT_H_
#define LIFESIGN_SERVER_TRANSPORT_CALL_STREAM_PORT_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

namespace lifesign {

// What a stream may ask of its call. None of these blocks, and none calls back
// before it returns, so all may be called while the stream's lock is held,
// which is how their order is kept. Not to be touched after OnDone.
class StreamPort {
 public:
  // Asks for the next message: ends in OnRead or OnReadsDone. REQUIRES: no read
  // is outstanding, Finish was not called, and the client may send (a
  // bidirectional call).
  virtual void Read() = 0;

  // Sends a message: ends in OnWritten, but on a unary call, which takes one
  // message and sends it with Finish. REQUIRES: no write is outstanding and
  // Finish was not called.
  virtual void Write(grpc::ByteBuffer message) = 0;

  // Ends the call. A write that is outstanding is sent first. REQUIRES: not
  // called before.
  virtual void Finish(const grpc::Status& status) = 0;

  // Breaks the call off, whatever is outstanding.
  virtual void Cancel() = 0;

 protected:
  ~StreamPort() = default;
};

// What a call tells its stream, on any thread; OnCancelled also while another
// of these runs. OnDone comes last, once, after Finish.
class StreamLogic {
 public:
  virtual ~StreamLogic() = default;

  virtual void OnRead(const grpc::ByteBuffer& message) = 0;
  // The client sends no more, or the call is broken.
  virtual void OnReadsDone() = 0;
  // The message was taken by flow control, or (not ok) never will be.
  virtual void OnWritten(bool ok) = 0;
  // The call is broken: cancelled, past its deadline, or its connection is
  // lost.
  virtual void OnCancelled() = 0;
  virtual void OnDone() = 0;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CALL_STREAM_PORT_H_
