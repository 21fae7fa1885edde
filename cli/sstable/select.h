#pragma once

#include <cstdint>
#include <functional>

#include "base/status.h"
#include "cli/sstable/inputs.h"
#include "cli/sstable/result_writer.h"
#include "sstable/cql/syntax.h"

namespace orochi::cli {

/// Runs one SELECT, or EXPLAIN SELECT, over a table and prints what it answers. `now_s`, in seconds
/// since 1970, decides what has expired. `interrupted` is asked often; when it answers true the
/// query ends with kCancelled.
Status PrintSelect(const sstable::cql::Select& select, OpenTable& table, int64_t now_s,
                   ResultFormat format, const std::function<bool()>& interrupted = {});

}  // namespace orochi::cli
