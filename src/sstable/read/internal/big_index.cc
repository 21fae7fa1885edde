#include "sstable/read/internal/big_index.h"

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/format/big_endian.h"
#include "sstable/read/internal/big_row_index.h"

namespace orochi::sstable::internal {

namespace {

constexpr uint32_t kIndexBlockSizeBytes = 4096;
constexpr size_t kLookupSizeBytes = 8 * 1024;
constexpr size_t kScanSizeBytes = 64 * 1024;
constexpr uint64_t kSummarySizeBytesMax = uint64_t{1} << 31;
/// Key length, and the two vints after the key.
constexpr size_t kEntrySizeBytesMax = 2 + 2 * kVintSizeBytesMax;

}  // namespace

Result<std::unique_ptr<BigIndex>> BigIndex::Open(io::FileSystem& files, std::string index_path,
                                                 const std::string* summary_path,
                                                 const Layout& layout, Version version) {
  std::unique_ptr<BigIndex> index(new BigIndex(layout, version));
  ASSIGN_OR_RETURN(index->file_,
                   DataFile::OpenPlain(files, std::move(index_path), kIndexBlockSizeBytes));
  if (summary_path == nullptr) {
    RETURN_IF_ERROR(index->SampleKeys());
  } else {
    RETURN_IF_ERROR(index->LoadSummary(files, *summary_path));
  }
  return index;
}

Status BigIndex::LoadSummary(io::FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(std::vector<std::byte> const bytes,
                   ReadWholeFile(files, path, kSummarySizeBytesMax));
  Result<IndexSummary> summary = IndexSummary::Decode(bytes);
  if (!summary.ok()) {
    return std::move(summary).status().WithContext(path);
  }
  summary_ = *std::move(summary);
  size_t const count = summary_.entry_count();
  if (count == 0 || summary_.index_position(0) != 0 ||
      summary_.index_position(count - 1) >= file_->size_bytes()) {
    return Status::Corruption(StrCat(path, ": ", count, " entries from ",
                                     count == 0 ? 0 : summary_.index_position(0), " to ",
                                     count == 0 ? 0 : summary_.index_position(count - 1), ", but ",
                                     file_->name(), " has ", file_->size_bytes(), " bytes"));
  }
  return Status::Ok();
}

Status BigIndex::SampleKeys() {
  Entries entries(*this, 0, kScanSizeBytes);
  for (int64_t number = 0;; ++number) {
    ASSIGN_OR_RETURN(bool const found, entries.Next());
    if (!found) {
      return Status::Ok();
    }
    if (number % summary_.index_interval_min == 0) {
      summary_.Append(entries.key(), entries.position_bytes());
    }
  }
}

BigIndex::Entries::Entries(const BigIndex& index, uint64_t position_bytes, size_t fill_size_bytes)
    : window_(*index.file_, fill_size_bytes), next_position_bytes_(position_bytes) {}

Result<bool> BigIndex::Entries::Next() {
  position_bytes_ = next_position_bytes_;
  const DataFile& file = window_.file();
  if (position_bytes_ >= file.size_bytes()) {
    if (position_bytes_ > file.size_bytes()) {
      return file.CorruptAt(file.size_bytes(), StrCat("the last entry ends at ", position_bytes_));
    }
    return false;
  }
  window_.Seek(position_bytes_);
  RETURN_IF_ERROR(window_.Ensure(sizeof(uint16_t)));
  size_t const key_size_bytes =
      window_.available() < sizeof(uint16_t) ? 0 : LoadBigEndian<uint16_t>(window_.at());
  RETURN_IF_ERROR(window_.Ensure(key_size_bytes + kEntrySizeBytesMax));
  BigEndianReader reader({window_.at(), window_.available()});
  uint64_t size_bytes = 0;
  if (!reader.ReadShortBytes(key_) || !reader.ReadVint(entry_.data_position_bytes) ||
      !reader.ReadVint(size_bytes)) {
    return file.CorruptAt(position_bytes_, "the file ends in an entry");
  }
  uint64_t const end = position_bytes_ + reader.position_bytes();
  if (size_bytes > file.size_bytes() - end) {
    return file.CorruptAt(end, StrCat("a row index of ", size_bytes, " bytes, the file has ",
                                      file.size_bytes() - end, " more"));
  }
  entry_.row_index_position_bytes.reset();
  if (size_bytes > 0) {
    entry_.row_index_position_bytes = end;
  }
  entry_.row_index_size_bytes = size_bytes;
  next_position_bytes_ = end + size_bytes;
  return true;
}

std::optional<size_t> BigIndex::SampleBefore(const Token& token, Bytes key) const {
  size_t low = 0;
  size_t high = summary_.entry_count();
  while (low < high) {
    size_t const middle = low + (high - low) / 2;
    Bytes const sample = summary_.key(middle);
    if (CompareKeys(layout_.partitioner, *layout_.key_type, TokenOf(layout_.partitioner, sample),
                    sample, token, key) <= 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == 0 ? std::nullopt : std::optional<size_t>(low - 1);
}

Result<std::optional<IndexEntry>> BigIndex::Find(Bytes key) const {
  std::optional<size_t> const sample = SampleBefore(TokenOf(layout_.partitioner, key), key);
  if (!sample.has_value()) {
    return std::optional<IndexEntry>();
  }
  uint64_t const end = *sample + 1 < summary_.entry_count() ? summary_.index_position(*sample + 1)
                                                            : file_->size_bytes();
  // The key can only be before the next sample: comparing bytes is enough.
  Entries entries(*this, summary_.index_position(*sample), kLookupSizeBytes);
  while (entries.next_position_bytes() < end) {
    ASSIGN_OR_RETURN(bool const found, entries.Next());
    if (!found) {
      break;
    }
    if (CompareUnsigned(entries.key(), key) == 0) {
      return std::optional<IndexEntry>(entries.entry());
    }
  }
  return std::optional<IndexEntry>();
}

Result<uint64_t> BigIndex::PositionBefore(const PartitionBound& start) const {
  // Samples before the bound's token are before the bound; an empty key is the least of a token.
  Bytes const key = start.key.has_value() ? Bytes(*start.key) : Bytes();
  std::optional<size_t> const sample = SampleBefore(start.token, key);
  Entries entries(*this, sample.has_value() ? summary_.index_position(*sample) : 0,
                  kLookupSizeBytes);
  for (;;) {
    ASSIGN_OR_RETURN(bool const found, entries.Next());
    if (!found) {
      return UINT64_MAX;
    }
    Token const token = TokenOf(layout_.partitioner, entries.key());
    if (!IsBefore(layout_, token, entries.key(), start)) {
      return entries.entry().data_position_bytes;
    }
  }
}

Result<std::unique_ptr<RowIndex>> BigIndex::OpenRows(const IndexEntry& entry) const {
  ASSERT(entry.row_index_position_bytes.has_value());
  auto rows = std::make_unique<BigRowIndex>(*file_, layout_.clustering, version_);
  RETURN_IF_ERROR(rows->Open(*entry.row_index_position_bytes, entry.row_index_size_bytes));
  return std::unique_ptr<RowIndex>(std::move(rows));
}

}  // namespace orochi::sstable::internal
