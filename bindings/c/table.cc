// Tables and their types.
#include "io/posix/system_clock.h"
#include "bindings/c/internal/call.h"
#include "bindings/c/internal/handles.h"
#include "sstable/read/merge.h"

namespace orochi::cabi {

namespace {

using sstable::TableSchema;
using sstable::Type;
using sstable::TypeKind;

Result<std::vector<std::string>> PathsOf(const orochi_sst_text* texts, size_t count,
                                         std::string_view name) {
  if (texts == nullptr && count != 0) {
    return NullArgument(name);
  }
  std::vector<std::string> paths;
  for (size_t index = 0; index < count; ++index) {
    ASSIGN_OR_RETURN(std::string_view const path, TextOf(texts[index], name));
    paths.emplace_back(path);
  }
  return paths;
}

Result<sstable::TableRequest> RequestOf(const orochi_sst_text* paths, size_t path_count,
                                        const orochi_sst_open_options& options) {
  RETURN_IF_ERROR(UnknownFlags(options.flags, OROCHI_SST_OPEN_NO_CHECKSUMS, "options"));
  sstable::TableRequest request;
  ASSIGN_OR_RETURN(request.paths, PathsOf(paths, path_count, "paths"));
  ASSIGN_OR_RETURN(request.schema_files, PathsOf(options.schema_files, options.schema_file_count,
                                                 "options.schema_files"));
  ASSIGN_OR_RETURN(request.schema_text, TextOf(options.schema, "options.schema"));
  ASSIGN_OR_RETURN(request.table, TextOf(options.table, "options.table"));
  ASSIGN_OR_RETURN(request.keyspace, TextOf(options.keyspace, "options.keyspace"));
  request.reader.verify_checksums = (options.flags & OROCHI_SST_OPEN_NO_CHECKSUMS) == 0;
  if (options.row_size_bytes_max != 0) {
    request.reader.row_size_bytes_max = options.row_size_bytes_max;
  }
  return request;
}

Result<std::unique_ptr<orochi_sst_table>> OpenTable(const sstable::TableRequest& request,
                                                    int64_t now_s) {
  auto open = std::make_shared<OpenFiles>();  // cursors keep it when the table's handle is freed
  open->now_s = now_s;
  ASSIGN_OR_RETURN(open->table, sstable::OpenTableOf(open->files, request));
  const auto& readers = open->table.readers;
  open->layout = LayoutOf(open->table.schema, readers.front()->layout().partitioner);
  auto table = std::make_unique<orochi_sst_table>();
  for (const auto& reader : readers) {
    if (reader->layout().partitioner != open->layout.partitioner) {
      return Status::InvalidArgument(
          StrCat(reader->PathOf(sstable::Component::kStatistics),
                 ": another partitioner than that of the first SSTable"));
    }
    std::string const path = reader->PathOf(sstable::Component::kData);
    table->sstable_names.push_back(
        path.substr(0, path.size() - std::string_view("-Data.db").size()));
  }
  table->columns = ColumnsOf(open->table.schema);
  table->cql = DescribeTable(open->table.schema);
  table->open = std::move(open);
  return table;
}

}  // namespace

int32_t KindOf(const Type& type) {
  switch (type.kind) {
    case TypeKind::kAscii:
      return OROCHI_SST_TYPE_ASCII;
    case TypeKind::kBigint:
      return OROCHI_SST_TYPE_BIGINT;
    case TypeKind::kBlob:
      return OROCHI_SST_TYPE_BLOB;
    case TypeKind::kBoolean:
      return OROCHI_SST_TYPE_BOOLEAN;
    case TypeKind::kCounter:
      return OROCHI_SST_TYPE_COUNTER;
    case TypeKind::kDate:
      return OROCHI_SST_TYPE_DATE;
    case TypeKind::kDecimal:
      return OROCHI_SST_TYPE_DECIMAL;
    case TypeKind::kDouble:
      return OROCHI_SST_TYPE_DOUBLE;
    case TypeKind::kDuration:
      return OROCHI_SST_TYPE_DURATION;
    case TypeKind::kFloat:
      return OROCHI_SST_TYPE_FLOAT;
    case TypeKind::kInet:
      return OROCHI_SST_TYPE_INET;
    case TypeKind::kInt:
      return OROCHI_SST_TYPE_INT;
    case TypeKind::kSmallint:
      return OROCHI_SST_TYPE_SMALLINT;
    case TypeKind::kText:
      return OROCHI_SST_TYPE_TEXT;
    case TypeKind::kTime:
      return OROCHI_SST_TYPE_TIME;
    case TypeKind::kTimestamp:
      return OROCHI_SST_TYPE_TIMESTAMP;
    case TypeKind::kTimeuuid:
      return OROCHI_SST_TYPE_TIMEUUID;
    case TypeKind::kTinyint:
      return OROCHI_SST_TYPE_TINYINT;
    case TypeKind::kUuid:
      return OROCHI_SST_TYPE_UUID;
    case TypeKind::kVarint:
      return OROCHI_SST_TYPE_VARINT;
    case TypeKind::kList:
      return OROCHI_SST_TYPE_LIST;
    case TypeKind::kSet:
      return OROCHI_SST_TYPE_SET;
    case TypeKind::kMap:
      return OROCHI_SST_TYPE_MAP;
    case TypeKind::kTuple:
      return OROCHI_SST_TYPE_TUPLE;
    case TypeKind::kUdt:
      return OROCHI_SST_TYPE_UDT;
    case TypeKind::kVector:
      return OROCHI_SST_TYPE_VECTOR;
    case TypeKind::kEmpty:
    case TypeKind::kLegacyDate:
    case TypeKind::kLexicalUuid:
    case TypeKind::kComposite:
    case TypeKind::kCustom:
      break;
  }
  return OROCHI_SST_TYPE_OTHER;
}

std::unique_ptr<orochi_sst_type> MakeType(const sstable::TypeRef& type) {
  auto made = std::make_unique<orochi_sst_type>();
  made->type = type;
  made->name = CqlName(*type);
  for (const sstable::TypeRef& parameter : type->parameters) {
    made->parameters.push_back(MakeType(parameter));
  }
  return made;
}

std::vector<TableColumn> ColumnsOf(const TableSchema& schema) {
  std::vector<TableColumn> columns;
  auto const add = [&](const std::vector<sstable::SchemaColumn>& some, int32_t role) {
    for (const sstable::SchemaColumn& column : some) {
      columns.push_back({.name = column.name,
                         .role = role,
                         .descending = column.type->reversed,
                         .type = MakeType(Unreversed(column.type))});
    }
  };
  add(schema.partition_key, OROCHI_SST_ROLE_PARTITION_KEY);
  add(schema.clustering, OROCHI_SST_ROLE_CLUSTERING);
  add(schema.statics, OROCHI_SST_ROLE_STATIC);
  add(schema.regulars, OROCHI_SST_ROLE_REGULAR);
  return columns;
}

int64_t FindColumnIndex(const std::vector<TableColumn>& columns, const char* name, size_t size) {
  if (name == nullptr) {
    return -1;
  }
  for (size_t index = 0; index < columns.size(); ++index) {
    if (columns[index].name == std::string_view(name, size)) {
      return static_cast<int64_t>(index);
    }
  }
  return -1;
}

int64_t ClockSeconds() {
  constexpr int64_t kMicrosPerSecond = 1'000'000;
  io::SystemClock clock;
  return clock.NowMicros() / kMicrosPerSecond;
}

}  // namespace orochi::cabi

