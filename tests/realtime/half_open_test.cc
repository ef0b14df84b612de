// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Clients that are there for TCP and not for us: they stop reading, stop
// writing, are killed, or stand still.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/integration/testing/heartbeat_client.h"
#include "tests/integration/testing/unary_client.h"
#include "tests/integration/testing/watch_client.h"
#include "tests/realtime/testing/child_process.h"
#include "tests/realtime/testing/lifesignd_process.h"
#include "tests/realtime/testing/tcp_proxy.h"
#include "tests/realtime/testing/told.h"
#include "tests/testing/eventually.h"

namespace lifesign::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr v1::SignalKind kActive = v1::SIGNAL_KIND_ACTIVE;

// What time alone makes of a session that was active.
const auto kDecay =
    ElementsAre(v1::PRESENCE_STATE_OFFLINE, v1::PRESENCE_STATE_ACTIVE,
                v1::PRESENCE_STATE_IDLE, v1::PRESENCE_STATE_AWAY,
                v1::PRESENCE_STATE_STALE, v1::PRESENCE_STATE_OFFLINE);

// --- Stops reading

// Opens a session, then goes on talking, and reads nothing of what it is
// answered: each message asks for an answer with errors in it.
class DeafClient {
 public:
  static constexpr int kErrorsAMessage = 50;

  DeafClient(const std::shared_ptr<grpc::Channel>& channel,
             const std::string& user)
      : stub_(v1::PresenceService::NewStub(channel)),
        stream_(stub_->Heartbeat(&context_)) {
    v1::HeartbeatRequest open;
    *open.add_opens() = OpenOf(1, user, "s", kActive);
    open.set_answer_always(true);
    stream_->Write(open);
    v1::HeartbeatResponse answer;
    EXPECT_TRUE(stream_->Read(&answer));
  }
  ~DeafClient() {
    context_.TryCancel();
    if (talker_.joinable()) talker_.join();
    ReadToTheEnd();
  }

  // Says `messages` more, on a thread of its own, or until it is cut off.
  void Talk(int messages) {
    talker_ = std::thread([this, messages] {
      v1::HeartbeatRequest message;
      *message.add_signals() = SignalOf(1, kActive);
      for (int i = 0; i < kErrorsAMessage; ++i) {
        *message.add_signals() = SignalOf(100 + i, kActive);
      }
      while (said_ < messages && stream_->Write(message)) ++said_;
      silent_ = true;
    });
  }
  bool silent() const { return silent_; }

  // Reads again, what was kept for it. The errors it was told, those that were
  // dropped included.
  std::uint64_t Listen() {
    talker_.join();
    stream_->WritesDone();
    return ReadToTheEnd();
  }
  std::uint64_t acked() const { return acked_; }

 private:
  std::uint64_t ReadToTheEnd() {
    std::uint64_t errors = 0;
    std::uint64_t dropped = 0;
    v1::HeartbeatResponse answer;
    while (stream_->Read(&answer)) {
      errors += static_cast<std::uint64_t>(answer.errors_size());
      // Counted from the start of the stream.
      dropped = std::max(dropped, answer.errors_dropped());
      acked_ = answer.acked();
    }
    if (!ended_) stream_->Finish();
    ended_ = true;
    return errors + dropped;
  }

  std::unique_ptr<v1::PresenceService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<
      grpc::ClientReaderWriter<v1::HeartbeatRequest, v1::HeartbeatResponse>>
      stream_;
  std::atomic<int> said_ = 0;
  std::atomic<bool> silent_ = false;
  std::uint64_t acked_ = 0;
  bool ended_ = false;
  std::thread talker_;
};

// Nobody decays while a test runs.
std::vector<std::string> LongWindows() {
  return {"--policy.active_window=2m", "--policy.idle_window=3m",
          "--policy.away_window=4m", "--policy.ttl=5m"};
}

// More than a stream may keep for one client, by far.
constexpr std::size_t kMostMemory = 64 << 20;

class DeafClientTest : public ::testing::Test {
 protected:
  // What everybody else does meanwhile: is answered, and told.
  void NeighbourIsServed() {
    EXPECT_THAT(neighbour_.Signal(1, kActive), SizeIs(0));
  }
  void NobodyWasHarmed() {
    NeighbourIsServed();
    EXPECT_THAT(
        StatesOf(Told(watch_.messages(), "deaf")),
        ElementsAre(v1::PRESENCE_STATE_OFFLINE, v1::PRESENCE_STATE_ACTIVE));
    EXPECT_THAT(
        StatesOf(Told(watch_.messages(), "neighbour")),
        ElementsAre(v1::PRESENCE_STATE_OFFLINE, v1::PRESENCE_STATE_ACTIVE));
    EXPECT_EQ(calls_.Get("deaf").presence().state(), v1::PRESENCE_STATE_ACTIVE);
    EXPECT_LT(server_.ResidentBytes(), memory_before_ + kMostMemory);
  }
  bool DeafIsConnected() {
    const auto sessions = calls_.ListSessions("deaf").sessions();
    return sessions.size() == 1 && sessions[0].connected();
  }
  void SetUp() override {
    ASSERT_TRUE(watch_.AwaitSynced());
    neighbour_.Open(OpenOf(1, "neighbour", "s", kActive));
    memory_before_ = server_.ResidentBytes();
  }

