#include "pg/am/columnar/row_group_view.h"

#include <unordered_map>

#include "pg/am/columnar/row_inserter.h"
#include "pg/am/columnar/rows_ahead.h"
#include "pg/bridge.h"

extern "C" {
#include "catalog/heap.h"
#include "utils/rel.h"
}

namespace orochi::pg {

Status RowGroupView::Point(const StripeEntry& entry, uint32_t row_group) {
  decoded_count_ = 0;
  asked_count_ = 0;
  cells_cost_bytes_ = 0;
  shortcuts_.clear();
  shortcut_bytes_ = 0;
  ASSIGN_OR_RETURN(const columnar::StripeReader* stripe, reader_.OpenEntry(entry));
  entry_ = entry;
  row_group_ = row_group;
  row_count_ = stripe->row_group_rows(row_group);
  first_row_number_ = entry.first_row_number + stripe->row_group_first_row(row_group);
  return Status::Ok();
}

Status RowGroupView::Decode(int attribute_count) {
  if (columns_.size() < static_cast<size_t>(attribute_count)) {
    columns_.resize(static_cast<size_t>(attribute_count));
  }
  ASSIGN_OR_RETURN(const columnar::StripeReader* stripe, reader_.OpenEntry(entry_));
  (void)stripe;
  decoded_count_ = decoded_count();
  descriptor_changes_ = reader_.descriptor_changes();
  asked_count_ = std::max(asked_count_, static_cast<size_t>(attribute_count));
  cells_cost_bytes_ = 0;  // rows to come may be asked for more columns
  while (decoded_count_ < attribute_count) {
    auto const attribute = static_cast<AttrNumber>(decoded_count_ + 1);
    const ColumnType& type = reader_.column_type(attribute);
    DatumColumn& column = columns_[static_cast<size_t>(decoded_count_)];
    size_t const before = column.memory_bytes();
    if (type.dropped) {
      column.SetNull(row_count_);
    } else {
      RETURN_IF_ERROR(reader_.ReadColumnOfOpen(row_group_, attribute, vector_));
      Status status = column.Convert(type, vector_);
      if (!status.ok()) {
        return std::move(status).WithContext(reader_.NameOfColumn(row_group_, attribute));
      }
    }
    memory_bytes_ += column.memory_bytes() - before;
    ++decoded_count_;
  }
  return Status::Ok();
}

bool RowGroupView::CellsAreCheap(uint32_t row, int attribute_count) const {
  size_t const expected_rows = rows_ahead::Expected(reader_.relation(), first_row_number_ + row);
  auto const asked = static_cast<size_t>(attribute_count);
  return cells_cost_bytes_ + expected_rows * asked * kCellCostBytes <=
         std::max(asked, asked_count_) * row_count_ * sizeof(Datum);
}

Status RowGroupView::ReadCells(uint32_t row, int first, int last, MemoryContext context,
                               Link** links, Datum* values, bool* nulls) {
  ASSIGN_OR_RETURN(const columnar::StripeReader* stripe, reader_.OpenEntry(entry_));
  (void)stripe;
  int const decoded = decoded_count();
  asked_count_ = std::max(asked_count_, static_cast<size_t>(last));
  if (shortcuts_.size() < static_cast<size_t>(last)) {
    shortcuts_.resize(static_cast<size_t>(reader_.descriptor()->natts));
  }
  for (int i = first - 1; i < last; ++i) {
    auto const attribute = static_cast<AttrNumber>(i + 1);
    const ColumnType& type = reader_.column_type(attribute);
    if (attribute <= decoded) {
      values[i] = value(attribute, row);
      nulls[i] = is_null(attribute, row);
      continue;
    }
    columnar::Cell cell = columnar::Cell::Null();
    if (!type.dropped) {
      columnar::CellShortcut& shortcut = shortcuts_[static_cast<size_t>(i)];
      size_t const before = shortcut.memory_bytes();
      const columnar::ChunkInfo* const chunk = reader_.Chunk(row_group_, attribute);
      cells_cost_bytes_ +=
          kCellCostBytes + (chunk != nullptr && shortcut.raw.empty() ? chunk->size_bytes : 0);
      RETURN_IF_ERROR(reader_.ReadCellOfOpen(row_group_, attribute, row, shortcut, cell));
      shortcut_bytes_ += shortcut.memory_bytes() - before;
    }
    values[i] = 0;
    nulls[i] = cell.is_null;
    if (!cell.is_null && type.shape == ColumnType::Shape::kByValue) {
      values[i] = DatumOfWord(type, cell.word);
    } else if (!cell.is_null) {
      std::span<const std::byte> const bytes(cell.data, cell.size_bytes);
      Result<size_t> const size_bytes = RebuiltSizeBytes(type, bytes.size());
      if (!size_bytes.ok()) {
        return Status(size_bytes.status()).WithContext(reader_.NameOfColumn(row_group_, attribute));
      }
      constexpr size_t kLinkBytes = MAXALIGN(sizeof(Link));
      auto* const link = TryPg([&]() noexcept {
        return static_cast<Link*>(MemoryContextAllocHuge(context, kLinkBytes + *size_bytes));
      });
      link->before = *links;
      *links = link;
      values[i] = RebuildBytes(type, bytes, reinterpret_cast<std::byte*>(link) + kLinkBytes);
    }
  }
  return Status::Ok();
}

namespace {

// What slots keep of their own. PostgreSQL forgets slots after an error without a word, and frees
// their memory: not there.
struct Share {
  std::shared_ptr<void> reader_owner;
  std::shared_ptr<RowGroupView> view;
};

std::unordered_map<const TupleTableSlot*, Share>& Shares() {
  static std::unordered_map<const TupleTableSlot*, Share> shares;
  return shares;
}

enum class Reading : uint8_t { kColumns, kUndecided, kCells };

struct ColumnarSlot {
  VirtualTupleTableSlot base;
  RowGroupView* view;  // null: the values are in the slot
  uint32_t row;
  Reading reading;
  RowGroupView::Link* links;  // of the values by reference that were read cell by cell
  bool has_share;
};

ColumnarSlot* Ours(TupleTableSlot* slot) {
  return reinterpret_cast<ColumnarSlot*>(slot);
}

void SlotInit(TupleTableSlot* slot) {
  TTSOpsVirtual.init(slot);
  Ours(slot)->view = nullptr;
  Ours(slot)->links = nullptr;
  Ours(slot)->has_share = false;
}

void ForgetView(TupleTableSlot* slot) {
  Ours(slot)->view = nullptr;
  if (Ours(slot)->has_share) {
    Shares().erase(slot);
    Ours(slot)->has_share = false;
  }
}

void FreeCells(TupleTableSlot* slot) {
  while (Ours(slot)->links != nullptr) {
    RowGroupView::Link* const link = Ours(slot)->links;
    Ours(slot)->links = link->before;
    pfree(link);
  }
}

void SlotRelease(TupleTableSlot* slot) {
  TTSOpsVirtual.release(slot);
}

void SlotClear(TupleTableSlot* slot) {
  ForgetView(slot);
  FreeCells(slot);
  TTSOpsVirtual.clear(slot);
}

void SlotGetSomeAttrs(TupleTableSlot* slot, int attribute_count) {
  RowGroupView* const view = Ours(slot)->view;
  if (view == nullptr) {
    elog(ERROR, "slot of a columnar table has %d values, %d asked for", slot->tts_nvalid,
         attribute_count);
  }
  uint32_t const row = Ours(slot)->row;
  if (view->decoded_count() < attribute_count) {
    if (Ours(slot)->reading == Reading::kUndecided) {
      Ours(slot)->reading =
          view->CellsAreCheap(row, attribute_count) ? Reading::kCells : Reading::kColumns;
    }
    if (Ours(slot)->reading == Reading::kCells) {
      Boundary([&]() -> Status {
        return view->ReadCells(row, slot->tts_nvalid + 1, attribute_count, slot->tts_mcxt,
                               &Ours(slot)->links, slot->tts_values, slot->tts_isnull);
      });
      slot->tts_nvalid = static_cast<AttrNumber>(attribute_count);
      return;
    }
    Boundary([&]() -> Status { return view->Decode(attribute_count); });
  }
  for (int i = slot->tts_nvalid; i < attribute_count; ++i) {
    slot->tts_values[i] = view->value(i + 1, row);
    slot->tts_isnull[i] = view->is_null(i + 1, row);
  }
  slot->tts_nvalid = static_cast<AttrNumber>(attribute_count);
}

// PostgreSQL itself asks whether the current transaction inserted a row: for foreign keys, and for
// ON CONFLICT under REPEATABLE READ.
Datum SlotGetSystemAttribute(TupleTableSlot* slot, int attribute, bool* is_null) {
  if (attribute == MinTransactionIdAttributeNumber && ItemPointerIsValid(&slot->tts_tid)) {
    *is_null = false;
    return TransactionIdGetDatum(columnar_am::InserterOf(slot->tts_tableOid, &slot->tts_tid));
  }
  bool const is_xmax = attribute == MaxTransactionIdAttributeNumber;
  if ((is_xmax || attribute == MinCommandIdAttributeNumber ||
       attribute == MaxCommandIdAttributeNumber) &&
      ItemPointerIsValid(&slot->tts_tid)) {
    *is_null = false;
    columnar_am::LastChange const change =
        columnar_am::LastChangeOf(slot->tts_tableOid, &slot->tts_tid);
    return is_xmax ? TransactionIdGetDatum(change.xmax) : CommandIdGetDatum(change.command_id);
  }
  ereport(ERROR,
          (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
           errmsg("cannot read system column \"%s\" of a columnar table",
                  NameStr(SystemAttributeDefinition(static_cast<AttrNumber>(attribute))->attname)),
           errhint("Rows there have ctid, tableoid, xmin, xmax, cmin and cmax.")));
  return 0;
}

void SlotMaterialize(TupleTableSlot* slot) {
  if (Ours(slot)->view != nullptr) {
    slot_getallattrs(slot);
  }
  TTSOpsVirtual.materialize(slot);
  ForgetView(slot);
  FreeCells(slot);
}

void SlotCopy(TupleTableSlot* to, TupleTableSlot* from) {
  ForgetView(to);
  TTSOpsVirtual.copyslot(to, from);  // clears `to`
}

HeapTuple SlotCopyHeapTuple(TupleTableSlot* slot) {
  slot_getallattrs(slot);
  return TTSOpsVirtual.copy_heap_tuple(slot);
}

MinimalTuple SlotCopyMinimalTuple(TupleTableSlot* slot) {
  slot_getallattrs(slot);
  return TTSOpsVirtual.copy_minimal_tuple(slot);
}

const TupleTableSlotOps kSlotOps = {
    .base_slot_size = sizeof(ColumnarSlot),
    .init = SlotInit,
    .release = SlotRelease,
    .clear = SlotClear,
    .getsomeattrs = SlotGetSomeAttrs,
    .getsysattr = SlotGetSystemAttribute,
    .materialize = SlotMaterialize,
    .copyslot = SlotCopy,
    .get_heap_tuple = nullptr,
    .get_minimal_tuple = nullptr,
    .copy_heap_tuple = SlotCopyHeapTuple,
    .copy_minimal_tuple = SlotCopyMinimalTuple,
};

}  // namespace

const TupleTableSlotOps* ColumnarSlotOps() {
  return &kSlotOps;
}

void StoreRow(TupleTableSlot* slot, RowGroupView* view, uint32_t row, Oid relation_id, bool alone) {
  ExecClearTuple(slot);
  if (slot->tts_ops != &kSlotOps) {
    elog(ERROR, "slot given to a columnar scan is of another kind");
  }
  if (view->reader().descriptor() != slot->tts_tupleDescriptor) [[unlikely]] {
    Boundary([&]() -> Status {
      view->reader().Adopt(slot->tts_tupleDescriptor);
      return Status::Ok();
    });
  }
  Ours(slot)->view = view;
  Ours(slot)->row = row;
  Ours(slot)->reading = alone ? Reading::kUndecided : Reading::kColumns;
  slot->tts_flags &= static_cast<uint16>(~TTS_FLAG_EMPTY);
  slot->tts_nvalid = 0;
  slot->tts_tid = TidOfRow(view->first_row_number() + row);
  slot->tts_tableOid = relation_id;
}

void ShareView(TupleTableSlot* slot, std::shared_ptr<RowGroupView> view,
               std::shared_ptr<void> reader_owner) {
  if (slot->tts_ops != &kSlotOps || Ours(slot)->view != view.get()) {
    TryPg([&]() noexcept { ExecMaterializeSlot(slot); });
    return;
  }
  Shares().insert_or_assign(
      slot, Share{.reader_owner = std::move(reader_owner), .view = std::move(view)});
  Ours(slot)->has_share = true;
}

void ForgetShares() {
  Shares().clear();
}

}  // namespace orochi::pg
