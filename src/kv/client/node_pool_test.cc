// Goal: addresses are read, or refused with what was expected; the node that is asked first stays
// the same until it fails.
// Method: a table of texts; a fake clock.
#include "kv/client/node_pool.h"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"

namespace orochi::kv::client {
namespace {

TEST(NodeAddressTest, FormsOfAnAddress) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"127.0.0.1:8001", "127.0.0.1:8001"},       {"http://kv-0.kv:80", "kv-0.kv:80"},
      {"http://kv:65535/", "kv:65535"},           {"[::1]:8001", "[::1]:8001"},
      {"unix:/run/kv.sock", "unix:/run/kv.sock"},
  };
  for (const auto& [text, expected] : cases) {
    auto const address = ParseNodeAddress(text);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(address->Text(), expected);
  }
  for (const char* text : {"", "kv", "kv:", ":80", "kv:0", "kv:65536", "kv:80x", "::1:80",
                           "unix:", "http://kv/a:80", "k v:80", "a\r\nb:80", "user@kv:80"}) {
    EXPECT_EQ(ParseNodeAddress(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(ParseNodeAddress("https://kv:80").status().code(), StatusCode::kUnsupported);
}

TEST(NodePoolTest, TheSameNodeUntilItFails) {
  orochi::testing::FakeClock clock;
  NodePool pool({{.host = "a", .port = 1}, {.host = "b", .port = 1}, {.host = "c", .port = 1}}, 4,
                clock);
  EXPECT_EQ(pool.Preferred(), 0u);
  pool.MarkDown(0);
  EXPECT_EQ(pool.Preferred(), 1u);
  clock.AdvanceMicros(10'000'000);
  EXPECT_EQ(pool.Preferred(), 1u) << "the first is not asked again only because time went by";
  pool.MarkDown(1);
  EXPECT_EQ(pool.Preferred(), 2u);
  pool.MarkDown(2);
  EXPECT_EQ(pool.Preferred(), 0u);
  pool.MarkDown(0);
  EXPECT_EQ(pool.Preferred(), 0u) << "when all are down, one is asked nevertheless";
}

}  // namespace
}  // namespace orochi::kv::client
