// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/peers/load/peer.h"
#include "bench/peers/load/socket_loop.h"

namespace lifesign::bench {
namespace {

constexpr absl::string_view kKeys = "$KV.presence.";
constexpr absl::string_view kConnect =
    "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,"
    "\"no_responders\":true,\"lang\":\"bench\",\"version\":\"1\"}\r\n";

// What a client library's KV create sends for a bucket in memory, one value a
// key, a TTL of 240 s (Lifesign's default), and limit markers, so that watchers
// are told of keys that expire ("Key/Value Store", NATS ADR-8 and ADR-48).
constexpr absl::string_view kBucket =
    R"({"name":"KV_presence","subjects":["$KV.presence.>"],)"
    R"("retention":"limits","storage":"memory","discard":"new",)"
    R"("max_msgs_per_subject":1,"max_age":240000000000,"max_consumers":-1,)"
    R"("max_msgs":-1,"max_bytes":-1,"max_msg_size":-1,)"
    R"("duplicate_window":120000000000,"num_replicas":1,)"
    R"("allow_rollup_hdrs":true,"deny_delete":true,"allow_direct":true,)"
    R"("allow_msg_ttl":true,"subject_delete_marker_ttl":60000000000})";

std::string Publish(absl::string_view subject, absl::string_view reply,
                    absl::string_view payload) {
  return absl::StrCat("PUB ", subject, " ", reply, reply.empty() ? "" : " ",
                      payload.size(), "\r\n", payload, "\r\n");
}

// A JetStream KV bucket: a heartbeat is a put of the state, which renews the
// key's TTL; whoever watches the bucket is sent every put.
class NatsPeer final : public Peer {
 public:
  explicit NatsPeer(const Layout& layout) : Peer(layout) {
    for (int session = 0; session < layout.sessions; ++session) {
      const std::string reply =
          layout.answers == Answers::kAlways ? PutReply(session) : "";
      put_.push_back(Publish(Key(session), reply, "present"));
    }
    connections_.resize(static_cast<size_t>(connections()));
  }

  void Prepare() override {
    control_ = Connect("control");
    control_->Send(Publish("$JS.API.STREAM.CREATE.KV_presence",
                           "inbox.control.api", kBucket));
    while (api_answers_ == 0) loop_.Poll();
  }

  // What a client library's watch of all keys is: an ordered push consumer.
  void AddWatcher() override {
    const int watcher = static_cast<int>(watchers_.size());
    watchers_.push_back(loop_.Connect(
        layout().port,
        [this, watcher](Connection& connection, absl::string_view bytes) {
          return Take(connection, watcher, bytes);
        }));
    // Subscribed to by its own name: a wildcard does not count as interest.
    const std::string inbox = absl::StrCat("watch.", watcher);
    const std::string consumer = absl::StrCat(
        R"({"stream_name":"KV_presence","config":{"deliver_subject":")", inbox,
        R"(","deliver_policy":"last_per_subject","ack_policy":"none",)"
        R"("max_deliver":1,"filter_subject":"$KV.presence.>",)"
        R"("replay_policy":"instant","flow_control":true,)"
        R"("idle_heartbeat":5000000000,"num_replicas":1,"mem_storage":true}})");
    watchers_.back()->Send(absl::StrCat(
        Hello(absl::StrCat("w", watcher)), "SUB ", inbox, " 2\r\n",
        Publish("$JS.API.CONSUMER.CREATE.KV_presence",
                absl::StrCat("inbox.w", watcher, ".watching"), consumer)));
  }

  void Login(int session) override {
    Of(session).Send(put_[static_cast<size_t>(session)]);
    ++sessions_ready_;
  }

  void Beat(const std::vector<int>& sessions) override {
    std::string bytes;
    for (const int session : sessions) {
      bytes += put_[static_cast<size_t>(session)];
    }
    Of(sessions.front()).Send(bytes);
    beats_ += static_cast<int64_t>(sessions.size());
  }

