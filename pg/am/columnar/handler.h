#pragma once

#include "pg/compat.h"

extern "C" {
#include "access/tableam.h"
}

namespace orochi::pg {

/// The callbacks of the access method `columnar`; one static table.
const TableAmRoutine* ColumnarRoutine();

/// Transaction callbacks and hooks of columnar tables. Called once from _PG_init.
void RegisterColumnar();

}  // namespace orochi::pg
