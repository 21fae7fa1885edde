#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "sstable/read/data_window.h"

namespace orochi::sstable::internal {

/// Reads the nodes of the tries in Partitions.db and Rows.db.
///
///   u8: type in the high four bits, payload bits in the low four (none: no payload)
///   children, by type; pointers are distances back from the node, so a child always has a smaller
///   position than its parent and every walk ends
///   payload
///
/// No node crosses a page of 4096 bytes. Threads: one.    Borrows: the file.
class TrieNodes {
 public:
  static constexpr uint32_t kPageSizeBytes = 4096;
  enum class Shape : uint8_t { kLeaf, kSingle, kSparse, kDense };

  explicit TrieNodes(const DataFile& file);

  /// Reads the node at `position_bytes`; what follows speaks of it.
  Status Load(uint64_t position_bytes);

  uint64_t position_bytes() const { return position_bytes_; }
  size_t child_count() const { return child_count_; }  // of dense nodes: with the absent ones
  uint8_t transition(size_t index) const;
  /// Nothing for an absent child of a dense node. kCorruption for a distance that leads nowhere.
  Result<std::optional<uint64_t>> Child(size_t index) const;
  /// The least child whose transition is at least `byte`; child_count() when there is none.
  size_t LowerBound(uint8_t byte) const;

  bool has_payload() const { return payload_bits_ != 0; }
  uint8_t payload_bits() const { return payload_bits_; }
  /// The bytes from the payload to the end of the page or file. Valid until the next Load.
  std::span<const std::byte> payload() const;

  const DataFile& file() const { return window_.file(); }

 private:
  Status Corrupt(std::string_view what) const;
  uint64_t Distance(size_t index) const;

  DataWindow window_;
  uint64_t position_bytes_ = 0;
  const std::byte* node_ = nullptr;
  const std::byte* end_ = nullptr;
  Shape shape_ = Shape::kLeaf;
  uint8_t payload_bits_ = 0;
  size_t child_count_ = 0;
  unsigned distance_bits_ = 0;     // 4 and 12: packed
  size_t transitions_offset_ = 0;  // from the node; sparse and single
  size_t distances_offset_ = 0;
  size_t payload_offset_ = 0;
  uint8_t first_transition_ = 0;  // dense
};

/// A place in a trie: the path from the root to a node with a payload.
class TrieCursor {
 public:
  TrieCursor(const DataFile& file, uint64_t root_position_bytes);

  /// Moves to the node whose key is the longest prefix of `key` that ends a walk: no child follows
  /// or the key is used up. False when the walk breaks off, or that node has no payload.
  Result<bool> FindPrefix(std::span<const std::byte> key);
  /// Moves to the greatest key that is at most `key`; false when there is none.
  Result<bool> Floor(std::span<const std::byte> key);
  /// Moves to the next smaller key; false when there is none.
  Result<bool> Previous();

  /// The node it is at. REQUIRES: the last move answered true.
  const TrieNodes& node() const { return nodes_; }

 private:
  struct Step {
    uint64_t position_bytes;
    size_t child_index;  // where the path goes on
  };
  Result<bool> Greatest();
  Result<bool> GreatestBelow(size_t child_end);

  TrieNodes nodes_;
  uint64_t root_position_bytes_;
  std::vector<Step> path_;  // above the node
};

}  // namespace orochi::sstable::internal
