#pragma once

#include <cstdint>
#include <optional>

#include "sstable/types/bytes.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// Steps through the parts of a serialised frozen value, whatever its type:
///
///   list, set      i32 count, then count x (i32 size, bytes)
///   map            i32 count, then count x (i32 size, key, i32 size, value)
///   tuple, user    per field i32 size (negative: null), bytes; missing at the end: null
///   vector         elements of fixed length one after the other, else vint size and bytes each
///   composite      per part u16 size, bytes, and a byte that is 0 in stored keys
///
/// Bytes that end too early or announce what is not there stop the walk with malformed() true.
/// Borrows: the type and the bytes.
class ElementReader {
 public:
  ElementReader(const Type& type, Bytes value);

  /// One part. `type` is never null; `is_null` tells null from empty.
  struct Element {
    const Type* type = nullptr;
    Bytes bytes;
    bool is_null = false;
  };

  /// The next part, or nullopt after the last one or at the first that is malformed. Keys and
  /// values of maps come in turns. Fields missing from the end of a tuple do not come.
  std::optional<Element> Next();

  /// Valid once Next() has answered nullopt: the value was not of its type.
  bool malformed() const { return malformed_; }
  /// What lists, sets and maps (pairs) announce, vectors' dimension, tuples' fields.
  uint32_t count() const { return count_; }

 private:
  std::optional<Element> Malformed();
  std::optional<Element> TakeSized(const Type& type, int32_t size_bytes);
  std::optional<Element> NextOfVector();
  std::optional<Element> NextOfComposite();

  const Type* type_;
  Bytes rest_;
  uint32_t count_ = 0;
  uint64_t parts_left_ = 0;
  uint64_t index_ = 0;
  bool malformed_ = false;
};

}  // namespace orochi::sstable
