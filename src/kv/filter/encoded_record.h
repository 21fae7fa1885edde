#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "kv/record/row.h"
#include "kv/record/schema.h"
#include "kv/record/storage_key.h"

namespace orochi::kv {

/// Where a filter reads fields from.
class FieldSource {
 public:
  virtual ~FieldSource() = default;
  /// `field` is an index of the schema that the filter was bound to.
  virtual Status Read(uint32_t field, Value& value) = 0;
};

/// A stored record, of which only fields that are asked for are decoded (of the key, those up to
/// it).
///
/// Life:    Open, then reads, then Open again.    Threads: none.
/// Borrows: schema, key and row, until the next Open.
class EncodedRecord final : public FieldSource {
 public:
  /// `schema` is of the row's version. kCorruption names what is wrong with key or row.
  Status Open(const KeySpace& space, const Schema& schema, std::string_view key,
              std::string_view row);
  Status Read(uint32_t field, Value& value) override;

 private:
  const Schema* schema_ = nullptr;
  std::string_view key_rest_;
  std::vector<Value> key_values_;  // the first key fields, in the key's order
  std::vector<uint32_t> key_position_;
  RowReader row_;
};

}  // namespace orochi::kv
