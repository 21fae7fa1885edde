#include "kv/meta/cluster_map.h"

#include <algorithm>
#include <iterator>

#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "kv/engine/text_bytes.h"

namespace orochi::kv {
namespace {

constexpr char kNodeRow = 'n';
constexpr char kPartitionRow = 'p';
constexpr char kNumberRow = '#';
constexpr char kEntryRow = 'e';
constexpr uint64_t kReplicaCountMax = 64;

std::string RowKey(char kind, uint64_t number) {
  std::string key(meta::kPrefix);
  key.push_back(kind);
  AppendBigEndian(key, number);
  return key;
}

codec::ByteReader ReaderOf(std::string_view bytes) {
  return codec::ByteReader(std::as_bytes(std::span(bytes)));
}

void AppendReplicas(std::string& out, const std::vector<raft::ReplicaId>& replicas) {
  AppendVarint(out, replicas.size());
  for (raft::ReplicaId const replica : replicas) {
    AppendBigEndian(out, replica.value());
  }
}

bool ReadReplicas(codec::ByteReader& reader, std::vector<raft::ReplicaId>& replicas) {
  uint64_t count = 0;
  if (!reader.ReadVarintUpTo(kReplicaCountMax, count)) {
    return false;
  }
  for (; count > 0; --count) {
    std::span<const std::byte> bytes;
    if (!reader.ReadSpan(8, bytes)) {
      return false;
    }
    replicas.emplace_back(
        BigEndianAt(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())));
  }
  return true;
}

Result<NodeRecord> DecodeNode(codec::ByteReader& reader) {
  NodeRecord node;
  uint32_t number = 0;
  if (!reader.ReadVarintUpTo(UINT32_MAX, number) || !ReadText(reader, node.identity) ||
      !ReadText(reader, node.address) || !ReadText(reader, node.gossip_address) ||
      !ReadText(reader, node.http_address) ||
      !reader.ReadVarintUpTo(static_cast<uint64_t>(kLastNodeState), node.state)) {
    return Status::Corruption("a node's record in the cluster map cannot be read");
  }
  node.number = NodeNumber(number);
  return node;
}

Result<Partition> DecodePartition(codec::ByteReader& reader) {
  Partition partition;
  uint64_t group = 0;
  if (!reader.ReadVarint(group) || !ReadText(reader, partition.span.begin) ||
      !ReadText(reader, partition.span.end) || !ReadReplicas(reader, partition.birth) ||
      !ReadReplicas(reader, partition.replicas) || !reader.ReadVarintUpTo(1, partition.settled)) {
    return Status::Corruption("a partition's record in the cluster map cannot be read");
  }
  partition.group = log::GroupId(group);
  return partition;
}

}  // namespace

namespace meta {

std::string NodeKey(NodeNumber number) {
  return RowKey(kNodeRow, number.value());
}
std::string PartitionKey(log::GroupId group) {
  return RowKey(kPartitionRow, group.value());
}

std::string EntryKey(std::string_view name) {
  std::string key(kPrefix);
  key.push_back(kEntryRow);
  key.append(name);
  return key;
}

std::string EncodeNode(const NodeRecord& node) {
  std::string out;
  AppendVarint(out, node.number.value());
  AppendText(out, node.identity);
  AppendText(out, node.address);
  AppendText(out, node.gossip_address);
  AppendText(out, node.http_address);
  AppendVarint(out, static_cast<uint64_t>(node.state));
  return out;
}

std::string EncodePartition(const Partition& partition) {
  std::string out;
  AppendVarint(out, partition.group.value());
  AppendText(out, partition.span.begin);
  AppendText(out, partition.span.end);
  AppendReplicas(out, partition.birth);
  AppendReplicas(out, partition.replicas);
  AppendVarint(out, partition.settled ? 1 : 0);
  return out;
}

Result<uint64_t> NumberOf(const Reader& state, Number number) {
  ASSIGN_OR_RETURN(auto const bytes,
                   state.Get(Family::kMeta, RowKey(kNumberRow, static_cast<uint64_t>(number))));
  if (!bytes) {
    return uint64_t{0};
  }
  if (bytes->size() != 8) {
    return Status::Corruption(StrCat("number ", static_cast<int>(number),
                                     " of the meta group: expected 8 bytes, found ",
                                     bytes->size()));
  }
  return BigEndianAt(*bytes);
}

void PutNumber(WriteBatch& batch, Number number, uint64_t value) {
  std::string bytes;
  AppendBigEndian(bytes, value);
  batch.Put(Family::kMeta, RowKey(kNumberRow, static_cast<uint64_t>(number)), std::move(bytes));
}

}  // namespace meta

