#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sstable/format/unfiltered_stream.h"

namespace orochi::sstable {

/// How two sets of rows of one table differ.
struct DiffReport {
  uint64_t partitions = 0;  // compared or only on one side
  uint64_t left_only = 0;   // partitions
  uint64_t right_only = 0;
  uint64_t changed = 0;  // partitions with other rows, cells or tombstones

  bool same() const { return left_only == 0 && right_only == 0 && changed == 0; }
};

/// Compares two streams partition by partition and row by row and writes every difference, a line
/// for each, "-" for what only the left has and "+" for what only the right has:
///
///   - partition {"key":["1"]}
///   @ partition {"key":["2"]}
///   -   {"type":"row","clustering":[1],...}
///   +   {"type":"row","clustering":[1],...}
///
/// Rows are compared by what they say, names and values of columns, timestamps and deletions, not
/// by how they are stored. kInvalidArgument where the streams are not of one table.
Result<DiffReport> DiffTables(UnfilteredStream& left, UnfilteredStream& right,
                              const std::function<Status(std::string_view line)>& output);

}  // namespace orochi::sstable
