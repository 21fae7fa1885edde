#pragma once

#include <cstdint>

#include "cli/copy_text.h"

namespace orochi::cli {

/// The demo's metrics: 50 hosts in 4 regions report once a minute from 2024-01-01 on. Every value
/// follows from host and minute alone, so every run makes the same rows.
///
///   time       timestamptz       the minute; rows come in this order
///   host       text              host_00 .. host_49
///   region     text              of the host
///   cpu        double precision  per cent: a daily wave, shifted by host, and noise; one decimal
///   memory_gb  double precision  grows over hours and falls back, as after a restart, and noise;
///   two
///                                decimals
///   requests   bigint            per minute: the daily wave and noise of 5 %
///   errors     integer           0 but for one host in one hour of every third day
inline constexpr int64_t kDemoHostCount = 50;
inline constexpr const char* kDemoColumnsSql =
    "time timestamptz NOT NULL, host text NOT NULL, region text NOT NULL, cpu double precision, "
    "memory_gb double precision, requests bigint, errors integer";

/// Adds row `index`, counted from 0: host index % 50, minute index / 50.
void AddDemoRow(int64_t index, CopyTextWriter& writer);

}  // namespace orochi::cli
