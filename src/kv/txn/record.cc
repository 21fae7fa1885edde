#include "kv/txn/record.h"

#include <span>

#include "base/str_cat.h"
#include "kv/engine/text_bytes.h"

namespace orochi::kv {
namespace {

constexpr char kVersion = 1;
constexpr size_t kFixedBytes = 10;

}  // namespace

std::string TransactionRecord::Encode() const {
  std::string bytes;
  bytes.push_back(kVersion);
  bytes.push_back(committed ? 1 : 0);
  AppendBigEndian(bytes, timestamp.value());
  AppendVarint(bytes, keys.size());
  for (const std::string& key : keys) {
    AppendText(bytes, key);
  }
  return bytes;
}

Result<TransactionRecord> TransactionRecord::Decode(std::string_view bytes) {
  auto const damaged = [&] {
    return Status::Corruption(
        StrCat("transaction record: ", bytes.size(), " bytes are none of version 1"));
  };
  if (bytes.size() < kFixedBytes || bytes[0] != kVersion || static_cast<uint8_t>(bytes[1]) > 1) {
    return damaged();
  }
  TransactionRecord record{
      .committed = bytes[1] == 1, .timestamp = Timestamp(BigEndianAt(bytes.substr(2))), .keys = {}};
  codec::ByteReader reader(std::as_bytes(std::span(bytes.substr(kFixedBytes))));
  uint64_t count = 0;
  if (!reader.ReadVarintUpTo(reader.remaining_bytes(), count)) {
    return damaged();
  }
  for (; count > 0; --count) {
    if (!ReadText(reader, record.keys.emplace_back())) {
      return damaged();
    }
  }
  return reader.remaining_bytes() == 0 ? Result<TransactionRecord>(std::move(record)) : damaged();
}

std::string RecordKey(std::string_view anchor, const TransactionId& id) {
  std::string key(anchor);
  AppendBigEndian(key, id.high);
  AppendBigEndian(key, id.low);
  AppendBigEndian(key, id.start.value());
  return key;
}

Result<RecordOwner> OwnerOfRecord(std::string_view key) {
  constexpr size_t kIdBytes = size_t{3} * 8;
  if (key.size() < kIdBytes) {
    return Status::Corruption(
        StrCat("transaction record: its key has ", key.size(), " bytes, fewer than 24"));
  }
  std::string_view const id = key.substr(key.size() - kIdBytes);
  return RecordOwner{.anchor = std::string(key.substr(0, key.size() - kIdBytes)),
                     .id = {.high = BigEndianAt(id),
                            .low = BigEndianAt(id.substr(8)),
                            .start = Timestamp(BigEndianAt(id.substr(16)))}};
}

Result<std::optional<TransactionRecord>> RecordOf(const Reader& state, std::string_view anchor,
                                                  const TransactionId& id) {
  ASSIGN_OR_RETURN(auto const bytes, state.Get(Family::kTransaction, RecordKey(anchor, id)));
  if (!bytes) {
    return std::optional<TransactionRecord>();
  }
  ASSIGN_OR_RETURN(TransactionRecord record, TransactionRecord::Decode(*bytes));
  return std::optional<TransactionRecord>(std::move(record));
}

void PutRecord(WriteBatch& batch, std::string_view anchor, const TransactionId& id,
               const TransactionRecord& record) {
  batch.Put(Family::kTransaction, RecordKey(anchor, id), record.Encode());
}

}  // namespace orochi::kv
