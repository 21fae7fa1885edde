#pragma once

#include "base/result.h"
#include "kv/record/schema.h"
#include "kv/wire/document.h"
#include "kv/wire/place.h"

namespace orochi::kv {

/// {"name": "orders", "version": 3,
///  "fields": [{"name": "id", "type": "int64", "descending": true, "nulls_last": true, "id": 1}],
///  "partition_key": ["id"], "range_key": []}
/// Key fields by name. `descending` and `nulls_last` are left out when false, a field's `id` when
/// it has none.
Document SchemaToDocument(const SchemaDefinition& schema);

/// Rules of schemas are Schema::Make's; this reads. kInvalidArgument with the path.
Result<SchemaDefinition> SchemaFromDocument(const Place& place);

}  // namespace orochi::kv
