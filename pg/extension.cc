// Loading: what PostgreSQL calls when it loads orochi.so, and what the library says of itself.

#include "pg/am/columnar/handler.h"
#include "pg/bridge.h"
#include "pg/hooks/active_statements.h"
#include "pg/hooks/executor_hooks.h"
#include "pg/hooks/object_access_hook.h"
#include "pg/hooks/planner_hook.h"
#include "pg/hypertable/catalog.h"
#include "pg/hypertable/copy_statement.h"
#include "pg/nodes/columnar_aggregate.h"
#include "pg/nodes/columnar_scan.h"
#include "pg/hypertable/lock_conflict.h"
#include "pg/settings.h"

extern "C" {
PG_MODULE_MAGIC;
void _PG_init(void);
PG_FUNCTION_INFO_V1(orochi_version);
}

void _PG_init(void) {
  if (!process_shared_preload_libraries_in_progress) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("orochi must be loaded through shared_preload_libraries"),
                    errhint("Add orochi to shared_preload_libraries in postgresql.conf and "
                            "restart PostgreSQL.")));
  }
  orochi::pg::InstallAssertHandler();
  orochi::pg::DefineSettings();
  orochi::pg::RegisterColumnar();
  orochi::pg::RegisterHypertableCatalog();
  orochi::pg::RegisterHypertableCopy();
  orochi::pg::RegisterLockConflict();
  orochi::pg::RegisterActiveStatements();
  orochi::pg::RegisterPlannerHook();
  orochi::pg::RegisterExecutorHooks();
  orochi::pg::RegisterObjectAccessHook();
  orochi::pg::RegisterColumnarScan();
  orochi::pg::RegisterColumnarAggregate();
}

Datum orochi_version(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return orochi::pg::Boundary([]() -> orochi::Result<Datum> {
    return orochi::pg::TryPg(
        []() noexcept { return PointerGetDatum(cstring_to_text(OROCHI_VERSION)); });
  });
}
