#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sstable/format/layout.h"
#include "sstable/format/statistics.h"
#include "sstable/format/unfiltered.h"
#include "sstable/format/version.h"

namespace orochi::sstable::internal {

/// Decodes the rows and markers of Data.db from contiguous memory.
///
///   u8 flags; 0x01 ends the partition, nothing follows
///   [u8 extended flags]            with 0x80
///   row:    clustering values      none for static rows
///   marker: bound
///   vint body size                 of everything after it
///   vint previous unfiltered size
///   row:    [liveness] [deletion] [columns] cells
///   marker: deletion, for boundaries the one that ends and the one that starts
///
/// Life:    (DecodeHead -> DecodeBody?)*; both leave views into the bytes they were given.
/// Threads: none.    Borrows: the layout.
class UnfilteredDecoder {
 public:
  enum class Outcome : uint8_t {
    kDone,            // head: head_size_bytes() and total_size_bytes() are known
    kEndOfPartition,  // head only; one byte long
    kNeedMore,        // the bytes end too early; needed_bytes() at least are wanted
    kCorrupt,         // error() says what, error_offset() where, from the start of the unfiltered
  };

  UnfilteredDecoder(const Layout& layout, const SerializationHeader& header, Version version);

  /// Reads up to and including the sizes. `at` is where the unfiltered starts.
  Outcome DecodeHead(const std::byte* at, const std::byte* end);
  /// Reads the rest. REQUIRES: DecodeHead of the same bytes answered kDone just before.
  /// kDone, kNeedMore (total_size_bytes() are needed) or kCorrupt.
  Outcome DecodeBody(const std::byte* at, const std::byte* end);

  /// What was decoded; after DecodeHead alone kind and clustering only.
  const Unfiltered& value() const { return value_; }
  void set_position_bytes(uint64_t position_bytes) { value_.position_bytes = position_bytes; }
  uint64_t total_size_bytes() const { return total_size_bytes_; }
  uint64_t needed_bytes() const { return needed_bytes_; }
  /// What the unfiltered says about the one before it.
  uint64_t previous_size_bytes() const { return previous_size_bytes_; }
  const std::string& error() const { return error_; }
  uint64_t error_offset() const { return error_offset_; }

  /// The absolute form of partition headers and row indexes. Returns its end; nullptr when the
  /// bytes end too early or hold no deletion time.
  static const std::byte* DecodeDeletionTime(const std::byte* at, const std::byte* end,
                                             Version version, DeletionTime& deletion);

 private:
  struct ColumnForm {
    int32_t fixed_size_bytes;
    bool is_complex;
  };

  const std::byte* ReadLiveness(const std::byte* at, const std::byte* end);
  const std::byte* ReadDeletion(const std::byte* at, const std::byte* end, DeletionTime& deletion);
  const std::byte* ReadPresentColumns(const std::byte* at, const std::byte* end);
  const std::byte* ReadLargeSubset(const std::byte* at, const std::byte* end, size_t column_count);
  const std::byte* ReadCells(const std::byte* at, const std::byte* end);
  const std::byte* ReadCell(const std::byte* at, const std::byte* end, uint32_t column_index,
                            ColumnForm form, CellView& cell);
  const std::byte* ReadCellTimes(const std::byte* at, const std::byte* end, uint8_t flags,
                                 CellView& cell);
  const std::byte* ReadComplex(const std::byte* at, const std::byte* end, uint32_t column_index);
  Outcome DecodeRowBody(const std::byte* at, const std::byte* end);
  Outcome DecodeMarkerBody(const std::byte* at, const std::byte* end);
  uint32_t DeletionTimeOf(uint64_t delta) const;
  Outcome NeedMore(uint64_t needed_bytes);
  Outcome Corrupt(const std::byte* at, std::string error);
  /// Remembers the error and returns nullptr.
  const std::byte* Fail(const std::byte* at, const char* error);
  CellView& NextCell();

  const Layout& layout_;
  Version version_;
  bool unsigned_times_;
  uint64_t timestamp_min_;
  uint32_t deletion_time_min_;
  uint32_t ttl_min_;
  std::vector<ColumnForm> static_forms_;
  std::vector<ColumnForm> regular_forms_;

  const std::byte* start_ = nullptr;
  uint8_t flags_ = 0;
  uint8_t extended_flags_ = 0;
  size_t head_size_bytes_ = 0;
  uint64_t total_size_bytes_ = 0;
  uint64_t needed_bytes_ = 0;
  uint64_t previous_size_bytes_ = 0;
  std::string error_;
  uint64_t error_offset_ = 0;

  Unfiltered value_;
  std::vector<ClusteringValue> clustering_;
  std::vector<uint32_t> present_;  // column indexes, where not all are
  bool all_present_ = false;
  std::vector<CellView> cells_;  // the first cell_count_ are the row's
  size_t cell_count_ = 0;
  std::vector<ComplexColumnView> complex_;
};

}  // namespace orochi::sstable::internal
