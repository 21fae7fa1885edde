#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/status.h"

namespace orochi::io {

/// Bytes readable at any offset, unchanged while open: a file, an object, or a relation's pages.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  /// Fills `out` from `offset_bytes` on. kOutOfRange when the file ends before `out` is full,
  /// kIoError when the system fails the read. On error `out` is unspecified.
  virtual Status ReadExact(uint64_t offset_bytes, std::span<std::byte> out) const = 0;
  virtual Result<uint64_t> SizeBytes() const = 0;
};

/// Takes bytes in order. What was appended before an error is unspecified.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Status Append(std::span<const std::byte> bytes) = 0;
};

/// A file being written from start to end.
/// Life: Append* -> Sync -> Close. Destroyed unclosed, its content is unspecified.
class WritableFile : public ByteSink {
 public:
  /// Returns when everything appended survives a power cut.
  virtual Status Sync() = 0;
  virtual Status Close() = 0;
};

/// Names files and makes them appear and vanish. Paths use '/'.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<RandomAccessFile>> OpenForRead(const std::string& path) = 0;
  /// Creates or truncates.
  virtual Result<std::unique_ptr<WritableFile>> Create(const std::string& path) = 0;
  /// Creates if missing and continues at the end.
  virtual Result<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) = 0;
  /// Atomic within one directory. Replaces `to`. Durable only after SyncDirectory.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;
  virtual Result<bool> Exists(const std::string& path) = 0;
  /// Names without the directory, sorted bytewise.
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;
  virtual Status CreateDirectories(const std::string& path) = 0;
  /// Returns when creations, renames and removals in `directory` survive a power cut.
  virtual Status SyncDirectory(const std::string& directory) = 0;
};

}  // namespace orochi::io
