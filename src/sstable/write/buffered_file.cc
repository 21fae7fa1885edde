#include "sstable/write/buffered_file.h"

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

}  // namespace orochi::sstable
