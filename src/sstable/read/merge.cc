#include "sstable/read/merge.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/read/internal/row_merger.h"

namespace orochi::sstable {

namespace {

using internal::ColumnMap;
using internal::RowMerger;

// One of the streams, and where it stands.
struct Source {
  std::unique_ptr<UnfilteredStream> stream;
  ColumnMap statics;
  ColumnMap regulars;
  bool needs_partition = true;  // its partition is used up
  bool has_partition = false;
  Token token;
  bool needs_row = false;
  bool has_row = false;
  DeletionTime cover;  // its range tombstone where the merge stands
};

class MergeStream final : public UnfilteredStream {
 public:
  MergeStream(std::vector<std::unique_ptr<UnfilteredStream>> streams, Layout layout,
              MergeOptions options);

  const Layout& layout() const override { return layout_; }
  Result<bool> NextPartition() override;
  const PartitionView& partition() const override { return partition_; }
  const Unfiltered& static_row() const override { return static_row_; }
  Result<bool> Next() override;
  const Unfiltered& current() const override { return *current_; }

 private:
  Status FindPartition(bool& found);
  Status AdvancePartitions();
  bool ChooseGroup();
  void OpenGroup();
  Status FindUnfiltered(bool& found);
  Status AdvanceRows();
  void ChooseEqual();
  bool MergeRows();
  bool MergeMarkers();
  bool MayPassThrough(const Source& source, const DeletionTime& cover) const;
  DeletionTime Cover() const;

  Layout layout_;
  MergeOptions options_;
  std::vector<Source> sources_;
  std::vector<Source*> group_;  // those that have the current partition
  std::vector<Source*> equal_;  // of the group, those that stand at the current place
  std::vector<RowMerger::Input> inputs_;
  RowMerger static_merger_;
  RowMerger row_merger_;

