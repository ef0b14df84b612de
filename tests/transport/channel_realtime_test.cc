// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What only real sockets and real time can show: each test shows a fault of
// gRPC's defaults, and that our settings cure it.

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/clock.h"
#include "server/base/limits.h"
#include "server/base/mutex.h"
#include "server/transport/channel/channel_settings.h"
#include "server/transport/channel/self_call.h"
#include "server/transport/listener/grpc_acceptor.h"
#include "server/transport/listener/listener.h"
#include "server/transport/ticker.h"
#include "tests/testing/eventually.h"
#include "tests/transport/raw_connection.h"

namespace lifesign {
namespace {

using testing::Eventually;
using testing::kHttp2Hello;
using testing::RawConnection;
using Heard = RawConnection::Heard;

// A server that serves only its health, behind our listener.
class OurServer {
 public:
  explicit OurServer(const ChannelSettings& settings = ChannelSettings()) {
    grpc::ServerBuilder builder;
    ApplyChannelSettings(settings, builder);
    builder.RegisterCallbackGenericService(&no_methods_);
    auto hand_over = AddAcceptor(builder, grpc::InsecureServerCredentials());
    server_ = builder.BuildAndStart();
    listener_ = Listener::Bind({SocketAddress::Parse("127.0.0.1:0").value(),
                                1'000, 1'000, seconds(20)},
                               clock_)
                    .value();
    listener_->Start(std::move(hand_over));
  }
  ~OurServer() {
    listener_->StopAccepting();
    server_->Shutdown(std::chrono::system_clock::now());
  }

  const SocketAddress& address() const { return listener_->address(); }
  Listener& listener() { return *listener_; }
  grpc::Server& server() { return *server_; }

 private:
  const SystemClock clock_;
  // gRPC starts no server without a service of the user's.
  grpc::CallbackGenericService no_methods_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Listener> listener_;
};

// The same with gRPC's listener and defaults.
class StockServer {
 public:
  StockServer() {
    int port = 0;
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&no_methods_);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    server_ = builder.BuildAndStart();
    address_ = SocketAddress::Parse(absl::StrCat("127.0.0.1:", port)).value();
  }
  ~StockServer() { server_->Shutdown(std::chrono::system_clock::now()); }

  const SocketAddress& address() const { return address_; }

