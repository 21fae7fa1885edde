#pragma once

namespace orochi::pg {

/// Wraps the time of every row that INSERT, UPDATE and MERGE (in WITH too) bring to a hypertable in
/// orochi.ensure_chunk, and marks plans for the executor hooks (plan_mark.h).
void RegisterPlannerHook();

}  // namespace orochi::pg
