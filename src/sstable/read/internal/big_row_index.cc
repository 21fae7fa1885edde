#include "sstable/read/internal/big_row_index.h"

#include "base/str_cat.h"
#include "sstable/format/big_endian.h"
#include "sstable/read/internal/unfiltered_decoder.h"

namespace orochi::sstable::internal {

namespace {

constexpr size_t kFillSizeBytes = 8 * 1024;
constexpr size_t kHeadSizeBytesMax = 2 * kVintSizeBytesMax + 12;
/// Widths are stored less this, the usual width.
constexpr int64_t kWidthBase = 65536;

}  // namespace

BigRowIndex::BigRowIndex(const DataFile& file, const ClusteringFormat& clustering, Version version)
    : window_(file, kFillSizeBytes), clustering_(clustering), version_(version) {}

Status BigRowIndex::Open(uint64_t position_bytes, uint64_t size_bytes) {
  window_.Seek(position_bytes);
  RETURN_IF_ERROR(window_.Ensure(kHeadSizeBytesMax));
  const std::byte* const begin = window_.at();
  const std::byte* const end = window_.end();
  uint64_t block_count = 0;
  const std::byte* at = ReadVint(begin, end, header_size_bytes_);
  at =
      at == nullptr ? nullptr : UnfilteredDecoder::DecodeDeletionTime(at, end, version_, deletion_);
  at = at == nullptr ? nullptr : ReadVint(at, end, block_count);
  uint64_t const head_size_bytes = at == nullptr ? 0 : static_cast<uint64_t>(at - begin);
  if (at == nullptr || head_size_bytes > size_bytes || block_count == 0 ||
      block_count > (size_bytes - head_size_bytes) / sizeof(uint32_t)) {
    return window_.file().CorruptAt(
        position_bytes, StrCat("a row index of ", size_bytes, " bytes with ", block_count,
                               " blocks cannot be read"));
  }
  block_count_ = static_cast<uint32_t>(block_count);
  blocks_position_bytes_ = position_bytes + head_size_bytes;
  offsets_position_bytes_ = position_bytes + size_bytes - sizeof(uint32_t) * block_count;
  return Status::Ok();
}

Status BigRowIndex::Check(const PartitionView& partition, uint64_t header_size_bytes) const {
  if (header_size_bytes_ == header_size_bytes && deletion_ == partition.deletion) {
    return Status::Ok();
  }
  return window_.file().CorruptAt(
      blocks_position_bytes_,
      StrCat("the row index says that its partition has a header of ", header_size_bytes_,
             " bytes and is deleted at ", deletion_.marked_for_delete_at, ", Data.db has ",
             header_size_bytes, " and ", partition.deletion.marked_for_delete_at));
}

Result<uint32_t> BigRowIndex::OffsetOf(uint32_t index) {
  window_.Seek(offsets_position_bytes_ + sizeof(uint32_t) * index);
  RETURN_IF_ERROR(window_.Ensure(sizeof(uint32_t)));
  auto const offset = LoadBigEndian<uint32_t>(window_.at());  // Open saw that the table is there
  if (offset >= offsets_position_bytes_ - blocks_position_bytes_) {
    return window_.file().CorruptAt(
        window_.position_bytes(),
        StrCat("block ", index, " is at ", offset, " of ",
               offsets_position_bytes_ - blocks_position_bytes_, " bytes of blocks"));
  }
  return offset;
}

Status BigRowIndex::ReadBlock(uint32_t index, Block& block) {
  ASSIGN_OR_RETURN(uint32_t const offset, OffsetOf(index));
  uint32_t next = static_cast<uint32_t>(offsets_position_bytes_ - blocks_position_bytes_);
  if (index + 1 < block_count_) {
    ASSIGN_OR_RETURN(next, OffsetOf(index + 1));
  }
  uint64_t const position = blocks_position_bytes_ + offset;
  auto const corrupt = [&] {
    return window_.file().CorruptAt(position, StrCat("block ", index, " of a row index in [",
                                                     offset, ", ", next, ") cannot be read"));
  };
  if (next <= offset) {
    return corrupt();
  }
  window_.Seek(position);
  RETURN_IF_ERROR(window_.Ensure(next - offset));
  const std::byte* const end = window_.at() + (next - offset);
  uint64_t needed_bytes = 0;
  const std::byte* at =
      clustering_.ReadPrefix(window_.at(), end, block.first.kind, first_values_, needed_bytes);
  at = at == nullptr ? nullptr
                     : clustering_.ReadPrefix(at, end, block.last.kind, last_values_, needed_bytes);
  uint64_t width = 0;
  at = at == nullptr ? nullptr : ReadVint(at, end, block.offset_bytes);
  at = at == nullptr ? nullptr : ReadVint(at, end, width);
  if (at == nullptr || at == end) {
    return corrupt();
  }
  block.first.values = first_values_;
  block.last.values = last_values_;
  block.width_bytes = static_cast<uint64_t>(codec::ZigZagDecode(width)) + kWidthBase;
  block.open_at_end = DeletionTime();
  bool const is_open = *at++ != std::byte{0};
  if (is_open) {
    at = UnfilteredDecoder::DecodeDeletionTime(at, end, version_, block.open_at_end);
  }
  return at == end ? Status::Ok() : corrupt();
}

Result<RowBlock> BigRowIndex::BlockAt(uint32_t index) {
  Block block;
  RowBlock found;
  if (index > 0) {
    RETURN_IF_ERROR(ReadBlock(index - 1, block));
    found.open = block.open_at_end;
  }
  RETURN_IF_ERROR(ReadBlock(index, block));
  found.offset_bytes = block.offset_bytes;
  return found;
}

Result<RowBlock> BigRowIndex::Floor(const ClusteringView& bound) {
  uint32_t low = 1;  // the first block is the answer where no other is
  uint32_t high = block_count_;
  Block block;
  while (low < high) {
    uint32_t const middle = low + (high - low) / 2;
    RETURN_IF_ERROR(ReadBlock(middle, block));
    if (clustering_.Compare(block.first, bound) <= 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  current_ = low - 1;
  return BlockAt(current_);
}

Result<std::optional<RowBlock>> BigRowIndex::Previous() {
  if (current_ == 0) {
    return std::optional<RowBlock>();
  }
  --current_;
  ASSIGN_OR_RETURN(RowBlock const block, BlockAt(current_));
  return std::optional<RowBlock>(block);
}

}  // namespace orochi::sstable::internal
