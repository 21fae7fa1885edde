#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"

namespace orochi::io {

/// A file of fixed size whose bytes are overwritten in place, each write durable when it returns.
///
/// Threads: one write at a time; reads of other bytes may run beside it.
class DurableFile {
 public:
  enum class Mode : uint8_t {
    kDirect,    // O_DIRECT | O_DSYNC: past the page cache; kDataSync where that is not possible
    kDataSync,  // through the page cache, then fdatasync
  };
  /// What kDirect needs of offsets, sizes and addresses in memory.
  static constexpr size_t kAlignmentBytes = 4096;

  /// Makes a file of zeros, all written and durable. Its name is durable once its directory is
  /// synced. Replaces what was there.
  static Status CreateZeroed(const std::string& path, uint64_t size_bytes);
  static Result<DurableFile> Open(const std::string& path, Mode mode);

  DurableFile(DurableFile&& other) noexcept;
  DurableFile& operator=(DurableFile&& other) noexcept;
  ~DurableFile();

  /// After an error nothing may be assumed about these bytes, nor about a later success.
  Status Write(uint64_t offset_bytes, std::span<const std::byte> bytes);
  /// kOutOfRange when the file ends before.
  Status Read(uint64_t offset_bytes, std::span<std::byte> bytes) const;
  /// Makes durable what Read shows.
  Status Sync();
  Result<uint64_t> SizeBytes() const;
  Mode mode() const { return mode_; }

 private:
  DurableFile(std::string path, int descriptor, Mode mode)
      : path_(std::move(path)), descriptor_(descriptor), mode_(mode) {}

  std::string path_;
  int descriptor_;
  Mode mode_;
};

}  // namespace orochi::io
