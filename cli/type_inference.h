#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orochi::cli {

/// What one value looks like. Every kind but kText promises that PostgreSQL's input function of
/// the type accepts the value (with DateStyle ISO).
enum class ValueKind : uint8_t {
  kInteger,      // fits bigint; no leading zeros, which are identifiers rather than numbers
  kBigInteger,   // an integer beyond bigint
  kFloat,        // decimal or exponent, inf, nan; within double precision's range
  kDate,         // 2024-02-29, also with slashes
  kTimestamp,    // a date and a time of day: 2024-02-29 13:45[:00[.123456]], or with T
  kTimestampTz,  // the same with Z or an offset from UTC
  kText,         // everything else
};
inline constexpr size_t kValueKindCount = 7;

/// REQUIRES: text is not empty.
ValueKind ClassifyValue(std::string_view text);

enum class ColumnType : uint8_t {
  kBigint,
  kNumeric,
  kDouble,
  kDate,
  kTimestamp,
  kTimestampTz,
  kText,
};

/// The type's name in SQL.
std::string_view ColumnTypeName(ColumnType type);
/// A type that create_hypertable can partition by.
bool IsTimeType(ColumnType type);

/// Where a value was first seen.
struct ValueSample {
  std::string text;  // its beginning
  std::string file;
  int64_t line = 0;
};

/// Gathers what all values of one column look like, and answers the narrowest type for all:
///
///   integers                            bigint; numeric when some are beyond it
///   integers and decimals               double precision
///   dates                               date
///   dates and timestamps                timestamp
///   timestamps with zone or offset      timestamptz
///   with and without zone mixed         timestamptz when a zone is given for those without,
///                                       else text
///   any other mixture, or no value      text
class ColumnProfile {
 public:
  /// An empty `text` is a NULL and says nothing about the type.
  void Add(std::string_view text, const std::string& file, int64_t line);

  /// `has_zone`: values without a zone are to be read in one the user named.
  ColumnType Type(bool has_zone) const;

  int64_t value_count() const { return value_count_; }
  int64_t null_count() const { return null_count_; }
  /// The first value of a kind, if there is one.
  const std::optional<ValueSample>& First(ValueKind kind) const {
    return first_[static_cast<size_t>(kind)];
  }
  const std::optional<ValueSample>& first_null() const { return first_null_; }

 private:
  bool Saw(ValueKind kind) const { return First(kind).has_value(); }

  std::array<std::optional<ValueSample>, kValueKindCount> first_;
  std::optional<ValueSample> first_null_;
  int64_t value_count_ = 0;
  int64_t null_count_ = 0;
};

}  // namespace orochi::cli
