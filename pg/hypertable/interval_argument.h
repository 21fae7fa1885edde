#pragma once

#include "pg/bridge.h"
#include "timeseries/chunk_range.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace orochi::pg {

/// A chunk_time_interval as SQL gave it: at most one of the three is set. None means the default.
struct IntervalArgument {
  const Interval* span = nullptr;
  bool has_integer = false;
  int64_t integer = 0;
  const text* text_form = nullptr;  // an untyped literal: read as the time column needs it
};

/// The chunk interval an argument means for a time column; the default is 7 days, and integers have
/// none. Errors name the column.
Result<timeseries::ChunkInterval> ResolveInterval(const IntervalArgument& argument,
                                                  timeseries::TimeKind kind,
                                                  const std::string& column);

}  // namespace orochi::pg
