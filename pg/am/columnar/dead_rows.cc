#include "pg/am/columnar/dead_rows.h"

#include "pg/am/columnar/tuple_id.h"
#include "pg/injection.h"

extern "C" {
#include "access/genam.h"
#include "access/multixact.h"
#include "access/transam.h"
}

namespace orochi::pg::vacuum {
namespace {

bool MayDelete(ItemPointer tid, void* state) noexcept {
  auto const* const run = static_cast<const Run*>(state);
  if (IsRowPageTid(*tid)) {
    return IsDeadPlace(run->dead, ItemPointerGetBlockNumber(tid), ItemPointerGetOffsetNumber(tid));
  }
  auto const row_number = RowOfTid(*tid);
  if (!row_number) {
    return false;
  }
  return IsDeadRow(run->dead, *row_number) ||
         (*row_number < run->settled_row_count && StripeOf(*run, *row_number) == nullptr);
}

IndexVacuumInfo InfoOf(const Run& run, Relation index, double row_count) {
  IndexVacuumInfo info{};
  info.index = index;
  info.message_level = DEBUG2;
  info.num_heap_tuples = row_count;
  info.estimated_count = true;  // rows written meanwhile are not in it
  info.strategy = run.strategy;
  return info;
}

}  // namespace

void OpenIndexes(Run* run, Indexes* indexes) noexcept {
  vac_open_indexes(run->relation, RowExclusiveLock, &indexes->count, &indexes->relations);
  indexes->results = static_cast<IndexBulkDeleteResult**>(
      palloc0((static_cast<size_t>(indexes->count) + 1) * sizeof(IndexBulkDeleteResult*)));
}

void DeleteDeadEntries(Run* run, Indexes* indexes, double row_count) noexcept {
  for (int i = 0; i < indexes->count; ++i) {
    IndexVacuumInfo info = InfoOf(*run, indexes->relations[i], row_count);
    WAL_RECORD("index_entries_deleted",
               indexes->results[i] = index_bulk_delete(&info, indexes->results[i], MayDelete, run));
    vacuum_delay_point();
  }
}

void CloseIndexes(Run* run, Indexes* indexes, double row_count) noexcept {
  for (int i = 0; i < indexes->count; ++i) {
    IndexVacuumInfo info = InfoOf(*run, indexes->relations[i], row_count);
    IndexBulkDeleteResult* const result = index_vacuum_cleanup(&info, indexes->results[i]);
    if (result != nullptr && !result->estimated_count) {
      vac_update_relstats(indexes->relations[i], result->num_pages, result->num_index_tuples, 0,
                          false, InvalidTransactionId, InvalidMultiXactId, nullptr, nullptr, false);
    }
  }
  vac_close_indexes(indexes->count, indexes->relations, NoLock);
}

}  // namespace orochi::pg::vacuum
