// Cursors: opened, stepped, and asked for values.
#include "bindings/c/internal/cursor.h"

#include "bindings/c/internal/call.h"
#include "sstable/types/decorated_key.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_build.h"

struct orochi_sst_cursor {
  std::unique_ptr<orochi::cabi::RowSource> rows;
  std::vector<std::unique_ptr<orochi_sst_type>> types;
  bool on_row = false;
  bool finished = false;
  std::deque<std::string> texts;  // handed out for this row; a deque, so that they stay in place
  std::string explained;
};

namespace orochi::cabi {

namespace {

using sstable::Bytes;
using sstable::Partitioner;
using sstable::SchemaColumn;

Result<StreamRequest> RequestOf(const orochi_sst_table& table,
                                const orochi_sst_cursor_options& options) {
  constexpr uint32_t kKnown = OROCHI_SST_CURSOR_TOKENS | OROCHI_SST_CURSOR_ALL;
  RETURN_IF_ERROR(UnknownFlags(options.flags, kKnown, "options"));
  StreamRequest request;
  request.all = (options.flags & OROCHI_SST_CURSOR_ALL) != 0;
  int64_t const asked_s = options.now_s != 0 ? options.now_s : table.open->now_s;
  request.now_s = asked_s != 0 ? asked_s : ClockSeconds();
  if ((options.flags & OROCHI_SST_CURSOR_TOKENS) != 0) {
    if (table.open->layout.partitioner != Partitioner::kMurmur3) {
      return Status::Unsupported(StrCat("token ranges are for Murmur3Partitioner, the files have ",
                                        PartitionerClass(table.open->layout.partitioner)));
    }
    if (options.token_after > options.token_upto) {
      return Status::InvalidArgument(StrCat("token_after is ", options.token_after,
                                            ", above token_upto, ", options.token_upto));
    }
    request.range.start = {.token = sstable::Token::OfMurmur3(options.token_after),
                           .key = std::nullopt,
                           .inclusive = false};
    request.range.end = {.token = sstable::Token::OfMurmur3(options.token_upto),
                         .key = std::nullopt,
                         .inclusive = true};
  }
  return request;
}

Status CheckKeyCount(const orochi_sst_table& table, size_t count) {
  size_t const expected = table.open->table.schema.partition_key.size();
  return count == expected ? Status::Ok()
                           : Status::InvalidArgument(StrCat(
                                 "the partition key of ", table.open->table.schema.QualifiedName(),
                                 " has ", expected, " columns, ", count, " values were given"));
}

Result<std::string> KeyOf(const orochi_sst_table& table, std::vector<std::string> values) {
  const std::vector<SchemaColumn>& columns = table.open->table.schema.partition_key;
  for (size_t index = 0; index < columns.size(); ++index) {
    Status const valid = ValidateValue(*columns[index].type, sstable::AsBytes(values[index]));
    if (!valid.ok()) {
      return Status::InvalidArgument(StrCat("the bytes given for ", columns[index].name,
                                            " are no value of type ", CqlName(*columns[index].type),
                                            ": ", valid.message()));
    }
  }
  return sstable::MakePartitionKey(values);
}

Result<int32_t> Give(Result<std::unique_ptr<RowSource>> rows, orochi_sst_cursor** out) {
  RETURN_IF_ERROR(rows.status());
  auto cursor = std::make_unique<orochi_sst_cursor>();
  for (const sstable::ResultColumn& column : (*rows)->columns()) {
    cursor->types.push_back(MakeType(column.type));
  }
  cursor->rows = *std::move(rows);
  *out = cursor.release();
  return OROCHI_SST_OK;
}

Status CheckOnRow(const orochi_sst_cursor& cursor) {
  return cursor.on_row
             ? Status::Ok()
             : Status::FailedPrecondition(cursor.finished ? "the cursor is past its last row"
                                                          : "the cursor is before its first row")
                   .WithHint("values are there after orochi_sst_cursor_next answered 1");
}

Status CheckColumn(const orochi_sst_cursor& cursor, size_t column) {
  RETURN_IF_ERROR(CheckOnRow(cursor));
  size_t const count = cursor.rows->columns().size();
  return column < count ? Status::Ok()
                        : Status::OutOfRange(
                              StrCat("column is ", column, ", the cursor has ", count, " columns"));
}

Result<std::optional<Bytes>> ValueOf(orochi_sst_cursor& cursor, size_t column) {
  RETURN_IF_ERROR(CheckColumn(cursor, column));
  return cursor.rows->Value(column);
}

/// What the row of a cursor lends is kept with the cursor.
std::string_view Keep(orochi_sst_cursor& cursor, std::string text) {
  return cursor.texts.emplace_back(std::move(text));
}

Status InColumn(const orochi_sst_cursor& cursor, size_t column, Status status) {
  return std::move(status).WithContext(StrCat("column ", cursor.rows->columns()[column].name));
}

/// `number_of` makes a Number of a type and the bytes of a value.
template <class Number>
int32_t GiveNumber(orochi_sst_cursor* cursor, size_t column, Number* number,
                   Result<Number> (*number_of)(const sstable::Type&, Bytes),
                   orochi_sst_error** error) {
  return Call(error, [&]() -> Result<int32_t> {
    REQUIRE_ARGUMENT(number);
    *number = 0;
    REQUIRE_ARGUMENT(cursor);
    ASSIGN_OR_RETURN(auto const value, ValueOf(*cursor, column));
    if (!value.has_value()) {
      return 0;
    }
    auto found = number_of(*cursor->types[column]->type, *value);
    if (!found.ok()) {
      return InColumn(*cursor, column, found.status());
    }
    *number = *found;
    return 1;
  });
}

}  // namespace

}  // namespace orochi::cabi

