#include "pg/am/columnar/large_value.h"

#include "pg/am/columnar/tuple_values.h"

extern "C" {
#include "access/detoast.h"
#include "access/toast_internals.h"
}

namespace orochi::pg {

bool HasLargeValue(TupleTableSlot* slot) noexcept {
  TupleDesc const descriptor = slot->tts_tupleDescriptor;
  slot_getallattrs(slot);
  for (int i = 0; i < descriptor->natts; ++i) {
    if (TupleDescAttr(descriptor, i)->attlen == -1 && !slot->tts_isnull[i] &&
        toast_raw_datum_size(slot->tts_values[i]) >= kLargeValueBytes) {
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
        found = found || (TupleDescAttr(descriptor, attribute - 1)->attlen == -1 &&
                          toast_raw_datum_size(PointerGetDatum(value)) >= kLargeValueBytes);
      },
      [](AttrNumber, tuple_values::Absence) {});
  return found;
}

}  // namespace orochi::pg
