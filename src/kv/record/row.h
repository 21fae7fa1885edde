#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/record/schema.h"
#include "kv/record/storage_key.h"
#include "kv/record/value.h"

namespace orochi::kv {

// What a record's key maps to: its value fields. The key fields are in the key and nowhere else.
// docs/formats/kv-rows.md has every byte. A row is never empty, so that an empty value is free for
// whoever needs a tombstone.

inline constexpr size_t kRowSizeBytesMax = 8 * 1024 * 1024;

/// The value fields of `values`, one per field of the schema. Errors as Schema::CheckRecord;
/// kOutOfRange past kRowSizeBytesMax.
Result<std::string> EncodeRow(const Schema& schema, std::span<const Value> values);

/// The version whose schema a row needs to be read. kCorruption when it has none.
Result<SchemaVersion> ReadRowVersion(std::string_view row);

/// Reads single fields of a row: opening finds where each lies, only what is asked for is decoded.
///
/// Life:    Open, then reads, then Open again.    Threads: none.
/// Borrows: schema and row, until the next Open.
class RowReader {
 public:
  /// `schema` is of the row's version. kCorruption when these bytes are no row of it.
  Status Open(const Schema& schema, std::string_view row);

  /// REQUIRES: open; a value field.
  bool IsNull(uint32_t field) const;
  Status Read(uint32_t field, Value& value) const;

 private:
  struct Extent {
    uint32_t offset_bytes = 0;
    uint32_t size_bytes = 0;
    bool null = true;
  };
  Status FindExtents(std::string_view bitmap, size_t offset_bytes);

  const Schema* schema_ = nullptr;
  std::string_view row_;
  std::vector<Extent> extents_;  // one per value field
};

/// All fields of a record, from its key and row, both of this schema version.
Result<std::vector<Value>> DecodeRecord(const KeySpace& space, const Schema& schema,
                                        std::string_view key, std::string_view row);

/// A record as another version of its schema sees it: fields by their id, NULL where it has none.
/// REQUIRES: versions of one schema; values fit `from`.
std::vector<Value> ConvertRecord(const Schema& from, const Schema& to,
                                 std::span<const Value> values);

struct FieldUpdate {
  uint32_t field = 0;  // of the schema of the update
  Value value;         // NULL sets to NULL
};

/// A stored record with some value fields changed, as a whole record of the update's version. What
/// only the stored version has is lost then, as the schema's change meant.
/// kInvalidArgument: a key field, one given twice, or a value that does not fit.
Result<std::vector<Value>> ApplyUpdate(const Schema& stored, std::span<const Value> values,
                                       const Schema& to, std::span<const FieldUpdate> updates);

}  // namespace orochi::kv
