#pragma once

#include "pg/compat.h"

extern "C" {
#include "access/detoast.h"
#include "access/htup.h"
#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"
}

namespace orochi::pg {

/// Where the values of a heap tuple are. Unlike heap_deform_tuple it trusts nothing that the tuple
/// says: bytes of row pages may be damaged.
namespace tuple_values {

/// Of an attribute, what finding values takes.
struct Layout {
  int16_t length;  // attlen
  uint16_t alignment_bytes;
};

Layout LayoutOf(const FormData_pg_attribute& attribute) noexcept;

/// What a value takes in its tuple; more than `limit_bytes` when it has no end there.
/// REQUIRES: the type's length is not fixed.
uint32_t SizeBytes(int16_t type_length, const char* value, uint32_t limit_bytes) noexcept;

enum class Absence { kNull, kOlderThanColumn };

/// Visits attributes `from` to `to` of a tuple of `size_bytes`: present(attribute, start) with the
/// byte where its value starts, or absent(attribute, Absence). `layout_of(attribute)` is its
/// Layout. `*offset` is where the first of them may start, t_hoff for attribute 1, and becomes that
/// of the next. Answers the attribute whose value is not wholly in the tuple, or 0.
template <class LayoutOfAttribute, class Present, class Absent>
AttrNumber Walk(const HeapTupleHeaderData* tuple, uint32_t size_bytes, AttrNumber from,
                AttrNumber to, LayoutOfAttribute layout_of, uint32_t* offset, Present present,
                Absent absent) {
  auto const* const data = reinterpret_cast<const char*>(tuple);
  bool const has_nulls = (tuple->t_infomask & HEAP_HASNULL) != 0;
  int const stored_count = HeapTupleHeaderGetNatts(tuple);
  uint32_t next = *offset;
  for (AttrNumber attribute = from; attribute <= to; ++attribute) {
    if (attribute > stored_count) {
      absent(attribute, Absence::kOlderThanColumn);
      continue;
    }
    if (has_nulls && att_isnull(attribute - 1, tuple->t_bits)) {
      absent(attribute, Absence::kNull);
      continue;
    }
    Layout const layout = layout_of(attribute);
    uint32_t const mask = layout.alignment_bytes - 1U;
    uint32_t start = (next + mask) & ~mask;
    uint32_t value_bytes = static_cast<uint32_t>(layout.length);
    if (layout.length < 0) {
      // A varlena value with a short header is not aligned, and the padding before others is zero.
      if (layout.length == -1 && next < size_bytes && VARATT_NOT_PAD_BYTE(data + next)) {
        start = next;
      }
      value_bytes =
          SizeBytes(layout.length, data + start, start < size_bytes ? size_bytes - start : 0);
    }
    if (start + value_bytes > size_bytes) [[unlikely]] {
      return attribute;
    }
    present(attribute, start);
    next = start + value_bytes;
  }
  *offset = next;
  return 0;
}

/// The attribute whose value is not wholly in the tuple, or 0.
AttrNumber FindDamage(TupleDesc descriptor, const HeapTupleData& tuple) noexcept;

}  // namespace tuple_values

/// Makes `slot` stand for a tuple of a row page, as ExecForceStoreHeapTuple does, once its values
/// are known to be in it. The slot says which columns there are: while ALTER TABLE rewrites a
/// table, the relation has the new ones. Plain: ereports ERRCODE_DATA_CORRUPTED with block, item
/// and column.
void StoreTuple(Relation relation, HeapTuple tuple, TupleTableSlot* slot) noexcept;

}  // namespace orochi::pg
