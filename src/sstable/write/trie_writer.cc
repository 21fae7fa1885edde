#include "sstable/write/trie_writer.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::sstable {

namespace {

// Node types by their number on disk. A type says how children are listed and how wide a pointer
// (the distance back to a child) is.
enum NodeType : int {
  kPayloadOnly = 0,
  kSingleNoPayload4 = 1,
  kSingle8 = 2,
  kSingleNoPayload12 = 3,
  kSingle16 = 4,
  kSparse8 = 5,
  kSparse12 = 6,
  kSparse40 = 9,
  kDense12 = 10,
  kLongDense = 15,
};
/// Pointer widths to choose from; the types below are by index into this.
constexpr std::array<int, 8> kWidthsBits = {4, 8, 12, 16, 24, 32, 40, 63};
constexpr std::array<int, 8> kSingles = {1, 2, 3, 4, 12, 13, 14, 15};
constexpr std::array<int, 8> kSparses = {5, 5, 6, 7, 8, 9, 9, 15};
constexpr std::array<int, 8> kDenses = {10, 10, 10, 11, 12, 13, 14, 15};
/// Bytes of a pointer by type; 0: a fraction.
constexpr std::array<size_t, 16> kPointerSizesBytes = {0, 0, 1, 0, 2, 1, 0, 2,
                                                       3, 5, 0, 2, 3, 4, 5, 8};

bool IsSingle(int type) {
  return type >= kSingleNoPayload4 && type <= kSingle16;
}
bool IsSparse(int type) {
  return type >= kSparse8 && type <= kSparse40;
}

// `span` is how many transitions lie between the first and the last child, both included.
size_t NodeSizeBytes(int type, size_t child_count, size_t span) {
  size_t const pointer = kPointerSizesBytes[static_cast<size_t>(type)];
  switch (type) {
    case kPayloadOnly:
      return 1;
    case kSingleNoPayload4:
      return 2;
    case kSingleNoPayload12:
      return 3;
    case kSparse12:
      return 2 + (5 * child_count + 1) / 2;
    case kDense12:
      return 3 + (3 * span + 1) / 2;
    default:
      break;
  }
  if (IsSingle(type)) {
    return 2 + pointer;
  }
  return IsSparse(type) ? 2 + child_count * (1 + pointer) : 3 + span * pointer;
}

void AppendByte(std::vector<std::byte>& out, uint64_t value) {
  out.push_back(static_cast<std::byte>(value));
}

void AppendPointer(std::vector<std::byte>& out, uint64_t distance, size_t size_bytes) {
  for (size_t index = size_bytes; index-- > 0;) {
    AppendByte(out, distance >> (8 * index));
  }
}

// Twelve bits each, from the high end of the first byte on.
void AppendPacked12(std::vector<std::byte>& out, std::span<const uint64_t> distances) {
  for (size_t index = 0; index < distances.size(); ++index) {
    uint64_t const distance = distances[index];
    if (index % 2 == 0) {
      AppendByte(out, distance >> 4);
      AppendByte(out, distance << 4);
    } else {
      out.back() |= static_cast<std::byte>(distance >> 8);
      AppendByte(out, distance);
    }
  }
}

}  // namespace

TrieWriter::TrieWriter(BufferedFile& file) : file_(file) {
  Reset();
}

