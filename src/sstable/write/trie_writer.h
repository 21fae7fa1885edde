#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sstable/types/bytes.h"
#include "sstable/write/buffered_file.h"

namespace orochi::sstable {

/// What a trie maps a key to: four bits in the node's first byte, not all 0, and bytes after it.
struct TriePayload {
  static constexpr size_t kBytesMax = 20;

  uint8_t bits = 0;  // 0: none
  uint8_t size_bytes = 0;
  std::array<std::byte, kBytesMax> bytes;

  void Append(std::byte byte) { bytes[size_bytes++] = byte; }
};

/// Appends a trie to a file from sorted keys, each node once, children before their parent.
///
/// A node never crosses a boundary between pages of 4 KiB, and subtrees are kept together: nodes
/// wait in memory until a node and what hangs below it no longer fit one page; then its children's
/// subtrees are laid out, the largest that fits the rest of the page first. So a lookup touches few
/// pages.
///
/// Life:    Add* -> Complete, which makes it ready for the next trie in the same file.
/// Threads: none.    Borrows: the file.    Bounds: about a page of nodes for each byte of depth.
class TrieWriter {
 public:
  static constexpr uint64_t kPageSizeBytes = 4096;

  explicit TrieWriter(BufferedFile& file);

  /// A key may be a prefix of the next one. kInvalidArgument when keys do not ascend.
  Status Add(Bytes key, const TriePayload& payload);
  /// Writes what is left; the position of the root. REQUIRES: at least one key was added.
  Result<uint64_t> Complete();
  /// Forgets what was added and not written; for a trie that turns out not to be needed.
  void Reset();
  uint64_t key_count() const { return key_count_; }

 private:
  using NodeId = uint32_t;
  static constexpr int64_t kNotPlaced = -1;

  struct Node {
    uint8_t transition = 0;
    TriePayload payload;
    std::vector<NodeId> children;  // ascending by transition
    int64_t position = kNotPlaced;
    uint64_t branch_size_bytes = 0;  // of what hangs below and is not placed yet
    uint64_t node_size_bytes = 0;
    bool has_placed_children = false;
    bool has_placed_descendants = false;  // below its children

    uint64_t total_size_bytes() const { return branch_size_bytes + node_size_bytes; }
  };

  NodeId NewNode(uint8_t transition);
  Status FinishLast();
  Status LayOutChildren(NodeId id);
  /// Places the subtree at the end of the file and forgets it.
  Status Place(NodeId id);
  Status WriteNode(NodeId id);
  Status PadToPage();
  uint64_t BytesLeftInPage() const;
  /// Sizes again what depends on where the subtree would start, and answers its total size.
  uint64_t Resize(NodeId id, uint64_t position);
  uint64_t SizeOfNode(NodeId id, uint64_t position) const;
  uint64_t DistanceMax(NodeId id, uint64_t position) const;
  int TypeOf(NodeId id, uint64_t position) const;

  BufferedFile& file_;
  std::vector<Node> nodes_;  // by NodeId; a new node may move them
  std::vector<NodeId> free_;
  std::vector<NodeId> stack_;  // from the root to the end of the key added last
  std::vector<std::byte> last_key_;
  // Of the node being written, and the way to it; kept for their memory.
  std::vector<std::byte> bytes_;
  std::vector<uint64_t> distances_;
  std::vector<std::pair<NodeId, size_t>> path_;
  uint64_t key_count_ = 0;
};

}  // namespace orochi::sstable
