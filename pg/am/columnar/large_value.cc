#include "pg/am/columnar/large_value.h"

#include <algorithm>
#include <cstring>

#include "pg/am/columnar/tuple_values.h"

extern "C" {
#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/toast_internals.h"
}

namespace orochi::pg {
namespace {

bool IsLarge(const FormData_pg_attribute& attribute, Datum value) {
  return attribute.attlen == -1 && toast_raw_datum_size(value) >= kLargeValueBytes;
}

// What the value takes at most of a tuple of heap, which puts values of more than kInlineBytes out
// of line when it must.
Size TupleBytesMax(const FormData_pg_attribute& attribute, Datum value) {
  constexpr Size kInlineBytes = MAXALIGN(TOAST_POINTER_SIZE);
  constexpr Size kPaddingBytes = MAXIMUM_ALIGNOF - 1;
  if (attribute.attlen > 0) {
    return static_cast<Size>(attribute.attlen) + kPaddingBytes;
  }
  if (attribute.attlen != -1) {
    return std::strlen(DatumGetCString(value)) + 1;
  }
  if (attribute.attstorage == TYPSTORAGE_PLAIN) {
    return toast_raw_datum_size(value) + kPaddingBytes;
  }
  const void* const bytes = DatumGetPointer(value);
  Size const size_bytes = VARATT_IS_EXTERNAL(bytes) ? kInlineBytes : VARSIZE_ANY(bytes);
  return std::min(size_bytes, kInlineBytes) + kPaddingBytes;
}

}  // namespace

bool MustGoToRowPage(TupleTableSlot* slot) noexcept {
  TupleDesc const descriptor = slot->tts_tupleDescriptor;
  Size size_bytes = MAXALIGN(SizeofHeapTupleHeader + BITMAPLEN(descriptor->natts));
  slot_getallattrs(slot);
  for (int i = 0; i < descriptor->natts; ++i) {
    const FormData_pg_attribute& attribute = *TupleDescAttr(descriptor, i);
    if (slot->tts_isnull[i]) {
      continue;
    }
    if (IsLarge(attribute, slot->tts_values[i])) {
      return true;
    }
    size_bytes += TupleBytesMax(attribute, slot->tts_values[i]);
  }
  return size_bytes > MaxHeapTupleSize;
}

bool HasLargeValue(TupleTableSlot* slot) noexcept {
  TupleDesc const descriptor = slot->tts_tupleDescriptor;
  slot_getallattrs(slot);
  for (int i = 0; i < descriptor->natts; ++i) {
    if (!slot->tts_isnull[i] && IsLarge(*TupleDescAttr(descriptor, i), slot->tts_values[i])) {
      return true;
    }
  }
  return false;
}

bool HasLargeValue(TupleDesc descriptor, const HeapTupleData& tuple) noexcept {
  if (!HeapTupleHasVarWidth(&tuple)) {
    return false;
  }
  bool found = false;
  uint32_t offset = tuple.t_data->t_hoff;
  tuple_values::Walk(
      tuple.t_data, tuple.t_len, 1, static_cast<AttrNumber>(descriptor->natts),
      [descriptor](AttrNumber attribute) {
        return tuple_values::LayoutOf(*TupleDescAttr(descriptor, attribute - 1));
      },
      &offset,
      [&](AttrNumber attribute, uint32_t start) {
        char* const value = reinterpret_cast<char*>(tuple.t_data) + start;
        found = found || IsLarge(*TupleDescAttr(descriptor, attribute - 1), PointerGetDatum(value));
      },
      [](AttrNumber, tuple_values::Absence) {});
  return found;
}

}  // namespace orochi::pg
