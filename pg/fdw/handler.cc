// The foreign data wrapper orochi_sstable: what PostgreSQL calls.

#include "pg/fdw/foreign_plan.h"
#include "pg/fdw/foreign_scan.h"
#include "pg/fdw/import_schema.h"
#include "pg/fdw/sample_rows.h"

extern "C" {
#include "foreign/fdwapi.h"
#include "nodes/makefuncs.h"

PG_FUNCTION_INFO_V1(orochi_sstable_handler);
}

namespace orochi::pg {
namespace {

// A scan reads files and shares nothing: a parallel worker may run it.
bool IsParallelSafe(PlannerInfo*, RelOptInfo*, RangeTblEntry*) {
  return true;
}

}  // namespace
}  // namespace orochi::pg

Datum orochi_sstable_handler(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return orochi::pg::Boundary([]() -> orochi::Result<Datum> {
    FdwRoutine* const routine = orochi::pg::TryPg([]() noexcept { return makeNode(FdwRoutine); });
    routine->GetForeignRelSize = &orochi::pg::PlanRelationSize;
    routine->GetForeignPaths = &orochi::pg::PlanPaths;
    routine->GetForeignPlan = &orochi::pg::MakePlan;
    routine->BeginForeignScan = &orochi::pg::BeginScan;
    routine->IterateForeignScan = &orochi::pg::NextRow;
    routine->ReScanForeignScan = &orochi::pg::RestartScan;
    routine->EndForeignScan = &orochi::pg::EndScan;
    routine->ExplainForeignScan = &orochi::pg::ExplainScan;
    routine->AnalyzeForeignTable = &orochi::pg::AnalyzeTable;
    routine->ImportForeignSchema = &orochi::pg::ImportSchema;
    routine->IsForeignScanParallelSafe = &orochi::pg::IsParallelSafe;
    return PointerGetDatum(routine);
  });
}
