#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "io/file.h"

namespace orochi::sstable {

/// Writes a file through a buffer and keeps the CRC-32 of all that was written.
///
/// Life:    Append* -> Finish.    Threads: none.
class BufferedFile {
 public:
  explicit BufferedFile(std::unique_ptr<io::WritableFile> file) : file_(std::move(file)) {}

  Status Append(std::span<const std::byte> bytes);
  /// Flushes, syncs and closes.
  Status Finish();
  uint64_t position_bytes() const { return position_bytes_; }
  uint32_t crc() const { return crc_; }

 private:
  Status Flush();

  std::unique_ptr<io::WritableFile> file_;
  std::vector<std::byte> buffer_;
  uint64_t position_bytes_ = 0;
  uint32_t crc_ = 0;
};

}  // namespace orochi::sstable
