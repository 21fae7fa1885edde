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

/// What a value takes in its tuple; more than `limit_bytes` when it has no end there.
uint32_t SizeInTuple(const FormData_pg_attribute& attribute, const char* value,
                     uint32_t limit_bytes) noexcept {
  if (attribute.attlen > 0) {
    return static_cast<uint32_t>(attribute.attlen);
  }
  if (limit_bytes == 0) {
    return 1;
  }
  if (attribute.attlen == -2) {
    return static_cast<uint32_t>(strnlen(value, limit_bytes)) + 1;
  }
  if (VARATT_IS_EXTERNAL(value)) {  // other kinds than a TOAST pointer are never stored
    bool const is_toast = limit_bytes >= TOAST_POINTER_SIZE && VARATT_IS_EXTERNAL_ONDISK(value);
    return is_toast ? static_cast<uint32_t>(TOAST_POINTER_SIZE) : limit_bytes + 1;
  }
  if (VARATT_IS_1B(value)) {
    return VARSIZE_1B(value);
  }
  bool const is_compressed = VARATT_IS_4B_C(value);
  uint32_t const header_bytes = is_compressed ? VARHDRSZ_COMPRESSED : VARHDRSZ;
  if (limit_bytes < header_bytes || VARSIZE_4B(value) < header_bytes) {
    return limit_bytes + 1;
  }
  return VARSIZE_4B(value);
}

}  // namespace

uint32_t RowPageBatch::Load(uint64_t run) {
  rows_.clear();
  begin_ = end_ = 0;
  const row_pages::Blocks& blocks = reader_.row_blocks();
  uint64_t const first = run * kRunBlocks;
  uint64_t const end = std::min(first + kRunBlocks, blocks.count());
  uint32_t row_page_count = 0;
  size_t used_pages = 0;  // pages without visible rows keep no copy
  for (uint64_t i = first; i < end; ++i) {
    CheckInterrupts();
    if (used_pages == pages_.size()) {
      pages_.push_back(std::make_unique<row_pages::RowPage>());
    }
    row_pages::RowPage* const page = pages_[used_pages].get();
    BlockNumber const block = blocks.At(i);
    if (block == InvalidBlockNumber) {
      page->Clear();
      continue;
    }
    row_page_count += TryPg([&]() noexcept -> bool {
      return page->Load(reader_.relation(), block, reader_.snapshot());
    });
    for (int index = 0; index < page->count(); ++index) {
      HeapTupleData const tuple = page->tuple(index);
      rows_.push_back({.tuple = tuple.t_data, .size_bytes = tuple.t_len, .tid = tuple.t_self});
    }
    used_pages += page->count() > 0 ? 1 : 0;
  }
  return row_page_count;
}

void RowPageBatch::ReleaseMemory() {
  pages_ = decltype(pages_)();
  rows_ = decltype(rows_)();
  positions_ = decltype(positions_)();
  after_ = decltype(after_)();
  begin_ = end_ = 0;
}

Result<bool> RowPageBatch::Next() {
  begin_ = end_;
  located_count_ = 0;
  uint64_t fetched_bytes = 0;
  while (end_ < rows_.size() && row_count() < kRowsMax) {
    const Row& row = rows_[end_];
    if ((row.tuple->t_infomask & HEAP_HASEXTERNAL) != 0) {
      ASSIGN_OR_RETURN(uint64_t const row_bytes, FetchedBytes(row));
      fetched_bytes += row_bytes;
      if (fetched_bytes > kFetchedBytesMax && row_count() > 0) {
        break;
      }
    }
    ++end_;
  }
  return row_count() > 0;
}