using orochi::Result;
using orochi::Status;
using orochi::StrCat;
using orochi::cabi::Call;
using orochi::cabi::GiveText;
using orochi::cabi::GiveValue;
using orochi::cabi::ReadOptions;
using orochi::cabi::TextOf;

int32_t orochi_sst_scan(const orochi_sst_table* table, const orochi_sst_cursor_options* options,
                        orochi_sst_cursor** cursor, orochi_sst_error** error) {
  return Call(error, [&]() -> Result<int32_t> {
    REQUIRE_ARGUMENT(cursor);
    *cursor = nullptr;
    REQUIRE_ARGUMENT(table);
    ASSIGN_OR_RETURN(auto const known, ReadOptions(options, "options"));
    ASSIGN_OR_RETURN(auto request, orochi::cabi::RequestOf(*table, known));
    return orochi::cabi::Give(orochi::cabi::OpenStream(table->open, std::move(request)), cursor);
  });
}

int32_t orochi_sst_lookup(const orochi_sst_table* table, const orochi_sst_value* key,
                          size_t key_count, const orochi_sst_cursor_options* options,
                          orochi_sst_cursor** cursor, orochi_sst_error** error) {
  return Call(error, [&]() -> Result<int32_t> {
    REQUIRE_ARGUMENT(cursor);
    *cursor = nullptr;
    REQUIRE_ARGUMENT(table);
    REQUIRE_ARGUMENT(key);
    RETURN_IF_ERROR(orochi::cabi::CheckKeyCount(*table, key_count));
    std::vector<std::string> values;
    for (size_t index = 0; index < key_count; ++index) {
      if (key[index].is_set == 0) {
        return Status::InvalidArgument("null is no value of a key");
      }
      ASSIGN_OR_RETURN(std::string_view const value,
                       TextOf(static_cast<const char*>(key[index].data), key[index].size, "key"));
      values.emplace_back(value);
    }
    ASSIGN_OR_RETURN(auto const known, ReadOptions(options, "options"));
    ASSIGN_OR_RETURN(auto request, orochi::cabi::RequestOf(*table, known));
    ASSIGN_OR_RETURN(request.key, orochi::cabi::KeyOf(*table, std::move(values)));
    return orochi::cabi::Give(orochi::cabi::OpenStream(table->open, std::move(request)), cursor);
  });
}

