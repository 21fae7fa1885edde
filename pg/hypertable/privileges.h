#pragma once

#include "pg/bridge.h"

/// Grants written as the catalogs hold them: GRANT itself could not say who granted, and default
/// privileges would be added to what is meant.
namespace orochi::pg {

/// Gives `to` the privileges of `from`, a table's columns by name included: the grants themselves,
/// whoever granted them. Both have the same owner.
void CopyPrivileges(Oid from, Oid to);

/// Leaves a relation to its owner alone, whatever default privileges have granted.
void ClearPrivileges(Oid relid);

}  // namespace orochi::pg