TrieWriter::NodeId TrieWriter::NewNode(uint8_t transition) {
  NodeId id = 0;
  if (free_.empty()) {
    id = static_cast<NodeId>(nodes_.size());
    nodes_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  Node& node = nodes_[id];
  node.transition = transition;
  node.payload.bits = 0;
  node.payload.size_bytes = 0;
  node.children.clear();
  node.position = kNotPlaced;
  node.branch_size_bytes = 0;
  node.node_size_bytes = 0;
  node.has_placed_children = false;
  node.has_placed_descendants = false;
  return id;
}

void TrieWriter::Reset() {
  if (key_count_ == 0 && stack_.size() == 1) {
    return;  // as after the last time: a partition that needs no trie costs nothing
  }
  nodes_.clear();
  free_.clear();
  last_key_.clear();
  key_count_ = 0;
  stack_.assign(1, NewNode(0));
}

Status TrieWriter::Add(Bytes key, const TriePayload& payload) {
  ASSERT(payload.bits != 0);
  size_t shared = 0;
  if (key_count_ > 0) {
    auto const [at, last_at] =
        std::mismatch(key.begin(), key.end(), last_key_.begin(), last_key_.end());
    shared = static_cast<size_t>(at - key.begin());
    bool const greater = at != key.end() && (last_at == last_key_.end() || *last_at < *at);
    if (!greater) {
      return Status::InvalidArgument(StrCat("trie key ", key_count_,
                                            " is not greater than the one before, they share ",
                                            shared, " bytes"));
    }
  }
  ++key_count_;
  last_key_.assign(key.begin(), key.end());
  while (stack_.size() > shared + 1) {
    RETURN_IF_ERROR(FinishLast());
  }
  for (std::byte const transition : key.subspan(shared)) {
    NodeId const child = NewNode(std::to_integer<uint8_t>(transition));
    nodes_[stack_.back()].children.push_back(child);
    stack_.push_back(child);
  }
  nodes_[stack_.back()].payload = payload;
  return Status::Ok();
}

uint64_t TrieWriter::BytesLeftInPage() const {
  return kPageSizeBytes - file_.position_bytes() % kPageSizeBytes;
}

Status TrieWriter::PadToPage() {
  uint64_t const left = BytesLeftInPage();
  return left == kPageSizeBytes ? Status::Ok() : file_.Append(std::vector<std::byte>(left));
}

// The farthest child is the first of those not placed yet, or one placed earlier.
uint64_t TrieWriter::DistanceMax(NodeId id, uint64_t position) const {
  const Node& node = nodes_[id];
  uint64_t distance_max = 0;
  bool saw_waiting = false;
  for (NodeId const child_id : node.children) {
    const Node& child = nodes_[child_id];
    if (child.position != kNotPlaced) {
      distance_max = std::max(distance_max, position - static_cast<uint64_t>(child.position));
    } else if (!saw_waiting) {
      saw_waiting = true;
      distance_max = std::max(distance_max, node.branch_size_bytes - child.branch_size_bytes);
    }
  }
  return distance_max;
}

int TrieWriter::TypeOf(NodeId id, uint64_t position) const {
  const Node& node = nodes_[id];
  size_t const count = node.children.size();
  if (count == 0) {
    return kPayloadOnly;
  }
  uint64_t const distance = DistanceMax(id, position);
  size_t width = 0;
  while (distance >> kWidthsBits[width] != 0) {
    ++width;
  }
  if (count == 1) {
    int const type = kSingles[width];
    bool const cannot_pay = type == kSingleNoPayload4 || type == kSingleNoPayload12;
    return node.payload.bits != 0 && cannot_pay ? kSingles[width + 1] : type;
  }
  size_t const span = size_t{nodes_[node.children.back()].transition} -
                      nodes_[node.children.front()].transition + 1;
  bool const sparse_is_smaller =
      NodeSizeBytes(kSparses[width], count, span) < NodeSizeBytes(kDenses[width], count, span);
  return sparse_is_smaller ? kSparses[width] : kDenses[width];
}

uint64_t TrieWriter::SizeOfNode(NodeId id, uint64_t position) const {
  const Node& node = nodes_[id];
  size_t const span = node.children.empty() ? 0
                                            : size_t{nodes_[node.children.back()].transition} -
                                                  nodes_[node.children.front()].transition + 1;
  return NodeSizeBytes(TypeOf(id, position), node.children.size(), span) + node.payload.size_bytes;
}

Status TrieWriter::FinishLast() {
  NodeId const id = stack_.back();
  stack_.pop_back();
  Node& node = nodes_[id];
  node.branch_size_bytes = 0;
  for (NodeId const child_id : node.children) {
    const Node& child = nodes_[child_id];
    if (child.position == kNotPlaced) {
      node.branch_size_bytes += child.total_size_bytes();
      node.has_placed_descendants |= child.has_placed_children || child.has_placed_descendants;
    } else {
      node.has_placed_children = true;
    }
  }
  node.node_size_bytes = SizeOfNode(id, file_.position_bytes());
  return node.total_size_bytes() < kPageSizeBytes ? Status::Ok() : LayOutChildren(id);
}

// Visits the subtree as it would lie in the file, children first; only what has placed nodes below
// it can have changed its size. No recursion: a trie is as deep as its keys are long.
uint64_t TrieWriter::Resize(NodeId id, uint64_t position) {
  struct Visit {
    NodeId id;
    size_t next_child;
    uint64_t start;
  };
  std::vector<Visit> path = {{id, 0, position}};
  uint64_t at = position;
  while (!path.empty()) {
    Visit& visit = path.back();
    Node& node = nodes_[visit.id];
    if (node.has_placed_descendants && visit.next_child < node.children.size()) {
      NodeId const child = node.children[visit.next_child++];
      if (nodes_[child].position == kNotPlaced) {
        path.push_back({child, 0, at});
      }
      continue;
    }
    if (node.has_placed_descendants) {
      node.branch_size_bytes = at - visit.start;
    } else {
      at += node.branch_size_bytes;
    }
    if (node.has_placed_children || node.has_placed_descendants) {
      node.node_size_bytes = SizeOfNode(visit.id, at);
    }
    at += node.node_size_bytes;
    path.pop_back();
  }
  return at - position;
}

Status TrieWriter::LayOutChildren(NodeId id) {
  std::set<std::pair<uint64_t, NodeId>> waiting;  // by size, then by order of transition
  auto const order_of = [this, id](NodeId child) {
    auto const& children = nodes_[id].children;
    return static_cast<NodeId>(std::find(children.begin(), children.end(), child) -
                               children.begin());
  };
  for (NodeId const child : nodes_[id].children) {
    if (nodes_[child].position == kNotPlaced) {
      waiting.emplace(nodes_[child].total_size_bytes(), order_of(child));
    }
  }
  while (!waiting.empty()) {
    auto fits = waiting.upper_bound({BytesLeftInPage(), static_cast<NodeId>(-1)});
    if (fits == waiting.begin()) {
      RETURN_IF_ERROR(PadToPage());
      fits = waiting.end();
    }
    auto const [size_bytes, order] = *--fits;
    NodeId const child_id = nodes_[id].children[order];
    waiting.erase(fits);
    const Node& child = nodes_[child_id];
    if (child.has_placed_children || child.has_placed_descendants) {
      // Its size was a guess while nobody knew where it would lie.
      uint64_t const actual_bytes = Resize(child_id, file_.position_bytes());
      if (actual_bytes > BytesLeftInPage()) {
        if (BytesLeftInPage() == kPageSizeBytes) {
          RETURN_IF_ERROR(LayOutChildren(child_id));
        }
        waiting.emplace(nodes_[child_id].total_size_bytes(), order);
        continue;
      }
    }
    RETURN_IF_ERROR(Place(child_id));
  }
  Node& node = nodes_[id];
  node.branch_size_bytes = 0;
  node.has_placed_children = true;
  node.has_placed_descendants = false;
  node.node_size_bytes = SizeOfNode(id, file_.position_bytes());
  return Status::Ok();
}

Status TrieWriter::Place(NodeId id) {
  path_.assign(1, {id, 0});
  while (!path_.empty()) {
    auto& [node_id, next_child] = path_.back();
    const Node& node = nodes_[node_id];
    if (next_child < node.children.size()) {
      NodeId const child = node.children[next_child++];
      if (nodes_[child].position == kNotPlaced) {
        path_.emplace_back(child, 0);
      }
      continue;
    }
    RETURN_IF_ERROR(WriteNode(node_id));
    path_.pop_back();
  }
  return Status::Ok();
}

Status TrieWriter::WriteNode(NodeId id) {
  Node& node = nodes_[id];
  uint64_t const position = file_.position_bytes();
  int const type = TypeOf(id, position);
  std::vector<uint64_t>& distances = distances_;
  distances.clear();
  bool const listed_by_span = type >= kDense12;
  for (NodeId const child_id : node.children) {
    const Node& child = nodes_[child_id];
    size_t const slot = listed_by_span
                            ? size_t{child.transition} - nodes_[node.children[0]].transition
                            : distances.size();
    distances.resize(slot);  // distance 0: no child with this transition
    distances.push_back(position - static_cast<uint64_t>(child.position));
  }
  bytes_.clear();
  auto const head = static_cast<uint64_t>(type) << 4;
  size_t const pointer_size_bytes = kPointerSizesBytes[static_cast<size_t>(type)];
  if (type == kSingleNoPayload4) {
    AppendByte(bytes_, head | distances[0]);
    AppendByte(bytes_, nodes_[node.children[0]].transition);
  } else if (type == kSingleNoPayload12) {
    AppendByte(bytes_, head | distances[0] >> 8);
    AppendByte(bytes_, distances[0]);
    AppendByte(bytes_, nodes_[node.children[0]].transition);
  } else {
    AppendByte(bytes_, head | node.payload.bits);
    if (listed_by_span) {
      AppendByte(bytes_, nodes_[node.children[0]].transition);
      AppendByte(bytes_, distances.size() - 1);
    } else if (type != kPayloadOnly) {
      if (IsSparse(type)) {
        AppendByte(bytes_, node.children.size());
      }
      for (NodeId const child : node.children) {
        AppendByte(bytes_, nodes_[child].transition);
      }
    }
    if (type == kSparse12 || type == kDense12) {
      AppendPacked12(bytes_, distances);
    } else {
      for (uint64_t const distance : distances) {
        AppendPointer(bytes_, distance, pointer_size_bytes);
      }
    }
    bytes_.insert(bytes_.end(), node.payload.bytes.begin(),
                  node.payload.bytes.begin() + node.payload.size_bytes);
  }
  if (bytes_.size() > BytesLeftInPage()) {
    return Status::Internal(
        StrCat("trie node of ", bytes_.size(), " bytes at ", position, " crosses a page boundary"));
  }
  for (NodeId const child : node.children) {
    free_.push_back(child);
  }
  node.children.clear();
  node.position = static_cast<int64_t>(position);
  node.branch_size_bytes = 0;
  node.node_size_bytes = 0;
  return file_.Append(bytes_);
}

Result<uint64_t> TrieWriter::Complete() {
  ASSERT(key_count_ > 0);
  NodeId const root = stack_.front();
  while (!stack_.empty()) {
    RETURN_IF_ERROR(FinishLast());
  }
  uint64_t size_bytes = Resize(root, file_.position_bytes());
  if (size_bytes > BytesLeftInPage() && size_bytes <= kPageSizeBytes) {
    RETURN_IF_ERROR(PadToPage());
    size_bytes = Resize(root, file_.position_bytes());
  }
  if (size_bytes > BytesLeftInPage()) {
    RETURN_IF_ERROR(LayOutChildren(root));
    if (nodes_[root].node_size_bytes > BytesLeftInPage()) {
      RETURN_IF_ERROR(PadToPage());
    }
  }
  RETURN_IF_ERROR(Place(root));
  auto const position = static_cast<uint64_t>(nodes_[root].position);
  Reset();
  return position;
}

}  // namespace orochi::sstable