  static std::vector<std::string> Flags() {
    std::vector<std::string> flags = LongWindows();
    flags.insert(flags.end(), {"--server.keepalive_time=1s",
                               "--server.keepalive_timeout=2s"});
    return flags;
  }

  LifesigndProcess server_{Flags()};
  TcpProxy proxy_{server_.address()};
  UnaryClient calls_{server_.NewChannel()};
  HeartbeatClient neighbour_{server_.NewChannel()};
  WatchClient watch_{server_.NewChannel(), WatchOf({"deaf", "neighbour"})};
  std::size_t memory_before_ = 0;
};

// concepts.md § 12: at most one pending answer a bound session; a client that
// does not read is heard all the same.
TEST_F(DeafClientTest, WhoseLibraryTakesNoAnswersIsHeardAndHarmsNobody) {
  constexpr int kMessages = 1'000;
  DeafClient deaf(server_.NewChannel(), "deaf");
  deaf.Talk(kMessages);
  while (!deaf.silent()) NeighbourIsServed();
  NobodyWasHarmed();
  EXPECT_TRUE(DeafIsConnected());
  // What it was spared is counted.
  EXPECT_EQ(deaf.Listen(), kMessages * DeafClient::kErrorsAMessage);
  EXPECT_EQ(deaf.acked(), kMessages + 1);
}

// concepts.md §§ 5, 9: one whose kernel takes nothing is cut by TCP; that
// changes no state.
TEST_F(DeafClientTest, WhoseKernelTakesNoAnswersIsCutAndChangesNoState) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // So much that flow control never stops the server: its kernel has to.
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 64 << 20);
  DeafClient deaf(
      grpc::CreateCustomChannel(proxy_.address(),
                                grpc::InsecureChannelCredentials(), arguments),
      "deaf");
  proxy_.StopReadingServer();
  deaf.Talk(1'000'000);
  const SystemClock clock;
  const RealTime deadline = clock.RealNow() + kPatience;
  while (DeafIsConnected() && clock.RealNow() < deadline) NeighbourIsServed();
  EXPECT_FALSE(DeafIsConnected());
  NobodyWasHarmed();
}

// --- Stops writing; is killed

