#pragma once

#include "pg/compat.h"

extern "C" {
#include "access/tupdesc.h"
#include "nodes/bitmapset.h"
}

namespace orochi::pg::stub_values {

/// Makes the values of a stub fit `size_bytes_max`, as heap makes those of a row fit a page: the
/// widest are compressed first. When that is not enough, they give way to a stand-in that equals no
/// value at all: heap, which only compares them with those of the row's next version, then takes
/// the column for changed, which makes it lock more, never less. Columns of `exact` (attribute
/// numbers offset by FirstLowInvalidHeapAttributeNumber) have no stand-in, since what is logged of
/// them is read. Answers whether the values fit. Plain, allocates in the current memory context.
bool Fit(TupleDesc descriptor, const Bitmapset* exact, Size size_bytes_max, Datum* values,
         bool* nulls) noexcept;

}  // namespace orochi::pg::stub_values
