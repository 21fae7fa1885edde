#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/status.h"
#include "sstable/dump/json_writer.h"
#include "sstable/format/layout.h"
#include "sstable/format/unfiltered_stream.h"

namespace orochi::sstable {

struct JsonDumpOptions {
  bool lines = false;           // one partition a line, without blanks
  bool keys_only = false;       // the keys of partitions and nothing else
  bool raw_timestamps = false;  // numbers in place of dates
  bool raw_counters = false;    // as sstabledump: the first eight bytes of a counter's state
  bool positions = true;        // where in Data.db rows begin
  int64_t now_s = 0;            // decides what is expired
};

/// Writes partitions, rows, cells and tombstones as they stand in an SSTable, as JSON in the form
/// of Cassandra's sstabledump.
///
/// Life:    Begin -> WritePartition* -> End.
/// Memory:  a row's text, and 64 KiB.
class JsonDump {
 public:
  using Output = std::function<Status(std::string_view text)>;
  /// `layout` outlives this. `output` gets the text in pieces.
  JsonDump(const Layout& layout, const JsonDumpOptions& options, Output output);

  Status Begin();
  /// Writes the partition that `stream` stands on, and its rows to the last.
  Status WritePartition(UnfilteredStream& stream);
  Status End();

  /// One row or marker by itself, without what is around it.
  Result<std::string> TextOf(const Unfiltered& unfiltered);
  /// The key of a partition and, where it has one, its deletion.
  Result<std::string> TextOf(const PartitionView& partition);

 private:
  Status WriteKey(Bytes key);
  Status WriteStaticRow(const PartitionView& partition, const Unfiltered& row);
  Status WriteRow(const Unfiltered& row, uint64_t position_bytes);
  Status WriteMarker(const Unfiltered& marker);
  Status WriteBound(const ClusteringView& clustering, bool is_start, bool inclusive,
                    const DeletionTime& deletion);
  Status WriteClustering(const ClusteringView& clustering);
  void WriteLiveness(const LivenessInfo& liveness);
  void WriteDeletion(const DeletionTime& deletion);
  Status WriteCells(const Unfiltered& row);
  Status WriteCell(const Column& column, std::string_view name, const CellView& cell,
                   const LivenessInfo& liveness);
  Status WriteColumnName(const Column& column, std::string_view name);
  Status WriteCellPath(const Type& type, Bytes path);
  void WriteMicros(int64_t micros);
  void WriteSeconds(uint32_t seconds);
  Status Flush(size_t threshold_bytes);

  const Layout& layout_;
  JsonDumpOptions options_;
  Output output_;
  JsonWriter json_;
  bool first_line_ = true;
  // As JSON strings; made once, since every cell has its column's.
  std::vector<std::string> static_names_;
  std::vector<std::string> regular_names_;
  std::string value_;  // of the cell being written; kept for its memory
};

}  // namespace orochi::sstable
