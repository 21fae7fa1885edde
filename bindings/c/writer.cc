// Writers.
#include <map>
#include <optional>

#include "bindings/c/internal/call.h"
#include "bindings/c/internal/handles.h"
#include "io/posix/system_clock.h"
#include "sstable/change/cql_changes.h"
#include "sstable/change/output_directory.h"
#include "sstable/change/table_loader.h"
#include "sstable/change/writer_options.h"
#include "sstable/cql/parser.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_build.h"

namespace orochi::cabi {

namespace {

using sstable::cql::Term;

Result<sstable::CompressorKind> CompressorOf(int32_t compression) {
  switch (compression) {
    case OROCHI_SST_COMPRESSION_LZ4:
      return sstable::CompressorKind::kLz4;
    case OROCHI_SST_COMPRESSION_SNAPPY:
      return sstable::CompressorKind::kSnappy;
    case OROCHI_SST_COMPRESSION_DEFLATE:
      return sstable::CompressorKind::kDeflate;
    case OROCHI_SST_COMPRESSION_ZSTD:
      return sstable::CompressorKind::kZstd;
    default:
      return Status::Unsupported(
          StrCat("options.compression is ", compression, ", expected 0 to 5"));
  }
}

Result<sstable::Version> VersionOf(int32_t version) {
  switch (version) {
    case OROCHI_SST_VERSION_OA:
      return sstable::Version::Oa();
    case OROCHI_SST_VERSION_NB:
      return sstable::Version::Nb();
    case OROCHI_SST_VERSION_DA:
      return sstable::Version::Da();
    default:
      return Status::Unsupported(StrCat("options.version is ", version, ", expected 0 to 2"));
  }
}

Result<sstable::Partitioner> PartitionerOf(const orochi_sst_writer_options& options) {
  if (options.reserved != 0) {
    return Status::Unsupported(StrCat("options.reserved is ", options.reserved, ", expected 0"));
  }
  switch (options.partitioner) {
    case OROCHI_SST_PARTITIONER_MURMUR3:
      return sstable::Partitioner::kMurmur3;
    case OROCHI_SST_PARTITIONER_RANDOM:
      return sstable::Partitioner::kRandom;
    case OROCHI_SST_PARTITIONER_BYTE_ORDERED:
      return sstable::Partitioner::kByteOrdered;
    default:
      return Status::Unsupported(
          StrCat("options.partitioner is ", options.partitioner, ", expected 0 to 2"));
  }
}

Result<sstable::LoadOptions> LoadOptionsOf(const orochi_sst_writer_options& options,
                                           const sstable::TableSchema& schema) {
  sstable::LoadOptions load;
  ASSIGN_OR_RETURN(load.writer, WriterOptionsOf(schema));
  ASSIGN_OR_RETURN(load.writer.version, VersionOf(options.version));
  if (options.compression == OROCHI_SST_COMPRESSION_NONE) {
    load.writer.compression.reset();
  } else if (options.compression != OROCHI_SST_COMPRESSION_SCHEMA) {
    ASSIGN_OR_RETURN(auto const kind, CompressorOf(options.compression));
    load.writer.compression = sstable::CompressionOptions{.kind = kind};
  }
  if (options.chunk_size_bytes != 0) {
    if (!load.writer.compression.has_value()) {
      return Status::InvalidArgument(
          "options.chunk_size_bytes is for compressed SSTables, these are not");
    }
    load.writer.compression->chunk_size_bytes = options.chunk_size_bytes;
  }
  if (options.memory_bytes_max != 0) {
    load.memory_bytes_max = options.memory_bytes_max;
  }
  load.size_bytes_max = options.size_bytes_max;
  return load;
}

Term WholeNumberTerm(int64_t number) {
  Term term;
  term.kind = Term::Kind::kInteger;
  term.text = std::to_string(number);
  return term;
}

}  // namespace

}  // namespace orochi::cabi

struct orochi_sst_writer {
  orochi::io::PosixFileSystem files;
  orochi::sstable::TableSchema schema;
  std::vector<orochi::cabi::TableColumn> columns;
  std::string directory;
  std::optional<orochi::sstable::OutputDirectory> output;  // let go when all else is gone
  std::unique_ptr<orochi::sstable::CqlChanges> changes;
  std::unique_ptr<orochi::sstable::TableLoader> loader;

  std::map<size_t, orochi::sstable::cql::Term> bound;  // by column
  orochi::sstable::cql::UsingClause using_clause;

  bool finished = false;
  bool failed = false;  // what was added is not known to be there
  std::vector<std::string> names;
  uint64_t partition_count = 0;
  uint64_t row_count = 0;

  explicit orochi_sst_writer(std::string where) : directory(std::move(where)) {}
};

