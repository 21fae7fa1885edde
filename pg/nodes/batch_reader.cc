#include "pg/nodes/batch_reader.h"

#include "pg/bridge.h"

extern "C" {
#include "utils/rel.h"
}

namespace orochi::pg {

Result<std::unique_ptr<BatchReader>> BatchReader::Open(Relation relation, Snapshot snapshot) {
  ASSIGN_OR_RETURN(std::unique_ptr<ColumnarReader> reader,
                   ColumnarReader::Open(relation, snapshot));
  return std::unique_ptr<BatchReader>(new BatchReader(std::move(reader)));
}

BatchReader::BatchReader(std::unique_ptr<ColumnarReader> reader) : reader_(std::move(reader)) {
  slots_.resize(static_cast<size_t>(RelationGetNumberOfAttributes(reader_->relation())));
}

void BatchReader::Rewind() {
  Forget();
  next_stripe_ = 0;
  footer_ = nullptr;
}

void BatchReader::Forget() {
  for (AttrNumber const attribute : current_) {
    slots_[static_cast<size_t>(attribute - 1)].is_current = false;
  }
  current_.clear();
}

bool BatchReader::NextStripe() {
  stripe_ = next_shared_stripe_ == nullptr
                ? next_stripe_++
                : static_cast<size_t>(pg_atomic_fetch_add_u64(next_shared_stripe_, 1));
  return stripe_ < reader_->stripes().size();
}

Result<bool> BatchReader::Next() {
  for (;;) {
    CheckInterrupts();
    Forget();
    if (footer_ == nullptr) {
      if (!NextStripe()) {
        return false;
      }
      ASSIGN_OR_RETURN(footer_, reader_->Stripe(stripe_));
      next_row_group_ = 0;
      counters_.row_groups_total += footer_->row_group_count();
    }
    if (next_row_group_ == footer_->row_group_count()) {
      footer_ = nullptr;
      continue;
    }
    row_group_ = next_row_group_++;
    ASSIGN_OR_RETURN(bool const has_rows, EnterRowGroup());
    if (has_rows) {
      return true;
    }
  }
}

Result<bool> BatchReader::EnterRowGroup() {
  if (!MayMatch()) {
    ++counters_.row_groups_skipped;
    counters_.rows_skipped += footer_->row_group_rows(row_group_);
    return false;
  }
  ++counters_.row_groups_read;
  uint32_t const row_count = footer_->row_group_rows(row_group_);
  selection_.SelectAll(row_count);
  first_row_number_ =
      reader_->stripes()[stripe_].first_row_number + footer_->row_group_first_row(row_group_);
  uint32_t selected_count = row_count;
  for (const Filter& filter : filters_) {
    const columnar::ChunkInfo* const chunk = Chunk(filter.attribute);
    if (chunk != nullptr &&
        filter.filter.AlwaysMatches(chunk->statistics, chunk->row_count, chunk->null_count)) {
      continue;  // known without decoding the column
    }
    ASSIGN_OR_RETURN(const columnar::ColumnVector* const column, Column(filter.attribute));
    filter.filter.Apply(*column, selection_);
    selected_count = selection_.CountSelected();
    if (selected_count == 0) {
      break;
    }
  }
  counters_.rows_removed += row_count - selected_count;
  all_selected_ = selected_count == row_count;
  return selected_count > 0;
}

bool BatchReader::MayMatch() const {
  return std::all_of(filters_.begin(), filters_.end(), [&](const Filter& filter) {
    const columnar::ChunkInfo* const chunk = Chunk(filter.attribute);
    return chunk == nullptr ||
           filter.filter.MayMatch(chunk->statistics, chunk->row_count, chunk->null_count);
  });
}

Result<const columnar::ColumnVector*> BatchReader::Column(AttrNumber attribute) {
  Slot& slot = slots_[static_cast<size_t>(attribute - 1)];
  if (!slot.is_current) {
    RETURN_IF_ERROR(reader_->ReadColumn(stripe_, row_group_, attribute, slot.vector));
    slot.is_current = true;
    current_.push_back(attribute);
  }
  return &slot.vector;
}

}  // namespace orochi::pg