int32_t orochi_sst_lookup_text(const orochi_sst_table* table, const orochi_sst_text* key,
                               size_t key_count, const orochi_sst_cursor_options* options,
                               orochi_sst_cursor** cursor, orochi_sst_error** error) {
  return Call(error, [&]() -> Result<int32_t> {
    REQUIRE_ARGUMENT(cursor);
    *cursor = nullptr;
    REQUIRE_ARGUMENT(table);
    REQUIRE_ARGUMENT(key);
    RETURN_IF_ERROR(orochi::cabi::CheckKeyCount(*table, key_count));
    std::vector<std::string> values;
    for (size_t index = 0; index < key_count; ++index) {
      const auto& column = table->open->table.schema.partition_key[index];
      if (!column.type->parameters.empty()) {
        return Status::InvalidArgument(StrCat("column ", column.name, " is of type ",
                                              CqlName(*column.type),
                                              ", which text does not stand for"))
            .WithHint("make the value with orochi_sst_value_parse and call orochi_sst_lookup");
      }
      ASSIGN_OR_RETURN(std::string_view const text, TextOf(key[index], "key"));
      ASSIGN_OR_RETURN(std::string value, orochi::sstable::ParseScalar(*column.type, text));
      values.push_back(std::move(value));
    }
    ASSIGN_OR_RETURN(auto const known, ReadOptions(options, "options"));
    ASSIGN_OR_RETURN(auto request, orochi::cabi::RequestOf(*table, known));
    ASSIGN_OR_RETURN(request.key, orochi::cabi::KeyOf(*table, std::move(values)));
    return orochi::cabi::Give(orochi::cabi::OpenStream(table->open, std::move(request)), cursor);
  });
}

int32_t orochi_sst_select(const orochi_sst_table* table, const char* cql, size_t size,
                          const orochi_sst_cursor_options* options, orochi_sst_cursor** cursor,
                          orochi_sst_error** error) {
  return Call(error, [&]() -> Result<int32_t> {
    REQUIRE_ARGUMENT(cursor);
    *cursor = nullptr;
    REQUIRE_ARGUMENT(table);
    REQUIRE_ARGUMENT(cql);
    ASSIGN_OR_RETURN(auto const known, ReadOptions(options, "options"));
    RETURN_IF_ERROR(orochi::cabi::UnknownFlags(known.flags, 0, "options"));
    ASSIGN_OR_RETURN(auto const request, orochi::cabi::RequestOf(*table, known));
    return orochi::cabi::Give(
        orochi::cabi::OpenSelect(table->open, std::string_view(cql, size), request.now_s), cursor);
  });
}

void orochi_sst_cursor_free(orochi_sst_cursor* cursor) {
  delete cursor;
}

size_t orochi_sst_cursor_column_count(const orochi_sst_cursor* cursor) {
  return cursor == nullptr ? 0 : cursor->types.size();
}

const char* orochi_sst_cursor_column_name(const orochi_sst_cursor* cursor, size_t column,
                                          size_t* size) {
  return column < orochi_sst_cursor_column_count(cursor)
             ? GiveText(cursor->rows->columns()[column].name, size)
             : GiveText({}, size);
}

const orochi_sst_type* orochi_sst_cursor_column_type(const orochi_sst_cursor* cursor,
                                                     size_t column) {
  return column < orochi_sst_cursor_column_count(cursor) ? cursor->types[column].get() : nullptr;
}

int32_t orochi_sst_cursor_next(orochi_sst_cursor* cursor, orochi_sst_error** error) {
  return Call(error, [&]() -> Result<int32_t> {
    REQUIRE_ARGUMENT(cursor);
    cursor->on_row = false;
    cursor->texts.clear();
    if (cursor->finished) {
      return 0;
    }
    cursor->finished = true;  // also after an error and when something is thrown
    ASSIGN_OR_RETURN(bool const found, cursor->rows->Next());
    cursor->finished = !found;
    cursor->on_row = found;
    return found ? 1 : 0;
  });
}

