#include "sstable/verify/check_values.h"

#include "base/str_cat.h"
#include "sstable/types/compare.h"
#include "sstable/types/scalar_text.h"

namespace orochi::sstable {

namespace {

class ValueWalk {
 public:
  explicit ValueWalk(const Layout& layout) : layout_(layout) {}

  Status VisitPartition(UnfilteredStream& stream) {
    const PartitionView& partition = stream.partition();
    where_ = StrCat("the partition 0x",
                    HexText(partition.key.first(std::min<size_t>(partition.key.size(), 32))),
                    " at ", partition.position_bytes);
    Check(*layout_.key_type, partition.key, "its key");
    VisitRow(stream.static_row());
    while (true) {
      ASSIGN_OR_RETURN(bool const found, stream.Next());
      if (!found) {
        return Status::Ok();
      }
      VisitRow(stream.current());
    }
  }

  ValueReport TakeReport() { return std::move(report_); }

 private:
  void Fault(std::string_view what, std::string_view message) {
    if (report_.findings.size() < ValueReport::kFindingsMax) {
      report_.findings.push_back(StrCat(where_, ", ", what, ": ", message));
    } else {
      ++report_.findings_left_out;
    }
  }

  void Check(const Type& type, Bytes value, std::string_view what) {
    Status const valid = ValidateValue(type, value);
    if (!valid.ok()) {
      Fault(what, valid.message());
    }
  }

  void VisitRow(const Unfiltered& row) {
    for (size_t index = 0; index < row.clustering.values.size(); ++index) {
      if (!row.clustering.values[index].is_null) {
        Check(*layout_.clustering.types()[index], row.clustering.values[index].bytes,
              "a clustering value");
      }
    }
    const std::vector<Column>& columns = layout_.columns(row.is_static());
    const CellView* previous = nullptr;
    for (const CellView& cell : row.cells) {
      const Column& column = columns[cell.column_index];
      if (column.is_complex) {
        bool const same = previous != nullptr && previous->column_index == cell.column_index;
        VisitElement(column, same ? previous : nullptr, cell);
      } else if (!cell.tombstone()) {
        Check(*column.type, cell.value, column.name);
      }
      previous = &cell;
    }
  }

  void VisitElement(const Column& column, const CellView* previous, const CellView& cell) {
    static const TypeRef kTimeuuid = SimpleType(TypeKind::kTimeuuid);
    static const TypeRef kField = SimpleType(TypeKind::kSmallint);
    const Type& type = *column.type;
    const Type& path_type = type.kind == TypeKind::kList  ? *kTimeuuid
                            : type.kind == TypeKind::kUdt ? *kField
                                                          : type.element();
    Status const valid_path = ValidateValue(path_type, cell.path);
    if (!valid_path.ok()) {
      return Fault(column.name, valid_path.message());
    }
    if (previous != nullptr && CompareValues(path_type, previous->path, cell.path) >= 0) {
      Fault(column.name, "its elements are not in order");
    }
    const Type* value_type = nullptr;
    if (type.kind == TypeKind::kUdt) {
      size_t const field =
          cell.path.size() == sizeof(uint16_t) ? LoadBigEndian<uint16_t>(cell.path) : SIZE_MAX;
      if (field >= type.parameters.size()) {
        return Fault(column.name,
                     StrCat("field ", field, " of a type with ", type.parameters.size()));
      }
      value_type = type.parameters[field].get();
    } else if (type.kind != TypeKind::kSet) {
      value_type = type.parameters.back().get();
    }
    if (value_type != nullptr && !cell.tombstone()) {
      Check(*value_type, cell.value, column.name);
    }
  }

  const Layout& layout_;
  std::string where_;
  ValueReport report_;
};

}  // namespace

Result<ValueReport> CheckValues(
    const SstableReader& reader,
    const std::function<void(uint64_t bytes, uint64_t bytes_total)>& progress) {
  ValueWalk walk(reader.layout());
  std::unique_ptr<UnfilteredStream> const stream = reader.Scan();
  while (true) {
    ASSIGN_OR_RETURN(bool const found, stream->NextPartition());
    if (!found) {
      return walk.TakeReport();
    }
    if (progress) {
      progress(stream->partition().position_bytes, reader.data().size_bytes());
    }
    RETURN_IF_ERROR(walk.VisitPartition(*stream));
  }
}

}  // namespace orochi::sstable
