#include "pg/fdw/export_rows.h"

#include "base/str_cat.h"
#include "sstable/types/decorated_key.h"
#include "sstable/types/elements.h"
#include "sstable/types/scalar_text.h"

namespace orochi::pg {
namespace {

using sstable::AppendBigEndian;
using sstable::ChangeRow;
using sstable::ColumnRole;
using sstable::ElementReader;
using sstable::Type;
using sstable::TypeKind;

constexpr size_t kKeyValueSizeBytesMax = 65'535;
// Time-UUIDs count steps of 100 ns from 1582-10-15; their node is no network card's.
constexpr uint64_t kUuidEpochTicks = 0x01B2'1DD2'1381'4000;
constexpr uint64_t kTicksPerMicro = 10;
constexpr std::string_view kListIdNode("\x80\x00\x01orochi", 8);

}  // namespace

Result<std::unique_ptr<ExportRows>> ExportRows::Make(const sstable::TableSchema& schema,
                                                     TupleDesc descriptor,
                                                     const ExportTimes& times) {
  if (schema.is_counter()) {
    return Status::Unsupported(StrCat(
        schema.QualifiedName(), " is a counter table, whose cells cannot be made from values"));
  }
  std::unique_ptr<ExportRows> rows(new ExportRows(schema, times));
  for (int index = 0; index < descriptor->natts; ++index) {
    RETURN_IF_ERROR(rows->AddInput(TupleDescAttr(descriptor, index)));
  }
  RETURN_IF_ERROR(rows->CheckKey());
  return rows;
}

Status ExportRows::AddInput(Form_pg_attribute attribute) {
  Input input{.name = NameStr(attribute->attname), .found = {}, .encoder = nullptr};
  for (const Input& other : inputs_) {
    if (other.name == input.name) {
      return Status::InvalidArgument(StrCat("the query has the column ", input.name, " twice"));
    }
  }
  auto const found = schema_.Find(input.name);
  if (!found.has_value()) {
    return Status::InvalidArgument(
               StrCat("the table ", schema_.QualifiedName(), " has no column ", input.name))
        .WithHint("Columns of the query are those of the table by name: rename them with AS.");
  }
  input.found = *found;
  auto encoder = MakeValueEncoder(sstable::Frozen(sstable::Unreversed(found->column->type)),
                                  attribute->atttypid);
  if (!encoder.ok()) {
    return Status(encoder.status()).WithContext(StrCat("column ", input.name));
  }
  input.encoder = *std::move(encoder);
  inputs_.push_back(std::move(input));
  return Status::Ok();
}

Status ExportRows::CheckKey() const {
  for (const auto* group : {&schema_.partition_key, &schema_.clustering}) {
    for (const sstable::SchemaColumn& column : *group) {
      bool const there = std::any_of(inputs_.begin(), inputs_.end(),
                                     [&](const Input& input) { return input.name == column.name; });
      if (!there) {
        return Status::InvalidArgument(
            StrCat("the query lacks the primary key column ", column.name));
      }
    }
  }
  return Status::Ok();
}

std::string ExportRows::NextListId() {
  uint64_t const ticks =
      kUuidEpochTicks + static_cast<uint64_t>(times_.timestamp_us) * kTicksPerMicro + list_ids_++;
  std::string id;
  AppendBigEndian(id, static_cast<uint32_t>(ticks));
  AppendBigEndian(id, static_cast<uint16_t>(ticks >> 32));
  AppendBigEndian(id, static_cast<uint16_t>((ticks >> 48 & 0x0FFF) | 0x1000));
  id += kListIdNode;
  return id;
}

ChangeRow::Cell ExportRows::CellOf(const Input& input) const {
  ChangeRow::Cell cell;
  cell.view.column_index = static_cast<uint32_t>(input.found.index);
  cell.view.timestamp = times_.timestamp_us;
  if (schema_.options.default_ttl_s > 0) {
    cell.view.ttl = static_cast<int32_t>(schema_.options.default_ttl_s);
    cell.view.local_deletion_time =
        static_cast<uint32_t>(times_.now_s + schema_.options.default_ttl_s);
  }
  return cell;
}

// A column that is not frozen gets a cell for each element, after a deletion of what was there.
Status ExportRows::AddColumn(const Input& input, const std::string& value, ChangeRow& row) {
  const Type& type = *input.found.column->type;
  if (!type.multi_cell()) {
    row.simple_cells.push_back(CellOf(input));
    row.simple_cells.back().value = value;
    return Status::Ok();
  }
  ChangeRow::ComplexColumn column;
  column.column_index = static_cast<uint32_t>(input.found.index);
  column.deletion = {.marked_for_delete_at = times_.timestamp_us - 1,
                     .local_deletion_time = static_cast<uint32_t>(times_.now_s)};
  ElementReader reader(type, sstable::AsBytes(value));
  uint16_t field = 0;
  for (auto element = reader.Next(); element.has_value(); element = reader.Next()) {
    ChangeRow::Cell cell = CellOf(input);
    if (type.kind == TypeKind::kUdt) {
      AppendBigEndian(cell.path, field++);
      if (element->is_null) {
        continue;
      }
    } else if (type.kind == TypeKind::kList) {
      cell.path = NextListId();
    } else {
      cell.path = sstable::AsText(element->bytes);
    }
    if (type.kind == TypeKind::kMap) {
      element = reader.Next();
    }
    if (type.kind != TypeKind::kSet && element.has_value()) {
      cell.value = sstable::AsText(element->bytes);
    }
    column.cells.push_back(std::move(cell));
  }
  if (reader.malformed()) {
    return Status::Internal(StrCat("the value made for column ", input.name, " is malformed"));
  }
  row.complex_columns.push_back(std::move(column));
  return Status::Ok();
}

// False when the row has no clustering values, though the table has such columns.
Result<bool> ExportRows::MakeClustering(const std::vector<Value>& values,
                                        sstable::ClusteringPrefix& clustering) const {
  std::vector<sstable::ClusteringValue> parts(schema_.clustering.size());
  size_t there = 0;
  std::string missing;
  for (size_t index = 0; index < inputs_.size(); ++index) {
    const Input& input = inputs_[index];
    if (input.found.role != ColumnRole::kClustering) {
      continue;
    }
    if (!values[index].has_value()) {
      missing = input.name;
      continue;
    }
    if (values[index]->size() > kKeyValueSizeBytesMax) {
      return Status::InvalidArgument(StrCat("clustering column ", input.name, " has ",
                                            values[index]->size(), " bytes, at most ",
                                            kKeyValueSizeBytesMax, " are allowed"));
    }
    parts[input.found.index].bytes = sstable::AsBytes(*values[index]);
    ++there;
  }
  if (there < parts.size() && there > 0) {
    return Status::InvalidArgument(StrCat("clustering column ", missing, " is null"));
  }
  clustering.Assign({.kind = sstable::ClusteringKind::kClustering, .values = parts});
  return there == parts.size();
}

Status ExportRows::Add(std::span<const Datum> datums, std::span<const bool> nulls,
                       std::vector<sstable::RowChange>& changes) {
  std::vector<Value> values(inputs_.size());
  std::vector<std::string> key(schema_.partition_key.size());
  for (size_t index = 0; index < inputs_.size(); ++index) {
    const Input& input = inputs_[index];
    if (!nulls[index]) {
      auto encoded = input.encoder->Encode(datums[index]);
      if (!encoded.ok()) {
        return Status(encoded.status()).WithContext(StrCat("column ", input.name));
      }
      Status const valid =
          sstable::ValidateValue(*input.found.column->type, sstable::AsBytes(*encoded));
      if (!valid.ok()) {
        return Status::InvalidArgument(StrCat("column ", input.name, ": ", valid.message()));
      }
      values[index] = *std::move(encoded);
    }
    if (input.found.role == ColumnRole::kPartitionKey) {
      if (!values[index].has_value() || (values[index]->empty() && key.size() == 1)) {
        return Status::InvalidArgument(StrCat("partition key column ", input.name, " is ",
                                              values[index].has_value() ? "empty" : "null"));
      }
      key[input.found.index] = *values[index];
    }
  }
  ASSIGN_OR_RETURN(std::string const partition, sstable::MakePartitionKey(key));
  ChangeRow row;
  ChangeRow statics;
  statics.is_static = true;
  ASSIGN_OR_RETURN(bool const has_row, MakeClustering(values, row.clustering));
  for (size_t index = 0; index < inputs_.size(); ++index) {
    ColumnRole const role = inputs_[index].found.role;
    if (!values[index].has_value() ||
        (role != ColumnRole::kStatic && role != ColumnRole::kRegular)) {
      continue;
    }
    if (role == ColumnRole::kRegular && !has_row) {
      return Status::InvalidArgument(
          StrCat("column ", inputs_[index].name,
                 " has a value in a row whose clustering columns are null"));
    }
    RETURN_IF_ERROR(
        AddColumn(inputs_[index], *values[index], role == ColumnRole::kStatic ? statics : row));
  }
  if (!statics.simple_cells.empty() || !statics.complex_columns.empty()) {
    changes.push_back({.key = partition, .what = std::move(statics)});
  }
  if (has_row) {
    row.liveness.timestamp = times_.timestamp_us;
    if (schema_.options.default_ttl_s > 0) {
      row.liveness.ttl = static_cast<int32_t>(schema_.options.default_ttl_s);
      row.liveness.local_expiration_time =
          static_cast<uint32_t>(times_.now_s + schema_.options.default_ttl_s);
    }
    changes.push_back({.key = partition, .what = std::move(row)});
  }
  return Status::Ok();
}

}  // namespace orochi::pg
