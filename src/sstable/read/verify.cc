#include "sstable/read/verify.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

#include "base/str_cat.h"
#include "sstable/format/crc32.h"
#include "sstable/read/internal/big_index.h"
#include "sstable/read/internal/bti_index.h"
#include "sstable/read/internal/cell_path.h"
#include "sstable/read/internal/counter_context.h"
#include "sstable/read/internal/partition_cursor.h"

namespace orochi::sstable {

namespace {

constexpr size_t kReadSizeBytes = 1 << 20;
constexpr uint64_t kDigestSizeBytesMax = 64;

// Wrong bytes are what a verifier is there to find; anything else stops it.
bool IsFinding(const Status& status) {
  return status.code() == StatusCode::kCorruption || status.code() == StatusCode::kUnsupported ||
         status.code() == StatusCode::kOutOfRange || status.code() == StatusCode::kNotFound;
}

class Verifier {
 public:
  Verifier(io::FileSystem& files, const std::string& directory, const Descriptor& descriptor,
           const ReaderOptions& options)
      : files_(files), directory_(directory), descriptor_(descriptor), options_(options) {}

  Result<VerifyReport> Run();

 private:
  void Find(std::string text);
  Status Note(Status status);
  Status CheckDigest();
  Status CheckSummary();
  Status CheckPartitions();
  Status CheckPartition(internal::PartitionCursor& cursor);
  Status CheckRows(internal::PartitionCursor& cursor);
  void CheckRow(const internal::PartitionCursor& cursor, const Unfiltered& row, bool is_static);
  void CheckDeletion(const DeletionTime& deletion, uint64_t position_bytes);
  void CheckTimestamp(int64_t timestamp, uint64_t position_bytes);
  Status CheckIndexEntry(const internal::PartitionCursor& cursor);
  Status LoadBlocks(const internal::PartitionCursor& cursor, const internal::IndexEntry& entry);
  void CheckTotals();

  std::string AtData(uint64_t position_bytes, std::string_view what) const {
    return StrCat(reader_->data().name(), ": at offset ", position_bytes, ": ", what);
  }

