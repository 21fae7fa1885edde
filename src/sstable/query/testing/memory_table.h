#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sstable/cql/syntax.h"
#include "sstable/query/table_source.h"
#include "sstable/schema/table_schema.h"

namespace orochi::sstable::testing {

/// A table in memory, filled by INSERT statements, for tests of queries. Each partition's rows are
/// in clustering order; partitions in token order. Lookups and scans keep to key, range and slices
/// as a reader does, so that a wrong plan shows as missing rows.
class MemoryTable final : public TableSource {
 public:
  MemoryTable(const TableSchema& schema, Partitioner partitioner);

  /// INSERT INTO t (...) VALUES (...) [USING TIMESTAMP n AND TTL n]. Statics go to the partition; a
  /// statement without clustering columns makes no row.
  Status Insert(const cql::Insert& insert, int64_t now_s);

  const Layout& layout() const override { return layout_; }
  Result<std::unique_ptr<UnfilteredStream>> Lookup(Bytes key,
                                                   const RowSelection& selection) override;
  Result<std::unique_ptr<UnfilteredStream>> Scan(const PartitionRange& range,
                                                 const RowSelection& selection) override;
  const SourceStatistics& statistics() const override { return statistics_; }

 private:
  friend class MemoryStream;
  struct Cell {
    std::string path;
    std::string value;
    int64_t timestamp = 0;
    int32_t ttl = kNoTtl;
    uint32_t expires_s = kNoDeletionTime;
  };
  /// By column index, in the order of the layout.
  using Cells = std::map<uint32_t, std::vector<Cell>>;
  struct Row {
    std::vector<std::string> clustering;
    int64_t timestamp = 0;
    Cells cells;
  };
  struct Partition {
    std::string key;
    Cells statics;
    std::vector<Row> rows;  // in clustering order
  };

  Partition& PartitionOf(const std::string& key);
  Row& RowOf(Partition& partition, const std::vector<std::string>& clustering);
  int CompareClustering(const std::vector<std::string>& a, const std::vector<std::string>& b) const;

  const TableSchema& schema_;
  Layout layout_;
  std::vector<Partition> partitions_;  // in token order
  SourceStatistics statistics_;
};

}  // namespace orochi::sstable::testing
