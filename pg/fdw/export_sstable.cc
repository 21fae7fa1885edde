// SQL: orochi.export_sstable, the result of a query as SSTables.

#include "base/str_cat.h"
#include "pg/bridge.h"
#include "pg/fdw/export_directory.h"
#include "pg/fdw/export_rows.h"
#include "pg/fdw/server_files.h"
#include "sstable/change/table_loader.h"
#include "sstable/change/writer_options.h"
#include "sstable/write/sstable_writer.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/acl.h"
#include "utils/portal.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(orochi_export_sstable);
}

namespace orochi::pg {
namespace {

constexpr int64_t kPostgresEpochMicros = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
constexpr long kRowsAtOnce = 1000;

struct Request {
  std::string query;
  std::string directory;
  std::string cql;
  std::string format;
  std::optional<std::string> compression;
  int64_t timestamp_us = 0;
  std::string partitioner;
};

struct Exported {
  int64_t rows;
  int64_t partitions;
  int32_t sstables;
  int64_t bytes;
};

Result<sstable::Version> VersionOf(const std::string& format) {
  for (sstable::Version const version :
       {sstable::Version::Nb(), sstable::Version::Oa(), sstable::Version::Da()}) {
    if (format == version.letters()) {
      return version;
    }
  }
  return Status::InvalidArgument(StrCat("format \"", format, "\" cannot be written"))
      .WithHint("Formats are: nb (Cassandra 4.0 and later), oa (5.0), da (5.0, trie index).");
}

Result<std::optional<sstable::CompressionOptions>> CompressionNamed(const std::string& name) {
  using sstable::CompressorKind;
  constexpr std::pair<const char*, CompressorKind> kNames[] = {
      {"lz4", CompressorKind::kLz4},
      {"snappy", CompressorKind::kSnappy},
      {"deflate", CompressorKind::kDeflate},
      {"zstd", CompressorKind::kZstd}};
  for (const auto& [known, kind] : kNames) {
    if (name == known) {
      return std::optional(sstable::CompressionOptions{.kind = kind});
    }
  }
  if (name == "none") {
    return std::optional<sstable::CompressionOptions>();
  }
  return Status::InvalidArgument(StrCat("compression \"", name, "\" is not known"))
      .WithHint("Compressions are: lz4, snappy, deflate, zstd, none.");
}

Result<sstable::WriterOptions> OptionsOf(const Request& request,
                                         const sstable::TableSchema& schema) {
  ASSIGN_OR_RETURN(sstable::WriterOptions options, sstable::WriterOptionsOf(schema));
  ASSIGN_OR_RETURN(options.version, VersionOf(request.format));
  if (request.compression.has_value()) {
    ASSIGN_OR_RETURN(options.compression, CompressionNamed(*request.compression));
  }
  return options;
}

Result<sstable::Partitioner> PartitionerOf(const std::string& name) {
  Result<sstable::Partitioner> partitioner = sstable::ParsePartitioner(name);
  if (!partitioner.ok() || *partitioner == sstable::Partitioner::kLocal) {
    partitioner.status().IgnoreError("said below");
    return Status::InvalidArgument(StrCat("partitioner \"", name, "\" cannot be written"))
        .WithHint(
            "Partitioners are: Murmur3Partitioner, RandomPartitioner, ByteOrderedPartitioner; "
            "the cluster's cassandra.yaml says which.");
  }
  return partitioner;
}

Portal OpenQuery(const std::string& query) {
  return TryPg([&]() noexcept {
    SPI_connect();
    SPIPlanPtr const plan = SPI_prepare(query.c_str(), 0, nullptr);
    if (plan == nullptr || !SPI_is_cursor_plan(plan)) {
      ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                      errmsg("the query to export must be one SELECT")));
    }
    return SPI_cursor_open(nullptr, plan, nullptr, nullptr, true);
  });
}

// Adds the rows of one fetch; false when there was none.
Result<bool> AddFetched(Portal portal, ExportRows& rows, sstable::TableLoader& loader,
                        int64_t* row_count) {
  TupleDesc const descriptor = portal->tupDesc;
  auto const width = static_cast<size_t>(descriptor->natts);
  SPITupleTable* const table = TryPg([&]() noexcept {
    SPI_cursor_fetch(portal, true, kRowsAtOnce);
    return SPI_tuptable;
  });
  uint64_t const count = table->numvals;
  std::vector<Datum> values(width);
  std::unique_ptr<bool[]> const nulls(new bool[width]);
  std::vector<sstable::RowChange> changes;
  MemoryContext const context = TryPg([]() noexcept {
    return AllocSetContextCreate(CurrentMemoryContext, "orochi export", ALLOCSET_DEFAULT_SIZES);
  });
  for (uint64_t index = 0; index < count; ++index) {
    HeapTuple const tuple = table->vals[index];
    TryPg([&]() noexcept { heap_deform_tuple(tuple, descriptor, values.data(), nulls.get()); });
    Status status;
    {
      ContextScope const scope(context);
      status = rows.Add(values, {nulls.get(), width}, changes);
    }
    if (!status.ok()) {
      return std::move(status).WithContext(StrCat("row ", *row_count + 1));
    }
    for (sstable::RowChange& change : changes) {
      RETURN_IF_ERROR(loader.Add(std::move(change)));
    }
    changes.clear();
    ++*row_count;
  }
  TryPg([&]() noexcept {
    MemoryContextDelete(context);
    SPI_freetuptable(table);
  });
  return count > 0;
}