using orochi::Status;
using orochi::cabi::Call;
using orochi::cabi::GiveText;

int32_t orochi_sst_table_open(const orochi_sst_text* paths, size_t path_count,
                              const orochi_sst_open_options* options, orochi_sst_table** table,
                              orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(table);
    *table = nullptr;
    ASSIGN_OR_RETURN(auto const known, orochi::cabi::ReadOptions(options, "options"));
    ASSIGN_OR_RETURN(auto const request, orochi::cabi::RequestOf(paths, path_count, known));
    ASSIGN_OR_RETURN(auto opened, orochi::cabi::OpenTable(request, known.now_s));
    *table = opened.release();
    return Status::Ok();
  });
}

void orochi_sst_table_free(orochi_sst_table* table) {
  delete table;
}

const char* orochi_sst_table_keyspace(const orochi_sst_table* table, size_t* size) {
  return GiveText(table == nullptr ? std::string_view() : table->open->table.schema.keyspace, size);
}

const char* orochi_sst_table_name(const orochi_sst_table* table, size_t* size) {
  return GiveText(table == nullptr ? std::string_view() : table->open->table.schema.table, size);
}

const char* orochi_sst_table_cql(const orochi_sst_table* table, size_t* size) {
  return GiveText(table == nullptr ? std::string_view() : table->cql, size);
}

