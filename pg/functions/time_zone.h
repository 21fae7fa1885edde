#pragma once

#include "pg/compat.h"

extern "C" {
#include "pgtime.h"
#include "utils/timestamp.h"
}

namespace orochi::pg {

/// A time zone given by name, abbreviation or POSIX rule, as AT TIME ZONE reads it.
struct TimeZone {
  pg_tz* rules;                  // null: a fixed offset
  int64_t fixed_offset_seconds;  // east of Greenwich, where `rules` is null
};

/// What a clock reading means that the zone's clocks show twice.
enum class RepeatedTime {
  kFirst,                // the first time they show it
  kLastNotAfterInstant,  // the second time, unless that is after the given instant
};

// These call PostgreSQL and raise its errors: call them in TryPg. They hold plain data only.

/// Finds a zone; raises an error that names it when there is none.
TimeZone FindTimeZone(const text* name);

/// What clocks of the zone show at an instant.
Timestamp LocalTime(const TimeZone& zone, TimestampTz instant);

/// When clocks of the zone show `local`. A time that they skip is the instant of the skip.
TimestampTz InstantOf(const TimeZone& zone, Timestamp local, RepeatedTime repeated,
                      TimestampTz not_after);

}  // namespace orochi::pg
