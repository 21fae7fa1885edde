#include "sstable/write/data_file_writer.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "sstable/format/big_endian.h"

namespace orochi::sstable {

DataFileWriter::DataFileWriter(std::unique_ptr<io::WritableFile> file,
                               const std::optional<CompressionOptions>& compression, bool threaded)
    : compressed_(compression.has_value()),
      chunk_size_bytes_(compressed_ ? compression->chunk_size_bytes : kCrcBlockSizeBytes),
      chunks_(std::move(file), compression, kCrcBlockSizeBytes) {
  ASSERT(std::has_single_bit(chunk_size_bytes_));
  chunk_.reserve(chunk_size_bytes_);
  if (threaded) {
    thread_ = std::make_unique<ChunkThread>(chunks_);
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
  RETURN_IF_ERROR(thread_ != nullptr ? thread_->Write(chunk_) : chunks_.Write(chunk_));
  chunk_.clear();
  return Status::Ok();
}

double DataFileWriter::compression_ratio() const {
  if (!compressed_) {
    return -1;
  }
  uint64_t const checksums_bytes = compression_info().chunk_count() * sizeof(uint32_t);
  return static_cast<double>(stored_size_bytes() - checksums_bytes) /
         static_cast<double>(position_bytes_);
}

Status DataFileWriter::Finish() {
  if (!chunk_.empty()) {
    RETURN_IF_ERROR(WriteChunk());
  }
  if (thread_ != nullptr) {
    RETURN_IF_ERROR(thread_->Stop());
    thread_.reset();
  }
  return chunks_.Finish(position_bytes_);
}

}  // namespace orochi::sstable