int32_t orochi_sst_table_names_are_generated(const orochi_sst_table* table) {
  return table != nullptr && table->open->table.schema.key_names_are_generated ? 1 : 0;
}

size_t orochi_sst_table_sstable_count(const orochi_sst_table* table) {
  return table == nullptr ? 0 : table->sstable_names.size();
}

const char* orochi_sst_table_sstable_name(const orochi_sst_table* table, size_t index,
                                          size_t* size) {
  return index < orochi_sst_table_sstable_count(table) ? GiveText(table->sstable_names[index], size)
                                                       : GiveText({}, size);
}

size_t orochi_sst_table_column_count(const orochi_sst_table* table) {
  return table == nullptr ? 0 : table->columns.size();
}

const char* orochi_sst_table_column_name(const orochi_sst_table* table, size_t column,
                                         size_t* size) {
  return column < orochi_sst_table_column_count(table) ? GiveText(table->columns[column].name, size)
                                                       : GiveText({}, size);
}

int32_t orochi_sst_table_column_role(const orochi_sst_table* table, size_t column) {
  return column < orochi_sst_table_column_count(table) ? table->columns[column].role : 0;
}

const orochi_sst_type* orochi_sst_table_column_type(const orochi_sst_table* table, size_t column) {
  return column < orochi_sst_table_column_count(table) ? table->columns[column].type.get()
                                                       : nullptr;
}

int32_t orochi_sst_table_column_descending(const orochi_sst_table* table, size_t column) {
  return column < orochi_sst_table_column_count(table) && table->columns[column].descending ? 1 : 0;
}

int64_t orochi_sst_table_find_column(const orochi_sst_table* table, const char* name, size_t size) {
  return table == nullptr ? -1 : orochi::cabi::FindColumnIndex(table->columns, name, size);
}

int32_t orochi_sst_type_kind(const orochi_sst_type* type) {
  return type == nullptr ? 0 : orochi::cabi::KindOf(*type->type);
}

const char* orochi_sst_type_name(const orochi_sst_type* type, size_t* size) {
  return GiveText(type == nullptr ? std::string_view() : type->name, size);
}

size_t orochi_sst_type_parameter_count(const orochi_sst_type* type) {
  return type == nullptr ? 0 : type->parameters.size();
}

const orochi_sst_type* orochi_sst_type_parameter(const orochi_sst_type* type, size_t index) {
  return index < orochi_sst_type_parameter_count(type) ? type->parameters[index].get() : nullptr;
}

const char* orochi_sst_type_field_name(const orochi_sst_type* type, size_t index, size_t* size) {
  bool const has = type != nullptr && index < type->type->field_names.size();
  return GiveText(has ? type->type->field_names[index] : std::string_view(), size);
}

uint32_t orochi_sst_type_dimension(const orochi_sst_type* type) {
  return type == nullptr ? 0 : type->type->dimension;
}

int32_t orochi_sst_type_frozen(const orochi_sst_type* type) {
  return type != nullptr && type->type->frozen ? 1 : 0;
}
