#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "kv/engine/engine.h"

namespace rocksdb {
class Env;
}

namespace orochi::kv {

struct RocksOptions {
  std::string directory;
  bool create_if_missing = true;
  uint64_t write_buffer_size_bytes = 64 << 20;
  /// Of all reads and iterators.
  uint64_t cache_size_bytes = 256 << 20;
  /// A write in the background failed, and nothing more will be written. By a thread of RocksDB's.
  std::function<void(Status)> on_failure{};
  /// Where RocksDB's files are; null for the operating system. Borrowed.
  rocksdb::Env* env = nullptr;
};

/// An engine in RocksDB, a column family for each of ours. Its write-ahead log is written with each
/// batch and synced by Flush alone: what is lost with the power, the Raft log has. Recovery stops
/// at the first gap of that log, so that a beginning of the batches is left.
///
/// Threads: any.
Result<std::unique_ptr<Engine>> OpenRocksEngine(const RocksOptions& options);

}  // namespace orochi::kv
