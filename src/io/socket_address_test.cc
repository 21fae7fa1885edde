// Goal: addresses as text and back. Method: forms that are right, and forms that are not.
#include "io/socket_address.h"

#include <gtest/gtest.h>

namespace orochi::io {
namespace {

TEST(SocketAddress, SurvivesItsText) {
  for (const char* text : {"127.0.0.1:7946", "10.1.2.3:1", "[::1]:65535", "[2001:db8::7]:80"}) {
    auto address = ParseSocketAddress(text);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(ToString(*address), text);
  }
  EXPECT_EQ(*ParseSocketAddress("127.0.0.1:5"), SocketAddress::V4(127, 0, 0, 1, 5));
  EXPECT_TRUE(SocketAddress::V4(127, 0, 0, 1, 5).IsV4());
  EXPECT_FALSE(ParseSocketAddress("[::1]:5")->IsV4());
}

TEST(SocketAddress, OneAddressHasOneForm) {
  EXPECT_EQ(*ParseSocketAddress("[::ffff:10.0.0.1]:9"), *ParseSocketAddress("10.0.0.1:9"));
}

TEST(SocketAddress, OtherTextIsRefused) {
  for (const char* text :
       {"", ":", ":80", "localhost:80", "127.0.0.1", "127.0.0.1:", "1.2.3:4", "127.0.0.1:65536",
        "127.0.0.1:-1", "::1:80", "[::1]", "[]:80", "127.0.0.1:80 "}) {
    EXPECT_EQ(ParseSocketAddress(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace orochi::io
