// Any bytes read as a whole stripe, every checksum made right as far as the footer can be decoded:
// what the reader accepts is written again and gives the same rows.
#include <algorithm>
#include <cstring>
#include <vector>

#include "base/memory_budget.h"
#include "codec/crc32c.h"
#include "codec/testing/fuzz_input.h"
#include "columnar/internal/footer.h"
#include "columnar/testing/memory_stripe.h"

namespace orochi::columnar {
namespace {

using codec::testing::Require;

// Makes sizes and checksums right. Empty when the footer is not one even then, or promises more
// memory than a fuzzer should take.
std::vector<std::byte> Reseal(std::span<const std::byte> input, size_t footer_size_bytes) {
  constexpr uint64_t kPromisedBytesMax = 4u << 20;
  std::vector<std::byte> stripe(input.begin(), input.end());
  auto const footer = std::span(stripe).last(footer_size_bytes);
  auto const narrow_size = static_cast<uint32_t>(footer_size_bytes);
  uint64_t const stripe_size = stripe.size();
  std::memcpy(footer.data(), "OROCHIST", 8);
  std::memcpy(footer.data() + 12, &narrow_size, sizeof(narrow_size));
  std::memcpy(footer.data() + 16, &stripe_size, sizeof(stripe_size));
  uint32_t const crc = codec::Crc32c(footer.first(footer.size() - 4));
  std::memcpy(footer.data() + footer.size() - 4, &crc, sizeof(crc));
  Result<internal::Footer> decoded = internal::DecodeFooter(footer, stripe.size());
  if (!decoded.ok()) {
    return {};
  }
  uint64_t promised_bytes = 0;
  for (internal::StoredChunk& chunk : decoded->chunks) {
    promised_bytes += chunk.raw_size_bytes + chunk.value_size_bytes + chunk.info.row_count * 8;
    chunk.crc =
        codec::Crc32c(std::span(stripe).subspan(chunk.info.offset_bytes, chunk.info.size_bytes));
  }
  if (promised_bytes > kPromisedBytesMax) {
    return {};
  }
  std::vector<std::byte> resealed;
  internal::EncodeFooter(*decoded, resealed);
  stripe.resize(stripe.size() - footer_size_bytes);
  stripe.insert(stripe.end(), resealed.begin(), resealed.end());
  uint32_t const resealed_size = static_cast<uint32_t>(resealed.size());
  auto const tail = std::as_bytes(std::span(&resealed_size, 1));
  stripe.insert(stripe.end(), tail.begin(), tail.end());
  return stripe;
}

void Fuzz(const uint8_t* data, size_t size_bytes) {
  codec::testing::FuzzInput input(data, size_bytes);
  size_t const footer_size_bytes = input.TakeCount();
  if (footer_size_bytes < 40 || footer_size_bytes > input.rest().size()) {
    return;
  }
  std::vector<std::byte> stripe = Reseal(input.rest(), footer_size_bytes);
  if (stripe.empty()) {
    return;
  }
  StripeLocation location;
  std::memcpy(&location.footer_size_bytes, stripe.data() + stripe.size() - 4, 4);
  stripe.resize(stripe.size() - 4);
  location.size_bytes = stripe.size();
  testing::MemoryFile const file(stripe);
  Result<std::vector<std::vector<testing::OwnedCell>>> const rows = testing::RowsOf(file, location);
  if (!rows.ok()) {
    return;
  }
  Result<StripeReader> const reader =
      StripeReader::Open(file, {.offset_bytes = 0,
                                .size_bytes = location.size_bytes,
                                .footer_size_bytes = location.footer_size_bytes});
  Require(reader.ok(), "a stripe opens twice");
  MemoryBudget budget("fuzz", size_t{1} << 30);
  StripeWriter writer(reader->schema(), {.stripe_rows = kStripeRowsMax}, budget);
  for (const auto& row : *rows) {
    Require(writer.Append(testing::Borrow(row)).ok(), "what was read is taken");
  }
  testing::MemoryFile copy;
  Result<StripeLocation> const copied = writer.Finish(copy);
  Require(copied.ok(), "what was read is written");
  Result<std::vector<std::vector<testing::OwnedCell>>> const again = testing::RowsOf(copy, *copied);
  Require(again.ok() && *again == *rows, "rows survive");
}

}  // namespace
}  // namespace orochi::columnar

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  orochi::columnar::Fuzz(data, size_bytes);
  return 0;
}
