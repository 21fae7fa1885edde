#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "sstable/format/selection.h"
#include "sstable/format/unfiltered_stream.h"
#include "sstable/read/merge.h"
#include "sstable/read/reader.h"
#include "sstable/schema/table_schema.h"

namespace orochi::sstable {

/// What a query took from the files.
struct SourceStatistics {
  uint64_t lookups = 0;            // of a key in one SSTable
  uint64_t lookups_ruled_out = 0;  // by bloom filter or range of keys, without reading
  uint64_t scans = 0;              // of one SSTable
};

/// The rows of a table as they are at one time, wherever they come from.
class TableSource {
 public:
  virtual ~TableSource() = default;
  virtual const Layout& layout() const = 0;
  /// The partition of `key`, or a stream of none. Only what is live; no markers.
  virtual Result<std::unique_ptr<UnfilteredStream>> Lookup(Bytes key,
                                                           const RowSelection& selection) = 0;
  virtual Result<std::unique_ptr<UnfilteredStream>> Scan(const PartitionRange& range,
                                                         const RowSelection& selection) = 0;
  virtual const SourceStatistics& statistics() const = 0;
};

/// Several SSTables of one table merged. Outlived by the readers; outlives its streams.
class MergedSource final : public TableSource {
 public:
  /// `now_s`, in seconds since 1970, decides what has expired.
  MergedSource(std::span<const std::unique_ptr<SstableReader>> readers, const TableSchema& schema,
               int64_t now_s);

  const Layout& layout() const override { return layout_; }
  Result<std::unique_ptr<UnfilteredStream>> Lookup(Bytes key,
                                                   const RowSelection& selection) override;
  Result<std::unique_ptr<UnfilteredStream>> Scan(const PartitionRange& range,
                                                 const RowSelection& selection) override;
  const SourceStatistics& statistics() const override { return statistics_; }

 private:
  Result<std::unique_ptr<UnfilteredStream>> Merged(
      std::vector<std::unique_ptr<UnfilteredStream>> streams, bool reversed) const;

  std::span<const std::unique_ptr<SstableReader>> readers_;
  Layout layout_;
  std::vector<DroppedColumn> dropped_;
  int64_t now_s_;
  SourceStatistics statistics_;
};

}  // namespace orochi::sstable
