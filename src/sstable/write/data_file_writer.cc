#include "sstable/write/data_file_writer.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "sstable/format/big_endian.h"
#include "sstable/format/crc32.h"

namespace orochi::sstable {

namespace {
constexpr size_t kFlushSizeBytes = 256 << 10;
}

Status BufferedFile::Append(std::span<const std::byte> bytes) {
  position_bytes_ += bytes.size();
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return buffer_.size() < kFlushSizeBytes ? Status::Ok() : Flush();
}

Status BufferedFile::Flush() {
  crc_ = Crc32(buffer_, crc_);
  RETURN_IF_ERROR(file_->Append(buffer_));
  buffer_.clear();
  return Status::Ok();
}

Status BufferedFile::Finish() {
  RETURN_IF_ERROR(Flush());
  RETURN_IF_ERROR(file_->Sync());
  return file_->Close();
}

DataFileWriter::DataFileWriter(std::unique_ptr<io::WritableFile> file,
                               const std::optional<CompressionOptions>& compression)
    : file_(std::move(file)),
      compression_(compression),
      chunk_size_bytes_(compression.has_value() ? compression->chunk_size_bytes
                                                : kCrcBlockSizeBytes) {
  ASSERT(std::has_single_bit(chunk_size_bytes_));
  chunk_.reserve(chunk_size_bytes_);
  if (compression_.has_value()) {
    codec_ = std::make_unique<ChunkCodec>(compression_->kind, compression_->level);
    info_.compressor = CompressorClassName(compression_->kind);
    if (compression_->level != 0) {
      info_.options.emplace_back("compression_level", std::to_string(compression_->level));
    }
    info_.chunk_size_bytes = compression_->chunk_size_bytes;
    info_.compressed_size_bytes_max = compression_->compressed_size_bytes_max;
  } else {
    AppendBigEndian(crc_component_, kCrcBlockSizeBytes);
  }
}

Status DataFileWriter::Append(std::span<const std::byte> bytes) {
  position_bytes_ += bytes.size();
  while (!bytes.empty()) {
    size_t const take = std::min(bytes.size(), chunk_size_bytes_ - chunk_.size());
    AppendBytes(chunk_, bytes.first(take));
    bytes = bytes.subspan(take);
    if (chunk_.size() == chunk_size_bytes_) {
      RETURN_IF_ERROR(WriteChunk());
    }
  }
  return Status::Ok();
}

Status DataFileWriter::WriteChunk() {
  if (compression_.has_value()) {
    RETURN_IF_ERROR(WriteCompressed());
  } else {
    AppendBigEndian(crc_component_, Crc32(chunk_));
    RETURN_IF_ERROR(file_.Append(chunk_));
  }
  chunk_.clear();
  return Status::Ok();
}

Status DataFileWriter::WriteCompressed() {
  RETURN_IF_ERROR(codec_->Compress(chunk_, compressed_));
  std::span<const std::byte> stored = compressed_;
  auto const size_bytes_max = static_cast<size_t>(compression_->compressed_size_bytes_max);
  if (compressed_.size() >= size_bytes_max) {
    // Readers know a raw chunk by its length, so a short one is made that long.
    if (chunk_.size() < size_bytes_max) {
      chunk_.resize(size_bytes_max);
    }
    stored = chunk_;
  }
  info_.chunk_offsets.push_back(file_.position_bytes());
  RETURN_IF_ERROR(file_.Append(stored));
  std::vector<std::byte> crc;
  AppendBigEndian(crc, Crc32(stored));
  return file_.Append(crc);
}

double DataFileWriter::compression_ratio() const {
  if (!compression_.has_value()) {
    return -1;
  }
  uint64_t const checksums_bytes = info_.chunk_count() * sizeof(uint32_t);
  return static_cast<double>(stored_size_bytes() - checksums_bytes) /
         static_cast<double>(position_bytes_);
}

Status DataFileWriter::Finish() {
  if (!chunk_.empty()) {
    RETURN_IF_ERROR(WriteChunk());
  }
  info_.data_size_bytes = position_bytes_;
  return file_.Finish();
}

}  // namespace orochi::sstable
