// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/transport/listener/listener.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <deque>
#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "server/transport/listener/descriptor_budget.h"
#include "tests/testing/eventually.h"
#include "tests/transport/raw_connection.h"

namespace lifesign {
namespace {

using testing::Eventually;
using testing::RawConnection;
using Heard = RawConnection::Heard;

// Takes over connections and ends them when a test says so, as gRPC does.
class Owner {
 public:
  Listener::HandOver hand_over() {
    return [this](int fd) {
      MutexLock lock(mutex_);
      held_.push_back(UniqueFd(fd));
      changed_.NotifyAll();
    };
  }

  // The descriptor of the next connection handed over.
  UniqueFd Next() {
    MutexLock lock(mutex_);
    while (held_.empty()) {
      if (!changed_.WaitFor(mutex_, seconds(20)) && held_.empty()) {
        return UniqueFd();
      }
    }
    UniqueFd next = std::move(held_.front());
    held_.pop_front();
    return next;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::deque<UniqueFd> held_ ABSL_GUARDED_BY(mutex_);
};

// As gRPC ends a connection.
void ShutDownAndClose(UniqueFd connection) {
  shutdown(connection.get(), SHUT_RDWR);
  connection.Close();
}

class ListenerTest : public ::testing::Test {
 protected:
  void Start(int max_connections = 100, int max_per_address = 100,
             absl::string_view address = "127.0.0.1:0") {
    auto listener =
        Listener::Bind({SocketAddress::Parse(address).value(), max_connections,
                        max_per_address, seconds(20)},
                       clock_);
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
    listener_->Start(owner_.hand_over());
  }

  std::unique_ptr<RawConnection> Connect(absl::string_view from = "") {
    auto connection = std::make_unique<RawConnection>();
    if (!from.empty()) {
      EXPECT_TRUE(connection->BindTo(from));
    }
    EXPECT_TRUE(connection->Connect(listener_->address()));
    return connection;
  }

  bool OpenBecomes(std::int64_t open) {
    return Eventually([&] { return listener_->counters().open == open; });
  }

