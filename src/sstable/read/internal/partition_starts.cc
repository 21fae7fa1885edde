#include "sstable/read/internal/partition_starts.h"

#include <algorithm>

#include "base/str_cat.h"
#include "sstable/read/internal/big_row_index.h"

namespace orochi::sstable::internal {

namespace {

constexpr size_t kScanSizeBytes = 64 * 1024;
constexpr size_t kOneEntrySizeBytes = 1024;

}  // namespace

PartitionStarts::PartitionStarts(io::FileSystem& files, const std::string& directory,
                                 const Descriptor& descriptor, const Layout& layout,
                                 uint64_t data_size_bytes)
    : layout_(layout), version_(descriptor.version) {
  auto const path_of = [&](Component component) {
    return StrCat(directory, "/", descriptor.FileName(component));
  };
  if (descriptor.version.is_bti()) {
    LoadBti(files, path_of(Component::kPartitions), path_of(Component::kRows));
  } else {
    LoadBig(files, path_of(Component::kIndex), path_of(Component::kSummary));
  }
  auto const by_position = [](const Entry& a, const Entry& b) {
    return a.data_position_bytes < b.data_position_bytes;
  };
  // In Index.db they are in order, in a trie they were visited in none.
  complete_ = complete_ && !entries_.empty() &&
              (bti_ != nullptr || std::is_sorted(entries_.begin(), entries_.end(), by_position));
  std::sort(entries_.begin(), entries_.end(), by_position);
  auto const twice = std::unique(
      entries_.begin(), entries_.end(),
      [](auto const& a, auto const& b) { return a.data_position_bytes == b.data_position_bytes; });
  complete_ = complete_ && twice == entries_.end();
  entries_.erase(twice, entries_.end());
  while (!entries_.empty() && entries_.back().data_position_bytes >= data_size_bytes) {
    entries_.pop_back();
    complete_ = false;
  }
  complete_ = complete_ && !entries_.empty() && entries_.front().data_position_bytes == 0;
}

void PartitionStarts::LoadBig(io::FileSystem& files, const std::string& index_path,
                              const std::string& summary_path) {
  Result<std::unique_ptr<BigIndex>> opened =
      BigIndex::Open(files, index_path, &summary_path, layout_, version_);
  complete_ = true;
  if (!opened.ok()) {
    // Without a summary; that samples keys and so fails at the first bad entry.
    opened = BigIndex::Open(files, index_path, nullptr, layout_, version_);
    if (!opened.ok()) {
      complete_ = false;
      return;
    }
  }
  big_ = *std::move(opened);
  const IndexSummary& summary = big_->summary();
  size_t sample = 0;
  std::vector<std::byte> last_key;
  auto entries = std::make_unique<BigIndex::Entries>(*big_, 0, kScanSizeBytes);
  for (;;) {
    uint64_t const here = entries->next_position_bytes();
    uint64_t const next_sample =
        sample < summary.entry_count() ? summary.index_position(sample) : kNone;
    sample += here == next_sample ? 1 : 0;
    Result<bool> const found = here > next_sample ? Result<bool>(false) : entries->Next();
    if (here <= next_sample && found.ok()) {
      if (!*found) {
        complete_ = complete_ && sample >= summary.entry_count();
        return;
      }
      complete_ =
          complete_ && (last_key.empty() || layout_.CompareKeys(last_key, entries->key()) < 0);
      last_key.assign(entries->key().begin(), entries->key().end());
      entries_.push_back({entries->entry().data_position_bytes, entries->position_bytes()});
      continue;
    }
    // Entries have no marks of their own: go on where the summary knows one.
    complete_ = false;
    if (sample >= summary.entry_count()) {
      return;
    }
    entries =
        std::make_unique<BigIndex::Entries>(*big_, summary.index_position(sample), kScanSizeBytes);
  }
}

void PartitionStarts::LoadBti(io::FileSystem& files, const std::string& partitions_path,
                              const std::string& rows_path) {
  Result<std::unique_ptr<BtiIndex>> opened =
      BtiIndex::Open(files, partitions_path, rows_path, layout_, version_);
  if (!opened.ok()) {
    return;
  }
  bti_ = *std::move(opened);
  complete_ = bti_->ForEachEntry([this](const IndexEntry& entry) {
    entries_.push_back({entry.data_position_bytes, entry.row_index_position_bytes.value_or(kNone)});
  });
  complete_ = complete_ && entries_.size() == bti_->key_count();
}

std::optional<uint64_t> PartitionStarts::After(uint64_t position_bytes) const {
  auto const found = std::upper_bound(
      entries_.begin(), entries_.end(), position_bytes,
      [](uint64_t position, const Entry& entry) { return position < entry.data_position_bytes; });
  return found == entries_.end() ? std::nullopt : std::optional(found->data_position_bytes);
}

std::optional<PartitionStarts::Start> PartitionStarts::At(uint64_t position_bytes) const {
  auto const found = std::lower_bound(
      entries_.begin(), entries_.end(), position_bytes,
      [](const Entry& entry, uint64_t position) { return entry.data_position_bytes < position; });
  if (found == entries_.end() || found->data_position_bytes != position_bytes) {
    return std::nullopt;
  }
  Start start;
  start.position_bytes = position_bytes;
  if (found->index_position_bytes == kNone) {
    return start;
  }
  if (bti_ != nullptr) {
    Result<BtiIndex::RowsEntry> const entry = bti_->ReadRowsEntry(found->index_position_bytes);
    if (entry.ok()) {
      start.key = entry->key;
      start.deletion = entry->deletion;
    }
    return start;
  }
  BigIndex::Entries entries(*big_, found->index_position_bytes, kOneEntrySizeBytes);
  Result<bool> const read = entries.Next();
  if (read.ok() && *read) {
    start.key.emplace(entries.key().begin(), entries.key().end());
    if (entries.entry().row_index_position_bytes.has_value()) {
      BigRowIndex rows(big_->file(), layout_.clustering, version_);
      if (rows.Open(*entries.entry().row_index_position_bytes, entries.entry().row_index_size_bytes)
              .ok()) {
        start.deletion = rows.partition_deletion();
      }
    }
  }
  return start;
}

}  // namespace orochi::sstable::internal