namespace orochi::cabi {

namespace {

Status CheckOpen(const orochi_sst_writer& writer) {
  if (writer.failed) {
    return Status::FailedPrecondition("the writer failed before; free it and begin again");
  }
  return writer.finished ? Status::FailedPrecondition("the writer is finished") : Status::Ok();
}

Status CheckColumn(const orochi_sst_writer& writer, size_t column) {
  RETURN_IF_ERROR(CheckOpen(writer));
  return column < writer.columns.size()
             ? Status::Ok()
             : Status::OutOfRange(StrCat("column is ", column, ", the table has ",
                                         writer.columns.size(), " columns"));
}

const sstable::Type& TypeOf(const orochi_sst_writer& writer, size_t column) {
  return *writer.columns[column].type->type;
}

Status InColumn(const orochi_sst_writer& writer, size_t column, Status status) {
  return std::move(status).WithContext(StrCat("column ", writer.columns[column].name));
}

Status Bind(orochi_sst_writer& writer, size_t column, Result<std::string> bytes) {
  if (!bytes.ok()) {
    return InColumn(writer, column, std::move(bytes).status());
  }
  Term term;
  term.kind = Term::Kind::kBytes;
  term.text = *std::move(bytes);
  sstable::TypeRef const frozen = sstable::Frozen(writer.columns[column].type->type);
  RETURN_IF_ERROR(BindTerm(term, *frozen, writer.columns[column].name).status());
  writer.bound.insert_or_assign(column, std::move(term));
  return Status::Ok();
}

/// Adds what statements made. Once something was added, an error leaves the writer useless.
Status Add(orochi_sst_writer& writer, std::vector<sstable::RowChange> changes) {
  for (sstable::RowChange& change : changes) {
    writer.failed = true;  // also where something is thrown
    RETURN_IF_ERROR(writer.loader->Add(std::move(change)));
    writer.failed = false;
  }
  return Status::Ok();
}

Status AddScript(orochi_sst_writer& writer, std::string_view cql) {
  ASSIGN_OR_RETURN(std::vector<sstable::cql::Statement> const statements,
                   sstable::cql::ParseScript(cql));
  std::vector<sstable::RowChange> all;
  for (const sstable::cql::Statement& statement : statements) {
    bool const changes_rows = std::holds_alternative<sstable::cql::Insert>(statement) ||
                              std::holds_alternative<sstable::cql::Update>(statement) ||
                              std::holds_alternative<sstable::cql::Delete>(statement) ||
                              std::holds_alternative<sstable::cql::Batch>(statement);
    if (!changes_rows) {
      return Status::InvalidArgument("only INSERT, UPDATE, DELETE and BATCH change rows");
    }
    ASSIGN_OR_RETURN(std::vector<sstable::RowChange> changes, writer.changes->Bind(statement));
    std::move(changes.begin(), changes.end(), std::back_inserter(all));
  }
  return Add(writer, std::move(all));
}

Status InsertBound(orochi_sst_writer& writer) {
  sstable::cql::Insert insert;
  insert.into = {.keyspace = writer.schema.keyspace, .table = writer.schema.table, .position = {}};
  insert.using_clause = writer.using_clause;
  bool has_statics = false;
  bool has_others = false;
  for (const auto& [column, term] : writer.bound) {
    insert.columns.push_back(writer.columns[column].name);
    insert.values.push_back(term);
    int32_t const role = writer.columns[column].role;
    has_statics = has_statics || role == OROCHI_SST_ROLE_STATIC;
    has_others =
        has_others || role == OROCHI_SST_ROLE_CLUSTERING || role == OROCHI_SST_ROLE_REGULAR;
    bool const is_key = role == OROCHI_SST_ROLE_PARTITION_KEY || role == OROCHI_SST_ROLE_CLUSTERING;
    if (is_key && term.kind == Term::Kind::kNull) {
      return InColumn(writer, column, Status::InvalidArgument("a key column cannot be null"));
    }
  }
  for (size_t column = 0; column < writer.columns.size(); ++column) {
    int32_t const role = writer.columns[column].role;
    bool const needed = role == OROCHI_SST_ROLE_PARTITION_KEY ||
                        (role == OROCHI_SST_ROLE_CLUSTERING && (has_others || !has_statics));
    if (needed && !writer.bound.contains(column)) {
      return InColumn(writer, column, Status::InvalidArgument("a key column is not bound"));
    }
  }
  ASSIGN_OR_RETURN(std::vector<sstable::RowChange> changes,
                   writer.changes->Bind(sstable::cql::Statement(std::move(insert))));
  RETURN_IF_ERROR(Add(writer, std::move(changes)));
  writer.bound.clear();
  writer.using_clause = {};
  return Status::Ok();
}

Result<std::unique_ptr<orochi_sst_writer>> OpenWriter(std::string_view directory,
                                                      std::string_view schema,
                                                      const orochi_sst_writer_options& options) {
  if (directory.empty()) {
    return Status::InvalidArgument("directory is empty");
  }
  auto writer = std::make_unique<orochi_sst_writer>(std::string(directory));
  sstable::TableRequest request;
  request.schema_text = schema;
  ASSIGN_OR_RETURN(request.table, TextOf(options.table, "options.table"));
  ASSIGN_OR_RETURN(writer->schema, SchemaOf(writer->files, request));
  if (writer->schema.is_counter()) {
    return Status::Unsupported(
        StrCat("counters of table ", writer->schema.QualifiedName(),
               " cannot be written: their state belongs to the nodes of a cluster"));
  }
  ASSIGN_OR_RETURN(sstable::LoadOptions load, LoadOptionsOf(options, writer->schema));
  ASSIGN_OR_RETURN(auto const partitioner, PartitionerOf(options));
  ASSIGN_OR_RETURN(writer->output, sstable::OutputDirectory::Open(writer->directory));
  load.scratch_directory = writer->output->scratch();
  writer->columns = ColumnsOf(writer->schema);
  io::SystemClock clock;
  int64_t const now_us = options.now_us != 0 ? options.now_us : clock.NowMicros();
  writer->changes = std::make_unique<sstable::CqlChanges>(writer->schema, now_us);
  writer->loader = std::make_unique<sstable::TableLoader>(
      writer->files, writer->directory, LayoutOf(writer->schema, partitioner), std::move(load));
  return writer;
}

Status Finish(orochi_sst_writer& writer) {
  if (!writer.bound.empty()) {
    return Status::FailedPrecondition("values are bound that were not inserted")
        .WithHint("call orochi_sst_writer_insert or orochi_sst_writer_clear first");
  }
  writer.failed = true;  // also where something is thrown
  ASSIGN_OR_RETURN(std::vector<sstable::WrittenSstable> const written, writer.loader->Finish());
  for (const sstable::WrittenSstable& sstable : written) {
    writer.names.push_back(StrCat(writer.directory, "/", sstable.descriptor.Stem()));
    writer.partition_count += sstable.partition_count;
    writer.row_count += sstable.row_count;
  }
  writer.failed = false;
  writer.finished = true;
  return Status::Ok();
}

}  // namespace

}  // namespace orochi::cabi

