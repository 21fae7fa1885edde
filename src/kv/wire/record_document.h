#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "kv/record/row.h"
#include "kv/record/schema.h"
#include "kv/wire/document.h"
#include "kv/wire/place.h"
#include "kv/wire/value_document.h"

namespace orochi::kv {

/// An object with a member for each field, NULL as null.
/// REQUIRES: the values fit the schema.
Document RecordToDocument(const Schema& schema, std::span<const Value> values, WireForm form);

/// A whole record: every field is there or explicitly null, as the dialect asks, too.
/// kInvalidArgument with the path.
Result<std::vector<Value>> RecordFromDocument(const Schema& schema, const Place& place,
                                              WireForm form);

/// Some fields: those of a partial update, or of a key.
Result<std::vector<FieldUpdate>> FieldsFromDocument(const Schema& schema, const Place& place,
                                                    WireForm form);

}  // namespace orochi::kv
