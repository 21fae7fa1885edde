#include "sstable/write/chunk_writer.h"

#include "sstable/format/big_endian.h"
#include "sstable/format/crc32.h"

namespace orochi::sstable {

ChunkWriter::ChunkWriter(std::unique_ptr<io::WritableFile> file,
                         const std::optional<CompressionOptions>& compression,
                         uint32_t uncompressed_chunk_size_bytes)
    : file_(std::move(file)), compression_(compression) {
  if (compression_.has_value()) {
    codec_ = std::make_unique<ChunkCodec>(compression_->kind, compression_->level);
    info_.compressor = CompressorClassName(compression_->kind);
    if (compression_->level != 0) {
      info_.options.emplace_back("compression_level", std::to_string(compression_->level));
    }
    info_.chunk_size_bytes = compression_->chunk_size_bytes;
    info_.compressed_size_bytes_max = compression_->compressed_size_bytes_max;
  } else {
    AppendBigEndian(crc_component_, uncompressed_chunk_size_bytes);
  }
}

Status ChunkWriter::Write(std::vector<std::byte>& chunk) {
  if (compression_.has_value()) {
    return WriteCompressed(chunk);
  }
  AppendBigEndian(crc_component_, Crc32(chunk));
  return file_.Append(chunk);
}

Status ChunkWriter::WriteCompressed(std::vector<std::byte>& chunk) {
  RETURN_IF_ERROR(codec_->Compress(chunk, compressed_));
  std::span<const std::byte> stored = compressed_;
  auto const size_bytes_max = static_cast<size_t>(compression_->compressed_size_bytes_max);
  if (compressed_.size() >= size_bytes_max) {
    // Readers know a raw chunk by its length, so a short one is made that long.
    if (chunk.size() < size_bytes_max) {
      chunk.resize(size_bytes_max);
    }
    stored = chunk;
  }
  info_.chunk_offsets.push_back(file_.position_bytes());
  RETURN_IF_ERROR(file_.Append(stored));
  uint32_t const crc = __builtin_bswap32(Crc32(stored));
  return file_.Append(std::as_bytes(std::span(&crc, 1)));
}

Status ChunkWriter::Finish(uint64_t data_size_bytes) {
  info_.data_size_bytes = data_size_bytes;
  return file_.Finish();
}

}  // namespace orochi::sstable
