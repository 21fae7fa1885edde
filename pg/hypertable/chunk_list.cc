#include "pg/hypertable/chunk_list.h"

#include <limits>

#include "base/str_cat.h"
#include "timeseries/calendar.h"

extern "C" {
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
}

namespace orochi::pg {
namespace {

using timeseries::ChunkRange;
using timeseries::TickLimits;
using timeseries::TimeKind;

constexpr int64_t kBeforeAll = std::numeric_limits<int64_t>::min();
constexpr int64_t kAfterAll = std::numeric_limits<int64_t>::max();

struct RawChunk {
  Oid relid;
  bool has_lower;
  bool has_upper;
  Datum lower;
  Datum upper;
};

// The partitions in the order of their bounds, in the caller's context.
struct RawChunks {
  int count;
  RawChunk* chunks;
};

RawChunks ReadPartitions(Oid relid) noexcept {
  Relation const relation = table_open(relid, NoLock);
  PartitionDesc const partitions = RelationGetPartitionDesc(relation, true);
  PartitionBoundInfo const bounds = partitions->boundinfo;
  RawChunks out = {.count = 0, .chunks = nullptr};
  if (partitions->nparts > 0) {
    out.chunks =
        static_cast<RawChunk*>(palloc(sizeof(RawChunk) * static_cast<size_t>(partitions->nparts)));
    // indexes[i] is the partition below datums[i] and above datums[i - 1].
    for (int index = 0; index < bounds->nindexes; ++index) {
      int const partition = bounds->indexes[index];
      if (partition < 0) {
        continue;
      }
      auto const is_value = [bounds](int at) noexcept {
        return at >= 0 && at < bounds->ndatums &&
               bounds->kind[at][0] == PARTITION_RANGE_DATUM_VALUE;
      };
      RawChunk& chunk = out.chunks[out.count++];
      chunk = {.relid = partitions->oids[partition],
               .has_lower = is_value(index - 1),
               .has_upper = is_value(index),
               .lower = 0,
               .upper = 0};
      // By-value types: the copies outlive the relation cache's entry.
      chunk.lower = chunk.has_lower ? bounds->datums[index - 1][0] : 0;
      chunk.upper = chunk.has_upper ? bounds->datums[index][0] : 0;
    }
  }
  table_close(relation, NoLock);
  return out;
}

bool IsInteger(TimeKind kind) {
  return kind != TimeKind::kMicros && kind != TimeKind::kDays;
}

Status WrongType(const Hypertable& hypertable, Oid type, std::string_view name) {
  struct TypeNames {
    const char* found;
    const char* column;
  };
  auto const names = TryPg([&]() noexcept {
    return TypeNames{.found = format_type_be(type), .column = format_type_be(hypertable.time_type)};
  });
  return Status::InvalidArgument(StrCat(name, " has type ", names.found, ", but time column \"",
                                        ColumnName(hypertable.relid, hypertable.time_attno),
                                        "\" of ", QualifiedName(hypertable.relid), " has type ",
                                        names.column))
      .WithHint(IsInteger(hypertable.kind) ? "Give an integer."
                                           : "Give a time, or an interval back from now().");
}

// A time of one of PostgreSQL's types as the column's own; dates come as timestamps, so that a part
// of a day is not lost. Plain PostgreSQL code.
int64_t AsColumnMicros(Oid from, Datum value, Oid column_type) noexcept {
  bool const to_timestamptz = column_type == TIMESTAMPTZOID;
  PGFunction convert = nullptr;
  if (from == DATEOID) {
    convert = to_timestamptz ? &date_timestamptz : &date_timestamp;
  } else if (from == TIMESTAMPOID && to_timestamptz) {
    convert = &timestamp_timestamptz;
  } else if (from == TIMESTAMPTZOID && !to_timestamptz) {
    convert = &timestamptz_timestamp;
  }
  return DatumGetTimestamp(convert == nullptr ? value : DirectFunctionCall1(convert, value));
}

int64_t BackFromNow(Datum interval, Oid column_type) noexcept {
  Datum const now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
  if (column_type == TIMESTAMPTZOID) {
    return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval, now, interval));
  }
  Datum const local = DirectFunctionCall1(timestamptz_timestamp, now);
  return DatumGetTimestamp(DirectFunctionCall2(timestamp_mi_interval, local, interval));
}

