#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sstable/read/reader.h"

namespace orochi::sstable {

/// Values that are not of their types.
struct ValueReport {
  static constexpr size_t kFindingsMax = 100;

  /// Each names partition, column and what is wrong. At most kFindingsMax, then counted.
  std::vector<std::string> findings;
  uint64_t findings_left_out = 0;
};

/// Reads all rows and checks keys, clusterings, cell paths and cells against the types in the
/// header of Statistics.db, down into collections: the SSTable may be whole and still hold an int
/// of three bytes, text that is not UTF-8, or the elements of a set out of order. What cannot be
/// read at all is an error. `progress` is called for every partition with how much has been read.
Result<ValueReport> CheckValues(
    const SstableReader& reader,
    const std::function<void(uint64_t bytes, uint64_t bytes_total)>& progress = {});

}  // namespace orochi::sstable
