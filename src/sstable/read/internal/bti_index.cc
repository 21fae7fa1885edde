#include "sstable/read/internal/bti_index.h"

#include <unordered_set>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/format/big_endian.h"
#include "sstable/read/internal/unfiltered_decoder.h"
#include "sstable/types/byte_comparable.h"
#include "sstable/types/murmur3.h"

namespace orochi::sstable::internal {

namespace {

constexpr uint64_t kFooterSizeBytes = 24;
constexpr uint8_t kPayloadHasHash = 8;
constexpr uint8_t kPayloadSizeMask = 7;
constexpr uint8_t kRowPayloadIsOpen = 8;

// A signed big-endian number of 1 to 8 bytes.
int64_t LoadSigned(std::span<const std::byte> bytes) {
  uint64_t value = (bytes[0] & std::byte{0x80}) != std::byte{0} ? UINT64_MAX : 0;
  for (std::byte const byte : bytes) {
    value = (value << 8) | std::to_integer<uint64_t>(byte);
  }
  return static_cast<int64_t>(value);
}

ComparableEnd EndOf(ClusteringKind kind) {
  switch (kind) {
    case ClusteringKind::kExclEndBound:
    case ClusteringKind::kInclStartBound:
    case ClusteringKind::kExclEndInclStartBoundary:
      return ComparableEnd::kBefore;
    case ClusteringKind::kStatic:
      return ComparableEnd::kStatic;
    case ClusteringKind::kClustering:
      return ComparableEnd::kRow;
    case ClusteringKind::kInclEndExclStartBoundary:
    case ClusteringKind::kInclEndBound:
    case ClusteringKind::kExclStartBound:
      return ComparableEnd::kAfter;
  }
  return ComparableEnd::kRow;
}

}  // namespace

Result<std::unique_ptr<BtiIndex>> BtiIndex::Open(io::FileSystem& files, std::string partitions_path,
                                                 std::string rows_path, const Layout& layout,
                                                 Version version) {
  std::unique_ptr<BtiIndex> index(new BtiIndex(layout, version));
  ASSIGN_OR_RETURN(index->partitions_, DataFile::OpenPlain(files, std::move(partitions_path),
                                                           TrieNodes::kPageSizeBytes));
  ASSIGN_OR_RETURN(index->rows_,
                   DataFile::OpenPlain(files, std::move(rows_path), TrieNodes::kPageSizeBytes));
  RETURN_IF_ERROR(index->LoadFooter());
  return index;
}

Status BtiIndex::LoadFooter() {
  uint64_t const size_bytes = partitions_->size_bytes();
  if (size_bytes < kFooterSizeBytes) {
    return partitions_->CorruptAt(
        0, StrCat("the file has ", size_bytes, " bytes, its footer needs ", kFooterSizeBytes));
  }
  uint64_t const footer = size_bytes - kFooterSizeBytes;
  DataWindow window(*partitions_, TrieNodes::kPageSizeBytes);
  window.Seek(footer);
  RETURN_IF_ERROR(window.Ensure(kFooterSizeBytes));
  auto const keys_position = LoadBigEndian<uint64_t>(window.at());
  key_count_ = LoadBigEndian<uint64_t>(window.at() + 8);
  root_position_bytes_ = LoadBigEndian<uint64_t>(window.at() + 16);
  if (keys_position >= footer || root_position_bytes_ >= keys_position || key_count_ == 0) {
    return partitions_->CorruptAt(
        footer, StrCat("root at ", root_position_bytes_, ", keys at ", keys_position, ", ",
                       key_count_, " keys: expected the root before the keys before ", footer));
  }
  window.Seek(keys_position);
  RETURN_IF_ERROR(window.Ensure(footer - keys_position));
  BigEndianReader reader({window.at(), static_cast<size_t>(footer - keys_position)});
  Bytes first;
  Bytes last;
  if (!reader.ReadShortBytes(first) || !reader.ReadShortBytes(last) ||
      reader.remaining_bytes() != 0) {
    return partitions_->CorruptAt(keys_position, "first and last key do not end at the footer");
  }
  first_key_.assign(first.begin(), first.end());
  last_key_.assign(last.begin(), last.end());
  return Status::Ok();
}

Result<std::optional<IndexEntry>> BtiIndex::ReadPayload(const TrieNodes& node,
                                                        std::optional<uint8_t> hash) const {
  uint8_t const bits = node.payload_bits();
  std::span<const std::byte> payload = node.payload();
  bool const has_hash = bits >= kPayloadHasHash;
  size_t const size_bytes = has_hash ? bits - kPayloadSizeMask : bits;
  if (payload.size() < size_bytes + static_cast<size_t>(has_hash)) {
    return partitions_->CorruptAt(node.position_bytes(),
                                  StrCat("a payload of ", size_bytes, " bytes crosses its page"));
  }
  if (has_hash) {
    if (hash.has_value() && std::to_integer<uint8_t>(payload[0]) != *hash) {
      return std::optional<IndexEntry>();
    }
    payload = payload.subspan(1);
  }
  int64_t const position = LoadSigned(payload.first(size_bytes));
  IndexEntry entry;
  if (position < 0) {
    entry.data_position_bytes = static_cast<uint64_t>(~position);
    return std::optional<IndexEntry>(entry);
  }
  entry.row_index_position_bytes = static_cast<uint64_t>(position);
  ASSIGN_OR_RETURN(RowsEntry const rows, ReadRowsEntry(static_cast<uint64_t>(position)));
  entry.data_position_bytes = rows.data_position_bytes;
  return std::optional<IndexEntry>(entry);
}

bool BtiIndex::ForEachEntry(const std::function<void(const IndexEntry&)>& visit) const {
  bool complete = true;
  TrieNodes node(*partitions_);
  std::vector<uint64_t> ahead = {root_position_bytes_};
  std::unordered_set<uint64_t> seen;  // pointers of damaged nodes may meet
  while (!ahead.empty()) {
    uint64_t const position = ahead.back();
    ahead.pop_back();
    if (!seen.insert(position).second || !node.Load(position).ok()) {
      complete = false;
      continue;
    }
    if (node.has_payload()) {
      Result<std::optional<IndexEntry>> const entry = ReadPayload(node, std::nullopt);
      complete = complete && entry.ok();
      if (entry.ok()) {
        visit(**entry);
      }
    }
    for (size_t index = 0; index < node.child_count(); ++index) {
      Result<std::optional<uint64_t>> const child = node.Child(index);
      complete = complete && child.ok();
      if (child.ok() && child->has_value()) {
        ahead.push_back(**child);
      }
    }
  }
  return complete;
}

Result<BtiIndex::RowsEntry> BtiIndex::ReadRowsEntry(uint64_t position_bytes) const {
  constexpr uint64_t kTailSizeBytesMax = 3 * kVintSizeBytesMax + 12;
  if (position_bytes >= rows_->size_bytes()) {
    return rows_->CorruptAt(position_bytes, StrCat("an entry is expected here, the file has ",
                                                   rows_->size_bytes(), " bytes"));
  }
  DataWindow window(*rows_, TrieNodes::kPageSizeBytes);
  window.Seek(position_bytes);
  RETURN_IF_ERROR(window.Ensure(sizeof(uint16_t)));
  size_t const key_size_bytes =
      window.available() < sizeof(uint16_t) ? 0 : LoadBigEndian<uint16_t>(window.at());
  RETURN_IF_ERROR(window.Ensure(sizeof(uint16_t) + key_size_bytes + kTailSizeBytesMax));
  BigEndianReader reader({window.at(), window.available()});
  RowsEntry entry;
  Bytes key;
  int64_t root_distance = 0;
  auto const corrupt = [&](std::string_view what) {
    return rows_->CorruptAt(position_bytes, what);
  };
  if (!reader.ReadShortBytes(key)) {
    return corrupt("the file ends in an entry's key");
  }
  uint64_t const after_key = position_bytes + reader.position_bytes();
  if (!reader.ReadVint(entry.data_position_bytes) || !reader.ReadSignedVint(root_distance) ||
      !reader.ReadVint(entry.block_count)) {
    return corrupt("the file ends in an entry");
  }
  entry.key.assign(key.begin(), key.end());
  std::span<const std::byte> const rest = reader.rest();
  if (UnfilteredDecoder::DecodeDeletionTime(rest.data(), rest.data() + rest.size(), version_,
                                            entry.deletion) == nullptr) {
    return corrupt("an entry's deletion time cannot be read");
  }
  // The trie is written before its entry.
  if (root_distance >= 0 || static_cast<uint64_t>(-(root_distance + 1)) >= after_key) {
    return corrupt(StrCat("the root is ", root_distance, " bytes from the end of an entry's key"));
  }
  entry.root_position_bytes = after_key - static_cast<uint64_t>(-root_distance);
  return entry;
}

Result<std::optional<IndexEntry>> BtiIndex::Find(Bytes key) const {
  std::string comparable;
  AppendComparableKey(layout_.partitioner, *layout_.key_type, TokenOf(layout_.partitioner, key),
                      key, comparable);
  TrieCursor cursor(*partitions_, root_position_bytes_);
  ASSIGN_OR_RETURN(bool const found, cursor.FindPrefix(AsBytes(comparable)));
  if (!found) {
    return std::optional<IndexEntry>();
  }
  return ReadPayload(cursor.node(), static_cast<uint8_t>(Murmur3(key).h2));
}

Result<uint64_t> BtiIndex::PositionBefore(const PartitionBound& start) const {
  // A bound without a key goes before all keys of its token: the encoding ends after the token, and
  // that of no partitioner with equal tokens for all keys has one to stop after.
  std::string comparable;
  Bytes const key = start.key.has_value() ? Bytes(*start.key) : Bytes();
  if (start.key.has_value()) {
    AppendComparableKey(layout_.partitioner, *layout_.key_type, TokenOf(layout_.partitioner, key),
                        key, comparable);
  } else if (layout_.partitioner == Partitioner::kMurmur3) {
    comparable.push_back('\x40');
    auto const token = static_cast<uint64_t>(start.token.position);
    for (int shift = 56; shift >= 0; shift -= 8) {
      comparable.push_back(static_cast<char>(token >> shift));
    }
  }
  TrieCursor cursor(*partitions_, root_position_bytes_);
  ASSIGN_OR_RETURN(bool const found, cursor.Floor(AsBytes(comparable)));
  if (!found) {
    return uint64_t{0};
  }
  // The entry found has a prefix at most the bound's; its key may still be after the bound, and
  // then the one before it need not be: prefixes tell neighbours apart.
  ASSIGN_OR_RETURN(std::optional<IndexEntry> const entry, ReadPayload(cursor.node(), std::nullopt));
  ASSERT(entry.has_value());  // no hash was asked for
  return entry->data_position_bytes;
}

Result<std::unique_ptr<RowIndex>> BtiIndex::OpenRows(const IndexEntry& entry) const {
  ASSERT(entry.row_index_position_bytes.has_value());
  ASSIGN_OR_RETURN(RowsEntry rows, ReadRowsEntry(*entry.row_index_position_bytes));
  return std::unique_ptr<RowIndex>(
      std::make_unique<BtiRowIndex>(*rows_, layout_.clustering, version_, std::move(rows)));
}

BtiRowIndex::BtiRowIndex(const DataFile& rows, const ClusteringFormat& clustering, Version version,
                         BtiIndex::RowsEntry entry)
    : clustering_(clustering),
      version_(version),
      entry_(std::move(entry)),
      cursor_(rows, entry_.root_position_bytes) {}

Status BtiRowIndex::Check(const PartitionView& partition, uint64_t) const {
  if (entry_.deletion == partition.deletion && CompareUnsigned(entry_.key, partition.key) == 0) {
    return Status::Ok();
  }
  return cursor_.node().file().CorruptAt(
      entry_.root_position_bytes,
      StrCat("the row index is of another partition, or says that it is deleted at ",
             entry_.deletion.marked_for_delete_at, " where Data.db has ",
             partition.deletion.marked_for_delete_at));
}

Result<RowBlock> BtiRowIndex::Floor(const ClusteringView& bound) {
  std::vector<ComparableComponent> components;
  for (const ClusteringValue& value : bound.values) {
    components.push_back({value.bytes, value.is_null});
  }
  std::string comparable;
  AppendComparableClustering(clustering_.types(), components, EndOf(bound.kind), comparable);
  ASSIGN_OR_RETURN(bool const found, cursor_.Floor(AsBytes(comparable)));
  if (!found) {
    return cursor_.node().file().CorruptAt(cursor_.node().position_bytes(),
                                           "a row index has no first block");
  }
  return ReadPayload();
}

Result<std::optional<RowBlock>> BtiRowIndex::Previous() {
  ASSIGN_OR_RETURN(bool const found, cursor_.Previous());
  if (!found) {
    return std::optional<RowBlock>();
  }
  ASSIGN_OR_RETURN(RowBlock const block, ReadPayload());
  return std::optional<RowBlock>(block);
}

Result<RowBlock> BtiRowIndex::ReadPayload() const {
  const TrieNodes& node = cursor_.node();
  std::span<const std::byte> const payload = node.payload();
  size_t const size_bytes = node.payload_bits() & kPayloadSizeMask;
  if (size_bytes == 0 || payload.size() < size_bytes) {
    return node.file().CorruptAt(node.position_bytes(),
                                 StrCat("a row index payload of ", size_bytes, " bytes"));
  }
  int64_t const offset = LoadSigned(payload.first(size_bytes));
  RowBlock block;
  bool good = offset >= 0;
  if (good && (node.payload_bits() & kRowPayloadIsOpen) != 0) {
    good = UnfilteredDecoder::DecodeDeletionTime(payload.data() + size_bytes,
                                                 payload.data() + payload.size(), version_,
                                                 block.open) != nullptr;
  }
  if (!good) {
    return node.file().CorruptAt(node.position_bytes(), "a row index payload cannot be read");
  }
  block.offset_bytes = static_cast<uint64_t>(offset);
  return block;
}

}  // namespace orochi::sstable::internal
