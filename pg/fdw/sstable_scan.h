#pragma once

#include "pg/fdw/key_conditions.h"
#include "pg/fdw/open_table.h"
#include "pg/fdw/scan_selection.h"
#include "pg/fdw/value_decoder.h"
#include "sstable/query/query.h"

namespace orochi::pg {

/// The rows of a foreign table, as Datums.
///
/// Life:    Open -> (Restart -> Next* until it answers false)*.
/// Threads: the backend's own.
/// Memory:  what the readers hold: 16 MiB together or 32 KiB an SSTable, and one row.
class SstableScan {
 public:
  /// What the scans so far have read.
  struct Statistics {
    uint64_t partitions = 0;
    uint64_t rows = 0;
  };

  /// `wanted` are the columns that rows shall have; conditions are those of the plan. What the scan
  /// needs of the catalogs is kept in CurrentMemoryContext, which outlives it.
  static Result<std::unique_ptr<SstableScan>> Open(Oid foreign_table, TupleDesc descriptor,
                                                   std::vector<AttrNumber> wanted,
                                                   std::vector<KeyCondition> conditions);

  /// Begins from the start, with these values of the conditions.
  Status Restart(std::span<const ConditionValue> values);
  /// Begins with the partitions of a range of Murmur3 tokens, whatever the conditions.
  Status RestartTokens(int64_t first, int64_t last);
  /// The next row. `values` and `nulls` have the descriptor's columns; what is not wanted is null.
  /// Values are allocated in CurrentMemoryContext.
  Result<bool> Next(Datum* values, bool* nulls);

  OpenTable& table() { return *table_; }
  Statistics statistics() const;

 private:
  struct Output {
    const ForeignColumn* column = nullptr;
    std::unique_ptr<ValueDecoder> decoder;
  };

  Status Begin(ScanSelection selection);
  sstable::cql::Select MakeSelect(std::vector<sstable::cql::Relation> where) const;
  Status MakeDecoders();

  MemoryContext context_ = CurrentMemoryContext;
  TableOptions options_;
  std::unique_ptr<OpenTable> table_;
  std::vector<ForeignColumn> columns_;
  std::vector<KeyCondition> conditions_;
  std::vector<Output> outputs_;
  int column_count_ = 0;
  std::unique_ptr<sstable::Query> query_;
  bool finished_ = true;
  std::vector<sstable::Value> row_;
  Statistics before_;  // of the queries before this one
};

}  // namespace orochi::pg
