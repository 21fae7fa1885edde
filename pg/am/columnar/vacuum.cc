// VACUUM of a columnar relation. vacuum_run.h lists its steps.

#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/dead_rows.h"
#include "pg/am/columnar/free_pages.h"
#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/row_move.h"
#include "pg/am/columnar/stripe_relocation.h"
#include "pg/am/columnar/vacuum_plan.h"
#include "pg/am/columnar/vacuum_rows.h"
#include "pg/am/columnar/vacuum_run.h"
#include "pg/am/columnar/vacuum_stubs.h"
#include "pg/bridge.h"
#include "pg/injection.h"

extern "C" {
#include "access/multixact.h"
#include "access/transam.h"
#include "access/xact.h"
#include "pgstat.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
#include "storage/smgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::columnar_am {
namespace {

using vacuum::PlainArray;
using vacuum::Run;

// The stripes as the catalog has them at one moment between reservations, so that a row number
// below settled_row_count is one of theirs or nobody's.
void ListStripes(Run* run) {
  Relation const relation = run->relation;
  run->end_block = RelationGetNumberOfBlocks(relation);
  LockReservations(relation, ExclusiveLock);
  Metapage const before = ReadMetapage(relation);
  run->storage_id = before.storage_id;
  run->moved_stripe_count = before.moved_stripe_count;
  Boundary([&]() -> Status {
    if (run->storage_id == 0) {
      return Status::Ok();
    }
    auto const entries = stripe_catalog::ListNotRemovable(run->storage_id);
    TryPg([&]() noexcept {
      for (const StripeEntry& entry : entries) {
        run->stripes_being_written |= entry.being_written() && entry.row_count > 0;
        if (entry.row_count > 0) {
          run->stripes.Add(entry);
        }
      }
    });
    return Status::Ok();
  });
  run->settled_row_count = ReadMetapage(relation).next_row_number;
  UnlockReservations(relation, ExclusiveLock);
  std::sort(run->stripes.items, run->stripes.items + run->stripes.count,
            [](const StripeEntry& a, const StripeEntry& b) {
              return a.first_row_number < b.first_row_number;
            });
}

double RowsInStripes(const Run& run) {
  return Boundary([&]() -> Result<double> {
    double count = 0;
    if (run.storage_id != 0) {
      for (const StripeEntry& entry :
           stripe_catalog::List(run.storage_id, run.moved_stripe_count, SnapshotSelf)) {
        count += static_cast<double>(entry.row_count);
      }
    }
    return count;
  });
}

// Step 5. The transaction writes rows from here on.
double MoveAndDrop(Run* run, const vacuum::Plan& plan) {
  bool const moves = plan.move.row_pages || plan.move.stripes.count > 0;
  if (!moves && plan.empty.count == 0) {
    return 0;
  }
  vacuum::BecomeOrdinaryTransaction();
  PushActiveSnapshot(GetLatestSnapshot());
  for (size_t i = 0; i < plan.empty.count; ++i) {
    Boundary([&]() -> Status {
      stripe_catalog::Delete(plan.empty.items[i]);
      return Status::Ok();
    });
  }
  double moved_row_count = 0;
  if (moves) {
    vacuum::OfferFreePages(run);
    moved_row_count = vacuum::MoveRows(run, plan.move);
  }
  PopActiveSnapshot();
  return moved_row_count;
}

void SetLimits(Run* run, const VacuumParams& params) {
  vacuum_set_xid_limits(run->relation, params.freeze_min_age, params.freeze_table_age,
                        params.multixact_freeze_min_age, params.multixact_freeze_table_age,
                        &run->oldest_xmin, &run->oldest_multi, &run->freeze_limit,
                        &run->multi_limit);
  run->oldest_xid_left = run->oldest_xmin;
  run->oldest_multi_left = run->oldest_multi;
}

// Steps 1 to 4.
void RemoveDead(Run* run, vacuum::Indexes* indexes, double row_count) {
  vacuum::VisitRowPages(run);
  vacuum::VisitStubs(run);
  if (vacuum::AnyDead(run->dead)) {
    vacuum::LogConflictOnce(run);
    vacuum::DeleteDeadEntries(run, indexes, row_count);
    INJECTION_POINT_PLAIN("columnar_vacuum_entries_deleted");
  }
  vacuum::FreeDeadPlaces(run);
  vacuum::FoldStubs(run);
}

}  // namespace

void Vacuum(Relation relation, VacuumParams* params, BufferAccessStrategy strategy) {
  Run run{};
  run.relation = relation;
  run.strategy = strategy;
  SetLimits(&run, *params);
  ListStripes(&run);
  vacuum::Indexes indexes{};
  vacuum::OpenIndexes(&run, &indexes);
  double const stripe_row_count = RowsInStripes(run);
  RemoveDead(&run, &indexes, stripe_row_count);
  vacuum::Plan const plan = vacuum::MakePlan(run);
  double const row_count = std::max(
      0.0, stripe_row_count - plan.gone_row_count - run.hidden_row_count + run.live_row_count);
  double const moved_row_count = MoveAndDrop(&run, plan);
  vacuum::CloseIndexes(&run, &indexes, row_count);
  FreeSpaceMapVacuum(relation);
  double left_row_count = moved_row_count;
  if (params->truncate != VACOPTVALUE_DISABLED) {
    BlockNumber const target =
        vacuum::RelocateStripes(&run, moved_row_count > 0 || plan.empty.count > 0);
    vacuum::TruncateTail(&run);
    left_row_count += vacuum::RowsOnTheirWay(run, target);
  }
  vac_update_relstats(relation, smgrnblocks(RelationGetSmgr(relation), MAIN_FORKNUM), row_count, 0,
                      indexes.count > 0, run.oldest_xid_left, run.oldest_multi_left, nullptr,
                      nullptr, false);
  // What moved is dead where it was as soon as this transaction is done, places that stripes were
  // copied from are free as soon as their readers are: reason to come again.
  pgstat_report_vacuum(
      RelationGetRelid(relation), relation->rd_rel->relisshared,
      static_cast<PgStat_Counter>(row_count),
      static_cast<PgStat_Counter>(run.left_dead_count + run.hidden_row_count + left_row_count));
}

}  // namespace orochi::pg::columnar_am
