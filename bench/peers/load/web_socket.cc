// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/peers/load/web_socket.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bench/peers/load/peer.h"

namespace lifesign::bench {
namespace {

constexpr unsigned char kWholeText = 0x81;  // final frame, opcode text
constexpr unsigned char kMasked = 0x80;
constexpr unsigned char kOpcode = 0x0f;
constexpr unsigned char kText = 0x1;
constexpr size_t kShortSize = 125;
constexpr size_t kTwoByteSize = 126;
constexpr size_t kEightByteSize = 127;
// A client must mask; which mask costs the server nothing more or less.
constexpr unsigned char kMask[4] = {0x3a, 0x5c, 0xc7, 0x19};

}  // namespace

WebSocket::WebSocket(SocketLoop& loop, int port, absl::string_view path,
                     absl::string_view headers, OnText on_text)
    : on_text_(std::move(on_text)),
      connection_(
          loop.Connect(port, [this](Connection&, absl::string_view bytes) {
            return Take(bytes);
          })) {
  connection_->Send(
      absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: 127.0.0.1:", port,
                   "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Version: 13\r\n",
                   headers, "\r\n"));
}

void WebSocket::Send(absl::string_view text) { SendFrame(Frame(text)); }

std::string WebSocket::Frame(absl::string_view text) {
  std::string frame(1, static_cast<char>(kWholeText));
  if (text.size() <= kShortSize) {
    frame += static_cast<char>(kMasked | text.size());
  } else {
    frame += static_cast<char>(kMasked | kTwoByteSize);
    frame += static_cast<char>(text.size() >> 8);
    frame += static_cast<char>(text.size() & 0xff);
  }
  for (const unsigned char byte : kMask) frame += static_cast<char>(byte);
  for (size_t i = 0; i < text.size(); ++i) {
    frame += static_cast<char>(text[i] ^ kMask[i % sizeof kMask]);
  }
  return frame;
}

void WebSocket::SendFrame(absl::string_view frame) {
  if (open_) {
    connection_->Send(frame);
  } else {
    absl::StrAppend(&waiting_, frame);
  }
}

size_t WebSocket::Take(absl::string_view bytes) {
  size_t used = 0;
  if (!open_) {
    constexpr absl::string_view kEndOfHead = "\r\n\r\n";
    const size_t end = bytes.find(kEndOfHead);
    if (end == absl::string_view::npos) return 0;
    if (!absl::StartsWith(bytes, "HTTP/1.1 101")) Fail(std::string(bytes));
    open_ = true;
    used = end + kEndOfHead.size();
    if (!waiting_.empty()) connection_->Send(waiting_);
    waiting_.clear();
  }
  while (bytes.size() >= used + 2) {
    const auto at = [&](size_t i) {
      return static_cast<unsigned char>(bytes[used + i]);
    };
    size_t head = 2;
    size_t size = at(1) & ~kMasked;
    if (size == kTwoByteSize || size == kEightByteSize) {
      head += size == kTwoByteSize ? 2 : 8;
      if (bytes.size() < used + head) return used;
      size = 0;
      for (size_t i = 2; i < head; ++i) size = size << 8 | at(i);
    }
    if (bytes.size() < used + head + size) return used;
    if ((at(0) & kOpcode) != kText) {
      Fail(absl::StrCat("a frame that is no text: ",
                        bytes.substr(used + head, size)));
    }
    const absl::string_view text = bytes.substr(used + head, size);
    used += head + size;
    on_text_(text);
  }
  return used;
}

}  // namespace lifesign::bench
