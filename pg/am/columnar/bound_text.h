#pragma once

#include "pg/am/columnar/column_type.h"

#include "columnar/statistics.h"

extern "C" {
#include "utils/builtins.h"
}

namespace orochi::pg {

/// The least or greatest value of a range as text, or null where the range does not say it: there
/// is none, it is cut off, or bytes mean nothing for the type. Plain, may ereport.
text* BoundText(const ColumnType& type, const columnar::ChunkStatistics& statistics,
                bool is_max) noexcept;

}  // namespace orochi::pg