using orochi::Result;
using orochi::Status;
using orochi::cabi::Bind;
using orochi::cabi::Call;
using orochi::cabi::CheckColumn;
using orochi::cabi::CheckOpen;
using orochi::cabi::GiveText;
using orochi::cabi::TextOf;

int32_t orochi_sst_writer_open(const char* directory, size_t directory_size, const char* schema,
                               size_t schema_size, const orochi_sst_writer_options* options,
                               orochi_sst_writer** writer, orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(writer);
    *writer = nullptr;
    REQUIRE_ARGUMENT(directory);
    REQUIRE_ARGUMENT(schema);
    ASSIGN_OR_RETURN(auto const known, orochi::cabi::ReadOptions(options, "options"));
    ASSIGN_OR_RETURN(auto opened,
                     orochi::cabi::OpenWriter(std::string_view(directory, directory_size),
                                              std::string_view(schema, schema_size), known));
    *writer = opened.release();
    return Status::Ok();
  });
}

void orochi_sst_writer_free(orochi_sst_writer* writer) {
  delete writer;
}

int32_t orochi_sst_writer_cql(orochi_sst_writer* writer, const char* cql, size_t size,
                              orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(writer);
    REQUIRE_ARGUMENT(cql);
    RETURN_IF_ERROR(CheckOpen(*writer));
    return orochi::cabi::AddScript(*writer, std::string_view(cql, size));
  });
}

size_t orochi_sst_writer_column_count(const orochi_sst_writer* writer) {
  return writer == nullptr ? 0 : writer->columns.size();
}

const char* orochi_sst_writer_column_name(const orochi_sst_writer* writer, size_t column,
                                          size_t* size) {
  return column < orochi_sst_writer_column_count(writer)
             ? GiveText(writer->columns[column].name, size)
             : GiveText({}, size);
}

const orochi_sst_type* orochi_sst_writer_column_type(const orochi_sst_writer* writer,
                                                     size_t column) {
  return column < orochi_sst_writer_column_count(writer) ? writer->columns[column].type.get()
                                                         : nullptr;
}

int64_t orochi_sst_writer_find_column(const orochi_sst_writer* writer, const char* name,
                                      size_t size) {
  return writer == nullptr ? -1 : orochi::cabi::FindColumnIndex(writer->columns, name, size);
}

