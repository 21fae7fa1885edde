#include "pg/nodes/row_batch.h"

#include "pg/bridge.h"

extern "C" {
#include "executor/executor.h"
#include "executor/tuptable.h"
}

namespace orochi::pg {
namespace {

using columnar::ColumnVector;
using columnar::PhysicalType;

template <class T>
void Store(const Datum* values, const bool* nulls, uint32_t row_count, ColumnVector& out) {
  out.fixed_words.assign((size_t{row_count} * sizeof(T) + 7) / 8, 0);
  auto* const bytes = reinterpret_cast<std::byte*>(out.fixed_words.data());
  for (uint32_t row = 0; row < row_count; ++row) {
    if (!nulls[row]) {
      // A by-value Datum of a machine we run on holds the value in its low bytes.
      std::memcpy(bytes + size_t{row} * sizeof(T), &values[row], sizeof(T));
    }
  }
}

}  // namespace

RowBatch::RowBatch(std::vector<Column> columns) {
  for (const Column& column : columns) {
    auto raw = std::make_unique<Raw>();
    raw->position = column.position;
    raw->is_bytes = column.physical == PhysicalType::kBytes;
    raw->wants_values = !column.only_nulls;
    raw_pointers_.push_back(raw.get());
    raws_.push_back(std::move(raw));
    vectors_.emplace_back().type = column.physical;
  }
}

Result<uint32_t> RowBatch::Fill(PlanState* node, MemoryContext scratch) {
  Raw* const* const raws = raw_pointers_.data();
  size_t const column_count = raw_pointers_.size();
  if (ended_) {
    return uint32_t{0};  // a node asked again after its end may start over
  }
  uint32_t const row_count = TryPg([&]() noexcept {
    MemoryContextReset(scratch);
    uint32_t row = 0;
    size_t size_bytes = 0;
    for (; row < kRowsMax && size_bytes < kBytesMax; ++row) {
      TupleTableSlot* const slot = ExecProcNode(node);
      if (TupIsNull(slot)) {
        ended_ = true;
        break;
      }
      for (size_t i = 0; i < column_count; ++i) {
        Raw* const raw = raws[i];
        Datum const value = slot_getattr(slot, raw->position, &raw->nulls[row]);
        if (raw->nulls[row] || !raw->wants_values) {
          continue;
        }
        raw->values[row] = value;
        if (raw->is_bytes) {
          MemoryContext const previous = MemoryContextSwitchTo(scratch);
          raw->values[row] = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
          MemoryContextSwitchTo(previous);
          size_bytes += VARSIZE_ANY(DatumGetPointer(raw->values[row]));
        }
      }
    }
    return row;
  });
  for (size_t i = 0; i < column_count; ++i) {
    RETURN_IF_ERROR(Convert(*raws[i], row_count, vectors_[i]));
  }
  return row_count;
}

Status RowBatch::Convert(const Raw& raw, uint32_t row_count, ColumnVector& out) const {
  out.row_count = row_count;
  out.null_count = 0;
  out.valid_words.assign((size_t{row_count} + 63) / 64, 0);
  for (uint32_t row = 0; row < row_count; ++row) {
    out.null_count += raw.nulls[row] ? 1 : 0;
    out.valid_words[row / 64] |= uint64_t{!raw.nulls[row]} << (row % 64);
  }
  if (!raw.wants_values) {
    return Status::Ok();
  }
  if (raw.is_bytes) {
    out.offsets.assign(1, 0);
    out.bytes.clear();
    for (uint32_t row = 0; row < row_count; ++row) {
      if (!raw.nulls[row]) {
        auto* const varlena = DatumGetPointer(raw.values[row]);
        auto* const data = reinterpret_cast<const std::byte*>(VARDATA_ANY(varlena));
        out.bytes.insert(out.bytes.end(), data, data + VARSIZE_ANY_EXHDR(varlena));
      }
      out.offsets.push_back(static_cast<uint32_t>(out.bytes.size()));
    }
    return Status::Ok();
  }
  switch (columnar::WidthBytes(out.type)) {
    case 1:
      Store<uint8_t>(raw.values, raw.nulls, row_count, out);
      break;
    case 2:
      Store<uint16_t>(raw.values, raw.nulls, row_count, out);
      break;
    case 4:
      Store<uint32_t>(raw.values, raw.nulls, row_count, out);
      break;
    default:
      Store<uint64_t>(raw.values, raw.nulls, row_count, out);
      break;
  }
  return Status::Ok();
}

}  // namespace orochi::pg
