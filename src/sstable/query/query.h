#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "sstable/cql/syntax.h"
#include "sstable/query/expression.h"
#include "sstable/query/restrictions.h"
#include "sstable/query/table_source.h"
#include "sstable/schema/table_schema.h"

namespace orochi::sstable {

struct ResultColumn {
  std::string name;
  TypeRef type;
};

struct QueryOptions {
  int64_t now_s = 0;  // for ttl(); the source has its own
  /// How many rows an ORDER BY over several partitions may hold at once.
  size_t sorted_rows_max = 1'000'000;
  /// Asked now and then while rows are read; true ends the query with kCancelled.
  std::function<bool()> interrupted = {};
};

struct QueryStatistics {
  uint64_t partitions_read = 0;
  uint64_t rows_read = 0;
  uint64_t rows_returned = 0;
};

/// One SELECT over the SSTables of a table.
///
/// Life:    Plan -> Next* until it answers false.
/// Memory:  a row, a group's aggregates, and all rows where ORDER BY goes over several partitions.
/// Borrows: schema and source.    Threads: none.
class Query {
 public:
  /// kInvalidArgument, worded as Cassandra's, for what the table or CQL does not allow.
  static Result<std::unique_ptr<Query>> Plan(const cql::Select& select, const TableSchema& schema,
                                             TableSource& source, const QueryOptions& options);

  const std::vector<ResultColumn>& columns() const { return columns_; }
  /// The next row of the result, one value per column; false at the end.
  Result<bool> Next(std::vector<Value>& row);
  const QueryStatistics& statistics() const { return statistics_; }
  /// How the rows are found, line by line, and, after the last Next, what that took.
  std::string Explain() const;

 private:
  struct Group {
    std::vector<Value> key;
    std::vector<std::unique_ptr<Aggregate>> aggregates;
    std::vector<Value> first;  // outputs without aggregates, of the group's first row
    std::string partition_key;
  };
  /// A column of GROUP BY, or a function of it.
  struct GroupKey {
    ColumnRef column;
    std::unique_ptr<Expression> function;
  };
  struct SortedRow {
    std::vector<Value> order;
    std::vector<Value> values;
  };

  Query(const TableSchema& schema, TableSource& source, const QueryOptions& options)
      : schema_(schema), source_(source), options_(options), values_(schema, source.layout()) {}

  Status PlanSelectors(const cql::Select& select);
  Status PlanJson(const cql::Select& select);
  Status PlanDistinct(const cql::Select& select);
  Status PlanOrder(const cql::Select& select);
  Status PlanGroups(const cql::Select& select);
  Status PlanLimits(const cql::Select& select);

  // Rows of the table.
  Result<bool> NextRow();
  Status CheckInterrupt();
  Result<bool> OpenNextStream();
  Result<bool> OpenNextPartition();
  Result<bool> NextRowOfPartition();
  Result<bool> Accepts() const;

  // Rows of the result.
  Result<bool> NextPlain(std::vector<Value>& row);
  Result<bool> NextSorted(std::vector<Value>& row);
  Result<bool> NextGroup(std::vector<Value>& row);
  Status ReadSorted();
  Status Outputs(std::vector<Value>& row, std::span<const Value> aggregates) const;
  Status StartGroup();
  Status AddToGroup();
  Status FinishGroup(std::vector<Value>& row);
  Result<bool> InGroup() const;
  Result<Value> ValueOf(const GroupKey& key) const;
  Status ToJson(std::vector<Value>& row) const;
  EvaluationContext Context(std::span<const Value> aggregates) const;

  const TableSchema& schema_;
  TableSource& source_;
  QueryOptions options_;
  Restrictions restrictions_;
  std::vector<CompiledSelector> selectors_;
  std::vector<AggregateCall> aggregate_calls_;
  std::vector<ResultColumn> columns_;
  std::vector<GroupKey> group_by_;
  std::vector<ColumnRef> order_by_;  // where rows are sorted here
  std::vector<bool> order_descending_;
  bool json_ = false;
  bool distinct_ = false;
  bool sort_ = false;
  uint64_t limit_ = UINT64_MAX;
  uint64_t partition_limit_ = UINT64_MAX;

  RowValues values_;
  std::unique_ptr<UnfilteredStream> stream_;
  size_t next_key_ = 0;
  bool scan_opened_ = false;
  bool in_partition_ = false;
  uint64_t steps_ = 0;  // rows and partitions stepped over
  bool partition_had_rows_ = false;
  uint64_t partition_returned_ = 0;

  std::unique_ptr<Group> group_;
  bool row_pending_ = false;  // the row that values_ stands on begins the next group
  bool finished_ = false;
  std::vector<SortedRow> sorted_;
  size_t next_sorted_ = 0;
  QueryStatistics statistics_;
};

}  // namespace orochi::sstable
