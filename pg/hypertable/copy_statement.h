#pragma once

namespace orochi::pg {

/// COPY <hypertable> FROM, with every format, option, source and trigger of PostgreSQL's COPY, and
/// the same permissions, messages and progress report; chunks that are missing appear while it
/// runs. Other COPY statements, COPY into a single chunk included, go to PostgreSQL untouched.
///
/// FREEZE is refused, as on every partitioned table.

/// Chains the utility hook. Called once from _PG_init.
void RegisterHypertableCopy();

}  // namespace orochi::pg
