#pragma once

namespace orochi::pg {

/// Follows the statements that read or write hypertables from start to end (active_statements.h,
/// own_session.h, read_snapshot.h). Others pay for one look at their plan.
void RegisterExecutorHooks();

}  // namespace orochi::pg
