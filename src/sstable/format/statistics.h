#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sstable/format/clustering.h"
#include "sstable/format/deletion_time.h"
#include "sstable/format/version.h"

namespace orochi::sstable {

/// Counts by size: bucket i counts what is above offsets[i - 1] and at most offsets[i]; the last
/// one everything above the last offset.
struct EstimatedHistogram {
  std::vector<int64_t> offsets;  // ascending
  std::vector<int64_t> counts;   // offsets.size() + 1 entries

  /// Empty, with `bucket_count` offsets as Cassandra makes them: 1, then 1.2 times the previous.
  static EstimatedHistogram WithOffsets(size_t bucket_count);
  void Add(int64_t value);
};
/// Of a new histogram of partition sizes and of cells per partition, in Cassandra 5.
inline constexpr size_t kPartitionSizeOffsets = 155;
inline constexpr size_t kCellsPerPartitionOffsets = 118;

/// When tombstones will be old enough to drop.
struct TombstoneHistogram {
  struct Bin {
    int64_t deletion_time_s = 0;
    int64_t count = 0;
  };
  int32_t bins_max = 100;
  std::vector<Bin> bins;  // ascending by time
};

struct CommitLogPosition {
  int64_t segment = -1;
  int32_t position = 0;
  friend bool operator==(const CommitLogPosition&, const CommitLogPosition&) = default;
};
struct CommitLogInterval {
  CommitLogPosition start;
  CommitLogPosition end;
};

using Uuid = std::array<std::byte, 16>;

struct ValidationMetadata {
  std::string partitioner;        // class name
  double bloom_fp_chance = 0.01;  // 1: no Filter.db
};

/// Facts about the rows. Times as in deletion_time.h, whatever the version's form on disk.
struct StatsMetadata {
  EstimatedHistogram partition_sizes_bytes;
  EstimatedHistogram cells_per_partition;
  CommitLogPosition commit_log_upper_bound;
  int64_t timestamp_min = 0;
  int64_t timestamp_max = 0;
  uint32_t local_deletion_time_min = kNoDeletionTime;
  uint32_t local_deletion_time_max = kNoDeletionTime;
  int32_t ttl_min = 0;
  int32_t ttl_max = 0;
  double compression_ratio = -1.0;  // -1: not compressed
  TombstoneHistogram tombstone_drop_times;
  int32_t level = 0;
  int64_t repaired_at_ms = 0;  // 0: not repaired
  /// Before `oa`: the smallest and largest value of each clustering column; empty when unbounded.
  std::vector<std::vector<std::byte>> clustering_min;
  std::vector<std::vector<std::byte>> clustering_max;
  /// From `oa` on: two bounds around all rows and markers.
  std::vector<std::string> clustering_types;  // class strings
  ClusteringPrefix covered_start = ClusteringPrefix::Bottom();
  ClusteringPrefix covered_end = ClusteringPrefix::Top();
  bool has_legacy_counter_shards = false;
  int64_t cell_count = 0;
  int64_t row_count = 0;
  CommitLogPosition commit_log_lower_bound;
  std::vector<CommitLogInterval> commit_log_intervals;
  std::optional<Uuid> pending_repair;
  bool is_transient = false;
  std::optional<Uuid> originating_host_id;
  /// From `oa` on.
  bool has_partition_deletions = false;
  std::vector<std::byte> first_key;
  std::vector<std::byte> last_key;
  double token_space_coverage = -1.0;  // may be NaN
};

/// What Data.db was encoded against: the minima that timestamps and times are stored relative to,
/// and the columns, by class string, of which each row holds some.
struct SerializationHeader {
  static constexpr int64_t kTimestampEpoch = 1'442'880'000'000'000;
  static constexpr uint32_t kDeletionTimeEpoch = 1'442'880'000;

  struct Column {
    std::string name;
    std::string type;
  };

  int64_t timestamp_min = kTimestampEpoch;
  /// The bits as they are on disk: deltas are added to it modulo 2^32.
  uint32_t local_deletion_time_min = kDeletionTimeEpoch;
  int32_t ttl_min = 0;
  std::string key_type;
  std::vector<std::string> clustering_types;
  std::vector<Column> statics;
  std::vector<Column> regulars;
};

/// Statistics.db.
///
///   i32 component count, [crc]      crcs from version na on
///   for each: i32 type (0 validation, 1 compaction, 2 stats, 3 header), i32 offset in the file
///   [crc of all of the above but the first crc]
///   each component, [its crc]
struct Statistics {
  ValidationMetadata validation;
  /// A HyperLogLog+ sketch of the keys, kept as bytes.
  std::vector<std::byte> compaction;
  StatsMetadata stats;
  SerializationHeader header;

  /// kCorruption names the component, the field and the offset in the file. Stats of a version not
  /// known in full (nc) may have more bytes at their end.
  static Result<Statistics> Decode(std::span<const std::byte> bytes, Version version);
  /// Of a damaged file, what its checksums prove to be whole; the rest keeps its defaults and is
  /// named in `lost` ("stats"). kCorruption when the header, without which no row can be read, is
  /// not whole, or when the version has no checksums and Decode fails.
  static Result<Statistics> DecodeReadable(std::span<const std::byte> bytes, Version version,
                                           std::vector<std::string>& lost);
  /// REQUIRES: nb, oa or da; strings shorter than 64 KiB.
  std::vector<std::byte> Encode(Version version) const;
};

}  // namespace orochi::sstable
