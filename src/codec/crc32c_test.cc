// Goal: the checksum is CRC-32C, the same with and without processor support, in one piece or many.
#include "codec/crc32c.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/testing/test_seed.h"

namespace orochi::codec {
namespace {

TEST(Crc32cTest, KnownAnswers) {  // RFC 3720, appendix B.4, and the check value of the catalogues
  std::vector<std::byte> bytes(32, std::byte{0});
  EXPECT_EQ(Crc32c(bytes), 0x8A9136AAu);
  bytes.assign(32, std::byte{0xFF});
  EXPECT_EQ(Crc32c(bytes), 0x62A8AB43u);
  for (size_t index = 0; index < bytes.size(); ++index) {
    bytes[index] = static_cast<std::byte>(index);
  }
  EXPECT_EQ(Crc32c(bytes), 0x46DD794Eu);
  std::string_view const digits = "123456789";
  EXPECT_EQ(Crc32c(std::as_bytes(std::span(digits))), 0xE3069283u);
  EXPECT_EQ(Crc32c({}), 0u);
}

TEST(Crc32cTest, ProcessorAndTableAgreeInAnyPieces) {
  SeededRandom random(orochi::testing::TestSeed(13));
  for (size_t step = 0; step < 600; ++step) {
    size_t const size = step < 300 ? step : random.Below(5000);
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes) {
      byte = static_cast<std::byte>(random.Next());
    }
    uint32_t const whole = Crc32c(bytes);
    ASSERT_EQ(whole, Crc32cPortable(bytes));
    size_t const cut = random.Below(size + 1);
    auto const first = std::span(bytes).first(cut);
    auto const second = std::span(bytes).subspan(cut);
    ASSERT_EQ(whole, Crc32c(second, Crc32c(first)));
    ASSERT_EQ(whole, Crc32cPortable(second, Crc32cPortable(first)));
  }
}

}  // namespace
}  // namespace orochi::codec
