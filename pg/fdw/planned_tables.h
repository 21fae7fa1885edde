#pragma once

#include <memory>

#include "pg/fdw/open_table.h"

namespace orochi::pg {

/// Hands tables that planning has opened to the scans of the same statement, so that each SSTable
/// is opened once a query. A table is taken once, and only while options, directory and schema
/// file are what they were: a scan never sees files that are older than its statement's planning.
///
/// Life:    kept until taken, pushed out, or the transaction ends.
/// Bounds:  kPlannedTablesMax tables, kPlannedStoredBytesMax of Data.db behind them (their chunk
///          offsets are half a byte a kilobyte); the oldest go first.
inline constexpr size_t kPlannedTablesMax = 16;
inline constexpr uint64_t kPlannedStoredBytesMax = uint64_t{64} << 30;

void KeepPlanned(Oid foreign_table, const TableOptions& options, std::unique_ptr<OpenTable> table);
/// Null where there is none.
std::unique_ptr<OpenTable> TakePlanned(Oid foreign_table, const TableOptions& options);

}  // namespace orochi::pg