  const SystemClock clock_;
  Owner owner_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, TellsThePortThatWasChosen) {
  Start();
  EXPECT_NE(listener_->address().port(), 0);
  const auto connection = Connect();
  EXPECT_TRUE(owner_.Next().is_open());
  EXPECT_EQ(listener_->counters().accepted, 1);
}

TEST_F(ListenerTest, ListensOnBothKindsOfAddresses) {
  Start(100, 100, "[::]:0");
  RawConnection connection;
  EXPECT_TRUE(connection.Connect(
      SocketAddress::Parse(
          absl::StrCat("127.0.0.1:", listener_->address().port()))
          .value()));
  EXPECT_TRUE(owner_.Next().is_open());
}

TEST_F(ListenerTest, AnAddressInUseIsAnErrorThatSaysSo) {
  Start();
  const auto second =
      Listener::Bind({listener_->address(), 1, 1, seconds(20)}, clock_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(
      std::string(second.status().message()),
      ::testing::AllOf(::testing::HasSubstr("Address already in use"),
                       ::testing::HasSubstr(listener_->address().ToString())));
}

TEST_F(ListenerTest, HandsOverSocketsReadyForUse) {
  Start();
  const auto connection = Connect();
  const UniqueFd accepted = owner_.Next();
  EXPECT_TRUE(fcntl(accepted.get(), F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(fcntl(accepted.get(), F_GETFD) & FD_CLOEXEC);
  const auto option = [&accepted](int name) {
    int value = 0;
    socklen_t size = sizeof(value);
    getsockopt(accepted.get(), IPPROTO_TCP, name, &value, &size);
    return value;
  };
  EXPECT_EQ(option(TCP_NODELAY), 1);
  EXPECT_EQ(option(TCP_USER_TIMEOUT), 20'000);
}

TEST_F(ListenerTest, RefusesTheConnectionPastTheCapAndTakesOneWhenOneEnded) {
  Start(/*max_connections=*/3);
  std::vector<std::unique_ptr<RawConnection>> clients;
  std::vector<UniqueFd> accepted;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(Connect());
    accepted.push_back(owner_.Next());
    ASSERT_TRUE(accepted.back().is_open());
  }
  const auto past = Connect();
  EXPECT_EQ(past->Listen(seconds(20)), Heard::kEnd);
  EXPECT_EQ(listener_->counters().refused_total, 1);
  EXPECT_EQ(listener_->counters().open, 3);

  ShutDownAndClose(std::move(accepted.back()));
  ASSERT_TRUE(OpenBecomes(2));
  const auto next = Connect();
  EXPECT_TRUE(owner_.Next().is_open());
  EXPECT_EQ(listener_->counters().accepted, 4);
}

TEST_F(ListenerTest, OneAddressCannotTakeAllConnections) {
  Start(/*max_connections=*/100, /*max_per_address=*/2);
  const auto first = Connect("127.0.0.1:0");
  const auto second = Connect("127.0.0.1:0");
  const UniqueFd accepted[] = {owner_.Next(), owner_.Next()};
  const auto past = Connect("127.0.0.1:0");
  EXPECT_EQ(past->Listen(seconds(20)), Heard::kEnd);
  EXPECT_EQ(listener_->counters().refused_per_address, 1);

  const auto other = Connect("127.0.0.2:0");
  EXPECT_TRUE(owner_.Next().is_open());
}

TEST_F(ListenerTest, AConnectionEndsWithAResetOfItsPeer) {
  Start();
  const auto client = Connect();
  const UniqueFd accepted = owner_.Next();
  ASSERT_TRUE(OpenBecomes(1));
  client->Reset();
  EXPECT_TRUE(OpenBecomes(0));
}

TEST_F(ListenerTest, APeerThatOnlyClosedItsSendingSideIsStillCounted) {
  Start(/*max_connections=*/2);
  const auto half_closed = Connect();
  UniqueFd accepted = owner_.Next();
  half_closed->ShutdownWrites();
  // Whatever the half-close sets off is over when what came later is.
  const auto second = Connect();
  const UniqueFd other = owner_.Next();
  const auto past = Connect();
  EXPECT_EQ(past->Listen(seconds(20)), Heard::kEnd);
  EXPECT_EQ(listener_->counters().open, 2);
  ShutDownAndClose(std::move(accepted));
  EXPECT_TRUE(OpenBecomes(1));
}

TEST_F(ListenerTest, ThePeerSeesTheEndAlthoughADuplicateIsWatched) {
  Start();
  const auto client = Connect();
  ShutDownAndClose(owner_.Next());
  EXPECT_EQ(client->Listen(seconds(20)), Heard::kEnd);
}

TEST_F(ListenerTest, ManyConnectionsComeAndGoAndNoneIsLeftCounted) {
  Start(/*max_connections=*/1000, /*max_per_address=*/1000);
  for (int i = 0; i < 500; ++i) {
    const auto client = Connect();
    UniqueFd accepted = owner_.Next();
    ASSERT_TRUE(accepted.is_open());
    if (i % 2 == 0) {
      ShutDownAndClose(std::move(accepted));
    } else {
      client->Reset();
    }
  }
  EXPECT_TRUE(OpenBecomes(0));
  EXPECT_EQ(listener_->counters().accepted, 500);
}

TEST_F(ListenerTest, AfterStopAcceptingNothingConnectsAndEndsAreStillCounted) {
  Start();
  const auto client = Connect();
  UniqueFd accepted = owner_.Next();
  listener_->StopAccepting();
  listener_->StopAccepting();
  RawConnection late;
  EXPECT_FALSE(late.Connect(listener_->address()));
  EXPECT_EQ(listener_->counters().open, 1);
  ShutDownAndClose(std::move(accepted));
  EXPECT_TRUE(OpenBecomes(0));
}

TEST_F(ListenerTest, CanBeStoppedBeforeItStarts) {
  auto listener = Listener::Bind(
      {SocketAddress::Parse("127.0.0.1:0").value(), 1, 1, seconds(1)}, clock_);
  ASSERT_TRUE(listener.ok());
  (*listener)->StopAccepting();
}

TEST(DescriptorBudgetTest, LeavesTwoForEachConnectionAndSomeForTheRest) {
  EXPECT_EQ(ConnectionBudget(20'000), 9'936);
  EXPECT_EQ(ConnectionBudget(1), 1);
  EXPECT_GT(ConnectionBudget(std::int64_t{1} << 62), 1'000'000);
}

}  // namespace
}  // namespace lifesign