  io::FileSystem& files_;
  const std::string& directory_;
  const Descriptor& descriptor_;
  const ReaderOptions& options_;
  VerifyReport report_;
  std::unique_ptr<SstableReader> reader_;
  std::unique_ptr<internal::BigIndex> big_;
  std::unique_ptr<internal::BigIndex::Entries> entries_;
  std::unique_ptr<internal::BtiIndex> bti_;
  const BloomFilter* filter_ = nullptr;
  std::vector<std::byte> last_key_;
  std::vector<std::byte> first_key_;
  std::set<uint64_t> blocks_;  // of the partition: where its row index points
};

void Verifier::Find(std::string text) {
  if (report_.findings.size() < VerifyReport::kFindingsMax) {
    report_.findings.push_back(std::move(text));
  } else {
    ++report_.findings_left_out;
  }
}

// Turns an error that tells of wrong bytes into a finding.
Status Verifier::Note(Status status) {
  if (!status.ok() && IsFinding(status)) {
    Find(status.message());
    return Status::Ok();
  }
  return status;
}

Result<VerifyReport> Verifier::Run() {
  Result<std::unique_ptr<SstableReader>> reader =
      SstableReader::Open(files_, directory_, descriptor_, options_);
  if (!reader.ok()) {
    RETURN_IF_ERROR(Note(std::move(reader).status()));
    return report_;
  }
  reader_ = *std::move(reader);
  RETURN_IF_ERROR(Note(CheckDigest()));
  Result<const BloomFilter*> const filter = reader_->Filter();
  if (filter.ok()) {
    filter_ = *filter;
  } else {
    RETURN_IF_ERROR(Note(filter.status()));
  }
  if (descriptor_.version.is_bti()) {
    auto index = internal::BtiIndex::Open(files_, reader_->PathOf(Component::kPartitions),
                                          reader_->PathOf(Component::kRows), reader_->layout(),
                                          descriptor_.version);
    if (index.ok()) {
      bti_ = *std::move(index);
    } else {
      RETURN_IF_ERROR(Note(std::move(index).status()));
    }
  } else {
    std::string const summary = reader_->PathOf(Component::kSummary);
    bool const has_summary = reader_->components().Has(Component::kSummary);
    auto index = internal::BigIndex::Open(files_, reader_->PathOf(Component::kIndex),
                                          has_summary ? &summary : nullptr, reader_->layout(),
                                          descriptor_.version);
    if (index.ok()) {
      big_ = *std::move(index);
      entries_ = std::make_unique<internal::BigIndex::Entries>(*big_, 0, kReadSizeBytes);
      RETURN_IF_ERROR(Note(CheckSummary()));
    } else {
      RETURN_IF_ERROR(Note(std::move(index).status()));
    }
  }
  RETURN_IF_ERROR(Note(CheckPartitions()));
  return report_;
}

Status Verifier::CheckDigest() {
  if (!reader_->components().Has(Component::kDigest)) {
    return Status::Ok();
  }
  std::string const path = reader_->PathOf(Component::kDigest);
  ASSIGN_OR_RETURN(std::vector<std::byte> const text,
                   ReadWholeFile(files_, path, kDigestSizeBytesMax));
  auto const* const begin = reinterpret_cast<const char*>(text.data());
  uint32_t expected = 0;
  auto const parsed = std::from_chars(begin, begin + text.size(), expected);
  if (parsed.ec != std::errc()) {
    return Status::Corruption(StrCat(path, ": holds no decimal number"));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<io::RandomAccessFile> const file,
                   files_.OpenForRead(reader_->data().name()));
  uint64_t const size_bytes = reader_->data().stored_size_bytes();
  std::vector<std::byte> buffer(kReadSizeBytes);
  uint32_t crc = 0;
  for (uint64_t at = 0; at < size_bytes; at += kReadSizeBytes) {
    std::span<std::byte> const part =
        std::span(buffer).first(std::min<uint64_t>(kReadSizeBytes, size_bytes - at));
    RETURN_IF_ERROR(file->ReadExact(at, part));
    crc = Crc32(part, crc);
  }
  if (crc != expected) {
    Find(StrCat(path, ": says ", expected, ", the checksum of ", reader_->data().name(), " is ",
                crc));
  }
  return Status::Ok();
}

// Every sample is the key that Index.db has at its position.
Status Verifier::CheckSummary() {
  const IndexSummary& summary = big_->summary();
  for (size_t index = 0; index < summary.entry_count(); ++index) {
    internal::BigIndex::Entries at(*big_, summary.index_position(index), 4096);
    ASSIGN_OR_RETURN(bool const found, at.Next());
    if (!found || CompareUnsigned(at.key(), summary.key(index)) != 0) {
      Find(StrCat(reader_->PathOf(Component::kSummary), ": entry ", index, " points at ",
                  summary.index_position(index), " of Index.db, which has another key there"));
    }
  }
  return Status::Ok();
}

Status Verifier::CheckPartitions() {
  internal::PartitionSource const source = {
      .data = reader_->data(),
      .layout = reader_->layout(),
      .header = reader_->statistics().header,
      .version = descriptor_.version,
      .timestamp_max = reader_->statistics().stats.timestamp_max,
      .row_size_bytes_max = options_.row_size_bytes_max};
  internal::PartitionCursor cursor(source, options_.scan_size_bytes);
  uint64_t position = 0;
  while (position < reader_->data().size_bytes()) {
    RETURN_IF_ERROR(cursor.OpenPartition(position));
    RETURN_IF_ERROR(CheckPartition(cursor));
    ASSIGN_OR_RETURN(position, cursor.SkipPartition());
  }
  CheckTotals();
  return Status::Ok();
}

Status Verifier::CheckPartition(internal::PartitionCursor& cursor) {
  const PartitionView& partition = cursor.partition();
  const Layout& layout = reader_->layout();
  if (report_.partitions == 0) {
    first_key_.assign(partition.key.begin(), partition.key.end());
  } else if (layout.CompareKeys(last_key_, partition.key) >= 0) {
    Find(AtData(partition.position_bytes, "the partition does not come after the one before it"));
  }
  last_key_.assign(partition.key.begin(), partition.key.end());
  ++report_.partitions;
  if (filter_ != nullptr && !filter_->MayContain(Murmur3(partition.key))) {
    Find(StrCat(reader_->PathOf(Component::kFilter), ": misses the partition at offset ",
                partition.position_bytes));
  }
  CheckDeletion(partition.deletion, partition.position_bytes);
  blocks_.clear();
  RETURN_IF_ERROR(Note(CheckIndexEntry(cursor)));
  if (!cursor.static_row().empty_row()) {
    CheckRow(cursor, cursor.static_row(), true);
  }
  return CheckRows(cursor);
}

Status Verifier::CheckIndexEntry(const internal::PartitionCursor& cursor) {
  const PartitionView& partition = cursor.partition();
  std::optional<internal::IndexEntry> entry;
  if (entries_ != nullptr) {
    ASSIGN_OR_RETURN(bool const found, entries_->Next());
    if (found && CompareUnsigned(entries_->key(), partition.key) == 0) {
      entry = entries_->entry();
    }
  } else if (bti_ != nullptr) {
    ASSIGN_OR_RETURN(entry, bti_->Find(partition.key));
  } else {
    return Status::Ok();  // its index cannot be opened, which was said
  }
  if (!entry.has_value() || entry->data_position_bytes != partition.position_bytes) {
    Find(AtData(partition.position_bytes,
                entry.has_value()
                    ? StrCat("the index has this partition at ", entry->data_position_bytes)
                    : std::string("the index does not have this partition where it should be")));
    return Status::Ok();
  }
  return entry->row_index_position_bytes.has_value() ? LoadBlocks(cursor, *entry) : Status::Ok();
}

Status Verifier::LoadBlocks(const internal::PartitionCursor& cursor,
                            const internal::IndexEntry& entry) {
  const internal::PartitionIndex& index =
      big_ != nullptr ? static_cast<const internal::PartitionIndex&>(*big_) : *bti_;
  ASSIGN_OR_RETURN(std::unique_ptr<internal::RowIndex> const rows, index.OpenRows(entry));
  uint64_t const begin = cursor.partition().position_bytes;
  RETURN_IF_ERROR(rows->Check(cursor.partition(), cursor.body_position_bytes() - begin));
  ASSIGN_OR_RETURN(internal::RowBlock const last, rows->Floor(ClusteringPrefix::Top().view()));
  blocks_.insert(begin + last.offset_bytes);
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<internal::RowBlock> const block, rows->Previous());
    if (!block.has_value()) {
      return Status::Ok();
    }
    blocks_.insert(begin + block->offset_bytes);
  }
}

