#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "sstable/format/layout.h"
#include "sstable/format/unfiltered.h"
#include "sstable/format/unfiltered_stream.h"

namespace orochi::sstable::testing {

/// A row, static row or marker that owns what its view points at.
struct OwnedUnfiltered {
  std::vector<std::string> clustering_bytes;
  std::vector<ClusteringValue> clustering;
  /// Of cells' paths and values; shared by copies, whose views point here too.
  std::shared_ptr<std::deque<std::string>> bytes = std::make_shared<std::deque<std::string>>();
  std::vector<CellView> cells;
  std::vector<ComplexColumnView> complex_columns;
  Unfiltered view;  // its spans are set by Get()

  const Unfiltered& Get();
};

struct OwnedPartition {
  std::string key;
  DeletionTime deletion;
  OwnedUnfiltered static_row;  // empty where there is none
  std::vector<OwnedUnfiltered> rows;
};

/// What random tables are made of.
struct RandomTableOptions {
  uint32_t partition_count = 20;
  uint32_t row_count_max = 60;  // a partition
  bool with_statics = true;
  bool with_markers = true;
};

/// Two clustering columns (int descending, text), simple and complex columns of fixed and variable
/// length.
Layout RandomTableLayout(const RandomTableOptions& options);
/// Valid partitions of that layout in order, from empty ones to ones of several row index blocks.
std::vector<OwnedPartition> RandomPartitions(Random& random, const Layout& layout,
                                             const RandomTableOptions& options);

/// Everything that the stream gives, a line each: what is compared.
Result<std::string> Transcript(UnfilteredStream& stream);
std::string Transcript(std::vector<OwnedPartition>& partitions);
/// Empty, or the first line that differs, of both.
std::string FirstDifference(const std::string& found, const std::string& expected);

}  // namespace orochi::sstable::testing
