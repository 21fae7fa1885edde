#include "pg/functions/time_zone.h"

#include "timeseries/calendar.h"

extern "C" {
#include "common/int.h"
#include "parser/scansup.h"
#include "utils/datetime.h"
}

namespace orochi::pg {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kUnixToPostgresSeconds = 10'957LL * 86'400;  // 1970-01-01 to 2000-01-01

[[noreturn]] void RaiseOutOfRange() {
  ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
  pg_unreachable();
}

// Moves a time by seconds, as between an instant and its local time.
int64 Shifted(int64 micros, int64_t seconds) {
  int64 moved = 0;
  if (pg_add_s64_overflow(micros, seconds * kMicrosPerSecond, &moved) ||
      !IS_VALID_TIMESTAMP(moved)) {
    RaiseOutOfRange();
  }
  return moved;
}

pg_time_t UnixSeconds(int64 micros) {
  return timeseries::FloorDivide(micros, kMicrosPerSecond) + kUnixToPostgresSeconds;
}

}  // namespace

TimeZone FindTimeZone(const text* name) {
  char zone_name[TZ_STRLEN_MAX + 1];
  text_to_cstring_buffer(name, zone_name, sizeof(zone_name));
  char* lower = downcase_truncate_identifier(zone_name, static_cast<int>(strlen(zone_name)), false);
  int offset_seconds = 0;
  pg_tz* rules = nullptr;
  int const kind = DecodeTimezoneAbbrev(0, lower, &offset_seconds, &rules);
  pfree(lower);
  if (kind == TZ || kind == DTZ) {
    return {.rules = nullptr, .fixed_offset_seconds = offset_seconds};
  }
  if (kind != DYNTZ) {
    rules = pg_tzset(zone_name);
  }
  if (rules == nullptr) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("time zone \"%s\" not recognized", zone_name),
                    errhint("The view pg_timezone_names lists the known time zones.")));
  }
  return {.rules = rules, .fixed_offset_seconds = 0};
}

Timestamp LocalTime(const TimeZone& zone, TimestampTz instant) {
  if (zone.rules == nullptr) {
    return Shifted(instant, zone.fixed_offset_seconds);
  }
  pg_time_t const seconds = UnixSeconds(instant);
  struct pg_tm const* const broken_down = pg_localtime(&seconds, zone.rules);
  if (broken_down == nullptr) {
    RaiseOutOfRange();
  }
  return Shifted(instant, broken_down->tm_gmtoff);
}

TimestampTz InstantOf(const TimeZone& zone, Timestamp local, RepeatedTime repeated,
                      TimestampTz not_after) {
  if (zone.rules == nullptr) {
    return Shifted(local, -zone.fixed_offset_seconds);
  }
  // The first change of the clocks after a day before: at most one is near enough to matter.
  pg_time_t const local_seconds = UnixSeconds(local);
  pg_time_t const day_before = local_seconds - SECS_PER_DAY;
  long before_offset = 0;
  long after_offset = 0;
  int before_is_dst = 0;
  int after_is_dst = 0;
  pg_time_t change = 0;
  int const found = pg_next_dst_boundary(&day_before, &before_offset, &before_is_dst, &change,
                                         &after_offset, &after_is_dst, zone.rules);
  if (found < 0) {
    RaiseOutOfRange();
  }
  if (found == 0) {
    return Shifted(local, -before_offset);
  }
  bool const exists_before = local_seconds - before_offset < change;
  bool const exists_after = local_seconds - after_offset >= change;
  if (!exists_before && !exists_after) {
    return (change - kUnixToPostgresSeconds) * kMicrosPerSecond;
  }
  if (exists_before && exists_after && repeated == RepeatedTime::kLastNotAfterInstant) {
    TimestampTz const second_time = Shifted(local, -after_offset);
    return second_time <= not_after ? second_time : Shifted(local, -before_offset);
  }
  return Shifted(local, exists_before ? -before_offset : -after_offset);
}

}  // namespace orochi::pg