int32_t orochi_sst_cursor_values(orochi_sst_cursor* cursor, orochi_sst_value* values, size_t count,
                                 orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(cursor);
    REQUIRE_ARGUMENT(values);
    RETURN_IF_ERROR(orochi::cabi::CheckOnRow(*cursor));
    if (count != cursor->types.size()) {
      return Status::InvalidArgument(
          StrCat("count is ", count, ", the cursor has ", cursor->types.size(), " columns"));
    }
    for (size_t column = 0; column < count; ++column) {
      ASSIGN_OR_RETURN(auto const value, orochi::cabi::ValueOf(*cursor, column));
      values[column] = GiveValue(value);
    }
    return Status::Ok();
  });
}

int32_t orochi_sst_cursor_is_set(orochi_sst_cursor* cursor, size_t column,
                                 orochi_sst_error** error) {
  return Call(error, [&]() -> Result<int32_t> {
    REQUIRE_ARGUMENT(cursor);
    ASSIGN_OR_RETURN(auto const value, orochi::cabi::ValueOf(*cursor, column));
    return value.has_value() ? 1 : 0;
  });
}

int32_t orochi_sst_cursor_bytes(orochi_sst_cursor* cursor, size_t column, const void** data,
                                size_t* size, orochi_sst_error** error) {
  return Call(error, [&]() -> Result<int32_t> {
    REQUIRE_ARGUMENT(data);
    REQUIRE_ARGUMENT(size);
    *data = nullptr;
    *size = 0;
    REQUIRE_ARGUMENT(cursor);
    ASSIGN_OR_RETURN(auto const value, orochi::cabi::ValueOf(*cursor, column));
    orochi_sst_value const given = GiveValue(value);
    *data = given.data;
    *size = given.size;
    return given.is_set;
  });
}

int32_t orochi_sst_cursor_int64(orochi_sst_cursor* cursor, size_t column, int64_t* number,
                                orochi_sst_error** error) {
  return orochi::cabi::GiveNumber(cursor, column, number, orochi::cabi::Int64Of, error);
}

int32_t orochi_sst_cursor_double(orochi_sst_cursor* cursor, size_t column, double* number,
                                 orochi_sst_error** error) {
  return orochi::cabi::GiveNumber(cursor, column, number, orochi::cabi::DoubleOf, error);
}

int32_t orochi_sst_cursor_text(orochi_sst_cursor* cursor, size_t column, const char** data,
                               size_t* size, orochi_sst_error** error) {
  return Call(error, [&]() -> Result<int32_t> {
    REQUIRE_ARGUMENT(data);
    REQUIRE_ARGUMENT(size);
    *data = nullptr;
    *size = 0;
    REQUIRE_ARGUMENT(cursor);
    ASSIGN_OR_RETURN(auto const value, orochi::cabi::ValueOf(*cursor, column));
    int32_t const kind = orochi_sst_type_kind(cursor->types[column].get());
    if (kind != OROCHI_SST_TYPE_TEXT && kind != OROCHI_SST_TYPE_ASCII) {
      return orochi::cabi::InColumn(
          *cursor, column,
          Status::InvalidArgument(StrCat("is of type ", cursor->types[column]->name, ", not text"))
              .WithHint("orochi_sst_cursor_format gives any type as text"));
    }
    if (!value.has_value()) {
      return 0;
    }
    std::string_view const text = orochi::sstable::AsText(*value);
    if (!orochi::sstable::IsUtf8(text)) {
      return orochi::cabi::InColumn(*cursor, column, Status::Corruption("the value is not UTF-8"));
    }
    *data = GiveText(text, size);
    return 1;
  });
}

int32_t orochi_sst_cursor_format(orochi_sst_cursor* cursor, size_t column, int32_t format,
                                 const char** data, size_t* size, orochi_sst_error** error) {
  return Call(error, [&]() -> Result<int32_t> {
    REQUIRE_ARGUMENT(data);
    REQUIRE_ARGUMENT(size);
    *data = nullptr;
    *size = 0;
    REQUIRE_ARGUMENT(cursor);
    ASSIGN_OR_RETURN(auto const value, orochi::cabi::ValueOf(*cursor, column));
    if (!value.has_value()) {
      return 0;
    }
    auto text = orochi::cabi::FormatValue(*cursor->types[column]->type, *value, format);
    if (!text.ok()) {
      return orochi::cabi::InColumn(*cursor, column, text.status());
    }
    *data = GiveText(orochi::cabi::Keep(*cursor, *std::move(text)), size);
    return 1;
  });
}

