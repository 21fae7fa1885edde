#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/status.h"
#include "sstable/read/data_file.h"

namespace orochi::sstable {

/// A stretch of a DataFile in contiguous memory that moves forward: decoders work on plain
/// pointers, and rows that span chunks are whole.
///
/// Threads: none.    Borrows: the file.
/// Memory:  `fill_size_bytes` rounded up to chunks, or the largest Ensure plus as much.
class DataWindow {
 public:
  DataWindow(const DataFile& file, size_t fill_size_bytes);

  /// Moves to a position up to the file's end. Reads nothing.
  void Seek(uint64_t position_bytes);
  /// Makes at least `size_bytes` from here on contiguous, or all that is left when that is less.
  /// Pointers into the window end.
  Status Ensure(uint64_t size_bytes);
  /// REQUIRES: size_bytes <= available().
  void Advance(size_t size_bytes) { at_ += size_bytes; }

  /// Equal to end() where nothing is read yet.
  const std::byte* at() const { return buffer_.get() + (at_ < filled_ ? at_ : filled_); }
  const std::byte* end() const { return buffer_.get() + filled_; }
  size_t available() const { return at_ < filled_ ? filled_ - at_ : 0; }
  uint64_t position_bytes() const { return base_ + at_; }
  /// Bytes from here to the end of the file.
  uint64_t remaining_bytes() const { return file_.size_bytes() - position_bytes(); }
  const DataFile& file() const { return file_; }

 private:
  Status Fill(uint64_t size_bytes);
  void MakeRoom(size_t kept, size_t added);

  const DataFile& file_;
  ChunkReader reader_;
  size_t fill_size_bytes_;
  std::unique_ptr<std::byte[]> buffer_;
  size_t capacity_ = 0;
  uint64_t base_ = 0;  // file position of buffer_[0]
  size_t at_ = 0;      // past filled_ after a Seek to where nothing is read yet
  size_t filled_ = 0;  // base_ + filled_ is a chunk boundary or the file's end
};

}  // namespace orochi::sstable
