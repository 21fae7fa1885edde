#pragma once

#include "pg/am/columnar/vacuum_run.h"

namespace orochi::pg::vacuum {

/// The indexes of the relation while VACUUM works on them.
struct Indexes {
  int count;
  Relation* relations;
  IndexBulkDeleteResult** results;
};

void OpenIndexes(Run* run, Indexes* indexes) noexcept;
/// Deletes the entries of dead rows, and of rows that nobody ever could see.
void DeleteDeadEntries(Run* run, Indexes* indexes, double row_count) noexcept;
/// Cleans up and tells the statistics.
void CloseIndexes(Run* run, Indexes* indexes, double row_count) noexcept;

}  // namespace orochi::pg::vacuum
