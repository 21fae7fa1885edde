#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/mvcc/timestamp.h"

namespace orochi::kv {

/// Who a transaction is: 128 bits drawn once, and when it began.
struct TransactionId {
  uint64_t high = 0;
  uint64_t low = 0;
  Timestamp start{};

  friend auto operator<=>(const TransactionId&, const TransactionId&) = default;
};

/// What a transaction wrote to a key and has not decided yet.
///
/// Encoded: version 1 | u64 high | u64 low | u64 start | u64 timestamp | u32 sequence, all
/// big-endian | anchor as text | 1 and the value, or 0 for a deletion.
struct Intent {
  TransactionId transaction{};
  std::string anchor{};                // the key in whose partition the decision is
  uint32_t sequence;                   // of the write within the transaction
  Timestamp timestamp{};               // the version it becomes has at least this one
  std::optional<std::string> value{};  // nullopt deletes

  std::string Encode() const;
  static Result<Intent> Decode(std::string_view key, std::string_view bytes);
};

}  // namespace orochi::kv
