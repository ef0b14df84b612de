// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bench/peers/load/peer.h"
#include "bench/peers/load/web_socket.h"

namespace lifesign::bench {
namespace {

constexpr absl::string_view kPath = "/socket.io/?EIO=4&transport=websocket";
// Packets of Engine.IO and Socket.IO ("The Socket.IO protocol").
constexpr absl::string_view kOpen = "0";
constexpr absl::string_view kPing = "2";
constexpr absl::string_view kPong = "3";
constexpr absl::string_view kConnect = "40";
constexpr absl::string_view kEvent = "42";
constexpr absl::string_view kPresenceEvent = "42[\"presence\",\"";

// socketio/server.js: a heartbeat is an emitted event that names the state.
class SocketIoPeer final : public Peer {
 public:
  explicit SocketIoPeer(const Layout& layout)
      : Peer(layout),
        active_(WebSocket::Frame("42[\"heartbeat\",\"active\"]")),
        away_(WebSocket::Frame("42[\"heartbeat\",\"away\"]")) {
    if (layout.connections != 0) Fail("socketio: a connection is a session");
    sessions_.resize(static_cast<size_t>(layout.sessions));
  }

  void AddWatcher() override {
    const int watcher = static_cast<int>(watchers_.size());
    watchers_.push_back(nullptr);
    Open(watchers_.back(), watcher, "{\"watch\":true}");
  }

  void Login(int session) override {
    Open(sessions_[static_cast<size_t>(session)], /*watcher=*/-1,
         absl::StrCat("{\"user\":\"", UserOf(session), "\"}"));
  }

  void Beat(const std::vector<int>& sessions) override {
    for (const int session : sessions) {
      sessions_[static_cast<size_t>(session)]->SendFrame(active_);
    }
    beats_ += static_cast<int64_t>(sessions.size());
  }

  void Change(int session, bool present) override {
    sessions_[static_cast<size_t>(session)]->SendFrame(present ? active_
                                                               : away_);
  }

  void Cut(int session) override {
    sessions_[static_cast<size_t>(session)].reset();
  }

  void Resume(int session) override { Login(session); }

  void Poll() override { loop_.Poll(); }

 private:
  // The socket is named by where it is kept: it is there when it is spoken to.
  void Open(std::unique_ptr<WebSocket>& socket, int watcher,
            std::string authentication) {
    const size_t index =
        static_cast<size_t>(watcher < 0 ? &socket - sessions_.data() : watcher);
    socket = std::make_unique<WebSocket>(
        loop_, layout().port, kPath, "",
        [=, this, auth = std::move(authentication)](absl::string_view text) {
          Take(watcher < 0 ? *sessions_[index] : *watchers_[index], watcher,
               auth, text);
        });
  }

  void Take(WebSocket& socket, int watcher, absl::string_view authentication,
            absl::string_view text) {
    if (text == kPing) {
      socket.Send(kPong);
    } else if (absl::StartsWith(text, kConnect)) {
      ++(watcher < 0 ? sessions_ready_ : watchers_ready_);
    } else if (absl::StartsWith(text, kOpen)) {
      socket.Send(absl::StrCat(kConnect, authentication));
    } else if (absl::StartsWith(text, kPresenceEvent)) {
      ++watcher_messages_;
      const absl::string_view rest = text.substr(kPresenceEvent.size());
      Tell(watcher, SessionOf(rest.data(), rest.find('"')),
           absl::StrContains(rest, "\"active\"") ? Told::kPresent
           : absl::StrContains(rest, "\"away\"") ? Told::kAway
                                                 : Told::kGone);
    } else {
      Fail(absl::StrCat("socketio: ", text, " (events are ", kEvent, ")"));
    }
  }

  const std::string active_;
  const std::string away_;
  SocketLoop loop_;
  std::vector<std::unique_ptr<WebSocket>> sessions_;
  std::vector<std::unique_ptr<WebSocket>> watchers_;
};

}  // namespace

std::unique_ptr<Peer> MakeSocketIoPeer(const Layout& layout) {
  return std::make_unique<SocketIoPeer>(layout);
}

}  // namespace lifesign::bench
