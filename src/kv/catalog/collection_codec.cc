#include "kv/catalog/collection_codec.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "kv/engine/text_bytes.h"

namespace orochi::kv {
namespace {

constexpr std::string_view kEntryPrefix = "collection ";
constexpr uint8_t kFormat = 1;
constexpr uint64_t kCountMax = 1 << 16;
constexpr uint8_t kDescending = 1;
constexpr uint8_t kNullsLast = 2;

void AppendIndexes(std::string& out, const std::vector<uint32_t>& indexes) {
  AppendVarint(out, indexes.size());
  for (uint32_t const index : indexes) {
    AppendVarint(out, index);
  }
}

bool ReadIndexes(codec::ByteReader& reader, std::vector<uint32_t>& indexes) {
  uint64_t count = 0;
  if (!reader.ReadVarintUpTo(kCountMax, count)) {
    return false;
  }
  for (; count > 0; --count) {
    if (!reader.ReadVarintUpTo(UINT32_MAX, indexes.emplace_back())) {
      return false;
    }
  }
  return true;
}

void AppendVersion(std::string& out, const SchemaDefinition& schema) {
  AppendVarint(out, schema.version.value());
  AppendVarint(out, schema.fields.size());
  for (const Field& field : schema.fields) {
    AppendText(out, field.name);
    AppendVarint(out, field.id.value());
    out.push_back(static_cast<char>(field.order.type));
    out.push_back(static_cast<char>((field.order.descending ? kDescending : 0) |
                                    (field.order.nulls_last ? kNullsLast : 0)));
  }
  AppendIndexes(out, schema.partition_key);
  AppendIndexes(out, schema.range_key);
}

bool ReadField(codec::ByteReader& reader, Field& field) {
  uint32_t id = 0;
  uint8_t type = 0;
  uint8_t order = 0;
  if (!ReadText(reader, field.name) || !reader.ReadVarintUpTo(UINT32_MAX, id) ||
      !reader.ReadFixed(type) || !reader.ReadFixed(order) || order > (kDescending | kNullsLast)) {
    return false;
  }
  auto const known = FieldTypeFromNumber(type);
  if (!known) {
    return false;
  }
  field.id = FieldId(id);
  field.order = {.type = *known,
                 .descending = (order & kDescending) != 0,
                 .nulls_last = (order & kNullsLast) != 0};
  return true;
}

bool ReadVersion(codec::ByteReader& reader, SchemaDefinition& schema) {
  uint32_t version = 0;
  uint64_t count = 0;
  if (!reader.ReadVarintUpTo(UINT32_MAX, version) || !reader.ReadVarintUpTo(kCountMax, count)) {
    return false;
  }
  schema.version = SchemaVersion(version);
  for (; count > 0; --count) {
    if (!ReadField(reader, schema.fields.emplace_back())) {
      return false;
    }
  }
  return ReadIndexes(reader, schema.partition_key) && ReadIndexes(reader, schema.range_key);
}

Status ReadSchema(codec::ByteReader& reader, CollectionInfo& info) {
  std::string name;
  uint32_t id = 0;
  uint64_t count = 0;
  std::vector<SchemaDefinition> versions;
  bool whole = ReadText(reader, name) && reader.ReadVarintUpTo(UINT32_MAX, id) &&
               reader.ReadVarintUpTo(kSchemaVersionCountMax, count);
  for (; whole && count > 0; --count) {
    whole = ReadVersion(reader, versions.emplace_back());
    versions.back().name = name;
  }
  if (!whole) {
    return Status::Corruption("a schema of a collection cannot be read");
  }
  ASSIGN_OR_RETURN(SchemaHistory history,
                   SchemaHistory::Restore(SchemaId(id), std::move(versions)));
  info.schemas.emplace(std::move(name), std::move(history));
  return Status();
}

}  // namespace

std::string EncodeCollection(const StoredCollection& collection) {
  const CollectionInfo& info = collection.info;
  std::string out(1, static_cast<char>(kFormat));
  AppendVarint(out, info.id.value());
  AppendText(out, info.definition.name);
  AppendVarint(out, static_cast<uint64_t>(info.definition.distribution));
  AppendVarint(out, info.definition.partition_count);
  AppendText(out, collection.changed_by);
  AppendVarint(out, info.schemas.size());
  for (const auto& [name, history] : info.schemas) {
    AppendText(out, name);
    AppendVarint(out, history.id().value());
    AppendVarint(out, history.versions().size());
    for (const auto& version : history.versions()) {
      AppendVersion(out, version->definition());
    }
  }
  return out;
}

Result<StoredCollection> DecodeCollection(std::string_view bytes) {
  codec::ByteReader reader(std::as_bytes(std::span(bytes)));
  StoredCollection collection;
  CollectionDefinition& definition = collection.info.definition;
  uint8_t format = 0;
  uint32_t id = 0;
  uint64_t count = 0;
  if (!reader.ReadFixed(format) || format != kFormat ||
      !reader.ReadVarintUpTo(kCollectionIdMax, id) || !ReadText(reader, definition.name) ||
      !reader.ReadVarintUpTo(static_cast<uint64_t>(Distribution::kHash), definition.distribution) ||
      !reader.ReadVarintUpTo(kPartitionCountMax, definition.partition_count) ||
      !ReadText(reader, collection.changed_by) || !reader.ReadVarintUpTo(kCountMax, count)) {
    return Status::Corruption(
        StrCat("a collection of ", bytes.size(), " bytes in the cluster map cannot be read"));
  }
  collection.info.id = CollectionId(id);
  for (; count > 0; --count) {
    RETURN_IF_ERROR(ReadSchema(reader, collection.info));
  }
  if (reader.remaining_bytes() != 0) {
    return Status::Corruption(StrCat(reader.remaining_bytes(), " bytes after collection '",
                                     definition.name, "' in the cluster map"));
  }
  return collection;
}

std::string CollectionEntry(std::string_view name) {
  return StrCat(kEntryPrefix, name);
}

std::optional<std::string_view> CollectionOfEntry(std::string_view entry) {
  if (!entry.starts_with(kEntryPrefix)) {
    return std::nullopt;
  }
  return entry.substr(kEntryPrefix.size());
}

std::vector<KeySpan> SpansOf(const CollectionInfo& collection) {
  std::string const first = CollectionPrefix(collection.id);
  std::string const end = CollectionPrefix(CollectionId(collection.id.value() + 1));
  bool const hashes = collection.definition.distribution == Distribution::kHash;
  uint64_t const count = hashes ? std::max<uint64_t>(1, collection.definition.partition_count) : 1;
  std::vector<KeySpan> spans;
  for (uint64_t index = 0; index < count; ++index) {
    std::string begin = first;
    if (index > 0) {
      // Tokens are spread evenly over 64 bits.
      AppendBigEndian(begin,
                      static_cast<uint64_t>((static_cast<__uint128_t>(index) << 64) / count));
      spans.back().end = begin;
    }
    spans.push_back({.begin = std::move(begin), .end = end});
  }
  return spans;
}

}  // namespace orochi::kv
