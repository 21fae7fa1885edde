#include "pg/am/columnar/stub_values.h"

extern "C" {
#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/toast_compression.h"
#include "access/toast_internals.h"
}

namespace orochi::pg::stub_values {
namespace {

constexpr int kNone = -1;

Size SizeOf(Datum value) {
  return VARSIZE_ANY(DatumGetPointer(value));
}

// The column with the widest value that `may_give_way`; kNone when no value is wide.
template <class MayGiveWay>
int Widest(TupleDesc descriptor, const Datum* values, const bool* nulls,
           const MayGiveWay& may_give_way) {
  int widest = kNone;
  Size size_bytes = VARHDRSZ_COMPRESSED;  // of a stand-in
  for (int i = 0; i < descriptor->natts; ++i) {
    if (!nulls[i] && TupleDescAttr(descriptor, i)->attlen == -1 && SizeOf(values[i]) > size_bytes &&
        may_give_way(i)) {
      size_bytes = SizeOf(values[i]);
      widest = i;
    }
  }
  return widest;
}

// As a compressed value of no bytes: nothing that is compressed is as short, and what is not has
// another header.
Datum StandIn() {
  auto* const bytes = static_cast<char*>(palloc0(VARHDRSZ_COMPRESSED));
  SET_VARSIZE_COMPRESSED(bytes, VARHDRSZ_COMPRESSED);
  return PointerGetDatum(bytes);
}

}  // namespace

bool Fit(TupleDesc descriptor, const Bitmapset* exact, Size size_bytes_max, Datum* values,
         bool* nulls) noexcept {
  auto const fits = [&]() {
    return heap_compute_data_size(descriptor, values, nulls) <= size_bytes_max;
  };
  Bitmapset* tried = nullptr;
  while (!fits()) {
    int const column = Widest(descriptor, values, nulls, [&](int i) {
      return !bms_is_member(i, tried) && !VARATT_IS_EXTENDED(DatumGetPointer(values[i]));
    });
    if (column == kNone) {
      break;
    }
    tried = bms_add_member(tried, column);
    Datum const shorter =
        toast_compress_datum(values[column], TupleDescAttr(descriptor, column)->attcompression);
    if (DatumGetPointer(shorter) != nullptr) {
      values[column] = shorter;
    }
  }
  bms_free(tried);
  while (!fits()) {
    int const column = Widest(descriptor, values, nulls, [&](int i) {
      return !bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, exact);
    });
    if (column == kNone) {
      return false;
    }
    values[column] = StandIn();
  }
  return true;
}

}  // namespace orochi::pg::stub_values
