#pragma once

#include "sstable/types/bytes.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// Orders two serialised values of `type` as Cassandra does, reversed types included: negative, 0
/// or positive. A total order over any bytes: values that are not of the type (wrong length, bad
/// elements) are ordered by their bytes. Of types that have no order (duration, counter), bytes
/// decide, as in Cassandra.
///
/// Empty values come first (last when reversed). Null is for the caller to handle.
int CompareValues(const Type& type, Bytes left, Bytes right);

/// The same as a plain function for hot loops: chosen once per column.
using ValueComparator = int (*)(const Type& type, Bytes left, Bytes right);
ValueComparator ComparatorOf(const Type& type);

/// True when two values of one type mean the same though their bytes differ (0.0 and -0.0 do not).
inline bool EqualValues(const Type& type, Bytes left, Bytes right) {
  return CompareValues(type, left, right) == 0;
}

}  // namespace orochi::sstable
