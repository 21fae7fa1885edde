#include "pg/am/columnar/scan_cursor.h"

#include "pg/am/columnar/tuple_values.h"
#include "pg/bridge.h"

extern "C" {
#include "utils/rel.h"
}

namespace orochi::pg {

ScanCursor::ScanCursor(std::unique_ptr<ColumnarReader> reader, ColumnarParallelScan* parallel)
    : reader_(std::move(reader)), view_(*reader_), parallel_(parallel) {
  uint64_t groups = 0;
  uint64_t rows = 0;
  for (const StripeEntry& entry : reader_->stripes()) {
    group_ends_.push_back(groups += entry.row_group_count);
    row_ends_.push_back(rows += entry.row_count);
  }
}

Result<std::unique_ptr<ScanCursor>> ScanCursor::Open(Relation relation, Snapshot snapshot,
                                                     ColumnarParallelScan* parallel) {
  ASSIGN_OR_RETURN(auto reader, ColumnarReader::Open(relation, snapshot));
  return std::unique_ptr<ScanCursor>(new ScanCursor(std::move(reader), parallel));
}

void ScanCursor::Restart() {
  group_ = -1;
  row = -1;
  row_count = 0;
  entered_.reset();
}

Status ScanCursor::Enter(size_t stripe, uint32_t row_group) {
  if (entered_ != std::pair(stripe, row_group)) {
    entered_.reset();
    RETURN_IF_ERROR(view_.Point(reader_->stripes()[stripe], row_group));
    reader_->FindHidden(view_.first_row_number(), view_.row_count(), hidden_);
    entered_ = std::pair(stripe, row_group);
  }
  on_row_page_ = false;
  row_count = view_.row_count();
  return Status::Ok();
}

Status ScanCursor::EnterBlock(BlockNumber block) {
  if (block == InvalidBlockNumber) {
    page_->Clear();
  } else {
    TryPg([&]() noexcept { page_->Load(reader_->relation(), block, reader_->snapshot()); });
  }
  on_row_page_ = true;
  block_ = block;
  row_count = page_->count();
  row = -1;
  return Status::Ok();
}

Result<bool> ScanCursor::Advance(bool forward) {
  for (;;) {
    ASSIGN_OR_RETURN(bool const found, AdvanceOne(forward));
    if (!found || row_count > 0) {
      return found;
    }
  }
}

Result<bool> ScanCursor::AdvanceOne(bool forward) {
  CheckInterrupts();
  auto const row_group_count =
      group_ends_.empty() ? int64_t{0} : static_cast<int64_t>(group_ends_.back());
  auto const group_count = row_group_count + static_cast<int64_t>(reader_->row_blocks().count());
  if (parallel_ != nullptr && reader_->snapshot()->snapshot_type == SNAPSHOT_ANY) {
    // An index build. The processes may not agree on which dropped stripes somebody still sees, nor
    // then on the groups' numbers: who comes first reads them all.
    if (pg_atomic_fetch_add_u64(&parallel_->next_group, 1) > 0) {
      group_ = group_count;
      row_count = 0;
      row = 0;
      return false;
    }
    parallel_ = nullptr;
  }
  if (parallel_ != nullptr) {
    group_ = static_cast<int64_t>(pg_atomic_fetch_add_u64(&parallel_->next_group, 1));
  } else {
    group_ += forward ? 1 : -1;
  }
  if (group_ < 0 || group_ >= group_count) {
    group_ = group_ < 0 ? -1 : group_count;
    row_count = 0;
    row = forward ? 0 : -1;
    return false;
  }
  if (group_ >= row_group_count) {
    RETURN_IF_ERROR(
        EnterBlock(reader_->row_blocks().At(static_cast<uint64_t>(group_ - row_group_count))));
    row = forward ? 0 : row_count - 1;
    return true;
  }
  auto const stripe = static_cast<size_t>(
      std::upper_bound(group_ends_.begin(), group_ends_.end(), static_cast<uint64_t>(group_)) -
      group_ends_.begin());
  uint64_t const first_group = stripe == 0 ? 0 : group_ends_[stripe - 1];
  RETURN_IF_ERROR(
      Enter(stripe, static_cast<uint32_t>(static_cast<uint64_t>(group_) - first_group)));
  row = forward ? 0 : row_count - 1;
  return true;
}

void ScanCursor::Store(TupleTableSlot* slot) {
  Relation const relation = reader_->relation();
  if (!on_row_page_) {
    StoreRow(slot, &view_, static_cast<uint32_t>(row), RelationGetRelid(relation));
    return;
  }
  HeapTupleData tuple = page_->tuple(static_cast<int>(row));
  StoreTuple(relation, &tuple, slot);
}

Status ScanCursor::SeekInStripe(size_t stripe, uint32_t row_in_stripe) {
  ASSIGN_OR_RETURN(const columnar::StripeReader* opened, reader_->Stripe(stripe));
  uint32_t const row_group = opened->RowGroupOf(row_in_stripe);
  RETURN_IF_ERROR(Enter(stripe, row_group));
  row = row_in_stripe - opened->row_group_first_row(row_group);
  return Status::Ok();
}

Status ScanCursor::SeekOrdinal(uint64_t ordinal) {
  ASSERT(ordinal < reader_->row_count());
  auto const stripe = static_cast<size_t>(
      std::upper_bound(row_ends_.begin(), row_ends_.end(), ordinal) - row_ends_.begin());
  uint64_t const first = stripe == 0 ? 0 : row_ends_[stripe - 1];
  return SeekInStripe(stripe, static_cast<uint32_t>(ordinal - first));
}

std::optional<size_t> ScanCursor::StripeOfRowNumber(uint64_t row_number) const {
  // Stripe numbers and row numbers are reserved together, so both ascend.
  const auto& stripes = reader_->stripes();
  auto const after = std::upper_bound(
      stripes.begin(), stripes.end(), row_number,
      [](uint64_t number, const StripeEntry& entry) { return number < entry.first_row_number; });
  if (after == stripes.begin() || !std::prev(after)->Holds(row_number)) {
    return std::nullopt;
  }
  return static_cast<size_t>(std::prev(after) - stripes.begin());
}

bool ScanCursor::HoldsRowNumber(uint64_t row_number) const {
  return StripeOfRowNumber(row_number).has_value();
}

Result<bool> ScanCursor::SeekRowNumber(uint64_t row_number) {
  auto const stripe = StripeOfRowNumber(row_number);
  if (!stripe) {
    return false;
  }
  RETURN_IF_ERROR(SeekInStripe(
      *stripe, static_cast<uint32_t>(row_number - reader_->stripes()[*stripe].first_row_number)));
  return !IsHidden(row);
}

uint64_t ScanCursor::end_row_number() const {
  const auto& stripes = reader_->stripes();
  return stripes.empty() ? 0 : stripes.back().first_row_number + stripes.back().row_count;
}

}  // namespace orochi::pg
