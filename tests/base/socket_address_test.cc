// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/base/socket_address.h"

#include "gtest/gtest.h"

namespace lifesign {
namespace {

SocketAddress Address(absl::string_view text) {
  return SocketAddress::Parse(text).value();
}

TEST(SocketAddressTest, ReadsNumericAddressesOfBothKinds) {
  for (const char* text : {"127.0.0.1:7400", "[::1]:7400", "0.0.0.0:0",
                           "[::]:65535", "[2001:db8::1]:1"}) {
    EXPECT_EQ(Address(text).ToString(), text);
  }
  EXPECT_EQ(Address("[::1]:7400").port(), 7400);
}

TEST(SocketAddressTest, RefusesNamesAndHalves) {
  for (const char* text :
       {"", ":", ":7400", "127.0.0.1", "localhost:7400", "::1:7400", "[::1]",
        "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:x",
        "[127.0.0.1]:1", "1.2.3:4", "[]:1"}) {
    EXPECT_FALSE(SocketAddress::Parse(text).ok()) << text;
  }
}

TEST(SocketAddressTest, KnowsWhatOnlyThisMachineReaches) {
  EXPECT_TRUE(Address("127.0.0.1:0").IsLoopback());
  EXPECT_TRUE(Address("127.255.0.1:0").IsLoopback());
  EXPECT_TRUE(Address("[::1]:0").IsLoopback());
  EXPECT_TRUE(Address("[::ffff:127.0.0.1]:0").IsLoopback());
  EXPECT_FALSE(Address("0.0.0.0:0").IsLoopback());
  EXPECT_FALSE(Address("[::]:0").IsLoopback());
  EXPECT_FALSE(Address("[::ffff:10.0.0.1]:0").IsLoopback());
}

TEST(SocketAddressTest, CountsAnIpv4AddressOrAnIpv6NetworkAsOne) {
  EXPECT_EQ(Address("10.0.0.1:1").Network(), Address("10.0.0.1:2").Network());
  EXPECT_NE(Address("10.0.0.1:1").Network(), Address("10.0.0.2:1").Network());
  EXPECT_EQ(Address("[::ffff:10.0.0.1]:1").Network(),
            Address("10.0.0.1:1").Network());
  EXPECT_EQ(Address("[2001:db8:0:1::1]:1").Network(),
            Address("[2001:db8:0:1:ffff::2]:1").Network());
  EXPECT_NE(Address("[2001:db8:0:1::1]:1").Network(),
            Address("[2001:db8:0:2::1]:1").Network());
}

}  // namespace
}  // namespace lifesign
