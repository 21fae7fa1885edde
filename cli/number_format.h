#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace orochi::cli {

// Numbers for people. Sizes and rates are decimal, as disks and networks count: 1 kB = 1,000 bytes.

/// 1234567 gives "1,234,567".
std::string FormatCount(int64_t count);

/// FormatQuantity(1, "row") gives "1 row", FormatQuantity(1234, "row") "1,234 rows".
std::string FormatQuantity(int64_t count, std::string_view singular);

/// 532 gives "532 B", 1536000 gives "1.54 MB": three significant digits.
std::string FormatBytes(uint64_t bytes);

/// "0.42 ms", "12.3 ms", "1.24 s", "2 m 05 s", "3 h 07 m", "4 d 02 h".
std::string FormatDuration(double seconds);

/// 8.234 gives "8.2x", 123.4 gives "123x".
std::string FormatRatio(double ratio);

}  // namespace orochi::cli
