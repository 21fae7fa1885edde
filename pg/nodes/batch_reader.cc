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

BatchReader::BatchReader(std::unique_ptr<ColumnarReader> reader)
    : reader_(std::move(reader)), row_pages_(*reader_) {
  slots_.resize(static_cast<size_t>(RelationGetNumberOfAttributes(reader_->relation())));
}

void BatchReader::Rewind() {
  Forget();
  next_unit_ = 0;
  unit_ = Unit::kNone;
}

void BatchReader::Forget() {
  for (AttrNumber const attribute : current_) {
    slots_[static_cast<size_t>(attribute - 1)].is_current = false;
  }
  current_.clear();
}

/// Stripes come first, then runs of row pages. Processes that share a scan see the same stripes;
/// the file may have grown for those that opened it later, by pages without a visible row.
Result<bool> BatchReader::NextUnit() {
  uint64_t const unit =
      next_shared_unit_ == nullptr ? next_unit_++ : pg_atomic_fetch_add_u64(next_shared_unit_, 1);
  uint64_t const stripe_count = reader_->stripes().size();
  if (unit < stripe_count) {
    stripe_ = static_cast<size_t>(unit);
    ASSIGN_OR_RETURN(footer_, reader_->Stripe(stripe_));
    unit_ = Unit::kStripe;
    next_row_group_ = 0;
    counters_.row_groups_total += footer_->row_group_count();
    return true;
  }
  if (unit - stripe_count < row_pages_.run_count()) {
    row_pages_.Start(unit - stripe_count);
    unit_ = Unit::kRowPages;
    return true;
  }
  return false;
}

Result<bool> BatchReader::Next() {
  for (;;) {
    CheckInterrupts();
    Forget();
    if (unit_ == Unit::kNone) {
      ASSIGN_OR_RETURN(bool const found, NextUnit());
      if (!found) {
        ReleaseMemory();
        return false;
      }
    }
    ASSIGN_OR_RETURN(bool const has_rows,
                     unit_ == Unit::kStripe ? NextRowGroup() : NextRowsOfPages());
    if (has_rows) {
      return true;
    }
  }
}

void BatchReader::ReleaseMemory() {
  slots_ = std::vector<Slot>(slots_.size());  // an assignment of each would keep its memory
  row_pages_.ReleaseMemory();
}

Result<bool> BatchReader::NextRowGroup() {
  if (next_row_group_ == footer_->row_group_count()) {
    unit_ = Unit::kNone;
    return false;
  }
  row_group_ = next_row_group_++;
  return EnterRowGroup();
}

Result<bool> BatchReader::NextRowsOfPages() {
  ASSIGN_OR_RETURN(bool const found, row_pages_.Next());
  counters_.row_pages_read = row_pages_.page_count();
  if (!found) {
    unit_ = Unit::kNone;
    return false;
  }
  selection_.SelectAll(row_pages_.row_count());
  return ApplyFilters(row_pages_.row_count());
}

Result<bool> BatchReader::EnterRowGroup() {
  uint32_t const row_count = footer_->row_group_rows(row_group_);
  first_row_number_ =
      reader_->stripes()[stripe_].first_row_number + footer_->row_group_first_row(row_group_);
  if (!MayMatch()) {
    SkipRowGroup(first_row_number_, row_count);
    return false;
  }
  ++counters_.row_groups_read;
  selection_.SelectAll(row_count);
  reader_->FindHidden(first_row_number_, row_count, hidden_);
  std::span<const uint64_t> const hidden_words = hidden_.words();
  for (uint32_t index = 0; index < hidden_words.size(); ++index) {
    selection_.IntersectWord(index, ~hidden_words[index]);
  }
  return ApplyFilters(row_count - hidden_.count());
}

/// Removes from the selection, which holds `visible_count` rows, those that a filter removes.
Result<bool> BatchReader::ApplyFilters(uint64_t visible_count) {
  uint64_t selected_count = visible_count;
  for (const Filter& filter : filters_) {
    if (selected_count == 0) {
      break;
    }
    const columnar::ChunkInfo* const chunk = Chunk(filter.attribute);
    if (chunk != nullptr &&
        filter.filter.AlwaysMatches(chunk->statistics, chunk->row_count, chunk->null_count)) {
      continue;  // known without decoding the column
    }
    ASSIGN_OR_RETURN(const columnar::ColumnVector* const column, Column(filter.attribute));
    filter.filter.Apply(*column, selection_);
    selected_count = selection_.CountSelected();
  }
  counters_.rows_removed += visible_count - selected_count;
  all_selected_ = selected_count == selection_.row_count();
  return selected_count > 0;
}

void BatchReader::SkipRowGroup(uint64_t first_row, uint32_t row_count) {
  ++counters_.row_groups_skipped;
  counters_.rows_skipped += row_count;
  if (counts_skipped_exactly_) {
    reader_->FindHidden(first_row, row_count, hidden_);
    counters_.rows_skipped -= hidden_.count();
  }
}

std::optional<uint64_t> BatchReader::KnownRowCount() const {
  bool const is_known = !reader_->has_stubs() && reader_->row_blocks().unknown_count() == 0;
  return is_known ? std::optional(reader_->row_count()) : std::nullopt;
}

Result<bool> BatchReader::HasRows() {
  if (!has_rows_) {
    ASSIGN_OR_RETURN(has_rows_, FindAnyRow());
  }
  return *has_rows_;
}

Result<bool> BatchReader::FindAnyRow() {
  HiddenRows hidden;
  for (const StripeEntry& entry : reader_->stripes()) {
    CheckInterrupts();
    reader_->FindHidden(entry.first_row_number, static_cast<uint32_t>(entry.row_count), hidden);
    if (hidden.count() < entry.row_count) {
      return true;
    }
  }
  RowPageBatch row_pages(*reader_);  // not the scan's, whose pages are counted
  for (uint64_t run = 0; run < row_pages.run_count(); ++run) {
    row_pages.Start(run);
    ASSIGN_OR_RETURN(bool const found, row_pages.Next());
    if (found) {
      return true;
    }
  }
  return false;
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
    RETURN_IF_ERROR(unit_ == Unit::kRowPages
                        ? row_pages_.Read(attribute, slot.vector)
                        : reader_->ReadColumn(stripe_, row_group_, attribute, slot.vector));
    slot.is_current = true;
    current_.push_back(attribute);
  }
  return &slot.vector;
}

Status BatchReader::ReadDatums(AttrNumber attribute, std::span<const uint32_t> rows,
                               DatumColumn& out) {
  if (unit_ == Unit::kRowPages) {
    return row_pages_.ReadDatums(attribute, rows, out);
  }
  ASSIGN_OR_RETURN(const columnar::ColumnVector* const vector, Column(attribute));
  const ColumnType& type = column_type(attribute);
  return AllSelected() ? out.Convert(type, *vector) : out.Convert(type, *vector, rows);
}

}  // namespace orochi::pg
