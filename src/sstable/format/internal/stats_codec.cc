#include "sstable/format/internal/stats_codec.h"

#include <cmath>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/types/java_type.h"

namespace orochi::sstable::internal {

namespace {

constexpr int32_t kSignedNone = 0x7FFF'FFFF;

// Before `oa` a signed number, whose negative values nobody can have meant.
bool ReadDeletionTime(FieldReader& reader, std::string_view name, Version version,
                      uint32_t& value) {
  if (!reader.Number(name, value)) {
    return false;
  }
  if (!version.has_unsigned_deletion_times()) {
    auto const stored = static_cast<int32_t>(value);
    if (stored == kSignedNone) {
      value = kNoDeletionTime;
    } else if (stored < 0) {
      value = kInvalidDeletionTime;
    }
  }
  return true;
}

void AppendDeletionTime(std::vector<std::byte>& out, Version version, uint32_t value) {
  if (version.has_unsigned_deletion_times()) {
    AppendBigEndian(out, value);
  } else {
    AppendBigEndian(out, value > kSignedDeletionTimeMax ? uint32_t{kSignedNone} : value);
  }
}

bool ReadHistogram(FieldReader& reader, std::string_view name, EstimatedHistogram& histogram) {
  size_t count = 0;
  if (!reader.Count(name, 16, count) || !reader.Note(name, count >= 2)) {
    return false;
  }
  histogram.offsets.resize(count - 1);
  histogram.counts.resize(count);
  for (size_t index = 0; index < count; ++index) {
    // The first two entries carry the same offset.
    int64_t& offset = histogram.offsets[index == 0 ? 0 : index - 1];
    if (!reader.Number(name, offset) || !reader.Number(name, histogram.counts[index])) {
      return false;
    }
  }
  return true;
}

void AppendHistogram(std::vector<std::byte>& out, const EstimatedHistogram& histogram) {
  ASSERT(histogram.counts.size() == histogram.offsets.size() + 1);
  AppendBigEndian(out, static_cast<uint32_t>(histogram.counts.size()));
  for (size_t index = 0; index < histogram.counts.size(); ++index) {
    AppendBigEndian(out, histogram.offsets[index == 0 ? 0 : index - 1]);
    AppendBigEndian(out, histogram.counts[index]);
  }
}

bool ReadTombstones(FieldReader& reader, Version version, TombstoneHistogram& histogram) {
  constexpr std::string_view kName = "tombstone histogram";
  bool const wide_points = version.has_unsigned_deletion_times();
  size_t count = 0;
  if (!reader.Number(kName, histogram.bins_max) ||
      !reader.Count(kName, wide_points ? 12 : 16, count)) {
    return false;
  }
  histogram.bins.resize(count);
  for (TombstoneHistogram::Bin& bin : histogram.bins) {
    if (wide_points) {
      int32_t bin_count = 0;
      if (!reader.Number(kName, bin.deletion_time_s) || !reader.Number(kName, bin_count)) {
        return false;
      }
      bin.count = bin_count;
    } else {
      double point = 0;
      if (!reader.Double(kName, point) || !reader.Number(kName, bin.count)) {
        return false;
      }
      // Points are seconds; what does not fit one was never written by Cassandra.
      if (!reader.Note(kName, std::isfinite(point) && std::fabs(point) < 9e15)) {
        return false;
      }
      bin.deletion_time_s = std::llround(point);
    }
  }
  return true;
}

void AppendTombstones(std::vector<std::byte>& out, Version version,
                      const TombstoneHistogram& histogram) {
  auto const size = static_cast<uint32_t>(histogram.bins.size());
  AppendBigEndian(out, size);  // Cassandra gives the size for the largest number of bins as well
  AppendBigEndian(out, size);
  for (const TombstoneHistogram::Bin& bin : histogram.bins) {
    if (version.has_unsigned_deletion_times()) {
      AppendBigEndian(out, bin.deletion_time_s);
      AppendBigEndian(out, static_cast<int32_t>(std::min<int64_t>(bin.count, INT32_MAX)));
    } else {
      AppendBigEndianDouble(out, static_cast<double>(bin.deletion_time_s));
      AppendBigEndian(out, bin.count);
    }
  }
}

bool ReadLegacyClustering(FieldReader& reader, std::string_view name,
                          std::vector<std::vector<std::byte>>& values) {
  size_t count = 0;
  if (!reader.Count(name, 2, count)) {
    return false;
  }
  values.resize(count);
  for (std::vector<std::byte>& value : values) {
    if (!reader.ShortBytes(name, value)) {
      return false;
    }
  }
  return true;
}

void AppendLegacyClustering(std::vector<std::byte>& out,
                            const std::vector<std::vector<std::byte>>& values) {
  AppendBigEndian(out, static_cast<uint32_t>(values.size()));
  for (const std::vector<std::byte>& value : values) {
    AppendShortBytes(out, value);
  }
}

Result<ClusteringFormat> FormatOf(const std::vector<std::string>& class_names) {
  std::vector<TypeRef> types;
  for (const std::string& name : class_names) {
    Result<TypeRef> type = ParseJavaType(name);
    if (!type.ok()) {
      return std::move(type).status().WithContext("clustering types");
    }
    types.push_back(*std::move(type));
  }
  return ClusteringFormat(std::move(types));
}

Status ReadCoveredSlice(FieldReader& reader, StatsMetadata& stats) {
  size_t count = 0;
  if (!reader.VintCount("number of clustering types", count)) {
    return reader.Error();
  }
  stats.clustering_types.resize(count);
  for (std::string& name : stats.clustering_types) {
    if (!reader.VintText("clustering type", name)) {
      return reader.Error();
    }
  }
  ASSIGN_OR_RETURN(ClusteringFormat const format, FormatOf(stats.clustering_types));
  for (ClusteringPrefix* bound : {&stats.covered_start, &stats.covered_end}) {
    std::span<const std::byte> const rest = reader.rest();
    ClusteringKind kind{};
    std::vector<ClusteringValue> values;
    uint64_t needed_bytes = 0;
    const std::byte* const end =
        format.ReadBound(rest.data(), rest.data() + rest.size(), kind, values, needed_bytes);
    if (!reader.Note("covered slice", end != nullptr)) {
      return reader.Error();
    }
    bound->Assign({kind, values});
    bool const skipped = reader.Skip(static_cast<size_t>(end - rest.data()));
    ASSERT(skipped);
  }
  return Status::Ok();
}

bool ReadCommitLogIntervals(FieldReader& reader, std::vector<CommitLogInterval>& intervals) {
  constexpr std::string_view kName = "commit log intervals";
  size_t count = 0;
  if (!reader.Count(kName, 24, count)) {
    return false;
  }
  intervals.resize(count);
  for (CommitLogInterval& interval : intervals) {
    if (!reader.Position(kName, interval.start) || !reader.Position(kName, interval.end)) {
      return false;
    }
  }
  return true;
}

// What stands before the clusterings.
bool ReadNumbers(FieldReader& reader, Version version, StatsMetadata& stats) {
  return ReadHistogram(reader, "histogram of partition sizes", stats.partition_sizes_bytes) &&
         ReadHistogram(reader, "histogram of cells per partition", stats.cells_per_partition) &&
         reader.Position("commit log upper bound", stats.commit_log_upper_bound) &&
         reader.Number("smallest timestamp", stats.timestamp_min) &&
         reader.Number("largest timestamp", stats.timestamp_max) &&
         ReadDeletionTime(reader, "smallest local deletion time", version,
                          stats.local_deletion_time_min) &&
         ReadDeletionTime(reader, "largest local deletion time", version,
                          stats.local_deletion_time_max) &&
         reader.Number("smallest TTL", stats.ttl_min) &&
         reader.Number("largest TTL", stats.ttl_max) &&
         reader.Double("compression ratio", stats.compression_ratio) &&
         ReadTombstones(reader, version, stats.tombstone_drop_times) &&
         reader.Number("level", stats.level) && reader.Number("repair time", stats.repaired_at_ms);
}

void AppendPosition(std::vector<std::byte>& out, const CommitLogPosition& position) {
  AppendBigEndian(out, position.segment);
  AppendBigEndian(out, position.position);
}

void AppendOptionalUuid(std::vector<std::byte>& out, const std::optional<Uuid>& value) {
  AppendBigEndian(out, static_cast<uint8_t>(value.has_value()));
  if (value.has_value()) {
    AppendBytes(out, *value);
  }
}

bool ReadColumns(FieldReader& reader, std::string_view name,
                 std::vector<SerializationHeader::Column>& columns) {
  size_t count = 0;
  if (!reader.VintCount(name, count)) {
    return false;
  }
  columns.resize(count);
  for (SerializationHeader::Column& column : columns) {
    if (!reader.VintText(name, column.name) || !reader.VintText(name, column.type)) {
      return false;
    }
  }
  return true;
}

void AppendColumns(std::vector<std::byte>& out,
                   const std::vector<SerializationHeader::Column>& columns) {
  AppendVint(out, columns.size());
  for (const SerializationHeader::Column& column : columns) {
    AppendVintText(out, column.name);
    AppendVintText(out, column.type);
  }
}

}  // namespace

Status DecodeStats(FieldReader& reader, Version version, StatsMetadata& stats) {
  if (!ReadNumbers(reader, version, stats)) {
    return reader.Error();
  }
  if (version.has_covered_slice()) {
    RETURN_IF_ERROR(ReadCoveredSlice(reader, stats));
  } else if (!ReadLegacyClustering(reader, "smallest clustering values", stats.clustering_min) ||
             !ReadLegacyClustering(reader, "largest clustering values", stats.clustering_max)) {
    return reader.Error();
  }
  bool good = reader.Flag("legacy counter shards", stats.has_legacy_counter_shards) &&
              reader.Number("number of cells", stats.cell_count) &&
              reader.Number("number of rows", stats.row_count);
  if (good && version.has_commit_log_lower_bound()) {
    good = reader.Position("commit log lower bound", stats.commit_log_lower_bound);
  }
  if (good && version.has_commit_log_intervals()) {
    good = ReadCommitLogIntervals(reader, stats.commit_log_intervals);
  }
  if (good && version.has_pending_repair()) {
    good = reader.OptionalUuid("pending repair", stats.pending_repair) &&
           reader.Flag("transience", stats.is_transient);
  }
  if (good && version.has_originating_host_id()) {
    good = reader.OptionalUuid("originating host", stats.originating_host_id);
  }
  if (good && version.has_covered_slice()) {
    good = reader.Flag("partition deletions", stats.has_partition_deletions) &&
           reader.VintBytes("first key", stats.first_key) &&
           reader.VintBytes("last key", stats.last_key) &&
           reader.Double("token space coverage", stats.token_space_coverage);
  }
  return good ? Status::Ok() : reader.Error();
}

void AppendStats(std::vector<std::byte>& out, Version version, const StatsMetadata& stats) {
  AppendHistogram(out, stats.partition_sizes_bytes);
  AppendHistogram(out, stats.cells_per_partition);
  AppendPosition(out, stats.commit_log_upper_bound);
  AppendBigEndian(out, stats.timestamp_min);
  AppendBigEndian(out, stats.timestamp_max);
  AppendDeletionTime(out, version, stats.local_deletion_time_min);
  AppendDeletionTime(out, version, stats.local_deletion_time_max);
  AppendBigEndian(out, stats.ttl_min);
  AppendBigEndian(out, stats.ttl_max);
  AppendBigEndianDouble(out, stats.compression_ratio);
  AppendTombstones(out, version, stats.tombstone_drop_times);
  AppendBigEndian(out, stats.level);
  AppendBigEndian(out, stats.repaired_at_ms);
  if (version.has_covered_slice()) {
    AppendVint(out, stats.clustering_types.size());
    for (const std::string& name : stats.clustering_types) {
      AppendVintText(out, name);
    }
    Result<ClusteringFormat> const format = FormatOf(stats.clustering_types);
    ASSERT(format.ok());  // the writer printed these types itself
    format->AppendBound(out, stats.covered_start.view());
    format->AppendBound(out, stats.covered_end.view());
  } else {
    AppendLegacyClustering(out, stats.clustering_min);
    AppendLegacyClustering(out, stats.clustering_max);
  }
  AppendBigEndian(out, static_cast<uint8_t>(stats.has_legacy_counter_shards));
  AppendBigEndian(out, stats.cell_count);
  AppendBigEndian(out, stats.row_count);
  AppendPosition(out, stats.commit_log_lower_bound);
  AppendBigEndian(out, static_cast<uint32_t>(stats.commit_log_intervals.size()));
  for (const CommitLogInterval& interval : stats.commit_log_intervals) {
    AppendPosition(out, interval.start);
    AppendPosition(out, interval.end);
  }
  AppendOptionalUuid(out, stats.pending_repair);
  AppendBigEndian(out, static_cast<uint8_t>(stats.is_transient));
  if (version.has_originating_host_id()) {
    AppendOptionalUuid(out, stats.originating_host_id);
  }
  if (version.has_covered_slice()) {
    AppendBigEndian(out, static_cast<uint8_t>(stats.has_partition_deletions));
    AppendVintBytes(out, stats.first_key);
    AppendVintBytes(out, stats.last_key);
    AppendBigEndianDouble(out, stats.token_space_coverage);
  }
}

Status DecodeHeader(FieldReader& reader, SerializationHeader& header) {
  uint64_t timestamp = 0;
  uint64_t deletion_time = 0;
  uint64_t ttl = 0;
  size_t clustering_count = 0;
  if (!reader.Vint("smallest timestamp", timestamp) ||
      !reader.Vint("smallest local deletion time", deletion_time) ||
      !reader.Vint("smallest TTL", ttl) ||
      !reader.VintText("partition key type", header.key_type) ||
      !reader.VintCount("number of clustering types", clustering_count)) {
    return reader.Error();
  }
  // All modulo the width of the field: minima below the epochs wrap.
  header.timestamp_min =
      static_cast<int64_t>(timestamp + static_cast<uint64_t>(SerializationHeader::kTimestampEpoch));
  header.local_deletion_time_min =
      static_cast<uint32_t>(deletion_time) + SerializationHeader::kDeletionTimeEpoch;
  header.ttl_min = static_cast<int32_t>(static_cast<uint32_t>(ttl));
  header.clustering_types.resize(clustering_count);
  for (std::string& type : header.clustering_types) {
    if (!reader.VintText("clustering type", type)) {
      return reader.Error();
    }
  }
  bool const good = ReadColumns(reader, "static columns", header.statics) &&
                    ReadColumns(reader, "regular columns", header.regulars);
  return good ? Status::Ok() : reader.Error();
}

void AppendHeader(std::vector<std::byte>& out, const SerializationHeader& header) {
  AppendVint(out, static_cast<uint64_t>(header.timestamp_min) -
                      static_cast<uint64_t>(SerializationHeader::kTimestampEpoch));
  // A 32-bit difference that is negative is extended to 64 bits before it is written.
  auto const deletion_time = static_cast<int32_t>(header.local_deletion_time_min -
                                                  SerializationHeader::kDeletionTimeEpoch);
  AppendVint(out, static_cast<uint64_t>(int64_t{deletion_time}));
  AppendVint(out, static_cast<uint64_t>(int64_t{header.ttl_min}));
  AppendVintText(out, header.key_type);
  AppendVint(out, header.clustering_types.size());
  for (const std::string& type : header.clustering_types) {
    AppendVintText(out, type);
  }
  AppendColumns(out, header.statics);
  AppendColumns(out, header.regulars);
}

}  // namespace orochi::sstable::internal