/// Calls `visit(attribute, position)` for attributes `from` to `to` of a tuple. `*offset` is where
/// the first of them may start, and becomes that of the next.
template <class Visit>
Status RowPageBatch::Walk(const Row& row, AttrNumber from, AttrNumber to, uint32_t* offset,
                          Visit visit) const {
  auto const* const data = reinterpret_cast<const char*>(row.tuple);
  bool const has_nulls = (row.tuple->t_infomask & HEAP_HASNULL) != 0;
  int const stored_count = HeapTupleHeaderGetNatts(row.tuple);
  for (AttrNumber attribute = from; attribute <= to; ++attribute) {
    if (attribute > stored_count) {
      visit(attribute, kAbsent);
      continue;
    }
    if (has_nulls && att_isnull(attribute - 1, row.tuple->t_bits)) {
      visit(attribute, kNull);
      continue;
    }
    const FormData_pg_attribute& column = *TupleDescAttr(reader_.descriptor(), attribute - 1);
    uint32_t start = *offset;
    // A varlena value with a short header is not aligned, and the padding before others is zero.
    if (column.attlen != -1 || start >= row.size_bytes || !VARATT_NOT_PAD_BYTE(data + start)) {
      start = static_cast<uint32_t>(att_align_nominal(start, column.attalign));
    }
    uint32_t const limit_bytes = row.size_bytes - std::min(start, row.size_bytes);
    uint32_t const size_bytes = SizeInTuple(column, data + start, limit_bytes);
    if (size_bytes > limit_bytes) [[unlikely]] {
      return Status::Corruption(
          StrCat("columnar table \"", RelationGetRelationName(reader_.relation()), "\", block ",
                 ItemPointerGetBlockNumberNoCheck(&row.tid), ", item ",
                 ItemPointerGetOffsetNumberNoCheck(&row.tid), ", column \"",
                 NameStr(column.attname), "\": ", size_bytes, " bytes at ", start,
                 " of a tuple of ", row.size_bytes, ", at most ", limit_bytes, " expected"));
    }
    visit(attribute, static_cast<Position>(start));
    *offset = start + size_bytes;
  }
  return Status::Ok();
}

/// What the tuple's values stored out of line take when they are read.
Result<uint64_t> RowPageBatch::FetchedBytes(const Row& row) const {
  uint64_t size_bytes = 0;
  uint32_t offset = row.tuple->t_hoff;
  auto const add = [&](AttrNumber attribute, Position position) {
    if (position >= kAbsent || TupleDescAttr(reader_.descriptor(), attribute - 1)->attlen != -1) {
      return;
    }
    auto const* const value = reinterpret_cast<const char*>(row.tuple) + position;
    if (VARATT_IS_EXTERNAL_ONDISK(value)) {
      struct varatt_external pointer;
      VARATT_EXTERNAL_GET_POINTER(pointer, value);
      size_bytes += static_cast<uint64_t>(pointer.va_rawsize);
    }
  };
  RETURN_IF_ERROR(Walk(row, 1, static_cast<AttrNumber>(reader_.descriptor()->natts), &offset, add));
  return size_bytes;
}

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
  }
  positions_.resize(size_t{count} * static_cast<size_t>(attribute));
  for (uint32_t row = 0; row < count; ++row) {
    uint32_t offset = after_[row];
    auto const keep = [&](AttrNumber found, Position position) {
      positions_[size_t{count} * static_cast<size_t>(found - 1) + row] = position;
    };
    RETURN_IF_ERROR(Walk(rows_[begin_ + row], static_cast<AttrNumber>(located_count_ + 1),
                         attribute, &offset, keep));
    after_[row] = static_cast<Position>(offset);
  }
  located_count_ = attribute;
  return Status::Ok();
}

Status RowPageBatch::Read(AttrNumber attribute, ColumnVector& out) {
  RETURN_IF_ERROR(Locate(attribute));
  uint32_t const count = row_count();
  auto const positions =
      std::span(positions_).subspan(size_t{count} * static_cast<size_t>(attribute - 1), count);
  Cell absent = Cell::Null();
  if (std::find(positions.begin(), positions.end(), kAbsent) != positions.end()) {
    absent = reader_.MissingValue(attribute);
  }
  const ColumnType& type = reader_.column_type(attribute);
  out.type = type.physical;
  out.row_count = count;
  out.null_count = 0;
  out.valid_words.assign((size_t{count} + 63) / 64, 0);
  for (uint32_t row = 0; row < count; ++row) {
    bool const is_null = positions[row] == kNull || (positions[row] == kAbsent && absent.is_null);
    out.null_count += is_null ? 1 : 0;
    out.valid_words[row / 64] |= uint64_t{!is_null} << (row % 64);
  }
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