Status Verifier::CheckRows(internal::PartitionCursor& cursor) {
  const ClusteringFormat& order = reader_->layout().clustering;
  ClusteringPrefix previous;
  bool has_previous = false;
  uint64_t previous_position = cursor.partition().position_bytes;
  DeletionTime open;
  for (;;) {
    ASSIGN_OR_RETURN(bool const found, cursor.Next());
    // Where the end-of-partition byte is, a trie has its last separator.
    uint64_t const position = found ? cursor.position_bytes() : cursor.position_bytes() - 1;
    blocks_.erase(position);
    if (!found) {
      break;
    }
    const Unfiltered& current = cursor.current();
    if (cursor.stored_previous_size_bytes() != position - previous_position) {
      Find(AtData(position,
                  StrCat("what comes before has ", position - previous_position,
                         " bytes, the size stored is ", cursor.stored_previous_size_bytes())));
    }
    previous_position = position;
    if (has_previous && order.Compare(previous.view(), current.clustering) >= 0) {
      Find(AtData(position, order.Compare(previous.view(), current.clustering) == 0
                                ? "a row or marker is there twice"
                                : "a row or marker does not come after the one before it"));
    }
    previous.Assign(current.clustering);
    has_previous = true;
    if (current.is_row()) {
      CheckRow(cursor, current, false);
      continue;
    }
    if (ClosesDeletion(current.clustering.kind) == open.live()) {
      Find(AtData(position, "a range tombstone has only one end"));
    } else if (current.close != open) {
      Find(AtData(position, "a range tombstone ends with another deletion than it began with"));
    }
    open = OpensDeletion(current.clustering.kind) ? current.open : DeletionTime();
    CheckDeletion(current.close, position);
    CheckDeletion(current.open, position);
  }
  if (!open.live()) {
    Find(AtData(cursor.position_bytes(), "the partition ends inside a range tombstone"));
  }
  for (uint64_t const block : blocks_) {
    Find(AtData(block, "the row index points here, where no row starts"));
  }
  return Status::Ok();
}

