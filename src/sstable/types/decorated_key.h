#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sstable/types/bytes.h"
#include "sstable/types/murmur3.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// What orders the partitions of a table.
enum class Partitioner : uint8_t {
  kMurmur3,      // by a hash, i64
  kRandom,       // by the absolute value of the MD5 as a signed number
  kByteOrdered,  // by the key's bytes; the token is the key
  kLocal,        // by the key's type: tables of secondary indexes
};

/// From the class in the Statistics component, with or without the package. kUnsupported for
/// partitioners that do not exist in Cassandra 5 (OrderPreservingPartitioner).
Result<Partitioner> ParsePartitioner(std::string_view class_name);
std::string_view PartitionerClass(Partitioner partitioner);

/// Where a key stands on the ring, comparable within one partitioner. For kByteOrdered and kLocal
/// it is 0 for all keys, and the keys themselves decide.
struct Token {
  unsigned __int128 position = 0;

  /// The Murmur3 token as Cassandra shows it. REQUIRES: a token of kMurmur3.
  int64_t murmur3() const { return static_cast<int64_t>(static_cast<uint64_t>(position) ^ kFlip); }
  static Token OfMurmur3(int64_t token) {
    return {.position = static_cast<uint64_t>(token) ^ kFlip};
  }

  friend bool operator==(const Token&, const Token&) = default;
  friend auto operator<=>(const Token&, const Token&) = default;

 private:
  static constexpr uint64_t kFlip = uint64_t{1} << 63;
};

Token TokenOf(Partitioner partitioner, Bytes key);
/// As above, where the key's hash is there already.
Token TokenOf(Partitioner partitioner, Bytes key, const Murmur3Hash& hash);

/// The token as the token() function and nodetool show it: "-9223372036854775808", a number, or the
/// key in hexadecimal.
std::string TokenText(Partitioner partitioner, Bytes key);

/// Orders partitions as files do: by token, ties by the key. `key_type` is used by kLocal only.
/// Negative, 0 or positive.
int CompareKeys(Partitioner partitioner, const Type& key_type, Token left_token, Bytes left,
                Token right_token, Bytes right);

/// Makes a partition key from the values of its columns: the value itself for one, u16 size, bytes
/// and 0 for each of several. kInvalidArgument when a value is longer than 65,535 bytes.
Result<std::string> MakePartitionKey(const std::vector<std::string>& values);

/// The values of a key with `column_count` columns, borrowed from it. kCorruption when the key is
/// not one of so many.
Result<std::vector<Bytes>> SplitPartitionKey(Bytes key, size_t column_count);

}  // namespace orochi::sstable
