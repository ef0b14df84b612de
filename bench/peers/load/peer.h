// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef LIFESIGN_BENCH_PEERS_LOAD_PEER_H_
#define LIFESIGN_BENCH_PEERS_LOAD_PEER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lifesign::bench {

// What a watcher was told of a session's user.
enum class Told { kPresent, kAway, kGone };

// Whether the server answers every heartbeat, where that can be chosen.
enum class Answers { kAlways, kSparse };

// How the sessions reach the server.
struct Layout {
  int port = 0;
  int sessions = 0;
  // Connections that share the sessions, in equal blocks; 0: each its own.
  int connections = 0;
  Answers answers = Answers::kSparse;
};

// The clients of one presence server: its sessions and its watchers, spoken to
// as the server's own clients would. Knows the protocol and nothing of what is
// measured.
//
// Sessions are numbered from 0, each of a user of its own. Everything is
// asynchronous and happens in Poll. A protocol error, or a connection that
// breaks without being cut, ends the process: such a run measures nothing.
//
// Not thread-safe.
class Peer {
 public:
  // `watcher` was sent a message that tells `told` of `session`.
  using OnNotice = std::function<void(int watcher, int session, Told told)>;

  explicit Peer(const Layout& layout) : layout_(layout) {}
  virtual ~Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void set_on_notice(OnNotice on_notice) { on_notice_ = std::move(on_notice); }

  // Makes what the server needs before the first session, and waits for it.
  virtual void Prepare() {}

  // Someone who is told how every user changes. Counts in watchers_ready().
  virtual void AddWatcher() = 0;

  // The session begins, present. Counts in sessions_ready().
  virtual void Login(int session) = 0;

  // A heartbeat of each of `sessions`, which share a connection, in one write.
  virtual void Beat(const std::vector<int>& sessions) = 0;

  // A change of an established session that watchers are to be told: false is
  // the cheapest state below present that the server knows, true is back.
  virtual void Change(int session, bool present) = 0;

  // Breaks the session's own connection without a word. REQUIRES: each has its
  // own.
  virtual void Cut(int session) = 0;

  // The client of a cut session comes back, as its documentation has it.
  // Counts in sessions_ready() again.
  virtual void Resume(int session) = 0;

  // Receives, and sends what waits, for at most one millisecond.
  virtual void Poll() = 0;

  // The server paces the heartbeats itself (it pings, clients answer): Beat
  // does nothing, beats() counts the answers.
  virtual bool server_paces() const { return false; }

  int sessions_ready() const { return sessions_ready_; }
  int watchers_ready() const { return watchers_ready_; }
  // Heartbeats sent, and answers to them received.
  int64_t beats() const { return beats_; }
  int64_t answers() const { return answers_; }
  // Messages that watchers received, whatever they tell.
  int64_t watcher_messages() const { return watcher_messages_; }

  const Layout& layout() const { return layout_; }
  // The number of the connection that a session shares, or has to itself.
  int ConnectionOf(int session) const {
    return static_cast<int>(static_cast<int64_t>(session) * connections() /
                            layout_.sessions);
  }

 protected:
  int connections() const {
    return layout_.connections == 0 ? layout_.sessions : layout_.connections;
  }
  void Tell(int watcher, int session, Told told) {
    if (session >= 0) on_notice_(watcher, session, told);
  }

  int sessions_ready_ = 0;
  int watchers_ready_ = 0;
  int64_t beats_ = 0;
  int64_t answers_ = 0;
  int64_t watcher_messages_ = 0;

 private:
  const Layout layout_;
  OnNotice on_notice_ = [](int, int, Told) {};
};

std::unique_ptr<Peer> MakeLifesignPeer(const Layout& layout);
std::unique_ptr<Peer> MakeRedisPeer(const Layout& layout);
std::unique_ptr<Peer> MakeNatsPeer(const Layout& layout);
std::unique_ptr<Peer> MakeSocketIoPeer(const Layout& layout);
std::unique_ptr<Peer> MakeCentrifugoPeer(const Layout& layout);
std::unique_ptr<Peer> MakeEjabberdPeer(const Layout& layout);

// The user of a session, the same for every peer: "u0000042".
std::string UserOf(int session);

// The session of a user; -1 if `user` was not made by UserOf.
int SessionOf(const char* user, size_t size);

// Says why on stderr and ends the process.
[[noreturn]] void Fail(const std::string& why);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_PEERS_LOAD_PEER_H_
