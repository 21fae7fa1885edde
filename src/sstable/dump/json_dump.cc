#include "sstable/dump/json_dump.h"

#include "base/str_cat.h"
#include "sstable/types/civil_time.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_text.h"

namespace orochi::sstable {

namespace {

constexpr size_t kFlushBytes = 64 << 10;

/// The type of one element's value: what a cell of the column holds.
const Type* CellType(const Type& column, Bytes path) {
  static const TypeRef kEmptyType = SimpleType(TypeKind::kEmpty);
  if (!column.multi_cell()) {
    return &column;
  }
  switch (column.kind) {
    case TypeKind::kMap:
      return &column.map_value();
    case TypeKind::kSet:
      return kEmptyType.get();
    case TypeKind::kUdt: {
      size_t const field =
          path.size() == sizeof(uint16_t) ? LoadBigEndian<uint16_t>(path) : SIZE_MAX;
      return field < column.parameters.size() ? column.parameters[field].get() : nullptr;
    }
    default:
      return &column.element();
  }
}

std::vector<std::string> JsonNames(const std::vector<Column>& columns) {
  std::vector<std::string> names;
  for (const Column& column : columns) {
    std::string json;
    // Empty where it is not UTF-8, which no column's name is: refused where a cell has it.
    if (!AppendJsonString(QuoteIdentifier(column.name), json).ok()) {
      json.clear();
    }
    names.push_back(std::move(json));
  }
  return names;
}

}  // namespace

JsonDump::JsonDump(const Layout& layout, const JsonDumpOptions& options, Output output)
    : layout_(layout),
      options_(options),
      output_(std::move(output)),
      json_(options.lines ? JsonWriter::Style::kDense : JsonWriter::Style::kPretty),
      static_names_(JsonNames(layout.statics)),
      regular_names_(JsonNames(layout.regulars)) {}

Status JsonDump::Flush(size_t threshold_bytes) {
  std::string& text = json_.text();
  if (text.size() < threshold_bytes || text.empty()) {
    return Status::Ok();
  }
  RETURN_IF_ERROR(output_(text));
  text.clear();
  return Status::Ok();
}

Status JsonDump::Begin() {
  if (!options_.lines) {
    json_.BeginArray();
  }
  return Status::Ok();
}

Status JsonDump::End() {
  if (!options_.lines) {
    json_.EndArray();
  }
  if (!options_.lines || !first_line_) {
    json_.text() += '\n';
  }
  return Flush(0);
}

Status JsonDump::WritePartition(UnfilteredStream& stream) {
  if (options_.lines && !first_line_) {
    json_.text() += '\n';
  }
  first_line_ = false;
  const PartitionView& partition = stream.partition();
  if (options_.keys_only) {
    RETURN_IF_ERROR(WriteKey(partition.key));
    return Flush(kFlushBytes);
  }
  json_.BeginObject();
  json_.Name("table kind");
  json_.String("REGULAR");
  json_.Name("partition");
  json_.BeginObject();
  json_.Name("key");
  RETURN_IF_ERROR(WriteKey(partition.key));
  // As sstabledump has it: where the rows begin, behind the key and the static row.
  json_.Name("position");
  json_.Number(static_cast<int64_t>(partition.body_position_bytes));
  if (!partition.deletion.live()) {
    WriteDeletion(partition.deletion);
  }
  json_.EndObject();
  json_.Name("rows");
  json_.BeginArray();
  RETURN_IF_ERROR(WriteStaticRow(partition, stream.static_row()));
  while (true) {
    ASSIGN_OR_RETURN(bool const found, stream.Next());
    if (!found) {
      break;
    }
    const Unfiltered& unfiltered = stream.current();
    RETURN_IF_ERROR(unfiltered.is_row() ? WriteRow(unfiltered, unfiltered.position_bytes)
                                        : WriteMarker(unfiltered));
    RETURN_IF_ERROR(Flush(kFlushBytes));
  }
  json_.EndArray();
  json_.EndObject();
  return Flush(kFlushBytes);
}

Result<std::string> JsonDump::TextOf(const Unfiltered& unfiltered) {
  JsonWriter kept(JsonWriter::Style::kDense);
  std::swap(json_, kept);
  Status const written = unfiltered.is_row() ? WriteRow(unfiltered, unfiltered.position_bytes)
                                             : WriteMarker(unfiltered);
  std::swap(json_, kept);
  RETURN_IF_ERROR(written);
  return std::move(kept.text());
}

Result<std::string> JsonDump::TextOf(const PartitionView& partition) {
  JsonWriter kept(JsonWriter::Style::kDense);
  std::swap(json_, kept);
  json_.BeginObject();
  json_.Name("key");
  Status const written = WriteKey(partition.key);
  if (written.ok() && !partition.deletion.live()) {
    WriteDeletion(partition.deletion);
  }
  json_.EndObject();
  std::swap(json_, kept);
  RETURN_IF_ERROR(written);
  return std::move(kept.text());
}

Status JsonDump::WriteKey(Bytes key) {
  const Type& type = *layout_.key_type;
  size_t const count = type.kind == TypeKind::kComposite ? type.parameters.size() : 1;
  ASSIGN_OR_RETURN(std::vector<Bytes> const values, SplitPartitionKey(key, count));
  json_.BeginArray(/*one_line=*/true);
  for (size_t index = 0; index < count; ++index) {
    std::string text;
    RETURN_IF_ERROR(AppendKeyText(count > 1 ? *type.parameters[index] : type, values[index], text));
    RETURN_IF_ERROR(json_.EscapedString(text));
  }
  json_.EndArray();
  return Status::Ok();
}

Status JsonDump::WriteStaticRow(const PartitionView& partition, const Unfiltered& row) {
  // Its position too is the one behind it.
  return row.empty_row() ? Status::Ok() : WriteRow(row, partition.body_position_bytes);
}

Status JsonDump::WriteRow(const Unfiltered& row, uint64_t position_bytes) {
  json_.BeginObject();
  json_.Name("type");
  json_.String(row.is_static() ? "static_block" : "row");
  if (options_.positions) {
    json_.Name("position");
    json_.Number(static_cast<int64_t>(position_bytes));
  }
  if (!row.is_static()) {
    RETURN_IF_ERROR(WriteClustering(row.clustering));
  }
  if (!row.liveness.empty()) {
    WriteLiveness(row.liveness);
  }
  if (!row.deletion.live()) {
    WriteDeletion(row.deletion);
  }
  json_.Name("cells");
  json_.BeginArray();
  RETURN_IF_ERROR(WriteCells(row));
  json_.EndArray();
  json_.EndObject();
  return Status::Ok();
}

void JsonDump::WriteLiveness(const LivenessInfo& liveness) {
  json_.Name("liveness_info");
  json_.BeginObject(/*one_line=*/true);
  json_.Name("tstamp");
  WriteMicros(liveness.timestamp);
  if (liveness.expiring()) {
    json_.Name("ttl");
    json_.Number(liveness.ttl);
    json_.Name("expires_at");
    WriteSeconds(liveness.local_expiration_time);
    json_.Name("expired");
    json_.Boolean(liveness.local_expiration_time < options_.now_s);
  }
  json_.EndObject();
}

void JsonDump::WriteDeletion(const DeletionTime& deletion) {
  json_.Name("deletion_info");
  json_.BeginObject(/*one_line=*/true);
  json_.Name("marked_deleted");
  WriteMicros(deletion.marked_for_delete_at);
  json_.Name("local_delete_time");
  WriteSeconds(deletion.local_deletion_time);
  json_.EndObject();
}

Status JsonDump::WriteClustering(const ClusteringView& clustering) {
  if (clustering.values.empty()) {
    return Status::Ok();
  }
  json_.Name("clustering");
  json_.BeginArray(/*one_line=*/true);
  const std::vector<TypeRef>& types = layout_.clustering.types();
  for (size_t index = 0; index < types.size(); ++index) {
    if (index >= clustering.values.size()) {
      json_.String("*");
      continue;
    }
    const ClusteringValue& value = clustering.values[index];
    std::string text = value.is_null ? "null" : "";
    if (!value.is_null) {
      RETURN_IF_ERROR(AppendJson(*types[index], value.bytes, text));
    }
    json_.Raw(text);
  }
  json_.EndArray();
  return Status::Ok();
}

Status JsonDump::WriteMarker(const Unfiltered& marker) {
  using Kind = ClusteringKind;
  Kind const kind = marker.clustering.kind;
  json_.BeginObject();
  json_.Name("type");
  json_.String(IsBoundary(kind) ? "range_tombstone_boundary" : "range_tombstone_bound");
  if (OpensDeletion(kind)) {
    bool const inclusive = kind == Kind::kInclStartBound || kind == Kind::kExclEndInclStartBoundary;
    RETURN_IF_ERROR(WriteBound(marker.clustering, /*is_start=*/true, inclusive, marker.open));
  }
  if (ClosesDeletion(kind)) {
    bool const inclusive = kind == Kind::kInclEndBound || kind == Kind::kInclEndExclStartBoundary;
    RETURN_IF_ERROR(WriteBound(marker.clustering, /*is_start=*/false, inclusive, marker.close));
  }
  json_.EndObject();
  return Status::Ok();
}

Status JsonDump::WriteBound(const ClusteringView& clustering, bool is_start, bool inclusive,
                            const DeletionTime& deletion) {
  json_.Name(is_start ? "start" : "end");
  json_.BeginObject();
  json_.Name("type");
  json_.String(inclusive ? "inclusive" : "exclusive");
  RETURN_IF_ERROR(WriteClustering(clustering));
  WriteDeletion(deletion);
  json_.EndObject();
  return Status::Ok();
}

Status JsonDump::WriteCells(const Unfiltered& row) {
  const std::vector<Column>& columns = layout_.columns(row.is_static());
  const std::vector<std::string>& names = row.is_static() ? static_names_ : regular_names_;
  size_t const simple_count =
      row.complex_columns.empty() ? row.cells.size() : row.complex_columns[0].cell_begin;
  for (const CellView& cell : row.cells.first(simple_count)) {
    RETURN_IF_ERROR(
        WriteCell(columns[cell.column_index], names[cell.column_index], cell, row.liveness));
  }
  for (const ComplexColumnView& complex : row.complex_columns) {
    const Column& column = columns[complex.column_index];
    if (!complex.deletion.live()) {
      json_.BeginObject(/*one_line=*/true);
      json_.Name("name");
      RETURN_IF_ERROR(WriteColumnName(column, names[complex.column_index]));
      WriteDeletion(complex.deletion);
      json_.EndObject();
    }
    for (const CellView& cell :
         row.cells.subspan(complex.cell_begin, complex.cell_end - complex.cell_begin)) {
      RETURN_IF_ERROR(WriteCell(column, names[complex.column_index], cell, row.liveness));
    }
  }
  return Status::Ok();
}

Status JsonDump::WriteCellPath(const Type& type, Bytes path) {
  static const TypeRef kTimeuuid = SimpleType(TypeKind::kTimeuuid);
  json_.Name("path");
  json_.BeginArray(/*one_line=*/true);
  std::string text;
  if (type.kind == TypeKind::kUdt) {
    size_t const field = path.size() == sizeof(uint16_t) ? LoadBigEndian<uint16_t>(path) : SIZE_MAX;
    if (field >= type.field_names.size()) {
      return Status::Corruption(StrCat("a cell of type ", CqlName(type), " for field ", field,
                                       ", the type has ", type.field_names.size()));
    }
    text = type.field_names[field];
  } else {
    const Type& path_type = type.kind == TypeKind::kList ? *kTimeuuid : type.element();
    RETURN_IF_ERROR(AppendKeyText(path_type, path, text));
  }
  RETURN_IF_ERROR(json_.EscapedString(text));
  json_.EndArray();
  return Status::Ok();
}

Status JsonDump::WriteColumnName(const Column& column, std::string_view name) {
  if (name.empty()) {
    return json_.EscapedString(QuoteIdentifier(column.name));  // says what is wrong with it
  }
  json_.Raw(name);
  return Status::Ok();
}

Status JsonDump::WriteCell(const Column& column, std::string_view name, const CellView& cell,
                           const LivenessInfo& liveness) {
  json_.BeginObject(/*one_line=*/true);
  json_.Name("name");
  RETURN_IF_ERROR(WriteColumnName(column, name));
  if (column.is_complex) {
    RETURN_IF_ERROR(WriteCellPath(*column.type, cell.path));
  }
  if (cell.tombstone()) {
    json_.Name("deletion_info");
    json_.BeginObject(/*one_line=*/true);
    json_.Name("local_delete_time");
    WriteSeconds(cell.local_deletion_time);
    json_.EndObject();
  } else {
    std::string& value = value_;
    value.clear();
    bool const raw_counter = options_.raw_counters && column.type->kind == TypeKind::kCounter &&
                             cell.value.size() >= sizeof(int64_t);
    Status const printed = raw_counter
                               ? Status::Ok()
                               : AppendJson(*CellType(*column.type, cell.path), cell.value, value);
    if (raw_counter) {
      value = StrCat(LoadBigEndian<int64_t>(cell.value));
    }
    if (!printed.ok()) {
      return Status(printed).WithContext(StrCat("column ", column.name));
    }
    json_.Name("value");
    json_.Raw(value);
  }
  if (liveness.empty() || cell.timestamp != liveness.timestamp) {
    json_.Name("tstamp");
    WriteMicros(cell.timestamp);
  }
  if (cell.expiring() && (liveness.empty() || cell.ttl != liveness.ttl)) {
    json_.Name("ttl");
    json_.Number(cell.ttl);
    json_.Name("expires_at");
    WriteSeconds(cell.local_deletion_time);
    json_.Name("expired");
    json_.Boolean(!cell.LiveAt(options_.now_s));
  }
  json_.EndObject();
  return Status::Ok();
}

void JsonDump::WriteMicros(int64_t micros) {
  json_.String(options_.raw_timestamps ? StrCat(micros) : InstantTextOfMicros(micros));
}

void JsonDump::WriteSeconds(uint32_t seconds) {
  json_.String(options_.raw_timestamps ? StrCat(seconds) : InstantTextOfSeconds(seconds));
}

}  // namespace orochi::sstable
