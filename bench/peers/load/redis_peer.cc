// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bench/peers/load/peer.h"
#include "bench/peers/load/socket_loop.h"

namespace lifesign::bench {
namespace {

// Lifesign's default ttl, in seconds.
constexpr absl::string_view kTtl = "240";
constexpr absl::string_view kChannel = "presence";
constexpr absl::string_view kExpired = "__keyevent@0__:expired";

std::string Command(const std::vector<std::string>& words) {
  std::string bytes = absl::StrCat("*", words.size(), "\r\n");
  for (const std::string& word : words) {
    absl::StrAppend(&bytes, "$", word.size(), "\r\n", word, "\r\n");
  }
  return bytes;
}

// A key per session whose TTL each heartbeat refreshes; changes are published,
// and an expired key is a user who is gone ("Redis keyspace notifications",
// event type of keys that expire). The connections are those of the
// application's servers: what their own clients cost them is not counted.
class RedisPeer final : public Peer {
 public:
  explicit RedisPeer(const Layout& layout) : Peer(layout) {
    for (int session = 0; session < layout.sessions; ++session) {
      // "SET", option EX: says the state and its time to live in one step.
      set_.push_back(Command({"SET", UserOf(session), "1", "EX", Ttl()}));
    }
    connections_.resize(static_cast<size_t>(connections()));
  }

  void AddWatcher() override {
    const int watcher = static_cast<int>(watchers_.size());
    watchers_.push_back(loop_.Connect(
        layout().port, [this, watcher](Connection&, absl::string_view bytes) {
          return Watch(watcher, bytes);
        }));
    watchers_.back()->Send(
        Command({"SUBSCRIBE", std::string(kChannel), std::string(kExpired)}));
  }

  void Login(int session) override {
    Of(session).Send(set_[static_cast<size_t>(session)] +
                     Publish(session, "present"));
    ++sessions_ready_;
  }

  void Beat(const std::vector<int>& sessions) override {
    std::string bytes;
    for (const int session : sessions) {
      bytes += set_[static_cast<size_t>(session)];
    }
    Of(sessions.front()).Send(bytes);
    beats_ += static_cast<int64_t>(sessions.size());
  }

  void Change(int session, bool present) override {
    Of(session).Send(
        present
            ? set_[static_cast<size_t>(session)] + Publish(session, "present")
            : Command({"DEL", UserOf(session)}) + Publish(session, "gone"));
  }

  void Cut(int session) override {
    connections_[static_cast<size_t>(ConnectionOf(session))].reset();
  }

  // The key is still there: that the client is back is no change.
  void Resume(int session) override {
    Of(session).Send(set_[static_cast<size_t>(session)]);
    ++sessions_ready_;
  }

  void Poll() override { loop_.Poll(); }

 private:
  static std::string Ttl() { return std::string(kTtl); }

  static std::string Publish(int session, absl::string_view what) {
    return Command({"PUBLISH", std::string(kChannel),
                    absl::StrCat(UserOf(session), " ", what)});
  }

  Connection& Of(int session) {
    auto& connection = connections_[static_cast<size_t>(ConnectionOf(session))];
    if (connection == nullptr) {
      connection = loop_.Connect(layout().port,
                                 [this](Connection&, absl::string_view bytes) {
                                   return CountReplies(bytes);
                                 });
      if (layout().answers == Answers::kSparse) {
        connection->Send(Command({"CLIENT", "REPLY", "OFF"}));
      }
    }
    return *connection;
  }

  // Every reply to these commands is one line.
  size_t CountReplies(absl::string_view bytes) {
    for (const char c : bytes) answers_ += c == '\n';
    if (absl::StrContains(bytes, "-ERR")) Fail(std::string(bytes));
    return bytes.size();
  }

  // A published message is an array of three: "message", channel, payload. Each
  // is a line with its length and a line with its text.
  size_t Watch(int watcher, absl::string_view bytes) {
    constexpr size_t kLines = 7;
    size_t used = 0;
    for (;;) {
      absl::string_view lines[kLines];
      size_t at = used;
      for (absl::string_view& line : lines) {
        const size_t end = bytes.find("\r\n", at);
        if (end == absl::string_view::npos) return used;
        line = bytes.substr(at, end - at);
        at = end + 2;
        // The answers to SUBSCRIBE end with a number in place of a text.
        if (&line == &lines[5] && absl::StartsWith(line, ":")) break;
      }
      used = at;
      if (lines[2] == "subscribe") {
        watchers_ready_ += lines[4] == kExpired;
        continue;
      }
      ++watcher_messages_;
      const absl::string_view user = lines[6].substr(0, lines[6].find(' '));
      const bool present = absl::EndsWith(lines[6], " present");
      Tell(watcher, SessionOf(user.data(), user.size()),
           present ? Told::kPresent : Told::kGone);
    }
  }

  SocketLoop loop_;
  std::vector<std::string> set_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> watchers_;
};

}  // namespace

std::unique_ptr<Peer> MakeRedisPeer(const Layout& layout) {
  return std::make_unique<RedisPeer>(layout);
}

}  // namespace lifesign::bench
