#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/record/schema.h"
#include "kv/record/value.h"

namespace orochi::kv {

/// How a collection's keys are laid over its partitions.
enum class Distribution : uint8_t {
  kRange = 0,  // in the order of keys
  kHash = 1,   // by a hash of the partition key, the token
};

/// Where a collection's keys lie.
struct KeySpace {
  CollectionId collection;
  Distribution distribution = Distribution::kHash;
};

/// The highest id: its keys have an upper bound in bytes, too.
inline constexpr uint32_t kCollectionIdMax = UINT32_MAX - 1;
inline constexpr size_t kStorageKeySizeBytesMax = 16 * 1024;

/// Bytes [begin, end) of the key space.
struct ByteRange {
  std::string begin;
  std::string end;

  bool empty() const { return begin >= end; }
  bool Contains(std::string_view key) const { return key >= begin && key < end; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// All strings that start with `prefix`. REQUIRES: some byte of it is below FF.
ByteRange PrefixRange(std::string_view prefix);

/// The token of a partition key as it lies in the storage key: XXH64 with seed 0, which has
/// implementations in every language, so that clients can find partitions themselves.
uint64_t TokenOf(std::string_view encoded_partition_key);

// A record's key, which docs/formats/kv-keys.md lays out:
//   [collection u32][token u64, hash collections only][schema u32][partition key][range key]
// Numbers are big-endian. The timestamp of a version, which follows, is not part of it.

/// The start of all keys of the collection.
std::string CollectionPrefix(CollectionId collection);

/// The key of a record; of `values`, one per field of the schema, only key fields are read.
/// kInvalidArgument names the field that does not fit, kOutOfRange says a key is too long.
/// REQUIRES: one value per field.
Result<std::string> EncodeStorageKey(const KeySpace& space, const Schema& schema,
                                     std::span<const Value> values);

/// What all keys with these first key fields, in the key's order, begin with; on a hash collection
/// nullopt unless the whole partition key is given, for then they are all over the collection.
/// REQUIRES: at most as many values as key fields.
Result<std::optional<std::string>> EncodeStorageKeyPrefix(const KeySpace& space,
                                                          const Schema& schema,
                                                          std::span<const Value> key_values);

struct StorageKeyHeader {
  CollectionId collection;
  std::optional<uint64_t> token;
  SchemaId schema;
  std::string_view fields;  // the partition key and the range key; borrows the key
};

/// Enough to find the schema. kCorruption when the key is too short.
Result<StorageKeyHeader> ReadStorageKeyHeader(Distribution distribution, std::string_view key);

/// The key fields in the key's order. kCorruption unless EncodeStorageKey made exactly these bytes
/// for this space and schema; the token is checked.
Result<std::vector<Value>> DecodeStorageKey(const KeySpace& space, const Schema& schema,
                                            std::string_view key);

}  // namespace orochi::kv