int32_t orochi_sst_cursor_explain(orochi_sst_cursor* cursor, const char** data, size_t* size,
                                  orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(data);
    REQUIRE_ARGUMENT(cursor);
    ASSIGN_OR_RETURN(cursor->explained, cursor->rows->Explain());
    *data = GiveText(cursor->explained, size);
    return Status::Ok();
  });
}

int32_t orochi_sst_cursor_row(orochi_sst_cursor* cursor, orochi_sst_row* row,
                              orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(cursor);
    REQUIRE_ARGUMENT(row);
    RETURN_IF_ERROR(orochi::cabi::CheckOnRow(*cursor));
    orochi_sst_row filled = {};
    RETURN_IF_ERROR(cursor->rows->Row(filled));
    return orochi::cabi::WriteStruct(filled, row, "row");
  });
}

int32_t orochi_sst_cursor_cell_count(orochi_sst_cursor* cursor, size_t column, size_t* count,
                                     orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(count);
    *count = 0;
    REQUIRE_ARGUMENT(cursor);
    RETURN_IF_ERROR(orochi::cabi::CheckColumn(*cursor, column));
    ASSIGN_OR_RETURN(auto const cells, cursor->rows->Cells(column));
    *count = cells.size();
    return Status::Ok();
  });
}

int32_t orochi_sst_cursor_cell(orochi_sst_cursor* cursor, size_t column, size_t index,
                               orochi_sst_cell* cell, orochi_sst_error** error) {
  return Call(error, [&]() -> Status {
    REQUIRE_ARGUMENT(cursor);
    REQUIRE_ARGUMENT(cell);
    RETURN_IF_ERROR(orochi::cabi::CheckColumn(*cursor, column));
    ASSIGN_OR_RETURN(auto const cells, cursor->rows->Cells(column));
    if (index >= cells.size()) {
      return Status::OutOfRange(
          StrCat("index is ", index, ", the column has ", cells.size(), " cells"));
    }
    const orochi::sstable::CellView& found = cells[index];
    orochi_sst_value const path = GiveValue(found.path);
    orochi_sst_value const value = GiveValue(found.value);
    orochi_sst_cell filled = {};
    filled.flags = (found.tombstone() ? OROCHI_SST_CELL_DELETED : 0u) |
                   (found.expiring() ? OROCHI_SST_CELL_EXPIRING : 0u);
    filled.path = path.data;
    filled.path_size = path.size;
    filled.value = value.data;
    filled.value_size = value.size;
    filled.timestamp_us = found.timestamp;
    bool const has_time = found.local_deletion_time != orochi::sstable::kNoDeletionTime &&
                          found.local_deletion_time != orochi::sstable::kInvalidDeletionTime;
    filled.time_s = has_time ? int64_t{found.local_deletion_time} : OROCHI_SST_NO_TIME;
    filled.ttl_s = found.ttl;
    return orochi::cabi::WriteStruct(filled, cell, "cell");
  });
}

int32_t orochi_sst_cursor_column_deletion(orochi_sst_cursor* cursor, size_t column,
                                          int64_t* timestamp_us, int64_t* deleted_s,
                                          orochi_sst_error** error) {
  return Call(error, [&]() -> Result<int32_t> {
    REQUIRE_ARGUMENT(timestamp_us);
    REQUIRE_ARGUMENT(deleted_s);
    *timestamp_us = OROCHI_SST_NO_TIMESTAMP;
    *deleted_s = OROCHI_SST_NO_TIME;
    REQUIRE_ARGUMENT(cursor);
    RETURN_IF_ERROR(orochi::cabi::CheckColumn(*cursor, column));
    ASSIGN_OR_RETURN(auto const deletion, cursor->rows->ColumnDeletion(column));
    if (deletion.live()) {
      return 0;
    }
    *timestamp_us = deletion.marked_for_delete_at;
    *deleted_s = deletion.valid() ? int64_t{deletion.local_deletion_time} : OROCHI_SST_NO_TIME;
    return 1;
  });
}
