#pragma once

#include <string>

#include "base/status.h"
#include "cli/connection.h"
#include "cli/terminal.h"

namespace orochi::cli {

/// Makes all chunks of `table` but the newest columnar, one after the other, and prints what each
/// took on heap and takes now; below that the sums without and with indexes.
Status CompressAllButTheNewest(const std::string& table, Connection& connection,
                               const Terminal& terminal);

}  // namespace orochi::cli