void Verifier::CheckRow(const internal::PartitionCursor& cursor, const Unfiltered& row,
                        bool is_static) {
  uint64_t const position = is_static ? cursor.partition().position_bytes : cursor.position_bytes();
  ++report_.rows;
  report_.cells += row.cells.size();
  CheckDeletion(row.deletion, position);
  if (!row.liveness.empty()) {
    CheckTimestamp(row.liveness.timestamp, position);
    if (row.liveness.local_expiration_time == kInvalidDeletionTime) {
      Find(AtData(position, "the row expires at a time that nobody can have meant"));
    }
  }
  const Layout& layout = reader_->layout();
  for (const CellView& cell : row.cells) {
    CheckTimestamp(cell.timestamp, position);
    if (cell.local_deletion_time == kInvalidDeletionTime) {
      Find(AtData(position, "a cell is deleted or expires at a time that nobody can have meant"));
    }
    const Column& column = layout.columns(is_static)[cell.column_index];
    if (column.type->kind == TypeKind::kCounter && !cell.tombstone()) {
      if (Status const good = internal::CheckCounterContext(cell.value); !good.ok()) {
        Find(AtData(position, good.message()));
      }
    }
  }
  for (const ComplexColumnView& complex : row.complex_columns) {
    CheckDeletion(complex.deletion, position);
    const Type& type = *layout.columns(is_static)[complex.column_index].type;
    for (uint32_t index = complex.cell_begin + 1; index < complex.cell_end; ++index) {
      if (CompareCellPaths(type, row.cells[index - 1].path, row.cells[index].path) >= 0) {
        Find(AtData(position, "the elements of a collection are not in order"));
      }
    }
  }
}

void Verifier::CheckDeletion(const DeletionTime& deletion, uint64_t position_bytes) {
  if (deletion.live()) {
    return;
  }
  CheckTimestamp(deletion.marked_for_delete_at, position_bytes);
  if (!deletion.valid()) {
    Find(AtData(position_bytes, "a deletion was made at a time that nobody can have meant"));
  }
}

void Verifier::CheckTimestamp(int64_t timestamp, uint64_t position_bytes) {
  const StatsMetadata& stats = reader_->statistics().stats;
  if (timestamp < stats.timestamp_min || timestamp > stats.timestamp_max) {
    Find(AtData(position_bytes,
                StrCat("timestamp ", timestamp, " is not between ", stats.timestamp_min, " and ",
                       stats.timestamp_max, ", as Statistics.db says")));
  }
}

void Verifier::CheckTotals() {
  const StatsMetadata& stats = reader_->statistics().stats;
  std::string const path = reader_->PathOf(Component::kStatistics);
  if (stats.row_count >= 0 && static_cast<uint64_t>(stats.row_count) != report_.rows) {
    Find(StrCat(path, ": says ", stats.row_count, " rows, Data.db has ", report_.rows));
  }
  if (descriptor_.version.has_covered_slice() &&
      (CompareUnsigned(stats.first_key, first_key_) != 0 ||
       CompareUnsigned(stats.last_key, last_key_) != 0)) {
    Find(StrCat(path, ": has another first or last key than Data.db"));
  }
  if (bti_ != nullptr && bti_->key_count() != report_.partitions) {
    Find(StrCat(reader_->PathOf(Component::kPartitions), ": says ", bti_->key_count(),
                " keys, Data.db has ", report_.partitions));
  }
  if (entries_ != nullptr) {
    Result<bool> const more = entries_->Next();
    if (!more.ok() || *more) {
      Find(StrCat(big_->file().name(), ": has more entries than Data.db has partitions"));
    }
  }
}

}  // namespace

Result<VerifyReport> Verify(io::FileSystem& files, const std::string& directory,
                            const Descriptor& descriptor, const ReaderOptions& options) {
  return Verifier(files, directory, descriptor, options).Run();
}

}  // namespace orochi::sstable
