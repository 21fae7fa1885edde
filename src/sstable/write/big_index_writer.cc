#include "sstable/write/big_index_writer.h"

#include <limits>

#include "base/str_cat.h"
#include "sstable/format/big_endian.h"

namespace orochi::sstable {

namespace {
/// Block sizes are stored as the difference to this.
constexpr int64_t kBlockSizeBase = 65536;
constexpr size_t kRowIndexSizeBytesMax = std::numeric_limits<int32_t>::max();
}  // namespace

BigIndexWriter::BigIndexWriter(std::unique_ptr<io::WritableFile> index_file,
                               const RowEncoder& encoder, int32_t index_interval_min)
    : index_(std::move(index_file)), encoder_(encoder) {
  summary_.index_interval_min = index_interval_min;
}

Status BigIndexWriter::AddBlock(const RowBlock& block) {
  if (blocks_.size() > kRowIndexSizeBytesMax) {
    return Status::ResourceExhausted(StrCat("row index of a partition has ", blocks_.size(),
                                            " bytes, at most ", kRowIndexSizeBytesMax,
                                            " can be stored: make its blocks larger"));
  }
  block_offsets_.push_back(static_cast<uint32_t>(blocks_.size()));
  AppendBytes(blocks_, block.first);
  AppendBytes(blocks_, block.last);
  AppendVint(blocks_, block.offset_bytes);
  AppendSignedVint(blocks_, static_cast<int64_t>(block.size_bytes) - kBlockSizeBase);
  bool const open = !block.open_at_end.live();
  blocks_.push_back(static_cast<std::byte>(open));
  return open ? encoder_.AppendDeletion(blocks_, block.open_at_end) : Status::Ok();
}

Status BigIndexWriter::AddPartition(Bytes key, const DeletionTime& deletion,
                                    uint64_t position_bytes, uint64_t header_size_bytes) {
  if (partition_count_ == 0) {
    summary_.first_key.assign(key.begin(), key.end());
  }
  if (partition_count_ % static_cast<uint64_t>(summary_.index_interval_min) == 0) {
    summary_.Append(key, index_.position_bytes());
  }
  ++partition_count_;
  last_key_.assign(key.begin(), key.end());

  std::vector<std::byte> row_index;
  if (block_offsets_.size() > 1) {
    AppendVint(row_index, header_size_bytes);
    RETURN_IF_ERROR(encoder_.AppendDeletion(row_index, deletion));
    AppendVint(row_index, block_offsets_.size());
    AppendBytes(row_index, blocks_);
    for (uint32_t const offset : block_offsets_) {
      AppendBigEndian(row_index, offset);
    }
  }
  entry_.clear();
  AppendShortBytes(entry_, key);
  AppendVint(entry_, position_bytes);
  AppendVint(entry_, row_index.size());
  RETURN_IF_ERROR(index_.Append(entry_));
  blocks_.clear();
  block_offsets_.clear();
  return index_.Append(row_index);
}

Status BigIndexWriter::Finish() {
  summary_.last_key = last_key_;
  summary_.full_sampling_count = static_cast<int32_t>(summary_.entry_count());
  return index_.Finish();
}

}  // namespace orochi::sstable
