#pragma once

#include "columnar/internal/column_buffer.h"
#include "columnar/statistics.h"

namespace orochi::columnar::internal {

/// The statistics of everything in `buffer`.
ChunkStatistics BuildStatistics(const ColumnBuffer& buffer);

}  // namespace orochi::columnar::internal
