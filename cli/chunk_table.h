#pragma once

#include <string>

#include "base/status.h"
#include "cli/connection.h"
#include "cli/terminal.h"

namespace orochi::cli {

/// Prints the chunks of a hypertable, oldest first: range, place, rows, size. Of a long list the
/// middle becomes one line. `table` is quoted as SQL needs it.
Status PrintChunkTable(const std::string& table, Connection& connection, const Terminal& terminal);

}  // namespace orochi::cli