int32_t orochi_sst_writer_bind_bytes(orochi_sst_writer* writer, size_t column, const void* data,
                                     size_t size, orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(writer);
    RETURN_IF_ERROR(CheckColumn(*writer, column));
    ASSIGN_OR_RETURN(std::string_view const bytes,
                     TextOf(static_cast<const char*>(data), size, "data"));
    return Bind(*writer, column, std::string(bytes));
  });
}

int32_t orochi_sst_writer_bind_text(orochi_sst_writer* writer, size_t column, const char* text,
                                    size_t size, orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(writer);
    RETURN_IF_ERROR(CheckColumn(*writer, column));
    ASSIGN_OR_RETURN(std::string_view const given, TextOf(text, size, "text"));
    const orochi::sstable::Type& type = orochi::cabi::TypeOf(*writer, column);
    if (!type.parameters.empty()) {
      return orochi::cabi::InColumn(
          *writer, column,
          Status::InvalidArgument(
              orochi::StrCat("is of type ", CqlName(type), ", which text does not stand for"))
              .WithHint("bind a CQL literal"));
    }
    return Bind(*writer, column, orochi::sstable::ParseScalar(type, given));
  });
}

int32_t orochi_sst_writer_bind_cql(orochi_sst_writer* writer, size_t column, const char* literal,
                                   size_t size, orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(writer);
    RETURN_IF_ERROR(CheckColumn(*writer, column));
    ASSIGN_OR_RETURN(std::string_view const given, TextOf(literal, size, "literal"));
    ASSIGN_OR_RETURN(auto term, orochi::sstable::cql::ParseTerm(given));
    auto const frozen = orochi::sstable::Frozen(writer->columns[column].type->type);
    RETURN_IF_ERROR(BindTerm(term, *frozen, writer->columns[column].name).status());
    writer->bound.insert_or_assign(column, std::move(term));
    return Status::Ok();
  });
}

int32_t orochi_sst_writer_bind_int64(orochi_sst_writer* writer, size_t column, int64_t number,
                                     orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(writer);
    RETURN_IF_ERROR(CheckColumn(*writer, column));
    return Bind(*writer, column,
                orochi::cabi::BytesOfInt64(orochi::cabi::TypeOf(*writer, column), number));
  });
}

int32_t orochi_sst_writer_bind_double(orochi_sst_writer* writer, size_t column, double number,
                                      orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(writer);
    RETURN_IF_ERROR(CheckColumn(*writer, column));
    return Bind(*writer, column,
                orochi::cabi::BytesOfDouble(orochi::cabi::TypeOf(*writer, column), number));
  });
}

int32_t orochi_sst_writer_bind_null(orochi_sst_writer* writer, size_t column,
                                    orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(writer);
    RETURN_IF_ERROR(CheckColumn(*writer, column));
    writer->bound.insert_or_assign(column, orochi::sstable::cql::Term());
    return Status::Ok();
  });
}

int32_t orochi_sst_writer_bind_timestamp(orochi_sst_writer* writer, int64_t timestamp_us,
                                         orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(writer);
    RETURN_IF_ERROR(CheckOpen(*writer));
    writer->using_clause.timestamp = orochi::cabi::WholeNumberTerm(timestamp_us);
    return Status::Ok();
  });
}

int32_t orochi_sst_writer_bind_ttl(orochi_sst_writer* writer, int32_t ttl_s,
                                   orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(writer);
    RETURN_IF_ERROR(CheckOpen(*writer));
    writer->using_clause.ttl = orochi::cabi::WholeNumberTerm(ttl_s);
    return Status::Ok();
  });
}

int32_t orochi_sst_writer_clear(orochi_sst_writer* writer, orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(writer);
    writer->bound.clear();
    writer->using_clause = {};
    return Status::Ok();
  });
}

int32_t orochi_sst_writer_insert(orochi_sst_writer* writer, orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(writer);
    RETURN_IF_ERROR(CheckOpen(*writer));
    return orochi::cabi::InsertBound(*writer);
  });
}

int32_t orochi_sst_writer_finish(orochi_sst_writer* writer, orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(writer);
    RETURN_IF_ERROR(CheckOpen(*writer));
    return orochi::cabi::Finish(*writer);
  });
}

size_t orochi_sst_writer_sstable_count(const orochi_sst_writer* writer) {
  return writer == nullptr ? 0 : writer->names.size();
}

const char* orochi_sst_writer_sstable_name(const orochi_sst_writer* writer, size_t index,
                                           size_t* size) {
  return index < orochi_sst_writer_sstable_count(writer) ? GiveText(writer->names[index], size)
                                                         : GiveText({}, size);
}

uint64_t orochi_sst_writer_partition_count(const orochi_sst_writer* writer) {
  return writer == nullptr ? 0 : writer->partition_count;
}

uint64_t orochi_sst_writer_row_count(const orochi_sst_writer* writer) {
  return writer == nullptr ? 0 : writer->row_count;
}
