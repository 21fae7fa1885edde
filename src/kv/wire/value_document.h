#pragma once

#include <cstdint>

#include "base/result.h"
#include "kv/record/value.h"
#include "kv/wire/document.h"
#include "kv/wire/place.h"

namespace orochi::kv {

/// What a document travels as. docs/formats/kv-wire.md has the table.
enum class WireForm : uint8_t {
  kJson,
  kJsonIntegersAsStrings,  // those past 2^53, which JavaScript cannot hold
  kMessagePack
};

/// REQUIRES: the value is of the type, or NULL.
Document ValueToDocument(FieldType type, const Value& value, WireForm form);

/// null is NULL. The reader takes what either of the JSON forms writes. kInvalidArgument with the
/// path, what was found and what expected.
Result<Value> ValueFromDocument(FieldType type, const Place& place, WireForm form);

}  // namespace orochi::kv
