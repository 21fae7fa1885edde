#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace orochi::kv::log {

/// The files of one log's directory, by name. What an answer promises survives a power cut, unless
/// said otherwise. After an error of a call that changes something nothing may be assumed about the
/// bytes it was to change; the log then stops for good.
///
/// Threads: calls for different files may run in parallel, and reads beside a write of other bytes.
class Device {
 public:
  virtual ~Device() = default;

  /// Offsets, sizes and addresses in memory of Write and Read are multiples of it. A power of two.
  virtual uint32_t block_size_bytes() const = 0;

  /// Names in no order.
  virtual Result<std::vector<std::string>> List() = 0;
  /// A file of zeros whose bytes are allocated and written, so that overwriting them changes no
  /// metadata. Its name is durable after SyncDirectory. Replaces a file of that name.
  virtual Status Create(const std::string& name, uint64_t size_bytes) = 0;
  virtual Result<uint64_t> SizeBytes(const std::string& name) = 0;
  /// Both are durable after SyncDirectory. Rename replaces `to`.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& name) = 0;
  virtual Status SyncDirectory() = 0;

  /// Durable when it returns. Within the file's size.
  virtual Status Write(const std::string& name, uint64_t offset_bytes,
                       std::span<const std::byte> bytes) = 0;
  virtual Status Read(const std::string& name, uint64_t offset_bytes,
                      std::span<std::byte> bytes) = 0;
  /// Makes durable what Read shows of this file: a write that was interrupted may be visible only.
  virtual Status Sync(const std::string& name) = 0;
};

}  // namespace orochi::kv::log
