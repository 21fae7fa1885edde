#include "sstable/read/internal/trie.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/format/big_endian.h"

namespace orochi::sstable::internal {

namespace {

/// Comparable keys: 64 KiB of key, escaped, and a token.
constexpr size_t kDepthMax = 1 << 20;

struct NodeForm {
  TrieNodes::Shape shape;
  uint8_t distance_bits;
};
using Shape = TrieNodes::Shape;

// By the type in the first byte. Singles of 4 and 12 bits have the low four bits for the distance
// and so no payload.
constexpr std::array<NodeForm, 16> kForms = {{
    {Shape::kLeaf, 0},
    {Shape::kSingle, 4},
    {Shape::kSingle, 8},
    {Shape::kSingle, 12},
    {Shape::kSingle, 16},
    {Shape::kSparse, 8},
    {Shape::kSparse, 12},
    {Shape::kSparse, 16},
    {Shape::kSparse, 24},
    {Shape::kSparse, 40},
    {Shape::kDense, 12},
    {Shape::kDense, 16},
    {Shape::kDense, 24},
    {Shape::kDense, 32},
    {Shape::kDense, 40},
    {Shape::kDense, 64},
}};

size_t PackedSizeBytes(size_t count, unsigned bits) {
  return (count * bits + 7) / 8;
}

}  // namespace

TrieNodes::TrieNodes(const DataFile& file) : window_(file, kPageSizeBytes) {
  ASSERT(file.chunk_size_bytes() == kPageSizeBytes);
}

Status TrieNodes::Corrupt(std::string_view what) const {
  return file().CorruptAt(position_bytes_, what);
}

Status TrieNodes::Load(uint64_t position_bytes) {
  position_bytes_ = position_bytes;
  if (position_bytes >= file().size_bytes()) {
    return Corrupt(
        StrCat("a trie node is expected here, the file has ", file().size_bytes(), " bytes"));
  }
  window_.Seek(position_bytes);
  RETURN_IF_ERROR(window_.Ensure(1));
  node_ = window_.at();
  uint64_t const page_rest = kPageSizeBytes - position_bytes % kPageSizeBytes;
  end_ = node_ + std::min<uint64_t>(window_.available(), page_rest);
  auto const size_bytes = static_cast<size_t>(end_ - node_);
  auto const first = std::to_integer<uint8_t>(node_[0]);
  NodeForm const form = kForms[first >> 4];
  shape_ = form.shape;
  distance_bits_ = form.distance_bits;
  payload_bits_ = first & 0x0F;
  switch (shape_) {
    case Shape::kLeaf:
      child_count_ = 0;
      payload_offset_ = 1;
      break;
    case Shape::kSingle:
      child_count_ = 1;
      if (distance_bits_ == 4 || distance_bits_ == 12) {
        payload_bits_ = 0;
        distances_offset_ = 0;
        transitions_offset_ = distance_bits_ == 4 ? 1 : 2;
        payload_offset_ = transitions_offset_ + 1;
      } else {
        transitions_offset_ = 1;
        distances_offset_ = 2;
        payload_offset_ = 2 + distance_bits_ / 8;
      }
      break;
    case Shape::kSparse:
    case Shape::kDense: {
      bool const is_dense = shape_ == Shape::kDense;
      if (size_bytes < (is_dense ? 3U : 2U)) {
        return Corrupt(StrCat("a trie node of type ", first >> 4, " in ", size_bytes, " bytes"));
      }
      auto const second = std::to_integer<uint8_t>(node_[1]);
      first_transition_ = second;
      child_count_ = is_dense ? std::to_integer<size_t>(node_[2]) + 1 : second;
      transitions_offset_ = 2;
      distances_offset_ = is_dense ? 3 : 2 + child_count_;
      payload_offset_ = distances_offset_ + PackedSizeBytes(child_count_, distance_bits_);
      if (child_count_ == 0 || (is_dense && first_transition_ + child_count_ > 256)) {
        return Corrupt(StrCat("a trie node of type ", first >> 4, " with ", child_count_,
                              " children from ", first_transition_));
      }
      break;
    }
  }
  if (payload_offset_ > size_bytes) {
    return Corrupt(StrCat("a trie node of type ", first >> 4, " with ", child_count_,
                          " children does not fit in the ", size_bytes, " bytes of its page"));
  }
  return Status::Ok();
}

uint8_t TrieNodes::transition(size_t index) const {
  ASSERT(index < child_count_);
  return shape_ == Shape::kDense ? static_cast<uint8_t>(first_transition_ + index)
                                 : std::to_integer<uint8_t>(node_[transitions_offset_ + index]);
}

uint64_t TrieNodes::Distance(size_t index) const {
  const std::byte* const at = node_ + distances_offset_;
  if (shape_ == Shape::kSingle && distance_bits_ == 4) {
    return std::to_integer<uint64_t>(at[0]) & 0x0F;
  }
  if (distance_bits_ == 12) {
    if (shape_ == Shape::kSingle) {  // after the type's four bits
      return LoadBigEndian<uint16_t>(at) & 0x0FFF;
    }
    uint16_t const pair = LoadBigEndian<uint16_t>(at + 3 * index / 2);
    return index % 2 == 0 ? pair >> 4 : pair & 0x0FFF;
  }
  size_t const width = distance_bits_ / 8;
  uint64_t distance = 0;
  for (size_t byte = 0; byte < width; ++byte) {
    distance = (distance << 8) | std::to_integer<uint64_t>(at[index * width + byte]);
  }
  return distance;
}

Result<std::optional<uint64_t>> TrieNodes::Child(size_t index) const {
  uint64_t const distance = Distance(index);
  if (distance == 0 && shape_ == Shape::kDense) {
    return std::optional<uint64_t>();
  }
  if (distance == 0 || distance > position_bytes_) {
    return Corrupt(StrCat("child ", index, " of a trie node is ", distance, " bytes back"));
  }
  return std::optional<uint64_t>(position_bytes_ - distance);
}

size_t TrieNodes::LowerBound(uint8_t byte) const {
  if (shape_ == Shape::kDense) {
    if (byte <= first_transition_) {
      return 0;
    }
    return std::min<size_t>(byte - first_transition_, child_count_);
  }
  size_t index = 0;
  while (index < child_count_ && transition(index) < byte) {
    ++index;
  }
  return index;
}

std::span<const std::byte> TrieNodes::payload() const {
  return {node_ + payload_offset_, end_};
}

TrieCursor::TrieCursor(const DataFile& file, uint64_t root_position_bytes)
    : nodes_(file), root_position_bytes_(root_position_bytes) {}

Result<bool> TrieCursor::FindPrefix(std::span<const std::byte> key) {
  RETURN_IF_ERROR(nodes_.Load(root_position_bytes_));
  for (std::byte const byte : key) {
    if (nodes_.child_count() == 0) {
      break;
    }
    auto const wanted = std::to_integer<uint8_t>(byte);
    size_t const index = nodes_.LowerBound(wanted);
    if (index == nodes_.child_count() || nodes_.transition(index) != wanted) {
      return false;
    }
    ASSIGN_OR_RETURN(std::optional<uint64_t> const child, nodes_.Child(index));
    if (!child.has_value()) {
      return false;
    }
    RETURN_IF_ERROR(nodes_.Load(*child));
  }
  return nodes_.has_payload();
}

Result<bool> TrieCursor::Floor(std::span<const std::byte> key) {
  path_.clear();
  RETURN_IF_ERROR(nodes_.Load(root_position_bytes_));
  for (std::byte const byte : key) {
    auto const wanted = std::to_integer<uint8_t>(byte);
    size_t const index = nodes_.LowerBound(wanted);
    std::optional<uint64_t> child;
    if (index < nodes_.child_count() && nodes_.transition(index) == wanted) {
      ASSIGN_OR_RETURN(child, nodes_.Child(index));
    }
    if (!child.has_value()) {
      return GreatestBelow(index);
    }
    path_.push_back({nodes_.position_bytes(), index});
    RETURN_IF_ERROR(nodes_.Load(*child));
  }
  // The key is used up: this node's key is a prefix of it, what is below is greater.
  return GreatestBelow(0);
}

// From a node, down its last children to a leaf.
Result<bool> TrieCursor::Greatest() {
  while (nodes_.child_count() > 0) {
    size_t const last = nodes_.child_count() - 1;
    ASSIGN_OR_RETURN(std::optional<uint64_t> const child, nodes_.Child(last));
    if (!child.has_value() || path_.size() >= kDepthMax) {
      return nodes_.file().CorruptAt(nodes_.position_bytes(), "a trie node has no last child");
    }
    path_.push_back({nodes_.position_bytes(), last});
    RETURN_IF_ERROR(nodes_.Load(*child));
  }
  if (!nodes_.has_payload()) {
    return nodes_.file().CorruptAt(nodes_.position_bytes(), "a trie leaf has no payload");
  }
  return true;
}

// The greatest key at the current node, not counting its children from `child_end` on, or, where
// there is none, the greatest key before the node.
Result<bool> TrieCursor::GreatestBelow(size_t child_end) {
  for (;;) {
    for (size_t index = child_end; index-- > 0;) {
      ASSIGN_OR_RETURN(std::optional<uint64_t> const child, nodes_.Child(index));
      if (child.has_value()) {
        path_.push_back({nodes_.position_bytes(), index});
        RETURN_IF_ERROR(nodes_.Load(*child));
        return Greatest();
      }
    }
    if (nodes_.has_payload()) {
      return true;
    }
    if (path_.empty()) {
      return false;
    }
    child_end = path_.back().child_index;
    RETURN_IF_ERROR(nodes_.Load(path_.back().position_bytes));
    path_.pop_back();
  }
}

Result<bool> TrieCursor::Previous() {
  // A node's own key comes before those below it: go on above.
  if (path_.empty()) {
    return false;
  }
  size_t const child_end = path_.back().child_index;
  RETURN_IF_ERROR(nodes_.Load(path_.back().position_bytes));
  path_.pop_back();
  return GreatestBelow(child_end);
}

}  // namespace orochi::sstable::internal