Result<ClusterMap> ClusterMap::Load(const Reader& state) {
  ClusterMap map;
  ASSIGN_OR_RETURN(map.version_, meta::NumberOf(state, meta::Number::kVersion));
  auto const cursor = state.NewCursor(Family::kMeta);
  for (cursor->Seek(meta::kPrefix); cursor->Valid() && cursor->key().starts_with(meta::kPrefix);
       cursor->Next()) {
    char const kind = cursor->key()[meta::kPrefix.size()];
    codec::ByteReader reader = ReaderOf(cursor->value());
    if (kind == kNodeRow) {
      ASSIGN_OR_RETURN(NodeRecord node, DecodeNode(reader));
      map.Put(std::move(node));
    } else if (kind == kPartitionRow) {
      ASSIGN_OR_RETURN(Partition partition, DecodePartition(reader));
      map.Put(std::move(partition));
    } else if (kind == kEntryRow) {
      map.PutEntry(std::string(cursor->key().substr(meta::kPrefix.size() + 1)),
                   std::string(cursor->value()));
    }
  }
  RETURN_IF_ERROR(cursor->status());
  return map;
}

std::string ClusterMap::Encode() const {
  std::string out;
  AppendVarint(out, version_);
  AppendVarint(out, nodes_.size());
  for (const auto& [number, node] : nodes_) {
    out += meta::EncodeNode(node);
  }
  AppendVarint(out, partitions_.size());
  for (const auto& [group, partition] : partitions_) {
    out += meta::EncodePartition(partition);
  }
  AppendVarint(out, entries_.size());
  for (const auto& [name, value] : entries_) {
    AppendText(out, name);
    AppendText(out, value);
  }
  return out;
}

Result<ClusterMap> ClusterMap::Decode(std::string_view bytes) {
  ClusterMap map;
  codec::ByteReader reader = ReaderOf(bytes);
  uint64_t count = 0;
  if (!reader.ReadVarint(map.version_) || !reader.ReadVarint(count)) {
    return Status::Corruption("a cluster map ends before its nodes");
  }
  for (; count > 0; --count) {
    ASSIGN_OR_RETURN(NodeRecord node, DecodeNode(reader));
    map.Put(std::move(node));
  }
  if (!reader.ReadVarint(count)) {
    return Status::Corruption("a cluster map ends before its partitions");
  }
  for (; count > 0; --count) {
    ASSIGN_OR_RETURN(Partition partition, DecodePartition(reader));
    map.Put(std::move(partition));
  }
  if (!reader.ReadVarint(count)) {
    return Status::Corruption("a cluster map ends before its entries");
  }
  for (; count > 0; --count) {
    std::string name;
    std::string value;
    if (!ReadText(reader, name) || !ReadText(reader, value)) {
      return Status::Corruption("an entry of a cluster map cannot be read");
    }
    map.PutEntry(std::move(name), std::move(value));
  }
  if (reader.remaining_bytes() != 0) {
    return Status::Corruption(
        StrCat(reader.remaining_bytes(), " bytes after the end of a cluster map"));
  }
  return map;
}

const Partition* ClusterMap::Find(log::GroupId group) const {
  auto const known = partitions_.find(group);
  return known == partitions_.end() ? nullptr : &known->second;
}

const Partition* ClusterMap::FindByKey(std::string_view key) const {
  auto const after = by_begin_.upper_bound(key);
  if (after == by_begin_.begin()) {
    return nullptr;
  }
  const Partition& partition = partitions_.at(std::prev(after)->second);
  return partition.span.Holds(key) ? &partition : nullptr;
}

std::vector<KeySpan> ClusterMap::Cut(const KeySpan& span) const {
  std::vector<KeySpan> pieces;
  auto next = by_begin_.upper_bound(span.begin);
  if (next != by_begin_.begin()) {
    --next;
  }
  for (; next != by_begin_.end() && (span.end.empty() || next->first < span.end); ++next) {
    const KeySpan& whole = partitions_.at(next->second).span;
    if (!whole.Overlaps(span)) {
      continue;
    }
    bool const ends_here = !span.end.empty() && (whole.end.empty() || span.end < whole.end);
    pieces.push_back(
        {.begin = std::max(whole.begin, span.begin), .end = ends_here ? span.end : whole.end});
  }
  return pieces;
}

const NodeRecord* ClusterMap::FindNode(std::string_view identity) const {
  for (const auto& [number, node] : nodes_) {
    if (node.identity == identity) {
      return &node;
    }
  }
  return nullptr;
}

void ClusterMap::Put(NodeRecord node) {
  NodeNumber const number = node.number;
  nodes_.insert_or_assign(number, std::move(node));
}

void ClusterMap::Put(Partition partition) {
  log::GroupId const group = partition.group;
  Drop(group);
  if (group != kMetaGroup) {
    by_begin_.insert_or_assign(partition.span.begin, group);
  }
  partitions_.insert_or_assign(group, std::move(partition));
}

void ClusterMap::PutEntry(std::string name, std::string value) {
  entries_.insert_or_assign(std::move(name), std::move(value));
}

void ClusterMap::Drop(log::GroupId group) {
  auto const known = partitions_.find(group);
  if (known == partitions_.end()) {
    return;
  }
  auto const begins = by_begin_.find(known->second.span.begin);
  if (begins != by_begin_.end() && begins->second == group) {
    by_begin_.erase(begins);
  }
  partitions_.erase(known);
}

}  // namespace orochi::kv
