// What statements do to the columns of a row.
#include <algorithm>
#include <utility>

#include "sstable/change/cql_changes.h"
#include "base/str_cat.h"
#include "sstable/change/internal/statement_text.h"
#include "sstable/cql/bind.h"
#include "sstable/types/elements.h"

namespace orochi::sstable {

using internal::At;

namespace {

/// 100 ns steps from 1582-10-15, where time-UUIDs count from, to 1970.
constexpr uint64_t kUuidEpochTicks = 0x01B2'1DD2'1381'4000;
constexpr uint64_t kTicksPerMicro = 10;
/// Ids of elements put in front count back from here (2010-01-01), so that they come before others.
constexpr int64_t kPrependReferenceMicros = 1'262'304'000'000'000;
/// Time-UUIDs need a node; this one has the bit that says "not a network card's address".
constexpr std::string_view kListIdNode("\x80\x00\x01orochi", 8);

ChangeRow::Cell Tombstone(uint32_t column_index, int64_t timestamp, uint32_t deleted_at) {
  ChangeRow::Cell cell;
  cell.view.column_index = column_index;
  cell.view.timestamp = timestamp;
  cell.view.local_deletion_time = deleted_at;
  return cell;
}

std::string FieldPath(size_t field_index) {
  std::string path;
  AppendBigEndian(path, static_cast<uint16_t>(field_index));
  return path;
}

}  // namespace

std::string CqlChanges::NextListId(bool prepend) {
  int64_t const micros = prepend ? 2 * kPrependReferenceMicros - now_us_ : now_us_;
  uint64_t const given = list_ids_++;
  uint64_t const ticks =
      kUuidEpochTicks + static_cast<uint64_t>(micros) * kTicksPerMicro + (prepend ? -given : given);
  std::string id;
  AppendBigEndian(id, static_cast<uint32_t>(ticks));
  AppendBigEndian(id, static_cast<uint16_t>(ticks >> 32));
  AppendBigEndian(id, static_cast<uint16_t>((ticks >> 48 & 0x0FFF) | 0x1000));
  id += kListIdNode;
  return id;
}

Status CqlChanges::AddElements(const TableSchema::Found& found, const std::string& value,
                               const Moment& moment, bool prepend,
                               ChangeRow::ComplexColumn& column) {
  const Type& type = *found.column->type;
  ElementReader reader(type, AsBytes(value));
  std::vector<ChangeRow::Cell> cells;
  size_t field = 0;
  for (auto element = reader.Next(); element.has_value(); element = reader.Next()) {
    ChangeRow::Cell cell;
    cell.view.column_index = column.column_index;
    cell.view.timestamp = moment.timestamp;
    cell.view.ttl = moment.ttl;
    cell.view.local_deletion_time = moment.expires_at;
    if (type.kind == TypeKind::kSet) {
      cell.path = AsText(element->bytes);
    } else if (type.kind == TypeKind::kMap) {
      cell.path = AsText(element->bytes);
      element = reader.Next();
      cell.value = element.has_value() ? AsText(element->bytes) : std::string_view();
    } else if (type.kind == TypeKind::kUdt) {
      cell.path = FieldPath(field++);
      if (element->is_null) {
        continue;  // the deletion of the whole covers what was there
      }
      cell.value = AsText(element->bytes);
    } else {
      cell.value = AsText(element->bytes);
    }
    cells.push_back(std::move(cell));
  }
  if (reader.malformed()) {
    return Status::Internal(StrCat("value of column ", found.column->name, " is malformed"));
  }
  if (type.kind == TypeKind::kList) {
    // Ids in front descend: the last element gets the first, so the order stays.
    if (prepend) {
      std::for_each(cells.rbegin(), cells.rend(), [this](auto& c) { c.path = NextListId(true); });
    } else {
      std::for_each(cells.begin(), cells.end(), [this](auto& c) { c.path = NextListId(false); });
    }
  }
  std::move(cells.begin(), cells.end(), std::back_inserter(column.cells));
  return Status::Ok();
}

Status CqlChanges::SetColumn(const TableSchema::Found& found, const cql::Term& term,
                             const Moment& moment, ChangeRow& row) {
  // Frozen is how the whole of a collection is written.
  ASSIGN_OR_RETURN(auto const value,
                   cql::BindTerm(term, *Frozen(found.column->type), found.column->name));
  return SetValue(found, value, moment, row);
}

Status CqlChanges::SetValue(const TableSchema::Found& found,
                            const std::optional<std::string>& value, const Moment& moment,
                            ChangeRow& row) {
  const Type& type = *found.column->type;
  auto const column_index = static_cast<uint32_t>(found.index);
  if (type.multi_cell()) {
    // What was there before goes: a deletion one step older than the new elements.
    ChangeRow::ComplexColumn column;
    column.column_index = column_index;
    column.deletion = {.marked_for_delete_at = moment.timestamp - 1,
                       .local_deletion_time = moment.local_deletion_time};
    if (value.has_value()) {
      RETURN_IF_ERROR(AddElements(found, *value, moment, false, column));
    }
    row.complex_columns.push_back(std::move(column));
    return Status::Ok();
  }
  ChangeRow::Cell cell = Tombstone(column_index, moment.timestamp, moment.local_deletion_time);
  if (value.has_value()) {
    cell.view.ttl = moment.ttl;
    cell.view.local_deletion_time = moment.expires_at;
    cell.value = *value;
  }
  row.simple_cells.push_back(std::move(cell));
  return Status::Ok();
}

Status CqlChanges::RemoveElements(const TableSchema::Found& found, const cql::Term& term,
                                  const Moment& moment, ChangeRow& row) {
  const Type& type = *found.column->type;
  if (type.kind != TypeKind::kSet && type.kind != TypeKind::kMap) {
    return Status::Unsupported(StrCat(At(term.position), "removing values from the list ",
                                      found.column->name, " needs what is in it"));
  }
  TypeRef const keys = Frozen(SetOf(type.parameters[0]));
  ASSIGN_OR_RETURN(auto const value, cql::BindTerm(term, *keys, found.column->name));
  if (!value.has_value()) {
    return Status::Ok();
  }
  ChangeRow::ComplexColumn column;
  column.column_index = static_cast<uint32_t>(found.index);
  ElementReader reader(*keys, AsBytes(*value));
  for (auto element = reader.Next(); element.has_value(); element = reader.Next()) {
    column.cells.push_back(
        Tombstone(column.column_index, moment.timestamp, moment.local_deletion_time));
    column.cells.back().path = AsText(element->bytes);
  }
  row.complex_columns.push_back(std::move(column));
  return Status::Ok();
}

Status CqlChanges::SetElement(const TableSchema::Found& found, const cql::Term& element,
                              const std::optional<cql::Term>& value, const Moment& moment,
                              ChangeRow& row) {
  const Type& type = *found.column->type;
  if (!type.multi_cell() || !type.is_collection()) {
    return Status::InvalidArgument(StrCat(At(element.position), "column ", found.column->name,
                                          " has no elements that can be changed"));
  }
  if (type.kind == TypeKind::kList) {
    return Status::Unsupported(StrCat(At(element.position), "an element of the list ",
                                      found.column->name, " by index needs what is in it"));
  }
  ASSIGN_OR_RETURN(auto const path, cql::BindTerm(element, type.element(), found.column->name));
  if (!path.has_value()) {
    return Status::InvalidArgument(StrCat(At(element.position), "null is no element"));
  }
  ChangeRow::ComplexColumn column;
  column.column_index = static_cast<uint32_t>(found.index);
  ChangeRow::Cell cell =
      Tombstone(column.column_index, moment.timestamp, moment.local_deletion_time);
  cell.path = *path;
  if (value.has_value()) {
    if (type.kind != TypeKind::kMap) {
      return Status::InvalidArgument(
          StrCat(At(element.position), "elements of a set have no values"));
    }
    ASSIGN_OR_RETURN(auto bound, cql::BindTerm(*value, type.map_value(), found.column->name));
    if (bound.has_value()) {
      cell.view.ttl = moment.ttl;
      cell.view.local_deletion_time = moment.expires_at;
      cell.value = *std::move(bound);
    }
  }
  column.cells.push_back(std::move(cell));
  row.complex_columns.push_back(std::move(column));
  return Status::Ok();
}

Status CqlChanges::SetField(const TableSchema::Found& found, const std::string& field,
                            const std::optional<cql::Term>& value, const Moment& moment,
                            ChangeRow& row) {
  const Type& type = *found.column->type;
  auto const at = std::find(type.field_names.begin(), type.field_names.end(), field);
  if (type.kind != TypeKind::kUdt || !type.multi_cell() || at == type.field_names.end()) {
    return Status::InvalidArgument(
        StrCat("column ", found.column->name, " has no field ", field, " that can be changed"));
  }
  auto const index = static_cast<size_t>(at - type.field_names.begin());
  ChangeRow::ComplexColumn column;
  column.column_index = static_cast<uint32_t>(found.index);
  ChangeRow::Cell cell =
      Tombstone(column.column_index, moment.timestamp, moment.local_deletion_time);
  cell.path = FieldPath(index);
  if (value.has_value()) {
    ASSIGN_OR_RETURN(auto bound, cql::BindTerm(*value, *type.parameters[index], field));
    if (bound.has_value()) {
      cell.view.ttl = moment.ttl;
      cell.view.local_deletion_time = moment.expires_at;
      cell.value = *std::move(bound);
    }
  }
  column.cells.push_back(std::move(cell));
  row.complex_columns.push_back(std::move(column));
  return Status::Ok();
}

Status CqlChanges::AddAssignment(const cql::Assignment& assignment, const Moment& moment,
                                 const TableSchema::Found& found, ChangeRow& row) {
  using Kind = cql::Assignment::Kind;
  const Type& type = *found.column->type;
  switch (assignment.kind) {
    case Kind::kSet:
      return SetColumn(found, assignment.value, moment, row);
    case Kind::kElement:
      return SetElement(found, *assignment.element, assignment.value, moment, row);
    case Kind::kField:
      return SetField(found, assignment.field, assignment.value, moment, row);
    case Kind::kSubtract:
    case Kind::kAdd:
    case Kind::kPrepend:
      break;
  }
  if (!type.multi_cell() || !type.is_collection()) {
    return Status::InvalidArgument(
        StrCat(At(assignment.position), "column ", assignment.column, " is of type ", CqlName(type),
               ", only collections that are not frozen can be added ", "to or taken from"));
  }
  if (assignment.kind == Kind::kSubtract) {
    return RemoveElements(found, assignment.value, moment, row);
  }
  ASSIGN_OR_RETURN(auto const value,
                   cql::BindTerm(assignment.value, *Frozen(found.column->type), assignment.column));
  if (!value.has_value()) {
    return Status::Ok();
  }
  ChangeRow::ComplexColumn column;
  column.column_index = static_cast<uint32_t>(found.index);
  RETURN_IF_ERROR(AddElements(found, *value, moment, assignment.kind == Kind::kPrepend, column));
  row.complex_columns.push_back(std::move(column));
  return Status::Ok();
}

Status CqlChanges::AddTarget(const cql::Delete::Target& target, const Moment& moment,
                             const TableSchema::Found& found, ChangeRow& row) {
  if (target.element.has_value()) {
    return SetElement(found, *target.element, std::nullopt, moment, row);
  }
  if (!target.field.empty()) {
    return SetField(found, target.field, std::nullopt, moment, row);
  }
  auto const column_index = static_cast<uint32_t>(found.index);
  if (found.column->type->multi_cell()) {
    row.complex_columns.push_back({.column_index = column_index,
                                   .deletion = {.marked_for_delete_at = moment.timestamp,
                                                .local_deletion_time = moment.local_deletion_time},
                                   .cells = {}});
  } else {
    row.simple_cells.push_back(
        Tombstone(column_index, moment.timestamp, moment.local_deletion_time));
  }
  return Status::Ok();
}

}  // namespace orochi::sstable
