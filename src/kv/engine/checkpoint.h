#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/engine/engine.h"

namespace orochi::kv {

/// What a checkpoint takes with it: a range of each family named.
struct FamilyRange {
  Family family;
  KeyRange range;
};

/// Cuts the state of some ranges, as of one moment, into chunks that are checked one by one.
///
/// A chunk, integers little-endian: magic "OKVC", CRC-32C of all that follows (4 bytes each), chunk
/// number from 0 on, 4; 1 in the last chunk, else 0, 4; then records of family, 1, key size, 4,
/// value size, 4, key, value, in the order of ranges and keys.
///
/// Threads: none.    Borrows: snapshot.    Bounds: one chunk, or one record if that is larger.
class CheckpointExporter {
 public:
  CheckpointExporter(const Reader& snapshot, std::vector<FamilyRange> ranges,
                     uint64_t chunk_size_bytes = 512 << 10);

  bool done() const { return done_; }
  /// REQUIRES: not done.
  Result<std::string> NextChunk();

 private:
  const Reader& snapshot_;
  const std::vector<FamilyRange> ranges_;
  const uint64_t chunk_size_bytes_;
  size_t range_ = 0;
  std::unique_ptr<Cursor> cursor_;
  uint32_t chunk_ = 0;
  bool done_ = false;
};

/// Takes chunks in order and puts what they hold in the place of what an engine has in the ranges.
///
/// Life:    Add* until complete -> Install. Threads: none.
/// Bounds:  the whole checkpoint is in memory until it is installed.
class CheckpointImporter {
 public:
  explicit CheckpointImporter(std::vector<FamilyRange> ranges);

  /// kCorruption for a chunk that is damaged, is not the next one, or has keys outside the ranges
  /// or out of order; the import is over then.
  Status Add(std::string_view chunk);
  bool complete() const { return complete_; }
  /// Replaces the ranges' content, with `others` (the applied index, say) in the same batch.
  /// REQUIRES: complete; nobody else writes to the ranges meanwhile.
  Status Install(Engine& engine, const WriteBatch& others);

 private:
  const std::vector<FamilyRange> ranges_;
  std::vector<WriteBatch::Change> taken_;
  uint32_t chunk_ = 0;
  size_t range_ = 0;
  std::string last_key_;
  bool range_has_key_ = false;
  bool complete_ = false;
  bool failed_ = false;
};

}  // namespace orochi::kv
