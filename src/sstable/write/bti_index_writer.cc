#include "sstable/write/bti_index_writer.h"

#include <algorithm>

#include "base/str_cat.h"
#include "sstable/format/big_endian.h"
#include "sstable/types/byte_comparable.h"

namespace orochi::sstable {

namespace {

constexpr uint8_t kHasHash = 8;
constexpr uint8_t kHasOpenDeletion = 8;

// The bytes that a signed number needs, at least one.
uint8_t SignedSizeBytes(int64_t value) {
  uint8_t size_bytes = 1;
  while (size_bytes < 8 && (value >> (8 * size_bytes - 1)) != 0 &&
         (value >> (8 * size_bytes - 1)) != -1) {
    ++size_bytes;
  }
  return size_bytes;
}

void AppendSigned(TriePayload& payload, int64_t value, uint8_t size_bytes) {
  for (int index = size_bytes; index-- > 0;) {
    payload.Append(static_cast<std::byte>(value >> (8 * index)));
  }
}

TriePayload KeyPayload(const Murmur3Hash& hash, int64_t position) {
  TriePayload payload;
  uint8_t const size_bytes = SignedSizeBytes(position);
  payload.bits = static_cast<uint8_t>(kHasHash + size_bytes - 1);
  payload.Append(static_cast<std::byte>(hash.h2));
  AppendSigned(payload, position, size_bytes);
  return payload;
}

TriePayload OffsetPayload(uint64_t offset_bytes) {
  TriePayload payload;
  auto const offset = static_cast<int64_t>(offset_bytes);
  payload.bits = SignedSizeBytes(offset);
  AppendSigned(payload, offset, payload.bits);
  return payload;
}

size_t SharedSizeBytes(std::string_view a, std::string_view b) {
  auto const [at, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<size_t>(at - a.begin());
}

ComparableEnd EndOf(ClusteringKind kind) {
  switch (kind) {
    case ClusteringKind::kExclEndBound:
    case ClusteringKind::kInclStartBound:
    case ClusteringKind::kExclEndInclStartBoundary:
      return ComparableEnd::kBefore;
    case ClusteringKind::kInclEndBound:
    case ClusteringKind::kExclStartBound:
    case ClusteringKind::kInclEndExclStartBoundary:
      return ComparableEnd::kAfter;
    case ClusteringKind::kStatic:
      return ComparableEnd::kStatic;
    case ClusteringKind::kClustering:
      break;
  }
  return ComparableEnd::kRow;
}

// The smallest key of at most `at` + 1 bytes, or a few more, that is greater than `value`.
std::string Nudge(std::string_view value, size_t at) {
  size_t end = at;
  while (end < value.size() && static_cast<uint8_t>(value[end]) == 0xFF) {
    ++end;
  }
  std::string nudged(value.substr(0, std::min(end + 1, value.size())));
  if (end < value.size()) {
    nudged[end] = static_cast<char>(static_cast<uint8_t>(nudged[end]) + 1);
  }
  return nudged;
}

}  // namespace

BtiIndexWriter::BtiIndexWriter(std::unique_ptr<io::WritableFile> partitions_file,
                               std::unique_ptr<io::WritableFile> rows_file, const Layout& layout,
                               const RowEncoder& encoder)
    : partitions_(std::move(partitions_file)),
      rows_(std::move(rows_file)),
      layout_(layout),
      encoder_(encoder),
      partition_trie_(partitions_),
      row_trie_(rows_) {}

void BtiIndexWriter::EncodeClustering(const ClusteringView& clustering, std::string& out) {
  std::vector<ComparableComponent> components;
  for (const ClusteringValue& value : clustering.values) {
    components.push_back({.bytes = value.bytes, .is_null = value.is_null});
  }
  out.clear();
  AppendComparableClustering(layout_.clustering.types(), components, EndOf(clustering.kind), out);
}

void BtiIndexWriter::StartBlock(const ClusteringView& first, uint64_t offset_bytes,
                                const DeletionTime& open_deletion) {
  separator_.clear();
  if (block_count_ > 0) {
    // The shortest key above the end of the last block that does not pass the start of this one.
    EncodeClustering(first, comparable_);
    size_t const shared = SharedSizeBytes(block_last_, comparable_);
    separator_ = block_last_.substr(0, std::min(shared + 1, block_last_.size()));
    if (shared < separator_.size()) {
      separator_[shared] = static_cast<char>(static_cast<uint8_t>(separator_[shared]) + 1);
    }
  }
  block_offset_bytes_ = offset_bytes;
  block_open_deletion_ = open_deletion;
}

Status BtiIndexWriter::FinishBlock(const ClusteringView& last) {
  TriePayload payload = OffsetPayload(block_offset_bytes_);
  if (!block_open_deletion_.live()) {
    payload.bits |= kHasOpenDeletion;
    std::vector<std::byte> deletion;
    RETURN_IF_ERROR(encoder_.AppendDeletion(deletion, block_open_deletion_));
    for (std::byte const byte : deletion) {
      payload.Append(byte);
    }
  }
  RETURN_IF_ERROR(row_trie_.Add(AsBytes(separator_), payload));
  EncodeClustering(last, block_last_);
  ++block_count_;
  return Status::Ok();
}

// A last key above all rows lets lookups beyond them end early. It is as long as it must be to
// differ from the last separator.
Result<uint64_t> BtiIndexWriter::CompleteRowTrie(uint64_t end_offset_bytes) {
  std::string const above = Nudge(block_last_, SharedSizeBytes(block_last_, separator_));
  RETURN_IF_ERROR(row_trie_.Add(AsBytes(above), OffsetPayload(end_offset_bytes)));
  return row_trie_.Complete();
}

Status BtiIndexWriter::AddPendingKey(size_t prefix_size_bytes) {
  std::string_view const prefix =
      std::string_view(pending_key_).substr(0, std::min(prefix_size_bytes, pending_key_.size()));
  return partition_trie_.Add(AsBytes(prefix), pending_payload_);
}

Status BtiIndexWriter::AddPartition(const HashedKey& key, const DeletionTime& deletion,
                                    uint64_t position_bytes, uint64_t end_offset_bytes) {
  auto position = ~static_cast<int64_t>(position_bytes);
  if (block_count_ > 1) {
    ASSIGN_OR_RETURN(uint64_t const root, CompleteRowTrie(end_offset_bytes));
    position = static_cast<int64_t>(rows_.position_bytes());
    std::vector<std::byte> entry;
    AppendShortBytes(entry, key.bytes);
    uint64_t const base = rows_.position_bytes() + entry.size();
    AppendVint(entry, position_bytes);
    AppendSignedVint(entry, static_cast<int64_t>(root) - static_cast<int64_t>(base));
    AppendVint(entry, block_count_);
    RETURN_IF_ERROR(encoder_.AppendDeletion(entry, deletion));
    RETURN_IF_ERROR(rows_.Append(entry));
  }
  row_trie_.Reset();
  block_count_ = 0;
  block_last_.clear();

  comparable_.clear();
  AppendComparableKey(layout_.partitioner, *layout_.key_type, key.token, key.bytes, comparable_);
  size_t shared = 0;
  if (key_count_ == 0) {
    first_key_.assign(key.bytes.begin(), key.bytes.end());
  } else {
    shared = SharedSizeBytes(pending_key_, comparable_) + 1;
    RETURN_IF_ERROR(AddPendingKey(std::max(shared, pending_shared_bytes_)));
  }
  ++key_count_;
  last_key_.assign(key.bytes.begin(), key.bytes.end());
  pending_key_.swap(comparable_);
  pending_payload_ = KeyPayload(key.hash, position);
  pending_shared_bytes_ = shared;
  return Status::Ok();
}

Status BtiIndexWriter::Finish() {
  RETURN_IF_ERROR(AddPendingKey(pending_shared_bytes_));
  ASSIGN_OR_RETURN(uint64_t const root, partition_trie_.Complete());
  std::vector<std::byte> tail;
  uint64_t const keys_position = partitions_.position_bytes();
  AppendShortBytes(tail, first_key_);
  AppendShortBytes(tail, last_key_);
  AppendBigEndian(tail, keys_position);
  AppendBigEndian(tail, key_count_);
  AppendBigEndian(tail, root);
  RETURN_IF_ERROR(partitions_.Append(tail));
  RETURN_IF_ERROR(partitions_.Finish());
  return rows_.Finish();
}

}  // namespace orochi::sstable
