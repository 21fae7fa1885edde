// Any bytes decoded as a stripe footer whose sizes and checksum were made right; what was decoded
// is encoded and decoded again.
#include <algorithm>
#include <cstring>
#include <vector>

#include "codec/crc32c.h"
#include "codec/testing/fuzz_input.h"
#include "columnar/internal/footer.h"

namespace orochi::columnar {
namespace {

using codec::testing::Require;

void Fuzz(const uint8_t* data, size_t size_bytes) {
  codec::testing::FuzzInput input(data, size_bytes);
  size_t const chunks_size_bytes = input.TakeCount();
  std::vector<std::byte> footer(input.rest().begin(), input.rest().end());
  auto const footer_size_bytes = static_cast<uint32_t>(footer.size());
  uint64_t const stripe_size_bytes = chunks_size_bytes + footer.size();
  if (footer.size() >= 40) {
    std::memcpy(footer.data(), "OROCHIST", 8);
    std::memcpy(footer.data() + 12, &footer_size_bytes, sizeof(footer_size_bytes));
    std::memcpy(footer.data() + 16, &stripe_size_bytes, sizeof(stripe_size_bytes));
    uint32_t const crc = codec::Crc32c(std::span(footer).first(footer.size() - 4));
    std::memcpy(footer.data() + footer.size() - 4, &crc, sizeof(crc));
  }
  Result<internal::Footer> decoded = internal::DecodeFooter(footer, stripe_size_bytes);
  if (!decoded.ok()) {
    return;
  }
  uint64_t end = 0;
  for (const internal::StoredChunk& chunk : decoded->chunks) {
    Require(chunk.info.offset_bytes == end, "chunks lie one after the other");
    end += chunk.info.size_bytes;
  }
  Require(decoded->chunks.empty() || end == chunks_size_bytes, "chunks fill the stripe");
  std::vector<std::byte> again;
  internal::EncodeFooter(*decoded, again);
  Result<internal::Footer> const second = internal::DecodeFooter(again, end + again.size());
  Require(second.ok(), "own bytes decode");
}

}  // namespace
}  // namespace orochi::columnar

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  orochi::columnar::Fuzz(data, size_bytes);
  return 0;
}
