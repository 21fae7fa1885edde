#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "sstable/format/unfiltered.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// A clustering prefix that owns its bytes. Assigning keeps the memory it has.
class ClusteringPrefix {
 public:
  ClusteringPrefix() = default;
  explicit ClusteringPrefix(const ClusteringView& view) { Assign(view); }
  ClusteringPrefix(const ClusteringPrefix& other) { Assign(other.view()); }
  ClusteringPrefix& operator=(const ClusteringPrefix& other) {
    if (this != &other) {
      Assign(other.view());
    }
    return *this;
  }
  ClusteringPrefix(ClusteringPrefix&&) noexcept = default;
  ClusteringPrefix& operator=(ClusteringPrefix&&) noexcept = default;

  /// REQUIRES: `view` does not point into this object.
  void Assign(const ClusteringView& view);
  void set_kind(ClusteringKind kind) { kind_ = kind; }
  /// Valid until this object changes or ends; moving it keeps the view good.
  ClusteringView view() const { return {kind_, values_}; }

  /// Before and after every row of a partition.
  static ClusteringPrefix Bottom();
  static ClusteringPrefix Top();

 private:
  ClusteringKind kind_ = ClusteringKind::kClustering;
  std::vector<std::byte> bytes_;
  std::vector<ClusteringValue> values_;  // into bytes_
};

/// How the clustering columns of one table stand in its files:
///
///   values   in groups of 32: vint header, two bits a value from the lowest on (1: empty,
///            2: null); then each other value, with a vint length where its type has no fixed one
///   bound    u8 kind, u16 value count, values (a prefix of the columns; 0 is all of them)
///   prefix   u8 kind; a row's: all values; otherwise as in a bound
///
/// and how they compare. Threads: any, once made.
class ClusteringFormat {
 public:
  ClusteringFormat() = default;
  explicit ClusteringFormat(std::vector<TypeRef> types);

  size_t column_count() const { return types_.size(); }
  const std::vector<TypeRef>& types() const { return types_; }

  /// Reads the first `count` values from [at, end) into out[0, count). Returns their end, or
  /// nullptr with `needed_bytes` set to how many bytes from `at` on are needed at least when they
  /// end too early, or 0 when no more bytes would help.
  const std::byte* ReadValues(const std::byte* at, const std::byte* end, size_t count,
                              ClusteringValue* out, uint64_t& needed_bytes) const;
  /// Reads a bound. kCorruption for kinds that are no bound and for too many values.
  /// `values` is resized to the bound's and is what the view points at.
  const std::byte* ReadBound(const std::byte* at, const std::byte* end, ClusteringKind& kind,
                             std::vector<ClusteringValue>& values, uint64_t& needed_bytes) const;
  /// Reads a prefix, as ReadBound.
  const std::byte* ReadPrefix(const std::byte* at, const std::byte* end, ClusteringKind& kind,
                              std::vector<ClusteringValue>& values, uint64_t& needed_bytes) const;

  /// REQUIRES: values.size() <= column_count(); values of fixed length types have that length.
  void AppendValues(std::vector<std::byte>& out, std::span<const ClusteringValue> values) const;
  void AppendBound(std::vector<std::byte>& out, const ClusteringView& bound) const;

  /// Negative, 0 or positive. Total: static rows come after bounds at the start and before rows.
  int Compare(const ClusteringView& a, const ClusteringView& b) const;
  int CompareValue(size_t column_index, const ClusteringValue& a, const ClusteringValue& b) const;

 private:
  std::vector<TypeRef> types_;
  std::vector<int32_t> fixed_sizes_bytes_;  // -1: a vint length precedes the value
};

}  // namespace orochi::sstable