// A hundredth of the defaults times three: active 0.45 s, idle 1.8 s, away
// 5.4 s, ttl 7.2 s.
constexpr Duration kActiveWindow = milliseconds(450);
constexpr Duration kIdleWindow = milliseconds(1'800);
constexpr Duration kAwayWindow = milliseconds(5'400);
constexpr Duration kTtl = milliseconds(7'200);
// Of a machine that is busy with other things. Two ticks may lie far apart.
constexpr Duration kLate = seconds(5);

class SilentClientTest : public ::testing::Test {
 protected:
  SilentClientTest() { EXPECT_TRUE(watch_.AwaitSynced()); }

  bool AwaitState(v1::PresenceState state) {
    return watch_.AwaitChange("u", state);
  }
  std::vector<v1::PresenceRecord> Told() {
    return testing::Told(watch_.messages(), "u");
  }

  LifesigndProcess server_{
      {"--policy.time_scale_percent=3", "--server.keepalive_time=1s"}};
  UnaryClient calls_{server_.NewChannel()};
  WatchClient watch_{server_.NewChannel(), WatchOf({"u"})};
};

// C1: liveness taken from TCP. concepts.md §§ 4, 12.
TEST_F(SilentClientTest, C1_ThatAnswersPingsDecaysAsIfItDidNot) {
  const TcpProxy proxy(server_.address());
  HeartbeatClient client(
      grpc::CreateChannel(proxy.address(), grpc::InsecureChannelCredentials()));
  client.Open(OpenOf(1, "u", "s", kActive));

  ASSERT_TRUE(AwaitState(v1::PRESENCE_STATE_AWAY));
  const std::uint64_t bytes_before = proxy.bytes_to_server();
  ASSERT_TRUE(AwaitState(v1::PRESENCE_STATE_STALE));
  EXPECT_GT(proxy.bytes_to_server(), bytes_before) << "no ping was answered";
  EXPECT_TRUE(calls_.ListSessions("u").sessions(0).connected());
  ASSERT_TRUE(AwaitState(v1::PRESENCE_STATE_OFFLINE));

  const auto told = Told();
  ASSERT_THAT(StatesOf(told), kDecay);
  EXPECT_TRUE(NothingTwice(told));
  const Duration windows[] = {kActiveWindow, kIdleWindow, kAwayWindow, kTtl};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_THAT(Between(told[1].since(), told[i + 2].since()),
                AllOf(Ge(windows[i]), Le(windows[i] + kLate)));
    EXPECT_EQ(told[i + 2].cause(), i < 3 ? v1::CAUSE_DECAY : v1::CAUSE_EXPIRY);
  }
}

// concepts.md § 5: a broken stream changes no state; time does the rest.
TEST_F(SilentClientTest, WhoseProcessWasKilledDecaysByTimeAlone) {
  ChildProcess client(
      {LIFESIGN_CLIENT_PROCESS, "session", server_.address(), "u", "s"},
      "/dev/null");
  ASSERT_EQ(client.ReadLine(), "connected");
  client.Kill();
  ASSERT_TRUE(Eventually([&] {
    const auto sessions = calls_.ListSessions("u").sessions();
    return sessions.size() == 1 && !sessions[0].connected();
  }));
  ASSERT_TRUE(AwaitState(v1::PRESENCE_STATE_OFFLINE));

  const auto told = Told();
  // On a busy machine its login may tell of an activity that is old already.
  std::vector<v1::PresenceState> falls = StatesOf(told);
  EXPECT_EQ(falls.front(), v1::PRESENCE_STATE_OFFLINE);
  falls.erase(falls.begin());
  EXPECT_TRUE(std::is_sorted(falls.begin(), falls.end()));
  EXPECT_EQ(falls[falls.size() - 2], v1::PRESENCE_STATE_STALE);
  EXPECT_TRUE(NothingTwice(told));
  EXPECT_THAT(Between(told.back().last_seen(), told.back().since()),
              AllOf(Ge(kTtl), Le(kTtl + kLate)));
  EXPECT_EQ(told.back().cause(), v1::CAUSE_EXPIRY);
}

// --- Stands still

// C45: slow consumer. concepts.md § 9: a slow watcher costs nobody else, and
// has the newest state when it goes on.
TEST(FrozenWatcherTest, C45_EndsAtTheNewestStateAndHoldsUpNobody) {
  constexpr int kLogins = 5'000;
  LifesigndProcess server({});
  ChildProcess frozen({LIFESIGN_CLIENT_PROCESS, "watch", server.address(), "u"},
                      "/dev/null");
  std::vector<std::string> told = {frozen.ReadLine().value_or("")};
  ASSERT_THAT(told[0], StartsWith("PRESENCE_STATE_OFFLINE "));
  ASSERT_EQ(frozen.ReadLine(), "synced");
  WatchClient other(server.NewChannel(), WatchOf({"u"}));
  ASSERT_TRUE(other.AwaitSynced());
  HeartbeatClient client(server.NewChannel());

  ASSERT_TRUE(frozen.Freeze());
  for (int i = 0; i < kLogins; ++i) {
    v1::HeartbeatRequest login;
    *login.add_opens() = OpenOf(1, "u", "s", kActive);
    client.Send(login);
    v1::HeartbeatRequest logout;
    *logout.add_signals() = SignalOf(1, v1::SIGNAL_KIND_LEAVE);
    client.Send(logout);
  }
  // Idle was nobody before: it is told whatever was seen of the rest.
  client.Open(OpenOf(1, "u", "s"));
  ASSERT_TRUE(other.AwaitChange("u", v1::PRESENCE_STATE_IDLE));
  EXPECT_TRUE(NothingTwice(Told(other.messages(), "u")));

  frozen.Thaw();
  const std::string newest = absl::StrCat(
      "PRESENCE_STATE_IDLE ", other.changes_of("u").back().revision());
  while (told.back() != newest) {
    const auto line = frozen.ReadLine();
    ASSERT_TRUE(line.has_value()) << "it never came to " << newest;
    const std::vector<std::string> before = absl::StrSplit(told.back(), ' ');
    const std::vector<std::string> now = absl::StrSplit(*line, ' ');
    EXPECT_NE(before[0], now[0]) << *line;
    EXPECT_LT(std::stoull(before[1]), std::stoull(now[1])) << *line;
    told.push_back(*line);
  }
}

}  // namespace
}  // namespace lifesign::testing