  // Gone is what KV delete sends: a marker in place of the value.
  void Change(int session, bool present) override {
    constexpr absl::string_view kDelete =
        "NATS/1.0\r\nKV-Operation: DEL\r\n\r\n";
    Of(session).Send(present ? put_[static_cast<size_t>(session)]
                             : absl::StrCat("HPUB ", Key(session), " ",
                                            PutReply(session), " ",
                                            kDelete.size(), " ", kDelete.size(),
                                            "\r\n", kDelete, "\r\n"));
  }

  void Cut(int session) override {
    connections_[static_cast<size_t>(ConnectionOf(session))].reset();
  }

  void Resume(int session) override { Login(session); }

  void Poll() override { loop_.Poll(); }

 private:
  static std::string Key(int session) {
    return absl::StrCat(kKeys, UserOf(session));
  }

  // Connects the client `name`, which has an inbox of its own, as the client
  // libraries have it.
  static std::string Hello(absl::string_view name) {
    return absl::StrCat(kConnect, "SUB inbox.", name, ".* 1\r\nPING\r\n");
  }

  // Where the client that puts for `session` hears that it is stored.
  std::string PutReply(int session) const {
    return absl::StrCat("inbox.c", ConnectionOf(session), ".put");
  }

  std::unique_ptr<Connection> Connect(absl::string_view name) {
    auto connection = loop_.Connect(
        layout().port, [this](Connection& from, absl::string_view bytes) {
          return Take(from, /*watcher=*/-1, bytes);
        });
    connection->Send(Hello(name));
    return connection;
  }

  Connection& Of(int session) {
    auto& connection = connections_[static_cast<size_t>(ConnectionOf(session))];
    if (connection == nullptr) {
      connection = Connect(absl::StrCat("c", ConnectionOf(session)));
    }
    return *connection;
  }

  size_t Take(Connection& connection, int watcher, absl::string_view bytes) {
    size_t used = 0;
    for (;;) {
      const size_t end = bytes.find("\r\n", used);
      if (end == absl::string_view::npos) return used;
      const absl::string_view line = bytes.substr(used, end - used);
      const size_t after_line = end + 2;
      if (!absl::StartsWith(line, "MSG ") && !absl::StartsWith(line, "HMSG ")) {
        if (absl::StartsWith(line, "-ERR")) Fail(std::string(line));
        if (line == "PING") connection.Send("PONG\r\n");
        used = after_line;
        continue;
      }
      const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
      size_t size = 0;
      if (!absl::SimpleAtoi(words.back(), &size)) Fail(std::string(line));
      if (bytes.size() < after_line + size + 2) return used;
      TakeMessage(watcher, words, bytes.substr(after_line, size));
      used = after_line + size + 2;
    }
  }

  void TakeMessage(int watcher, const std::vector<absl::string_view>& words,
                   absl::string_view payload) {
    const bool with_headers = words[0] == "HMSG";
    const absl::string_view subject = words[1];
    if (absl::StartsWith(payload, "{\"error\"") ||
        absl::StrContains(payload, ",\"error\"")) {
      Fail(std::string(payload));
    }
    if (absl::EndsWith(subject, ".put")) {
      ++answers_;
    } else if (absl::EndsWith(subject, ".api")) {
      ++api_answers_;
    } else if (absl::EndsWith(subject, ".watching")) {
      ++watchers_ready_;
    } else if (absl::StartsWith(subject, kKeys)) {
      ++watcher_messages_;
      const absl::string_view user = subject.substr(kKeys.size());
      Tell(watcher, SessionOf(user.data(), user.size()),
           with_headers ? Told::kGone : Told::kPresent);
    } else if (with_headers && words.size() == 6) {
      // Flow control: the server goes on once it has an answer.
      watchers_[static_cast<size_t>(watcher)]->Send(Publish(words[3], "", ""));
    }
  }

  SocketLoop loop_;
  std::vector<std::string> put_;
  std::unique_ptr<Connection> control_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> watchers_;
  int api_answers_ = 0;
};

}  // namespace

std::unique_ptr<Peer> MakeNatsPeer(const Layout& layout) {
  return std::make_unique<NatsPeer>(layout);
}

}  // namespace lifesign::bench
