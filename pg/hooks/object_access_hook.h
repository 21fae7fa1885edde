#pragma once

namespace orochi::pg {

/// Removes a hypertable's row from orochi.hypertable when the table is dropped.
void RegisterObjectAccessHook();

}  // namespace orochi::pg
