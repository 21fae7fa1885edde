#include "pg/fdw/planned_tables.h"

#include <deque>

extern "C" {
#include "access/xact.h"
#include "utils/memutils.h"
}

namespace orochi::pg {
namespace {

struct PlannedTable {
  Oid foreign_table;
  TimestampTz statement_start;
  TableOptions options;
  std::unique_ptr<OpenTable> table;
};

// Those of the running transaction; the context that dies with it owns them.
struct PlannedTables {
  std::deque<PlannedTable> tables;  // the oldest first
  uint64_t stored_bytes = 0;

  ~PlannedTables() { current = nullptr; }
  std::unique_ptr<OpenTable> Take(size_t index) {
    std::unique_ptr<OpenTable> table = std::move(tables[index].table);
    tables.erase(tables.begin() + static_cast<ptrdiff_t>(index));
    stored_bytes -= table->stored_size_bytes();
    return table;
  }

  static PlannedTables* current;
};

PlannedTables* PlannedTables::current = nullptr;

}  // namespace

void KeepPlanned(Oid foreign_table, const TableOptions& options, std::unique_ptr<OpenTable> table) {
  if (PlannedTables::current == nullptr) {
    PlannedTables::current = NewIn<PlannedTables>(TopTransactionContext);
  }
  PlannedTables& planned = *PlannedTables::current;
  planned.stored_bytes += table->stored_size_bytes();
  planned.tables.push_back({.foreign_table = foreign_table,
                            .statement_start = GetCurrentStatementStartTimestamp(),
                            .options = options,
                            .table = std::move(table)});
  while (planned.tables.size() > kPlannedTablesMax ||
         planned.stored_bytes > kPlannedStoredBytesMax) {
    planned.Take(0);
  }
}

std::unique_ptr<OpenTable> TakePlanned(Oid foreign_table, const TableOptions& options) {
  PlannedTables* const planned = PlannedTables::current;
  if (planned == nullptr) {
    return nullptr;
  }
  for (size_t index = planned->tables.size(); index-- > 0;) {
    const PlannedTable& kept = planned->tables[index];
    if (kept.foreign_table != foreign_table) {
      continue;
    }
    bool const is_of_statement = kept.statement_start == GetCurrentStatementStartTimestamp();
    bool const is_same = kept.options == options;
    std::unique_ptr<OpenTable> table = planned->Take(index);
    if (is_of_statement && is_same && table->FilesAreAsOpened()) {
      return table;
    }
  }
  return nullptr;
}

}  // namespace orochi::pg
