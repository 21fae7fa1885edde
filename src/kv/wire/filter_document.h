#pragma once

#include "base/result.h"
#include "kv/filter/expression.h"
#include "kv/record/schema.h"
#include "kv/wire/document.h"
#include "kv/wire/place.h"
#include "kv/wire/value_document.h"

namespace orochi::kv {

/// {"op": "AND", "args": [{"op": "GT", "args": [{"field": "size"}, {"literal": 5, "type":
/// "int32"}]},
///                        {"field": "paid"}]}
/// REQUIRES: CheckShape is ok.
Document FilterToDocument(const Expression& filter, WireForm form);

/// A literal without a type takes the type of the field that its operation also has; without such a
/// field in `schema` (which may be nullptr), what the document says: bool, int64, uint64, double,
/// text, bytes. kInvalidArgument with the path; the shape is checked.
Result<Expression> FilterFromDocument(const Place& place, const Schema* schema, WireForm form);

}  // namespace orochi::kv
