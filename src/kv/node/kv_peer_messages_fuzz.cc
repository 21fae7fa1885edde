// Bytes from another node are refused, or are messages that have bytes of their own.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "kv/node/peer_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  auto const decoded = orochi::kv::DecodePeerMessages(
      std::string_view(reinterpret_cast<const char*>(data), size_bytes));
  if (decoded.ok()) {
    auto const again = orochi::kv::DecodePeerMessages(orochi::kv::EncodePeerMessages(*decoded));
    ASSERT(again.ok() && again->size() == decoded->size());
  }
  return 0;
}