// Microseconds to the column's ticks. A part of a day rounds towards fewer chunks.
int64_t TicksFromMicros(TimeKind kind, int64_t micros, bool is_older_than) {
  if (TIMESTAMP_IS_NOBEGIN(micros)) {
    return kBeforeAll;
  }
  if (TIMESTAMP_IS_NOEND(micros)) {
    return kAfterAll;
  }
  if (kind == TimeKind::kMicros) {
    return micros;
  }
  int64_t const day = timeseries::FloorDivide(micros, timeseries::kMicrosPerDay);
  bool const is_whole = day * timeseries::kMicrosPerDay == micros;
  return is_older_than || is_whole ? day : day + 1;
}

// Parses a literal as the column's type; an interval where that fails and one makes sense.
Result<TimeArgument> ParseLiteral(const Hypertable& hypertable, const char* literal) {
  TimeArgument parsed = {.is_null = false, .type = hypertable.time_type, .value = 0};
  Status const as_time = TryPgSubtransaction([&] {
    parsed.value = TryPg([&]() noexcept {
      Oid input = InvalidOid;
      Oid parameter = InvalidOid;
      getTypeInputInfo(hypertable.time_type, &input, &parameter);
      return OidInputFunctionCall(input, const_cast<char*>(literal), parameter, -1);
    });
    return Status::Ok();
  });
  if (as_time.ok()) {
    return parsed;
  }
  if (IsInteger(hypertable.kind)) {
    return as_time;
  }
  parsed.type = INTERVALOID;
  Status const as_interval = TryPgSubtransaction([&] {
    parsed.value = TryPg([&]() noexcept {
      return DirectFunctionCall3(interval_in, CStringGetDatum(literal),
                                 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
    });
    return Status::Ok();
  });
  if (!as_interval.ok()) {
    return as_time;
  }
  return parsed;
}

Result<std::optional<int64_t>> ResolveTicks(const Hypertable& hypertable, TimeArgument argument,
                                            std::string_view name, bool is_older_than) {
  if (argument.is_null) {
    return std::optional<int64_t>();
  }
  if (argument.type == UNKNOWNOID || argument.type == TEXTOID) {
    const char* const literal =
        argument.type == UNKNOWNOID
            ? DatumGetCString(argument.value)
            : TryPg([&]() noexcept { return TextDatumGetCString(argument.value); });
    ASSIGN_OR_RETURN(argument, ParseLiteral(hypertable, literal));
  }
  if (IsInteger(hypertable.kind)) {
    switch (argument.type) {
      case INT2OID:
        return std::optional<int64_t>(DatumGetInt16(argument.value));
      case INT4OID:
        return std::optional<int64_t>(DatumGetInt32(argument.value));
      case INT8OID:
        return std::optional<int64_t>(DatumGetInt64(argument.value));
      default:
        return WrongType(hypertable, argument.type, name);
    }
  }
  bool const is_interval = argument.type == INTERVALOID;
  if (!is_interval && argument.type != DATEOID && argument.type != TIMESTAMPOID &&
      argument.type != TIMESTAMPTZOID) {
    return WrongType(hypertable, argument.type, name);
  }
  int64_t const micros = TryPg([&]() noexcept {
    return is_interval ? BackFromNow(argument.value, hypertable.time_type)
                       : AsColumnMicros(argument.type, argument.value, hypertable.time_type);
  });
  return std::optional<int64_t>(TicksFromMicros(hypertable.kind, micros, is_older_than));
}

}  // namespace

std::vector<Chunk> ListChunks(const Hypertable& hypertable) {
  RawChunks const raw = TryPg([&]() noexcept { return ReadPartitions(hypertable.relid); });
  TickLimits const limits = timeseries::LimitsOf(hypertable.kind);
  std::vector<Chunk> chunks;
  chunks.reserve(static_cast<size_t>(raw.count));
  for (const RawChunk& partition : std::span(raw.chunks, static_cast<size_t>(raw.count))) {
    ChunkRange range = {.first = limits.first, .last = limits.last};
    // Infinite bounds count as the end of what is finite.
    if (partition.has_lower) {
      range.first = TicksFromDatum(hypertable.kind, partition.lower).value_or(limits.first);
    }
    if (partition.has_upper) {
      if (auto const end = TicksFromDatum(hypertable.kind, partition.upper); end.has_value()) {
        range.last = *end - 1;
      }
    }
    chunks.push_back({.relid = partition.relid, .range = range});
  }
  return chunks;
}

Result<ChunkFilter> ResolveFilter(const Hypertable& hypertable, const TimeArgument& older_than,
                                  const TimeArgument& newer_than) {
  ChunkFilter filter;
  ASSIGN_OR_RETURN(filter.older_than, ResolveTicks(hypertable, older_than, "older_than", true));
  ASSIGN_OR_RETURN(filter.newer_than, ResolveTicks(hypertable, newer_than, "newer_than", false));
  return filter;
}

}  // namespace orochi::pg