 private:
  SocketAddress address_ = SocketAddress(sockaddr_storage{});
  // gRPC starts no server without a service of the user's.
  grpc::CallbackGenericService no_methods_;
  std::unique_ptr<grpc::Server> server_;
};

// --- Out of file descriptors and back ---

// While it lives, no descriptor can be opened.
class NoDescriptorsLeft {
 public:
  NoDescriptorsLeft() {
    getrlimit(RLIMIT_NOFILE, &before_);
    UniqueFd lowest_free(dup(STDERR_FILENO));
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(lowest_free.get());
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptorsLeft() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_ = {};
};

// Whether `connection`, a new one to `address`, is served within `patience`.
bool IsServed(RawConnection& connection, const SocketAddress& address,
              Duration patience) {
  return connection.Connect(address) && connection.Send(kHttp2Hello) &&
         connection.Listen(patience) == Heard::kBytes;
}

// Connects some, while nothing can be accepted.
std::vector<RawConnection> ConnectInVain(const SocketAddress& address) {
  std::vector<RawConnection> connections(8);
  const NoDescriptorsLeft out;
  for (RawConnection& connection : connections) {
    EXPECT_TRUE(connection.Connect(address));
    connection.Send(kHttp2Hello);
  }
  // Long enough for the server to try.
  for (RawConnection& connection : connections) {
    EXPECT_NE(connection.Listen(milliseconds(100)), Heard::kBytes);
  }
  return connections;
}

// Connections that were served stay open to the end: the descriptors that a
// server frees a moment later would be some after all.

TEST(OutOfDescriptorsTest, StockListenerStaysDeafWhenThereAreSomeAgain) {
  const StockServer stock;
  RawConnection before;
  RawConnection after;
  ASSERT_TRUE(IsServed(before, stock.address(), seconds(20)));
  ConnectInVain(stock.address());
  EXPECT_FALSE(IsServed(after, stock.address(), seconds(3)))
      << "gRPC's listener recovers: ours may not be needed any more";
}

TEST(OutOfDescriptorsTest, OurListenerRefusesAndAcceptsAgain) {
  OurServer ours;
  std::vector<RawConnection> served(4);
  ASSERT_TRUE(IsServed(served[0], ours.address(), seconds(20)));
  for (int round = 1; round <= 3; ++round) {
    const auto refused = ConnectInVain(ours.address());
    EXPECT_TRUE(IsServed(served[round], ours.address(), seconds(20)));
    // Each was told at once instead of being left to wait.
    EXPECT_EQ(ours.listener().counters().refused_descriptors, 8 * round);
  }
  served.clear();
  EXPECT_TRUE(Eventually([&] { return ours.listener().counters().open == 0; }));
}

// --- Connections through gRPC are counted until they end ---

TEST(ConnectionCountTest, GrpcsWayOfClosingIsSeen) {
  OurServer ours;
  {
    RawConnection orderly;
    RawConnection nonsense;
    ASSERT_TRUE(orderly.Connect(ours.address()));
    ASSERT_TRUE(orderly.Send(kHttp2Hello));
    ASSERT_TRUE(nonsense.Connect(ours.address()));
    ASSERT_TRUE(
        Eventually([&] { return ours.listener().counters().open == 2; }));
    // What is no HTTP/2 is closed by gRPC.
    ASSERT_TRUE(nonsense.Send("GET / HTTP/1.0\r\n\r\n and more to read"));
    EXPECT_TRUE(
        Eventually([&] { return ours.listener().counters().open == 1; }));
    // The client closes: gRPC reads the end and closes, too.
  }
  EXPECT_TRUE(Eventually([&] { return ours.listener().counters().open == 0; }));
}

// --- A silent watch whose client pings ---

// Watches the health of a server: one answer, then silence. Pings ten times as
// often as the server's stock minimum would allow in an hour.
class PingingWatch
    : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  PingingWatch(const SocketAddress& address, Duration ping_every) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                     static_cast<int>(ping_every / milliseconds(1)));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    stub_ = std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
        address.ToString(), grpc::InsecureChannelCredentials(), arguments));
    stub_->PrepareBidiStreamingCall(&context_, "/grpc.health.v1.Health/Watch",
                                    grpc::StubOptions(), this);
    const grpc::Slice nothing;
    request_ = grpc::ByteBuffer(&nothing, 1);
    StartWriteLast(&request_, grpc::WriteOptions());
    StartRead(&response_);
    StartCall();
  }
  ~PingingWatch() override {
    context_.TryCancel();
    EndsWithin(seconds(20));
  }

  void OnReadDone(bool ok) override {
    MutexLock lock(mutex_);
    answered_ = answered_ || ok;
    changed_.NotifyAll();
    if (ok) {
      StartRead(&response_);
    }
  }
  void OnDone(const grpc::Status& status) override {
    MutexLock lock(mutex_);
    status_ = status;
    ended_ = true;
    changed_.NotifyAll();
  }

  bool AnswersWithin(Duration patience) { return Within(patience, answered_); }
  bool EndsWithin(Duration patience) { return Within(patience, ended_); }
  grpc::Status status() {
    MutexLock lock(mutex_);
    return status_;
  }

 private:
  bool Within(Duration patience, const bool& reached) {
    const SystemClock clock;
    const RealTime deadline = clock.RealNow() + patience;
    MutexLock lock(mutex_);
    while (!reached) {
      const Duration left = deadline - clock.RealNow();
      if (left <= Duration(0)) {
        return false;
      }
      changed_.WaitFor(mutex_, left);
    }
    return true;
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  Mutex mutex_;
  CondVar changed_;
  bool answered_ = false;
  bool ended_ = false;
  grpc::Status status_;
};

// Everything a fiftieth of real life: pings every 200 ms stand for 10 s.
constexpr Duration kPingEvery = milliseconds(200);