  PartitionView partition_;
  DeletionTime deletion_;  // of the partition; the view's may be purged
  Unfiltered static_row_;
  Unfiltered merged_;
  const Unfiltered* current_ = nullptr;
  bool has_lookahead_ = false;  // current_ was found by NextPartition, Next has yet to hand it out
  bool in_partition_ = false;
  Status error_;
};

MergeStream::MergeStream(std::vector<std::unique_ptr<UnfilteredStream>> streams, Layout layout,
                         MergeOptions options)
    : layout_(std::move(layout)),
      options_(std::move(options)),
      static_merger_(layout_, options_, true),
      row_merger_(layout_, options_, false) {
  for (std::unique_ptr<UnfilteredStream>& stream : streams) {
    Source source;
    source.statics = ColumnMap::Of(stream->layout().statics, layout_.statics);
    source.regulars = ColumnMap::Of(stream->layout().regulars, layout_.regulars);
    source.stream = std::move(stream);
    sources_.push_back(std::move(source));
  }
}

Result<bool> MergeStream::NextPartition() {
  bool found = false;
  if (error_.ok()) {
    error_ = FindPartition(found);
  }
  if (!error_.ok()) {
    return error_;
  }
  in_partition_ = found;
  return found;
}

// A partition counts when it says anything: its first row is looked for to know.
Status MergeStream::FindPartition(bool& found) {
  for (;;) {
    RETURN_IF_ERROR(AdvancePartitions());
    found = ChooseGroup();
    if (!found) {
      return Status::Ok();
    }
    OpenGroup();
    has_lookahead_ = false;
    RETURN_IF_ERROR(FindUnfiltered(has_lookahead_));
    if (has_lookahead_ || !partition_.deletion.live() || !static_row_.empty_row()) {
      return Status::Ok();
    }
  }
}

Status MergeStream::AdvancePartitions() {
  for (Source& source : sources_) {
    if (source.needs_partition) {
      ASSIGN_OR_RETURN(source.has_partition, source.stream->NextPartition());
      source.needs_partition = false;
      if (source.has_partition) {
        source.token = TokenOf(layout_.partitioner, source.stream->partition().key);
      }
    }
  }
  return Status::Ok();
}

// The sources whose partition is the first one.
bool MergeStream::ChooseGroup() {
  group_.clear();
  for (Source& source : sources_) {
    if (!source.has_partition) {
      continue;
    }
    int const order = group_.empty()
                          ? -1
                          : CompareKeys(layout_.partitioner, *layout_.key_type, source.token,
                                        source.stream->partition().key, group_[0]->token,
                                        group_[0]->stream->partition().key);
    if (order < 0) {
      group_.clear();
    }
    if (order <= 0) {
      group_.push_back(&source);
    }
  }
  return !group_.empty();
}

void MergeStream::OpenGroup() {
  partition_ = group_[0]->stream->partition();
  inputs_.clear();
  for (Source* const source : group_) {
    source->needs_partition = true;  // when the merge moves on
    source->needs_row = true;
    source->has_row = false;
    source->cover = DeletionTime();
    const DeletionTime& deletion = source->stream->partition().deletion;
    if (deletion.Supersedes(partition_.deletion)) {
      partition_.deletion = deletion;
    }
    if (!source->stream->static_row().empty_row()) {
      inputs_.push_back({&source->stream->static_row(), &source->statics});
    }
  }
  deletion_ = partition_.deletion;
  static_row_ = Unfiltered();
  static_row_.clustering.kind = ClusteringKind::kStatic;
  if (!inputs_.empty() && !static_merger_.Merge(inputs_, deletion_, static_row_)) {
    static_row_ = Unfiltered();
    static_row_.clustering.kind = ClusteringKind::kStatic;
  }
  partition_.deletion = row_merger_.Purged(deletion_);
}

Result<bool> MergeStream::Next() {
  if (!error_.ok()) {
    return error_;
  }
  if (!in_partition_) {
    return false;
  }
  if (has_lookahead_) {
    has_lookahead_ = false;
    return true;
  }
  bool found = false;
  error_ = FindUnfiltered(found);
  if (!error_.ok()) {
    return error_;
  }
  in_partition_ = found;
  return found;
}

Status MergeStream::FindUnfiltered(bool& found) {
  for (;;) {
    RETURN_IF_ERROR(AdvanceRows());
    ChooseEqual();
    if (equal_.empty()) {
      found = false;
      return Status::Ok();
    }
    for (Source* const source : equal_) {
      source->needs_row = true;
    }
    if (equal_[0]->stream->current().is_row() ? MergeRows() : MergeMarkers()) {
      found = true;
      return Status::Ok();
    }
  }
}

Status MergeStream::AdvanceRows() {
  for (Source* const source : group_) {
    if (source->needs_row) {
      ASSIGN_OR_RETURN(source->has_row, source->stream->Next());
      source->needs_row = false;
    }
  }
  return Status::Ok();
}

// The sources whose row or marker is the next one. A row and a marker are never at one place.
void MergeStream::ChooseEqual() {
  equal_.clear();
  for (Source* const source : group_) {
    if (!source->has_row) {
      continue;
    }
    int order = -1;
    if (!equal_.empty()) {
      order = layout_.clustering.Compare(source->stream->current().clustering,
                                         equal_[0]->stream->current().clustering);
      order = options_.reversed ? -order : order;
    }
    if (order < 0) {
      equal_.clear();
    }
    if (order <= 0) {
      equal_.push_back(source);
    }
  }
}

// The range tombstone that holds where the merge stands, unless the partition's deletion does more.
DeletionTime MergeStream::Cover() const {
  DeletionTime cover;
  for (const Source* const source : group_) {
    if (source->cover.Supersedes(cover)) {
      cover = source->cover;
    }
  }
  return cover.Supersedes(deletion_) ? cover : DeletionTime();
}

// A row that nothing can change is handed on as it is.
bool MergeStream::MayPassThrough(const Source& source, const DeletionTime& cover) const {
  const Unfiltered& row = source.stream->current();
  if (!cover.live() || !row.deletion.live() || !row.complex_columns.empty() ||
      !source.regulars.is_identity || !options_.dropped_columns.empty() ||
      row.liveness.expiring()) {
    return false;
  }
  bool const keeps_all = !options_.live_at_s.has_value() && !options_.purge.has_value();
  return keeps_all || std::all_of(row.cells.begin(), row.cells.end(), [](const CellView& cell) {
           return cell.local_deletion_time == kNoDeletionTime;
         });
}

bool MergeStream::MergeRows() {
  DeletionTime const range = Cover();
  DeletionTime const cover = range.live() ? deletion_ : range;
  if (equal_.size() == 1 && MayPassThrough(*equal_[0], cover)) {
    current_ = &equal_[0]->stream->current();
    return !current_->empty_row();
  }
  inputs_.clear();
  for (Source* const source : equal_) {
    inputs_.push_back({&source->stream->current(), &source->regulars});
  }
  current_ = &merged_;
  return row_merger_.Merge(inputs_, cover, merged_);
}

bool MergeStream::MergeMarkers() {
  const ClusteringView& place = equal_[0]->stream->current().clustering;
  DeletionTime const before = row_merger_.Purged(Cover());
  for (Source* const source : equal_) {
    const Unfiltered& marker = source->stream->current();
    bool const continues = options_.reversed ? ClosesDeletion(marker.clustering.kind)
                                             : OpensDeletion(marker.clustering.kind);
    source->cover = !continues ? DeletionTime() : options_.reversed ? marker.close : marker.open;
  }
  DeletionTime const after = row_merger_.Purged(Cover());
  if (before == after) {
    return false;
  }
  merged_ = Unfiltered();
  merged_.kind = Unfiltered::Kind::kMarker;
  merged_.close = options_.reversed ? after : before;
  merged_.open = options_.reversed ? before : after;
  // Whether the place is before or after the rows that start with its values.
  bool const is_before = place.kind == ClusteringKind::kExclEndBound ||
                         place.kind == ClusteringKind::kInclStartBound ||
                         place.kind == ClusteringKind::kExclEndInclStartBoundary;
  merged_.clustering.values = place.values;
  if (merged_.close.live()) {
    merged_.clustering.kind =
        is_before ? ClusteringKind::kInclStartBound : ClusteringKind::kExclStartBound;
  } else if (merged_.open.live()) {
    merged_.clustering.kind =
        is_before ? ClusteringKind::kExclEndBound : ClusteringKind::kInclEndBound;
  } else {
    merged_.clustering.kind = is_before ? ClusteringKind::kExclEndInclStartBoundary
                                        : ClusteringKind::kInclEndExclStartBoundary;
  }
  current_ = &merged_;
  return true;
}

Status MergeColumns(const std::vector<Column>& from, std::vector<Column>& to) {
  for (const Column& column : from) {
    auto const found = std::find_if(to.begin(), to.end(),
                                    [&](const Column& other) { return other.name == column.name; });
    if (found == to.end()) {
      to.push_back(column);
    } else if (SameType(*found->type, *column.type) || CanReadAs(*column.type, *found->type)) {
      continue;
    } else if (CanReadAs(*found->type, *column.type) && found->is_complex == column.is_complex) {
      *found = column;
    } else {
      return Status::InvalidArgument(StrCat("column '", column.name, "' is ", CqlName(*found->type),
                                            " in one SSTable and ", CqlName(*column.type),
                                            " in another"));
    }
  }
  return Status::Ok();
}

}  // namespace

Result<Layout> MergeLayouts(const std::vector<const Layout*>& layouts) {
  if (layouts.empty()) {
    return Status::InvalidArgument("no SSTables to merge");
  }
  Layout merged = *layouts[0];
  for (const Layout* const layout : layouts) {
    if (layout->partitioner != merged.partitioner) {
      return Status::InvalidArgument(StrCat("one SSTable is by ",
                                            PartitionerClass(merged.partitioner), ", another by ",
                                            PartitionerClass(layout->partitioner)));
    }
    bool same = SameType(*layout->key_type, *merged.key_type) &&
                layout->clustering.column_count() == merged.clustering.column_count();
    for (size_t index = 0; same && index < merged.clustering.column_count(); ++index) {
      const Type& type = *merged.clustering.types()[index];
      const Type& other = *layout->clustering.types()[index];
      same = type.reversed == other.reversed && SameType(type, other);
    }
    if (!same) {
      return Status::InvalidArgument(
          "the SSTables have other types in their primary keys: they are not of one table");
    }
    RETURN_IF_ERROR(MergeColumns(layout->statics, merged.statics));
    RETURN_IF_ERROR(MergeColumns(layout->regulars, merged.regulars));
  }
  std::sort(merged.statics.begin(), merged.statics.end(), ColumnComesBefore);
  std::sort(merged.regulars.begin(), merged.regulars.end(), ColumnComesBefore);
  return merged;
}

Result<std::unique_ptr<UnfilteredStream>> Merge(
    std::vector<std::unique_ptr<UnfilteredStream>> streams, Layout layout, MergeOptions options) {
  if (options.live_at_s.has_value() && options.purge.has_value()) {
    return Status::InvalidArgument("a merge is either what a query sees or what is written");
  }
  for (const std::unique_ptr<UnfilteredStream>& stream : streams) {
    for (bool const is_static : {true, false}) {
      for (const Column& column : stream->layout().columns(is_static)) {
        for (const Column& target : layout.columns(is_static)) {
          if (target.name == column.name && target.is_complex != column.is_complex) {
            return Status::InvalidArgument(StrCat("column '", column.name, "' is ",
                                                  CqlName(*column.type), " in an SSTable and ",
                                                  CqlName(*target.type), " in the table"));
          }
        }
      }
    }
  }
  return std::unique_ptr<UnfilteredStream>(
      std::make_unique<MergeStream>(std::move(streams), std::move(layout), std::move(options)));
}

}  // namespace orochi::sstable
