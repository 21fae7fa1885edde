#pragma once

#include <cstdint>
#include <string>

#include "sstable/types/bytes.h"

namespace orochi::sstable {

/// Milliseconds since 1970 of a time-UUID. REQUIRES: 16 bytes.
int64_t MillisOfTimeUuid(Bytes value);

/// The least or greatest time-UUID of a millisecond, as min_timeuuid and max_timeuuid give it.
std::string TimeUuidBound(int64_t millis, bool is_max);

}  // namespace orochi::sstable