// concepts.md § 12: the server tolerates clients that ping every 10 s.
// grpc/grpc#33661, grpc/grpc-go#5063.
TEST(PingTest, StockServerEndsASilentWatchWhoseClientPings) {
  const StockServer stock;
  PingingWatch watch(stock.address(), kPingEvery);
  ASSERT_TRUE(watch.AnswersWithin(seconds(20)));
  ASSERT_TRUE(watch.EndsWithin(seconds(20)));
  EXPECT_EQ(watch.status().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(watch.status().error_message(),
              ::testing::HasSubstr("Too many pings"));
}

TEST(PingTest, OurServerToleratesAClientThatPings) {
  ChannelSettings settings;
  settings.min_ping_interval = kPingEvery * 9 / 10;
  const OurServer ours(settings);
  PingingWatch watch(ours.address(), kPingEvery);
  ASSERT_TRUE(watch.AnswersWithin(seconds(20)));
  EXPECT_FALSE(watch.EndsWithin(kPingEvery * 25))
      << watch.status().error_message();
}

// --- Peers that are gone, or were never there ---

// A raw client answers no ping, like a phone whose network is gone.
TEST(DeadPeerTest, APeerThatAnswersNoPingIsCut) {
  ChannelSettings settings;
  settings.keepalive_time = milliseconds(500);
  settings.keepalive_timeout = milliseconds(500);
  OurServer ours(settings);
  RawConnection silent;
  ASSERT_TRUE(silent.Connect(ours.address()));
  ASSERT_TRUE(silent.Send(kHttp2Hello));
  ASSERT_TRUE(
      Eventually([&] { return ours.listener().counters().accepted == 1; }));
  EXPECT_TRUE(Eventually([&] { return ours.listener().counters().open == 0; }));
}

TEST(DeadPeerTest, AConnectionThatNeverSpeaksIsCut) {
  ChannelSettings settings;
  settings.handshake_timeout = milliseconds(500);
  OurServer ours(settings);
  RawConnection mute;
  ASSERT_TRUE(mute.Connect(ours.address()));
  ASSERT_TRUE(
      Eventually([&] { return ours.listener().counters().accepted == 1; }));
  EXPECT_TRUE(Eventually([&] { return ours.listener().counters().open == 0; }));
}

// --- An idle server answers late ---

// An HTTP/2 SETTINGS frame without settings (RFC 9113 § 6.5), which is
// acknowledged at once. Not a PING: those are limited.
constexpr absl::string_view kQuestion("\0\0\0\4\0\0\0\0\0", 9);

// How long a server takes to answer when it was left alone for `silence`.
Duration IdleAnswer(const SocketAddress& address, Duration silence) {
  const SystemClock clock;
  RawConnection connection;
  EXPECT_TRUE(connection.Connect(address));
  EXPECT_TRUE(connection.Send(kHttp2Hello));
  EXPECT_EQ(connection.Listen(seconds(20)), Heard::kBytes);
  // What is left of its first answer is read away.
  while (connection.Listen(silence) == Heard::kBytes) {
  }
  const RealTime sent = clock.RealNow();
  EXPECT_TRUE(connection.Send(kQuestion));
  EXPECT_EQ(connection.Listen(seconds(20)), Heard::kBytes);
  return clock.RealNow() - sent;
}

// The pollers of a new server go to sleep together after a second and wake
// together a tenth later: in between each of these silences ends.
constexpr Duration kSilences[] = {milliseconds(1'010), milliseconds(1'020),
                                  milliseconds(1'030), milliseconds(1'040),
                                  milliseconds(1'050), milliseconds(1'060),
                                  milliseconds(1'070)};

Duration Median(std::vector<Duration> answers) {
  std::sort(answers.begin(), answers.end());
  return answers[answers.size() / 2];
}

TEST(IdleTest, AServerLeftAloneAnswersLate) {
  std::vector<Duration> answers;
  for (const Duration silence : kSilences) {
    const OurServer ours;
    answers.push_back(IdleAnswer(ours.address(), silence));
  }
  EXPECT_GT(Median(answers), milliseconds(10))
      << "idle pollers answer at once: the self-call may not be needed";
}

TEST(IdleTest, AServerThatCallsItselfAnswersAtOnce) {
  const SystemClock clock;
  std::vector<Duration> answers;
  for (const Duration silence : kSilences) {
    OurServer ours;
    SelfCall self_call(ours.server(), clock);
    {
      const Ticker ticker(clock, limits::kDefaultTick,
                          [&] { self_call.Poke(clock.RealNow()); });
      answers.push_back(IdleAnswer(ours.address(), silence));
    }
    self_call.Stop();
    const AnswerLateness lateness = self_call.lateness();
    EXPECT_GE(lateness.answered(), 2);
    EXPECT_EQ(lateness.failed, 0);
    EXPECT_LT(lateness.Percentile(0.5), milliseconds(10));
  }
  EXPECT_LT(Median(answers), milliseconds(5));
}

}  // namespace
}  // namespace lifesign