Result<Exported> Export(const Request& request) {
  ASSIGN_OR_RETURN(auto const tables, sstable::TablesFromCql(request.cql, ""));
  ASSIGN_OR_RETURN(const sstable::TableSchema* const schema, sstable::PickTable(tables, ""));
  ASSIGN_OR_RETURN(sstable::WriterOptions writer, OptionsOf(request, *schema));
  ASSIGN_OR_RETURN(auto const partitioner, PartitionerOf(request.partitioner));
  Portal const portal = OpenQuery(request.query);
  ExportTimes const times = {
      .timestamp_us = request.timestamp_us,
      .now_s = (GetCurrentTransactionStartTimestamp() + kPostgresEpochMicros) / USECS_PER_SEC};
  ASSIGN_OR_RETURN(auto const rows, ExportRows::Make(*schema, portal->tupDesc, times));

  ServerFiles files;
  ASSIGN_OR_RETURN(auto const directory, ExportDirectory::Make(request.directory));
  auto const memory_bytes = static_cast<uint64_t>(maintenance_work_mem) * uint64_t{1024};
  sstable::TableLoader loader(files, directory->path(), sstable::LayoutOf(*schema, partitioner),
                              {.writer = std::move(writer),
                               .size_bytes_max = 0,
                               .memory_bytes_max = memory_bytes,
                               .scratch_directory = directory->scratch()});
  Exported exported = {};
  while (true) {
    CheckInterrupts();
    ASSIGN_OR_RETURN(bool const more, AddFetched(portal, *rows, loader, &exported.rows));
    if (!more) {
      break;
    }
  }
  ASSIGN_OR_RETURN(std::vector<sstable::WrittenSstable> const written, loader.Finish());
  for (const sstable::WrittenSstable& sstable : written) {
    exported.partitions += static_cast<int64_t>(sstable.partition_count);
    exported.bytes += static_cast<int64_t>(sstable.stored_size_bytes);
    exported.sstables += 1;
  }
  TryPg([&]() noexcept { SPI_cursor_close(portal); });
  TryPg([]() noexcept { SPI_finish(); });
  directory->Keep();
  return exported;
}

// Plain.
void CheckArguments(FunctionCallInfo fcinfo) {
  const char* const names[] = {"query", "dir",   "create_table_cql", "format",
                               nullptr, nullptr, "partitioner"};  // null: what may be null
  for (int index = 0; index < 7; ++index) {
    if (names[index] != nullptr && PG_ARGISNULL(index)) {
      ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                      errmsg("%s must not be null", names[index])));
    }
  }
  if (!has_privs_of_role(GetUserId(), ROLE_PG_WRITE_SERVER_FILES)) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("must be superuser or have privileges of the pg_write_server_files "
                           "role to export SSTables")));
  }
  const char* const directory = text_to_cstring(PG_GETARG_TEXT_PP(1));
  if (!is_absolute_path(directory)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
                    errmsg("relative path not allowed for an export: \"%s\"", directory)));
  }
  if (!PG_ARGISNULL(5) && TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(5))) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("write_time must be finite")));
  }
}

std::string TextArgument(FunctionCallInfo fcinfo, int index) {
  return TryPg([&]() noexcept { return text_to_cstring(PG_GETARG_TEXT_PP(index)); });
}

Result<Datum> ExportCall(FunctionCallInfo fcinfo) {
  TryPg([&]() noexcept { CheckArguments(fcinfo); });
  Request request{.query = TextArgument(fcinfo, 0),
                  .directory = TextArgument(fcinfo, 1),
                  .cql = TextArgument(fcinfo, 2),
                  .format = TextArgument(fcinfo, 3),
                  .compression = {},
                  .timestamp_us = GetCurrentTransactionStartTimestamp() + kPostgresEpochMicros,
                  .partitioner = TextArgument(fcinfo, 6)};
  if (!PG_ARGISNULL(4)) {
    request.compression = TextArgument(fcinfo, 4);
  }
  if (!PG_ARGISNULL(5)) {
    request.timestamp_us = PG_GETARG_TIMESTAMPTZ(5) + kPostgresEpochMicros;
  }
  ASSIGN_OR_RETURN(Exported const exported, Export(request));
  return TryPg([&]() noexcept {
    TupleDesc descriptor = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE) {
      elog(ERROR, "return type must be a row type");
    }
    Datum values[] = {Int64GetDatum(exported.rows), Int64GetDatum(exported.partitions),
                      Int32GetDatum(exported.sstables), Int64GetDatum(exported.bytes)};
    bool nulls[std::size(values)] = {};
    return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
  });
}

}  // namespace
}  // namespace orochi::pg

Datum orochi_export_sstable(PG_FUNCTION_ARGS) {
  return orochi::pg::Boundary([&]() { return orochi::pg::ExportCall(fcinfo); });
}
