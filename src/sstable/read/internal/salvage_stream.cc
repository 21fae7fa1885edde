#include "sstable/read/internal/salvage_stream.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/read/internal/cell_path.h"
#include "sstable/read/internal/counter_context.h"
#include "sstable/types/scalar_text.h"

namespace orochi::sstable::internal {

namespace {

/// So that what is read never reaches into a chunk that it does not need.
constexpr size_t kFillSizeBytes = 1;

ClusteringKind ClosingKind(ClusteringKind kind) {
  switch (kind) {
    case ClusteringKind::kExclEndInclStartBoundary:
      return ClusteringKind::kExclEndBound;
    case ClusteringKind::kInclEndExclStartBoundary:
      return ClusteringKind::kInclEndBound;
    default:
      return kind;
  }
}

ClusteringKind OpeningKind(ClusteringKind kind) {
  switch (kind) {
    case ClusteringKind::kExclEndInclStartBoundary:
      return ClusteringKind::kInclStartBound;
    case ClusteringKind::kInclEndExclStartBoundary:
      return ClusteringKind::kExclStartBound;
    default:
      return kind;
  }
}

}  // namespace

SalvageStream::SalvageStream(io::FileSystem& files, const std::string& directory,
                             const SalvageSource& source, SalvageReport& report)
    : files_(files),
      directory_(directory),
      source_(source),
      report_(report),
      partition_source_(source.partition_source()),
      cursor_(partition_source_, kFillSizeBytes),
      static_row_(&empty_static_row_) {
  empty_static_row_.clustering.kind = ClusteringKind::kStatic;
  marker_view_.kind = Unfiltered::Kind::kMarker;
}

const PartitionStarts& SalvageStream::starts() {
  if (starts_ == nullptr) {
    starts_ = std::make_unique<PartitionStarts>(files_, directory_, source_.descriptor,
                                                source_.layout, DataEnd());
    if (!starts_->complete()) {
      report_.notes.push_back(
          "the partition index is damaged as well: behind what cannot be read, reading goes on "
          "with "
          "the next partition that it still names");
    }
  }
  return *starts_;
}

uint64_t SalvageStream::NextStart(uint64_t position_bytes) {
  return starts().After(position_bytes).value_or(DataEnd());
}

void SalvageStream::Lose(SalvageLoss loss) {
  report_.lost_bytes += loss.kind == SalvageLoss::Kind::kRangeTombstone ? 0 : loss.size_bytes;
  if (report_.losses.size() < SalvageReport::kLossesMax) {
    report_.losses.push_back(std::move(loss));
  } else {
    ++report_.losses_left_out;
  }
}

// As NextStart, passing over what is surely no start.
uint64_t SalvageStream::SureStart(uint64_t position_bytes) {
  uint64_t start = NextStart(position_bytes);
  while (!starts().complete() && start < DataEnd() && !IsPartition(start)) {
    start = NextStart(start);
  }
  return start;
}

// Index and Data.db agree that a partition is here, and it comes after the last one.
bool SalvageStream::IsPartition(uint64_t position_bytes) {
  PartitionCursor probe(partition_source_, kFillSizeBytes);
  Status const opened = probe.OpenPartition(position_bytes);
  if (!opened.ok() && !probe.header_is_read()) {
    return false;
  }
  Bytes const key = probe.partition().key;
  if (has_last_key_ && source_.layout.CompareKeys(last_key_, key) >= 0) {
    return false;
  }
  std::optional<PartitionStarts::Start> const start = starts().At(position_bytes);
  return start.has_value() && (!start->key.has_value() || CompareUnsigned(*start->key, key) == 0) &&
         ValidateValue(*source_.layout.key_type, key).ok();
}

Result<bool> SalvageStream::NextPartition() {
  if (!error_.ok()) {
    return error_;
  }
  while (in_partition_) {
    ASSIGN_OR_RETURN(bool const found, Next());
    in_partition_ = found;
  }
  while (next_position_bytes_ < DataEnd()) {
    bool opened = false;
    if (Status status = OpenPartition(opened); !status.ok()) {
      error_ = std::move(status);
      return error_;
    }
    if (opened) {
      ++report_.partitions;
      report_.rows += static_row_->empty_row() ? 0 : 1;
      in_partition_ = true;
      return true;
    }
  }
  return false;
}

Status SalvageStream::OpenPartition(bool& opened) {
  uint64_t const position = next_position_bytes_;
  Status status = cursor_.OpenPartition(position);
  static_row_ = &empty_static_row_;
  if (status.ok()) {
    Bytes const key = cursor_.partition().key;
    if (has_last_key_ && source_.layout.CompareKeys(last_key_, key) >= 0) {
      status = cursor_.CorruptAt(position, "the partition does not come after the one before it");
    } else {
      status = CheckKey(position, key);
    }
    if (!status.ok()) {
      LosePartitions(position, status);
      return Status::Ok();
    }
    key_.assign(key.begin(), key.end());
    BeginPartition(cursor_.partition());
    opened = true;
    if (Status const sound = CheckCells(cursor_.static_row()); sound.ok()) {
      static_row_ = &cursor_.static_row();
    } else {
      Lose({.kind = SalvageLoss::Kind::kStaticRow,
            .position_bytes = position,
            .size_bytes = cursor_.body_position_bytes() - position,
            .key = key_,
            .why = sound.message()});
    }
    return Status::Ok();
  }
  return IsDamage(status) ? OpenBroken(status, opened) : status;
}

Status SalvageStream::CheckKey(uint64_t position_bytes, Bytes key) {
  RETURN_IF_ERROR(ValidateValue(*source_.layout.key_type, key));
  if (starts_ == nullptr) {
    return Status::Ok();
  }
  std::optional<PartitionStarts::Start> const start = starts_->At(position_bytes);
  if (start.has_value() && start->key.has_value() && CompareUnsigned(*start->key, key) != 0) {
    return cursor_.CorruptAt(position_bytes, "the index says that another partition is here");
  }
  return Status::Ok();
}

void SalvageStream::BeginPartition(const PartitionView& partition) {
  partition_ = partition;
  partition_.key = key_;
  last_key_ = key_;
  has_last_key_ = true;
  BeginRows();
}

// The start of the partition cannot be read, in whole or in part.
Status SalvageStream::OpenBroken(const Status& why, bool& opened) {
  uint64_t const position = next_position_bytes_;
  std::optional<PartitionStarts::Start> const start = starts().At(position);
  bool const has_header = cursor_.header_is_read();
  std::optional<std::vector<std::byte>> key;
  if (has_header) {
    Bytes const read = cursor_.partition().key;
    key.emplace(read.begin(), read.end());
  } else if (start.has_value()) {
    key = start->key;
  }
  bool const in_order = key.has_value() && ValidateValue(*source_.layout.key_type, *key).ok() &&
                        (!has_last_key_ || source_.layout.CompareKeys(last_key_, *key) < 0);
  uint64_t const end = NextStart(position);
  // Where the next partition starts is not known: rows found could be of another one.
  bool const attributable = in_order && starts().complete() && start.has_value();
  BeginRows();
  std::optional<Resume> const resume = attributable ? FindRow(position, end) : std::nullopt;
  if (!resume.has_value() && !(has_header && in_order)) {
    LosePartitions(position, why);
    return Status::Ok();
  }
  key_ = *key;
  PartitionView partition = has_header ? cursor_.partition() : PartitionView();
  // No checksum covers what the index says.
  if (!has_header && start->deletion.has_value() && start->deletion->valid() &&
      IsInTime(*start->deletion)) {
    partition.deletion = *start->deletion;
  }
  partition.position_bytes = position;
  BeginPartition(partition);
  opened = true;
  uint64_t const lost_end = resume.has_value() ? resume->position_bytes : SureStart(position);
  Lose({.kind = has_header ? SalvageLoss::Kind::kStaticRow : SalvageLoss::Kind::kHeader,
        .position_bytes = position,
        .size_bytes = lost_end - position,
        .key = key_,
        .why = why.message()});
  if (resume.has_value()) {
    CutTombstone(*resume);
    cursor_.SeekWithin(resume->position_bytes);
  } else {
    ended_ = true;
    next_position_bytes_ = lost_end;
  }
  return Status::Ok();
}

// Nothing of the partition at `begin_bytes` can be had: on to the next one that is surely there.
void SalvageStream::LosePartitions(uint64_t begin_bytes, const Status& why) {
  uint64_t position = begin_bytes;
  do {
    uint64_t const end = NextStart(position);
    std::optional<PartitionStarts::Start> start = starts().At(position);
    SalvageLoss loss = {.kind = SalvageLoss::Kind::kPartition,
                        .position_bytes = position,
                        .size_bytes = end - position,
                        .why = why.message()};
    if (start.has_value()) {
      loss.key = std::move(start->key);
    }
    Lose(std::move(loss));
    position = end;
    // With a whole index the next one is tried as any other: its rows may be there without its
    // start.
  } while (!starts().complete() && position < DataEnd() && !IsPartition(position));
  next_position_bytes_ = position;
}

void SalvageStream::BeginRows() {
  ended_ = false;
  has_last_ = false;
  cover_ = DeletionTime();
  resumed_cover_ = DeletionTime();
  held_.reset();
  markers_.clear();
  has_row_ = false;
}

Result<bool> SalvageStream::Next() {
  if (!error_.ok()) {
    return error_;
  }
  while (markers_.empty() && !has_row_ && !ended_) {
    if (Status status = Advance(); !status.ok()) {
      error_ = std::move(status);
      return error_;
    }
  }
  if (!markers_.empty()) {
    marker_ = std::move(markers_.front());
    markers_.pop_front();
    marker_view_.clustering = marker_.clustering.view();
    marker_view_.close = marker_.close;
    marker_view_.open = marker_.open;
    current_ = &marker_view_;
    return true;
  }
  if (has_row_) {
    has_row_ = false;
    ++report_.rows;
    current_ = &cursor_.current();
    return true;
  }
  in_partition_ = false;
  return false;
}

SalvageStream::Marker SalvageStream::CopyOf(const Unfiltered& marker) const {
  return {.clustering = ClusteringPrefix(marker.clustering),
          .close = marker.close,
          .open = marker.open};
}

void SalvageStream::LoseTombstone(uint64_t position_bytes) {
  Lose({.kind = SalvageLoss::Kind::kRangeTombstone,
        .position_bytes = position_bytes,
        .key = key_,
        .after = has_last_ ? std::optional(last_) : std::nullopt,
        .why = "one of its ends is lost"});
}

Status SalvageStream::CheckPlace(const Unfiltered& current) const {
  if (has_last_ && source_.layout.clustering.Compare(last_.view(), current.clustering) >= 0) {
    return cursor_.CorruptAt(cursor_.position_bytes(),
                             "a row or marker does not come after the one before it");
  }
  if (current.is_row()) {
    return CheckCells(current);
  }
  // Where no checksum covers them, markers may say anything.
  DeletionTime const cover = resumed_cover_.live() ? cover_ : resumed_cover_;
  ClusteringKind const kind = current.clustering.kind;
  if (current.close != cover || ClosesDeletion(kind) == cover.live() ||
      OpensDeletion(kind) == current.open.live()) {
    return cursor_.CorruptAt(cursor_.position_bytes(), "a range tombstone has only one end");
  }
  return Status::Ok();
}

// What is in a row that no checksum covers must hold what readers rely on.
Status SalvageStream::CheckCells(const Unfiltered& row) const {
  if (source_.has_checksums) {
    return Status::Ok();
  }
  uint64_t const position =
      row.is_static() ? cursor_.partition().position_bytes : cursor_.position_bytes();
  const std::vector<Column>& columns = source_.layout.columns(row.is_static());
  for (const CellView& cell : row.cells) {
    if (columns[cell.column_index].type->kind == TypeKind::kCounter && !cell.tombstone()) {
      RETURN_IF_ERROR(CheckCounterContext(cell.value));
    }
  }
  for (const ComplexColumnView& complex : row.complex_columns) {
    const Type& type = *columns[complex.column_index].type;
    for (uint32_t index = complex.cell_begin + 1; index < complex.cell_end; ++index) {
      if (CompareCellPaths(type, row.cells[index - 1].path, row.cells[index].path) >= 0) {
        return cursor_.CorruptAt(position, "the elements of a collection are not in order");
      }
    }
  }
  return Status::Ok();
}

// Reads on: puts a row, markers, or both in line, or ends the partition, or steps over a gap.
Status SalvageStream::Advance() {
  Result<bool> const found = cursor_.Next();
  Status status = found.status();
  if (found.ok() && *found) {
    status = CheckPlace(cursor_.current());
  }
  if (!status.ok()) {
    if (!IsDamage(status)) {
      return status;
    }
    Gap(cursor_.position_bytes(), status);
    return Status::Ok();
  }
  if (!*found) {
    CloseAtEnd();
    ended_ = true;
    next_position_bytes_ = cursor_.position_bytes();
    return Status::Ok();
  }
  return Pass(cursor_.current());
}

Status SalvageStream::Pass(const Unfiltered& current) {
  bool const resumed = !resumed_cover_.live();
  if (current.is_row()) {
    if (resumed) {
      Marker open = {.clustering = ClusteringPrefix(current.clustering), .open = resumed_cover_};
      open.clustering.set_kind(ClusteringKind::kInclStartBound);
      Emit(open);
      cover_ = std::exchange(resumed_cover_, DeletionTime());
    }
    if (held_.has_value()) {
      Emit(*std::exchange(held_, std::nullopt));
    }
    has_row_ = true;
  } else {
    Marker marker = CopyOf(current);
    bool const opens = OpensDeletion(current.clustering.kind);
    if (held_.has_value()) {
      Emit(*std::exchange(held_, std::nullopt));
    }
    cover_ = opens ? current.open : DeletionTime();
    if (resumed) {  // what it closes was open over no row that is left
      resumed_cover_ = DeletionTime();
      marker.clustering.set_kind(OpeningKind(current.clustering.kind));
      marker.close = DeletionTime();
    }
    if (opens) {
      held_ = std::move(marker);
    } else if (!resumed) {
      Emit(marker);
    }
  }
  last_.Assign(current.clustering);
  has_last_ = true;
  return Status::Ok();
}

// What is open where reading stops is closed behind the last row under it.
void SalvageStream::CloseAtEnd() {
  if (held_.has_value()) {
    if (!held_->close.live()) {
      held_->clustering.set_kind(ClosingKind(held_->clustering.view().kind));
      held_->open = DeletionTime();
      Emit(*held_);
    }
    held_.reset();
    LoseTombstone(cursor_.position_bytes());
  } else if (!cover_.live()) {
    Marker close = {.clustering = last_, .close = cover_};
    close.clustering.set_kind(ClusteringKind::kInclEndBound);
    Emit(close);
    LoseTombstone(cursor_.position_bytes());
  }
  cover_ = DeletionTime();
  resumed_cover_ = DeletionTime();
}

void SalvageStream::Gap(uint64_t begin_bytes, const Status& why) {
  uint64_t const end = NextStart(partition_.position_bytes);
  if (!starts().complete() || end <= begin_bytes) {
    EndHere(begin_bytes, why);
    return;
  }
  std::optional<Resume> const resume = FindRow(begin_bytes, end);
  if (!resume.has_value()) {
    EndHere(begin_bytes, why);
    return;
  }
  SalvageLoss loss = {.kind = SalvageLoss::Kind::kRows,
                      .position_bytes = begin_bytes,
                      .size_bytes = resume->position_bytes - begin_bytes,
                      .key = key_,
                      .why = why.message()};
  if (has_last_) {
    loss.after = last_;
  }
  cursor_.SeekWithin(resume->position_bytes);
  Result<bool> const next = cursor_.NextHead();
  if (next.ok() && *next) {
    loss.before.emplace(cursor_.current().clustering);
  }
  Lose(std::move(loss));
  CutTombstone(*resume);
  cursor_.SeekWithin(resume->position_bytes);
}

void SalvageStream::CutTombstone(const Resume& resume) {
  DeletionTime const before = std::exchange(cover_, DeletionTime());
  if (before == resume.cover) {
    cover_ = before;  // the same one, or none
    return;
  }
  cover_ = before;
  CloseAtEnd();
  resumed_cover_ = resume.cover;
  if (!resume.cover.live()) {
    LoseTombstone(resume.position_bytes);
  }
}

// The rest of the partition is lost.
void SalvageStream::EndHere(uint64_t begin_bytes, const Status& why) {
  uint64_t const end = SureStart(begin_bytes);
  SalvageLoss loss = {.kind = SalvageLoss::Kind::kRows,
                      .position_bytes = begin_bytes,
                      .size_bytes = end - begin_bytes,
                      .key = key_,
                      .why = why.message()};
  if (has_last_) {
    loss.after = last_;
  }
  Lose(std::move(loss));
  CloseAtEnd();
  ended_ = true;
  next_position_bytes_ = end;
}

}  // namespace orochi::sstable::internal
