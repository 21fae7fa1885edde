#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kv/engine/reader.h"
#include "kv/engine/write_batch.h"
#include "kv/mvcc/intent.h"

namespace orochi::kv {

/// What was decided about a transaction: never changed, kept until nobody can ask. Under
/// anchor || id in the transaction family, so that it moves with the anchor's partition.
///
/// Encoded: version 1 | 1 when committed | u64 timestamp big-endian | varint count | keys as text.
struct TransactionRecord {
  bool committed = false;
  Timestamp timestamp{};            // of the commit
  std::vector<std::string> keys{};  // that had intents

  std::string Encode() const;
  static Result<TransactionRecord> Decode(std::string_view bytes);
};

std::string RecordKey(std::string_view anchor, const TransactionId& id);
/// Whose record is under a key of the transaction family.
struct RecordOwner {
  std::string anchor{};
  TransactionId id{};
};
Result<RecordOwner> OwnerOfRecord(std::string_view key);
Result<std::optional<TransactionRecord>> RecordOf(const Reader& state, std::string_view anchor,
                                                  const TransactionId& id);
void PutRecord(WriteBatch& batch, std::string_view anchor, const TransactionId& id,
               const TransactionRecord& record);

}  // namespace orochi::kv
