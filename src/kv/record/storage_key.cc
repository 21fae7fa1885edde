#include "kv/record/storage_key.h"

#include <xxhash.h>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/record/key_codec.h"

namespace orochi::kv {

namespace {

template <class Unsigned>
void AppendNumber(std::string& out, Unsigned value) {
  for (int shift = static_cast<int>(sizeof(value)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

template <class Unsigned>
bool TakeNumber(std::string_view& rest, Unsigned& value) {
  if (rest.size() < sizeof(value)) {
    return false;
  }
  value = 0;
  for (size_t index = 0; index < sizeof(value); ++index) {
    value = static_cast<Unsigned>(value << 8 | static_cast<uint8_t>(rest[index]));
  }
  rest.remove_prefix(sizeof(value));
  return true;
}

Status FieldError(Status status, const Schema& schema, uint32_t index) {
  return std::move(status).WithContext(
      StrCat(schema.Describe(), ": key field '", schema.field(index).name, "'"));
}

// Partition key and range key of the first `values.size()` key fields; says where the partition key
// ends when it is whole.
struct EncodedFields {
  std::string bytes;
  std::optional<size_t> partition_key_size_bytes;
};

Result<EncodedFields> EncodeFields(const Schema& schema, std::span<const Value* const> values) {
  EncodedFields fields;
  for (size_t position = 0; position < values.size(); ++position) {
    uint32_t const index = schema.key_fields()[position];
    const FieldOrder& order = schema.field(index).order;
    if (Status status = CheckValue(order.type, *values[position]); !status.ok()) {
      return FieldError(std::move(status), schema, index);
    }
    AppendKeyField(fields.bytes, order, *values[position]);
    if (position + 1 == schema.partition_key_count()) {
      fields.partition_key_size_bytes = fields.bytes.size();
    }
  }
  return fields;
}

std::string Assemble(const KeySpace& space, const Schema& schema, const EncodedFields& fields) {
  ASSERT(space.collection.value() <= kCollectionIdMax);
  std::string key;
  key.reserve(16 + fields.bytes.size());
  AppendNumber(key, space.collection.value());
  if (space.distribution == Distribution::kHash) {
    AppendNumber(
        key, TokenOf(std::string_view(fields.bytes).substr(0, *fields.partition_key_size_bytes)));
  }
  AppendNumber(key, schema.id().value());
  return key + fields.bytes;
}

Status CheckSize(const Schema& schema, const std::string& key) {
  if (key.size() > kStorageKeySizeBytesMax) {
    return Status::OutOfRange(StrCat(schema.Describe(), ": key has ", key.size(),
                                     " bytes, at most ", kStorageKeySizeBytesMax));
  }
  return Status::Ok();
}

}  // namespace

ByteRange PrefixRange(std::string_view prefix) {
  ByteRange range{std::string(prefix), std::string(prefix)};
  while (!range.end.empty() && static_cast<uint8_t>(range.end.back()) == 0xFF) {
    range.end.pop_back();
  }
  ASSERT(!range.end.empty());
  range.end.back() = static_cast<char>(static_cast<uint8_t>(range.end.back()) + 1);
  return range;
}

uint64_t TokenOf(std::string_view encoded_partition_key) {
  return XXH64(encoded_partition_key.data(), encoded_partition_key.size(), 0);
}

std::string CollectionPrefix(CollectionId collection) {
  ASSERT(collection.value() <= kCollectionIdMax);
  std::string prefix;
  AppendNumber(prefix, collection.value());
  return prefix;
}

Result<std::string> EncodeStorageKey(const KeySpace& space, const Schema& schema,
                                     std::span<const Value> values) {
  ASSERT(values.size() == schema.field_count());
  std::vector<const Value*> key_values;
  for (uint32_t const index : schema.key_fields()) {
    key_values.push_back(&values[index]);
  }
  ASSIGN_OR_RETURN(EncodedFields const fields, EncodeFields(schema, key_values));
  std::string key = Assemble(space, schema, fields);
  RETURN_IF_ERROR(CheckSize(schema, key));
  return key;
}

Result<std::optional<std::string>> EncodeStorageKeyPrefix(const KeySpace& space,
                                                          const Schema& schema,
                                                          std::span<const Value> key_values) {
  ASSERT(key_values.size() <= schema.key_fields().size());
  std::vector<const Value*> pointers;
  for (const Value& value : key_values) {
    pointers.push_back(&value);
  }
  ASSIGN_OR_RETURN(EncodedFields const fields, EncodeFields(schema, pointers));
  if (space.distribution == Distribution::kHash && !fields.partition_key_size_bytes) {
    return std::optional<std::string>();
  }
  std::string key = Assemble(space, schema, fields);
  RETURN_IF_ERROR(CheckSize(schema, key));
  return std::optional<std::string>(std::move(key));
}

Result<StorageKeyHeader> ReadStorageKeyHeader(Distribution distribution, std::string_view key) {
  StorageKeyHeader header;
  std::string_view rest = key;
  uint32_t collection = 0;
  uint64_t token = 0;
  uint32_t schema = 0;
  bool const hash = distribution == Distribution::kHash;
  if (!TakeNumber(rest, collection) || (hash && !TakeNumber(rest, token)) ||
      !TakeNumber(rest, schema)) {
    return Status::Corruption(
        StrCat("key has ", key.size(), " bytes, its header needs ", hash ? 16 : 8));
  }
  header.collection = CollectionId(collection);
  if (hash) {
    header.token = token;
  }
  header.schema = SchemaId(schema);
  header.fields = rest;
  return header;
}

Result<std::vector<Value>> DecodeStorageKey(const KeySpace& space, const Schema& schema,
                                            std::string_view key) {
  ASSIGN_OR_RETURN(StorageKeyHeader const header, ReadStorageKeyHeader(space.distribution, key));
  if (header.collection != space.collection || header.schema != schema.id()) {
    return Status::Corruption(StrCat("key is of collection ", header.collection.value(),
                                     " and schema ", header.schema.value(), ", expected ",
                                     space.collection.value(), " and ", schema.id().value()));
  }
  std::vector<Value> values(schema.key_fields().size());
  std::string_view rest = header.fields;
  for (size_t position = 0; position < values.size(); ++position) {
    uint32_t const index = schema.key_fields()[position];
    if (Status status = ReadKeyField(rest, schema.field(index).order, values[position]);
        !status.ok()) {
      return FieldError(std::move(status), schema, index);
    }
    if (position + 1 == schema.partition_key_count() && header.token) {
      uint64_t const token = TokenOf(header.fields.substr(0, header.fields.size() - rest.size()));
      if (token != *header.token) {
        return Status::Corruption(StrCat(schema.Describe(), ": key has token ", *header.token,
                                         ", its partition key's is ", token));
      }
    }
  }
  if (!rest.empty()) {
    return Status::Corruption(
        StrCat(schema.Describe(), ": key has ", rest.size(), " bytes after its last field"));
  }
  return values;
}

}  // namespace orochi::kv
