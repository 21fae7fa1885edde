#include "kv/mvcc/intent.h"

#include <span>

#include "base/str_cat.h"
#include "kv/engine/text_bytes.h"

namespace orochi::kv {
namespace {

constexpr char kVersion = 1;
constexpr size_t kFixedBytes = 1 + 5 * 8;

}  // namespace

std::string Intent::Encode() const {
  std::string bytes;
  bytes.reserve(kFixedBytes + anchor.size() + (value ? value->size() : 0) + 4);
  bytes.push_back(kVersion);
  AppendBigEndian(bytes, transaction.high);
  AppendBigEndian(bytes, transaction.low);
  AppendBigEndian(bytes, transaction.start.value());
  AppendBigEndian(bytes, timestamp.value());
  AppendBigEndian(bytes, sequence);
  AppendText(bytes, anchor);
  bytes.push_back(value ? 1 : 0);
  if (value) {
    bytes.append(*value);
  }
  return bytes;
}

Result<Intent> Intent::Decode(std::string_view key, std::string_view bytes) {
  auto const damaged = [&] {
    return Status::Corruption(
        StrCat("intent of a key of ", key.size(), " bytes: ", bytes.size(), " bytes are none"));
  };
  if (bytes.size() < kFixedBytes || bytes[0] != kVersion ||
      BigEndianAt(bytes.substr(33)) >> 32 != 0) {
    return damaged();
  }
  Intent intent{.transaction = {.high = BigEndianAt(bytes.substr(1)),
                                .low = BigEndianAt(bytes.substr(9)),
                                .start = Timestamp(BigEndianAt(bytes.substr(17)))},
                .anchor = {},
                .sequence = static_cast<uint32_t>(BigEndianAt(bytes.substr(33))),
                .timestamp = Timestamp(BigEndianAt(bytes.substr(25))),
                .value = {}};
  codec::ByteReader reader(std::as_bytes(std::span(bytes.substr(kFixedBytes))));
  uint8_t has_value = 0;
  if (!ReadText(reader, intent.anchor) || !reader.ReadFixed(has_value) || has_value > 1 ||
      (has_value == 0 && reader.remaining_bytes() > 0)) {
    return damaged();
  }
  if (has_value != 0) {
    intent.value = std::string(bytes.substr(bytes.size() - reader.remaining_bytes()));
  }
  return intent;
}

}  // namespace orochi::kv
