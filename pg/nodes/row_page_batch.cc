#include "pg/nodes/row_page_batch.h"

#include "base/str_cat.h"
#include "pg/bridge.h"

extern "C" {
#include "access/detoast.h"
#include "access/tupmacs.h"
#include "utils/rel.h"
}

namespace orochi::pg {
namespace {

using columnar::Cell;
using columnar::ColumnVector;
using columnar::PhysicalType;

}  // namespace

RowPageBatch::RowPageBatch(ColumnarReader& reader) : reader_(reader) {
  TupleDesc const descriptor = reader.descriptor();
  for (int i = 0; i < descriptor->natts; ++i) {
    layouts_.push_back(tuple_values::LayoutOf(*TupleDescAttr(descriptor, i)));
  }
}

void RowPageBatch::Start(uint64_t run) {
  next_block_ = run * kRunBlocks;
  end_block_ = std::min(next_block_ + kRunBlocks, reader_.row_blocks().count());
  rows_.clear();
  begin_ = end_ = 0;
}

void RowPageBatch::ReleaseMemory() {
  pages_ = decltype(pages_)();
  rows_ = decltype(rows_)();
  positions_ = decltype(positions_)();
  after_ = decltype(after_)();
  begin_ = end_ = 0;
}

/// Copies further pages of the run.
void RowPageBatch::LoadPages() {
  rows_.clear();
  begin_ = end_ = 0;
  size_t used_pages = 0;  // pages without visible rows keep no copy
  for (; next_block_ < end_block_ && rows_.size() < kRowsWanted; ++next_block_) {
    CheckInterrupts();
    if (used_pages == pages_.size()) {
      pages_.push_back(std::make_unique<row_pages::RowPage>());
    }
    row_pages::RowPage* const page = pages_[used_pages].get();
    BlockNumber const block = reader_.row_blocks().At(next_block_);
    if (block == InvalidBlockNumber) {
      page->Clear();
      continue;
    }
    page_count_ += TryPg([&]() noexcept -> bool {
      return page->Load(reader_.relation(), block, reader_.snapshot());
    });
    for (int index = 0; index < page->count(); ++index) {
      HeapTupleData const tuple = page->tuple(index);
      rows_.push_back({.tuple = tuple.t_data, .size_bytes = tuple.t_len, .tid = tuple.t_self});
    }
    used_pages += page->count() > 0 ? 1 : 0;
  }
}

Result<bool> RowPageBatch::Next() {
  if (end_ == rows_.size()) {
    LoadPages();
  }
  begin_ = end_;
  located_count_ = 0;
  uint64_t fetched_bytes = 0;
  for (; end_ < rows_.size(); ++end_) {
    const Row& row = rows_[end_];
    if ((row.tuple->t_infomask & HEAP_HASEXTERNAL) != 0) {
      ASSIGN_OR_RETURN(uint64_t const row_bytes, FetchedBytes(row));
      fetched_bytes += row_bytes;
      if (fetched_bytes > kFetchedBytesMax && end_ > begin_) {
        break;
      }
    }
  }
  return row_count() > 0;
}

/// Calls `visit(attribute, position)` for attributes `from` to `to` of a tuple. `*offset` is where
/// the first of them may start, and becomes that of the next. Answers the attribute whose value is
/// not wholly in the tuple, or 0.
template <class Visit>
AttrNumber RowPageBatch::Walk(const Row& row, AttrNumber from, AttrNumber to, uint32_t* offset,
                              Visit visit) const {
  const tuple_values::Layout* const layouts = layouts_.data();
  return tuple_values::Walk(
      row.tuple, row.size_bytes, from, to,
      [=](AttrNumber attribute) { return layouts[attribute - 1]; }, offset,
      [&](AttrNumber attribute, uint32_t start) { visit(attribute, static_cast<Position>(start)); },
      [&](AttrNumber attribute, tuple_values::Absence absence) {
        visit(attribute, absence == tuple_values::Absence::kNull ? kNull : kAbsent);
      });
}

Status RowPageBatch::DamageIn(const Row& row, AttrNumber attribute) const {
  return Status::Corruption(
      StrCat("columnar table \"", RelationGetRelationName(reader_.relation()), "\", block ",
             ItemPointerGetBlockNumberNoCheck(&row.tid), ", item ",
             ItemPointerGetOffsetNumberNoCheck(&row.tid), ", column \"",
             NameStr(TupleDescAttr(reader_.descriptor(), attribute - 1)->attname),
             "\": a value that ends in the tuple of ", row.size_bytes,
             " bytes expected, found one that does not"));
}

/// What the tuple's values stored out of line take when they are read.
Result<uint64_t> RowPageBatch::FetchedBytes(const Row& row) const {
  uint64_t size_bytes = 0;
  uint32_t offset = row.tuple->t_hoff;
  auto const add = [&](AttrNumber attribute, Position position) {
    if (position >= kAbsent || layouts_[static_cast<size_t>(attribute - 1)].length != -1) {
      return;
    }
    auto const* const value = reinterpret_cast<const char*>(row.tuple) + position;
    if (VARATT_IS_EXTERNAL_ONDISK(value)) {
      struct varatt_external pointer;
      VARATT_EXTERNAL_GET_POINTER(pointer, value);
      size_bytes += static_cast<uint64_t>(pointer.va_rawsize);
    }
  };
  auto const last = static_cast<AttrNumber>(layouts_.size());
  AttrNumber const damaged = Walk(row, 1, last, &offset, add);
  if (damaged != 0) {
    return DamageIn(row, damaged);
  }
  return size_bytes;
}

/// Finds values up to the attribute, from where the last call left off.
Status RowPageBatch::Locate(AttrNumber attribute) {
  if (attribute <= located_count_) {
    return Status::Ok();
  }
  uint32_t const count = row_count();
  if (located_count_ == 0) {
    after_.resize(count);
    for (uint32_t row = 0; row < count; ++row) {
      after_[row] = rows_[begin_ + row].tuple->t_hoff;
    }
    has_special_.assign(layouts_.size(), 0);
  }
  positions_.resize(size_t{count} * static_cast<size_t>(attribute));
  auto const first = static_cast<AttrNumber>(located_count_ + 1);
  Position* const positions = positions_.data();
  uint8_t* const has_special = has_special_.data();
  for (uint32_t row = 0; row < count; ++row) {
    uint32_t offset = after_[row];
    auto const keep = [=](AttrNumber found, Position position) {
      positions[size_t{count} * static_cast<size_t>(found - 1) + row] = position;
      if (position >= kAbsent) {
        has_special[found - 1] = 1;
      }
    };
    AttrNumber const damaged = Walk(rows_[begin_ + row], first, attribute, &offset, keep);
    if (damaged != 0) {
      return DamageIn(rows_[begin_ + row], damaged);
    }
    after_[row] = static_cast<Position>(offset);
  }
  located_count_ = attribute;
  return Status::Ok();
}

/// Answers how many are NULL.
uint32_t RowPageBatch::MarkNulls(std::span<const Position> positions, bool absent_is_null,
                                 std::vector<uint64_t>& valid_words) const {
  uint32_t null_count = 0;
  valid_words.assign((positions.size() + 63) / 64, 0);
  for (size_t row = 0; row < positions.size(); ++row) {
    bool const is_null = positions[row] == kNull || (positions[row] == kAbsent && absent_is_null);
    null_count += is_null ? 1 : 0;
    valid_words[row / 64] |= uint64_t{!is_null} << (row % 64);
  }
  return null_count;
}

Status RowPageBatch::Read(AttrNumber attribute, ColumnVector& out) {
  RETURN_IF_ERROR(Locate(attribute));
  uint32_t const count = row_count();
  auto const positions =
      std::span(positions_).subspan(size_t{count} * static_cast<size_t>(attribute - 1), count);
  Cell absent = Cell::Null();
  out.null_count = 0;  // valid_words do not matter then
  if (has_special_[static_cast<size_t>(attribute - 1)] != 0) {
    if (std::find(positions.begin(), positions.end(), kAbsent) != positions.end()) {
      absent = reader_.MissingValue(attribute);
    }
    out.null_count = MarkNulls(positions, absent.is_null, out.valid_words);
  }
  const ColumnType& type = reader_.column_type(attribute);
  out.type = type.physical;
  out.row_count = count;
  switch (type.physical) {
    case PhysicalType::kBool:
      GatherFixed<bool, uint8_t>(positions, absent, out);
      break;
    case PhysicalType::kInt16:
      if (type.length == 1) {
        GatherFixed<char, int16_t>(positions, absent, out);
      } else {
        GatherFixed<int16_t, int16_t>(positions, absent, out);
      }
      break;
    case PhysicalType::kInt32:
    case PhysicalType::kFloat32:
      GatherFixed<uint32_t, uint32_t>(positions, absent, out);
      break;
    case PhysicalType::kInt64:
    case PhysicalType::kFloat64:
      GatherFixed<uint64_t, uint64_t>(positions, absent, out);
      break;
    case PhysicalType::kBytes:
      return GatherBytes(attribute, positions, absent, out);
  }
  return Status::Ok();
}

Status RowPageBatch::ReadDatums(AttrNumber attribute, std::span<const uint32_t> rows,
                                DatumColumn& out) {
  RETURN_IF_ERROR(Locate(attribute));
  TupleDesc const descriptor = reader_.descriptor();
  const FormData_pg_attribute& column = *TupleDescAttr(descriptor, attribute - 1);
  const Position* const positions =
      positions_.data() + size_t{row_count()} * static_cast<size_t>(attribute - 1);
  out.Reserve(row_count());
  for (uint32_t const row : rows) {
    Position const position = positions[row];
    if (position < kAbsent) {
      auto const* const value = reinterpret_cast<const char*>(rows_[begin_ + row].tuple) + position;
      out.Set(row, fetch_att(value, column.attbyval, column.attlen), false);
    } else if (position == kNull) {
      out.Set(row, 0, true);
    } else {
      NullableDatum const absent = TryPg([=]() noexcept -> NullableDatum {
        NullableDatum found;
        found.value = getmissingattr(descriptor, attribute, &found.isnull);
        return found;
      });
      out.Set(row, absent.value, absent.isnull);
    }
  }
  return Status::Ok();
}

template <class Stored, class Value>
void RowPageBatch::GatherFixed(std::span<const Position> positions, const Cell& absent,
                               ColumnVector& out) const {
  out.fixed_words.assign((positions.size() * sizeof(Value) + 7) / 8, 0);
  auto* const values = reinterpret_cast<Value*>(out.fixed_words.data());
  for (size_t row = 0; row < positions.size(); ++row) {
    Position const position = positions[row];
    if (position < kAbsent) {
      if constexpr (std::is_same_v<Stored, bool>) {  // any byte may be on a page
        values[row] = reinterpret_cast<const char*>(rows_[begin_ + row].tuple)[position] != 0;
      } else {
        Stored stored;
        std::memcpy(&stored, reinterpret_cast<const char*>(rows_[begin_ + row].tuple) + position,
                    sizeof(stored));
        values[row] = static_cast<Value>(stored);
      }
    } else if (position == kAbsent) {
      values[row] = static_cast<Value>(absent.word);  // 0 for NULL
    }
  }
}

Status RowPageBatch::GatherBytes(AttrNumber attribute, std::span<const Position> positions,
                                 const Cell& absent, ColumnVector& out) const {
  const ColumnType& type = reader_.column_type(attribute);
  out.offsets.assign(1, 0);
  out.bytes.clear();
  auto const append = [&](const Cell& cell) {
    out.bytes.insert(out.bytes.end(), cell.data, cell.data + cell.size_bytes);
  };
  for (size_t row = 0; row < positions.size(); ++row) {
    Position const position = positions[row];
    if (position < kAbsent) {
      auto const* const value = reinterpret_cast<const char*>(rows_[begin_ + row].tuple) + position;
      if (type.shape == ColumnType::Shape::kVarlena &&
          (VARATT_IS_EXTERNAL(value) || VARATT_IS_COMPRESSED(value))) {
        AppendToasted(value, out);
      } else {
        append(CellOf(type, PointerGetDatum(value)));
      }
    } else if (position == kAbsent && !absent.is_null) {
      append(absent);
    }
    if (out.bytes.size() > UINT32_MAX) {
      return Status::ResourceExhausted(
          StrCat("columnar table \"", RelationGetRelationName(reader_.relation()), "\", column \"",
                 NameStr(TupleDescAttr(reader_.descriptor(), attribute - 1)->attname),
                 "\": ", positions.size(), " rows have more than ", UINT32_MAX, " bytes"));
    }
    out.offsets.push_back(static_cast<uint32_t>(out.bytes.size()));
  }
  return Status::Ok();
}

/// A compressed value or one stored out of line.
void RowPageBatch::AppendToasted(const void* varlena, ColumnVector& out) {
  auto* const whole = TryPg([varlena]() noexcept -> struct varlena* {
    return detoast_attr(static_cast<struct varlena*>(const_cast<void*>(varlena)));
  });
  auto const* const data = reinterpret_cast<const std::byte*>(VARDATA_ANY(whole));
  out.bytes.insert(out.bytes.end(), data, data + VARSIZE_ANY_EXHDR(whole));
  pfree(whole);
}

}  // namespace orochi::pg
