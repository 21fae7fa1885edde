#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "kv/filter/expression.h"
#include "kv/record/schema.h"
#include "kv/wire/document.h"
#include "kv/wire/place.h"

namespace orochi::kv::chogori {

// Schemas, records and filters as the chogori HTTP dialect has them: MessagePack arrays by
// position, strings as bytes (strings are taken, too). docs/formats/kv-wire.md has the arrays.
//
// All readers answer kInvalidArgument with the path, like "$[2][0][0]: ...". The dialect has no
// bytes, uuid and timestamp: what needs one of them is kUnsupported and names the field.

/// [name, version, [[type, name, descending, nullLast]...], partitionKeyFields, rangeKeyFields]
Result<Document> SchemaToDocument(const SchemaDefinition& schema);
Result<SchemaDefinition> SchemaFromDocument(const Place& place);

/// The first fields of a record: all of them, or those of a key.
struct Storage {
  SchemaVersion version;
  std::vector<Value> values;  // of the schema's first fields
};

/// [excludedFields, serializedCursor, fieldData, schemaVersion]
/// REQUIRES: values fit the schema's first fields.
Result<Document> StorageToDocument(const Schema& schema, std::span<const Value> values);
/// The version, by which the caller finds the schema.
Result<SchemaVersion> StorageVersion(const Place& place);
Result<Storage> StorageFromDocument(const Schema& schema, const Place& place);

/// [op, [[fieldName, fieldType, literal]...], [expression...]]; no filter is the operation UNKNOWN
/// (14).
Result<Document> FilterToDocument(const std::optional<Expression>& filter);
Result<std::optional<Expression>> FilterFromDocument(const Place& place);

}  // namespace orochi::kv::chogori
