// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/peers/load/peer.h"
#include "bench/peers/load/web_socket.h"

namespace lifesign::bench {
namespace {

constexpr absl::string_view kPath = "/connection/websocket";
// The server's ping and the client's pong ("Client protocol").
constexpr absl::string_view kPing = "{}";
constexpr absl::string_view kSubscribe =
    R"({"id":2,"subscribe":{"channel":"presence:all"}})";
constexpr absl::string_view kSubscribeToChanges =
    R"({"id":2,"subscribe":{"channel":"presence:all","join_leave":true}})";
constexpr absl::string_view kUnsubscribe =
    R"({"id":3,"unsubscribe":{"channel":"presence:all"}})";

// One channel with presence, join and leave. Sessions are subscribers; only
// watchers ask for joins and leaves. A heartbeat is a ping of the server and
// the client's pong: Centrifugo has no other, and it is the cheapest.
class CentrifugoPeer final : public Peer {
 public:
  explicit CentrifugoPeer(const Layout& layout)
      : Peer(layout), pong_(WebSocket::Frame(kPing)) {
    if (layout.connections != 0) Fail("centrifugo: a connection is a session");
    sessions_.resize(static_cast<size_t>(layout.sessions));
  }

  bool server_paces() const override { return true; }

  void AddWatcher() override {
    const int watcher = static_cast<int>(watchers_.size());
    watchers_.push_back(std::make_unique<WebSocket>(
        loop_, layout().port, kPath, "X-User-Id: watcher\r\n",
        [this, watcher](absl::string_view text) {
          Take(*watchers_[static_cast<size_t>(watcher)], watcher, text);
        }));
    watchers_.back()->Send(R"({"id":1,"connect":{}})");
    watchers_.back()->Send(kSubscribeToChanges);
  }

  void Login(int session) override {
    auto& socket = sessions_[static_cast<size_t>(session)];
    socket = std::make_unique<WebSocket>(
        loop_, layout().port, kPath,
        absl::StrCat("X-User-Id: ", UserOf(session), "\r\n"),
        [this, &socket](absl::string_view text) { Take(*socket, -1, text); });
    socket->Send(R"({"id":1,"connect":{}})");
    socket->Send(kSubscribe);
  }

  void Beat(const std::vector<int>& /*sessions*/) override {}

  void Change(int session, bool present) override {
    sessions_[static_cast<size_t>(session)]->Send(present ? kSubscribe
                                                          : kUnsubscribe);
  }

  void Cut(int session) override {
    sessions_[static_cast<size_t>(session)].reset();
  }

  void Resume(int session) override { Login(session); }

  void Poll() override { loop_.Poll(); }

 private:
  // A frame holds one or more replies and pushes, a line each.
  void Take(WebSocket& socket, int watcher, absl::string_view text) {
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      if (line == kPing) {
        socket.SendFrame(pong_);
        beats_ += watcher < 0;
      } else if (absl::StrContains(line, "\"error\"")) {
        Fail(std::string(line));
      } else if (absl::StrContains(line, "\"subscribe\"")) {
        ++(watcher < 0 ? sessions_ready_ : watchers_ready_);
      } else if (absl::StrContains(line, "\"push\"")) {
        TakePush(watcher, line);
      }
    }
  }

  void TakePush(int watcher, absl::string_view push) {
    constexpr absl::string_view kUser = "\"user\":\"";
    if (watcher < 0) Fail("centrifugo: a session was told of others");
    ++watcher_messages_;
    const size_t user = push.find(kUser);
    if (user == absl::string_view::npos) return;
    const absl::string_view rest = push.substr(user + kUser.size());
    Tell(watcher, SessionOf(rest.data(), rest.find('"')),
         absl::StrContains(push, "\"join\"") ? Told::kPresent : Told::kGone);
  }

  const std::string pong_;
  SocketLoop loop_;
  std::vector<std::unique_ptr<WebSocket>> sessions_;
  std::vector<std::unique_ptr<WebSocket>> watchers_;
};

}  // namespace

std::unique_ptr<Peer> MakeCentrifugoPeer(const Layout& layout) {
  return std::make_unique<CentrifugoPeer>(layout);
}

}  // namespace lifesign::bench
