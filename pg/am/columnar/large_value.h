#pragma once

#include "pg/compat.h"

extern "C" {
#include "access/htup.h"
#include "access/tupdesc.h"
#include "executor/tuptable.h"
}

namespace orochi::pg {

/// A row with a value of so many bytes, before compression, stays on a row page, its value in the
/// TOAST table: heap writes and reads it by slices, where a stripe would hold it whole, several
/// times over, while it is made and read.
inline constexpr Size kLargeValueBytes = Size{8} << 20;

/// Plain, may ereport.
bool HasLargeValue(TupleTableSlot* slot) noexcept;
/// Whether a new row is heap's to take or to refuse: it has a large value, or may be wider than a
/// page even with its values out of line. A stripe would take such a row, but then nothing could
/// update it, nor move it to heap.
bool MustGoToRowPage(TupleTableSlot* slot) noexcept;
/// The same of a tuple of a row page whose values are in it.
bool HasLargeValue(TupleDesc descriptor, const HeapTupleData& tuple) noexcept;

}  // namespace orochi::pg
