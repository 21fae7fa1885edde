#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "kv/engine/checkpoint.h"
#include "kv/engine/engine.h"
#include "kv/node/peer_message.h"

namespace orochi::kv {

/// A replica's state as of a point, on its way to another, one chunk after the other: the next goes
/// when the last was taken.
///
/// Threads: none.
class SnapshotSender {
 public:
  /// `first` says all but the number and the bytes.
  SnapshotSender(SnapshotChunk first, std::unique_ptr<Reader> state,
                 std::vector<FamilyRange> ranges, uint64_t chunk_size_bytes)
      : next_(std::move(first)),
        state_(std::move(state)),
        exporter_(*state_, std::move(ranges), chunk_size_bytes) {}

  uint64_t stream() const { return next_.stream; }
  uint32_t number() const { return next_.number; }
  bool done() const { return exporter_.done(); }
  /// REQUIRES: not done.
  Result<SnapshotChunk> Next() {
    SnapshotChunk chunk = next_;
    ASSIGN_OR_RETURN(chunk.bytes, exporter_.NextChunk());
    ++next_.number;
    return chunk;
  }

 private:
  SnapshotChunk next_;
  std::unique_ptr<Reader> state_;
  CheckpointExporter exporter_;
};

/// What has come of such a state.
///
/// Threads: none.
class SnapshotReceiver {
 public:
  SnapshotReceiver(SnapshotChunk first, std::vector<FamilyRange> ranges)
      : from_(first.from),
        stream_(first.stream),
        point_(std::move(first.point)),
        importer_(std::move(ranges)) {}

  bool IsOf(const SnapshotChunk& chunk) const {
    return chunk.from == from_ && chunk.stream == stream_ && chunk.number == next_;
  }
  Status Take(const SnapshotChunk& chunk) {
    ++next_;
    return importer_.Add(chunk.bytes);
  }
  const raft::SnapshotPoint& point() const { return point_; }
  bool complete() const { return importer_.complete(); }
  Status Install(Engine& engine, const WriteBatch& others) {
    return importer_.Install(engine, others);
  }

 private:
  raft::ReplicaId from_;
  uint64_t stream_;
  uint32_t next_ = 0;
  raft::SnapshotPoint point_;
  CheckpointImporter importer_;
};

}  // namespace orochi::kv
