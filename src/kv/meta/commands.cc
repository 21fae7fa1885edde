#include "kv/meta/commands.h"

#include <algorithm>
#include <utility>

#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "kv/engine/text_bytes.h"
#include "kv/meta/planted_bug.h"

namespace orochi::kv::meta {
namespace {

constexpr uint64_t kListCountMax = 1 << 20;

void AppendSpans(std::string& out, const std::vector<KeySpan>& spans) {
  AppendVarint(out, spans.size());
  for (const KeySpan& span : spans) {
    AppendText(out, span.begin);
    AppendText(out, span.end);
  }
}

bool ReadSpans(codec::ByteReader& reader, std::vector<KeySpan>& spans) {
  uint64_t count = 0;
  if (!reader.ReadVarintUpTo(kListCountMax, count)) {
    return false;
  }
  for (; count > 0; --count) {
    KeySpan& span = spans.emplace_back();
    if (!ReadText(reader, span.begin) || !ReadText(reader, span.end)) {
      return false;
    }
  }
  return true;
}

template <class Number>
void AppendNumbers(std::string& out, const std::vector<Number>& numbers) {
  AppendVarint(out, numbers.size());
  for (Number const number : numbers) {
    AppendVarint(out, number.value());
  }
}

template <class Number>
bool ReadNumbers(codec::ByteReader& reader, uint64_t max, std::vector<Number>& numbers) {
  uint64_t count = 0;
  if (!reader.ReadVarintUpTo(kListCountMax, count)) {
    return false;
  }
  for (; count > 0; --count) {
    uint64_t number = 0;
    if (!reader.ReadVarintUpTo(max, number)) {
      return false;
    }
    numbers.emplace_back(static_cast<decltype(Number().value())>(number));
  }
  return true;
}

void Append(std::string& out, const AdmitNode& command) {
  AppendText(out, command.identity);
  AppendText(out, command.address);
  AppendText(out, command.gossip_address);
  AppendText(out, command.http_address);
}
void Append(std::string& out, const SetNodeState& command) {
  AppendVarint(out, command.node.value());
  AppendVarint(out, static_cast<uint64_t>(command.state));
}
void Append(std::string& out, const CreatePartitions& command) {
  AppendSpans(out, command.spans);
}
void Append(std::string& out, const DropPartitions& command) {
  AppendSpans(out, command.spans);
}
void Append(std::string& out, const ReportSettled& command) {
  AppendVarint(out, command.group.value());
  AppendNumbers(out, command.voters);
}
void Append(std::string& out, const SetReplicas& command) {
  AppendVarint(out, command.group.value());
  AppendNumbers(out, command.nodes);
}

void Append(std::string& out, const ChangeEntries& command) {
  AppendVarint(out, command.base_version);
  AppendVarint(out, command.puts.size());
  for (const auto& [name, value] : command.puts) {
    AppendText(out, name);
    AppendText(out, value);
  }
  AppendVarint(out, command.drops.size());
  for (const std::string& name : command.drops) {
    AppendText(out, name);
  }
  AppendSpans(out, command.created);
  AppendSpans(out, command.dropped);
}

bool Read(codec::ByteReader& reader, AdmitNode& command) {
  return ReadText(reader, command.identity) && ReadText(reader, command.address) &&
         ReadText(reader, command.gossip_address) && ReadText(reader, command.http_address);
}
bool Read(codec::ByteReader& reader, SetNodeState& command) {
  uint32_t node = 0;
  bool const read = reader.ReadVarintUpTo(UINT32_MAX, node) &&
                    reader.ReadVarintUpTo(static_cast<uint64_t>(kLastNodeState), command.state);
  command.node = NodeNumber(node);
  return read;
}
bool Read(codec::ByteReader& reader, CreatePartitions& command) {
  return ReadSpans(reader, command.spans);
}
bool Read(codec::ByteReader& reader, DropPartitions& command) {
  return ReadSpans(reader, command.spans);
}
bool Read(codec::ByteReader& reader, ReportSettled& command) {
  uint64_t group = 0;
  bool const read = reader.ReadVarint(group) && ReadNumbers(reader, UINT64_MAX, command.voters);
  command.group = log::GroupId(group);
  return read;
}
bool Read(codec::ByteReader& reader, SetReplicas& command) {
  uint64_t group = 0;
  bool const read = reader.ReadVarint(group) && ReadNumbers(reader, UINT32_MAX, command.nodes);
  command.group = log::GroupId(group);
  return read;
}

bool Read(codec::ByteReader& reader, ChangeEntries& command) {
  uint64_t count = 0;
  if (!reader.ReadVarint(command.base_version) || !reader.ReadVarintUpTo(kListCountMax, count)) {
    return false;
  }
  for (; count > 0; --count) {
    auto& [name, value] = command.puts.emplace_back();
    if (!ReadText(reader, name) || !ReadText(reader, value)) {
      return false;
    }
  }
  if (!reader.ReadVarintUpTo(kListCountMax, count)) {
    return false;
  }
  for (; count > 0; --count) {
    if (!ReadText(reader, command.drops.emplace_back())) {
      return false;
    }
  }
  return ReadSpans(reader, command.created) && ReadSpans(reader, command.dropped);
}

template <size_t kIndex = 0>
bool ReadKind(codec::ByteReader& reader, size_t kind, Command& command) {
  if constexpr (kIndex < std::variant_size_v<Command>) {
    if (kind == kIndex) {
      return Read(reader, command.emplace<kIndex>());
    }
    return ReadKind<kIndex + 1>(reader, kind, command);
  } else {
    return false;
  }
}

// The state is moved on as a whole: whoever remembers an older version sees that it is old.
class Change {
 public:
  explicit Change(const ClusterMap& map) : version_(map.version() + 1) {}

  /// Of replicas that this change makes: no earlier change made any with it.
  uint32_t life() const {
    return IsPlanted(cluster::PlantedBug::kReplicaIdReused) ? 2 : static_cast<uint32_t>(version_);
  }
  void Put(const NodeRecord& node) {
    batch_.Put(Family::kMeta, NodeKey(node.number), EncodeNode(node));
  }
  void Put(const Partition& partition) {
    batch_.Put(Family::kMeta, PartitionKey(partition.group), EncodePartition(partition));
  }
  void PutEntry(const std::string& name, const std::string& value) {
    batch_.Put(Family::kMeta, EntryKey(name), value);
  }
  void DropEntry(const std::string& name) { batch_.Delete(Family::kMeta, EntryKey(name)); }
  uint64_t version() const { return batch_.empty() ? version_ - 1 : version_; }
  void Drop(log::GroupId group) { batch_.Delete(Family::kMeta, PartitionKey(group)); }
  void Put(Number number, uint64_t value) { PutNumber(batch_, number, value); }

  Evaluation Finish(std::string answer) && {
    if (!batch_.empty()) {
      PutNumber(batch_, Number::kVersion, version_);
    }
    return {std::move(batch_), std::move(answer)};
  }

 private:
  uint64_t version_;
  WriteBatch batch_;
};

std::string NumberAnswer(uint64_t number) {
  std::string answer;
  AppendVarint(answer, number);
  return answer;
}

Result<Evaluation> Run(const Reader& state, const ClusterMap& map, const AdmitNode& command,
                       const PlacementOptions& /*placement*/) {
  Change change(map);
  if (command.identity.size() != 16) {
    return Status::InvalidArgument(
        StrCat("a node's identity has 16 bytes, not ", command.identity.size()));
  }
  if (const NodeRecord* const known = map.FindNode(command.identity); known != nullptr) {
    if (known->state == NodeState::kGone) {
      return Status::FailedPrecondition(
          StrCat("node ", known->number.value(), " was removed from the cluster for good"));
    }
    NodeRecord moved = *known;
    moved.address = command.address;
    moved.gossip_address = command.gossip_address;
    moved.http_address = command.http_address;
    if (moved != *known) {
      change.Put(moved);
    }
    return std::move(change).Finish(NumberAnswer(known->number.value()));
  }
  ASSIGN_OR_RETURN(uint64_t const next, NumberOf(state, Number::kNextNode));
  change.Put({.number = NodeNumber(static_cast<uint32_t>(next)),
              .identity = command.identity,
              .address = command.address,
              .gossip_address = command.gossip_address,
              .http_address = command.http_address});
  change.Put(Number::kNextNode, next + 1);
  return std::move(change).Finish(NumberAnswer(next));
}

Result<Evaluation> Run(const Reader& /*state*/, const ClusterMap& map, const SetNodeState& command,
                       const PlacementOptions& /*placement*/) {
  Change change(map);
  auto const known = map.nodes().find(command.node);
  if (known == map.nodes().end()) {
    return Status::NotFound(StrCat("there is no node ", command.node.value()));
  }
  if (known->second.state == NodeState::kGone && command.state != NodeState::kGone) {
    return Status::FailedPrecondition(
        StrCat("node ", command.node.value(), " was removed from the cluster for good"));
  }
  if (known->second.state != command.state) {
    NodeRecord node = known->second;
    node.state = command.state;
    change.Put(node);
  }
  return std::move(change).Finish({});
}

Status Create(const Reader& state, const ClusterMap& map, const std::vector<KeySpan>& spans,
              const PlacementOptions& placement, Change& change) {
  ASSIGN_OR_RETURN(uint64_t next, NumberOf(state, Number::kNextGroup));
  uint64_t const first = next;
  for (size_t index = 1; index < spans.size(); ++index) {
    const KeySpan& before = spans[index - 1];
    if (before.end.empty() || spans[index].begin < before.end) {
      return Status::InvalidArgument("the spans of new partitions overlap or are not in order");
    }
  }
  for (const KeySpan& span : spans) {
    bool is_there = false;
    for (const auto& [group, other] : map.partitions()) {
      is_there = is_there || (group != kMetaGroup && other.span.begin == span.begin &&
                              other.span.end == span.end);
      if (!is_there && group != kMetaGroup && other.span.Overlaps(span)) {
        return Status::AlreadyExists(
            StrCat("a partition overlaps the bounds of partition ", group.value()));
      }
    }
    if (is_there) {
      continue;
    }
    Partition partition{.group = log::GroupId(next++), .span = span};
    partition.replicas = ProposeReplicas(map, partition, change.life(), placement);
    partition.birth = partition.replicas;
    partition.settled = IsPlanted(
        cluster::PlantedBug::kMovedBeforeItBegan);  // it is born where it is to be before it moves
    if (partition.replicas.empty()) {
      return Status::FailedPrecondition("no node takes partitions");
    }
    auto const absent = std::count_if(
        partition.replicas.begin(), partition.replicas.end(),
        [&](raft::ReplicaId replica) { return placement.absent.contains(NodeOf(replica)); });
    if (2 * static_cast<size_t>(absent) >= partition.replicas.size()) {
      return Status::Unavailable(
          StrCat(absent, " of ", partition.replicas.size(),
                 " nodes that a new partition would begin on cannot be reached now"));
    }
    change.Put(partition);
  }
  if (next == first) {
    return Status();
  }
  size_t const partition_count_max = placement.partition_count_max * map.nodes().size();
  if (map.partitions().size() + (next - first) > partition_count_max) {
    return Status::ResourceExhausted(
        StrCat(next - first, " more partitions: the cluster has ", map.partitions().size(),
               ", and with ", map.nodes().size(), " nodes at most ", partition_count_max));
  }
  change.Put(Number::kNextGroup, next);
  return Status();
}

void DropAll(const ClusterMap& map, const std::vector<KeySpan>& spans, Change& change) {
  for (const KeySpan& span : spans) {
    for (const auto& [group, partition] : map.partitions()) {
      if (group != kMetaGroup && partition.span.begin == span.begin &&
          partition.span.end == span.end) {
        change.Drop(group);
      }
    }
  }
}

Result<Evaluation> Run(const Reader& state, const ClusterMap& map, const CreatePartitions& command,
                       const PlacementOptions& placement) {
  Change change(map);
  RETURN_IF_ERROR(Create(state, map, command.spans, placement, change));
  return std::move(change).Finish({});
}

Result<Evaluation> Run(const Reader& /*state*/, const ClusterMap& map,
                       const DropPartitions& command, const PlacementOptions& /*placement*/) {
  Change change(map);
  DropAll(map, command.spans, change);
  return std::move(change).Finish({});
}

Result<Evaluation> Run(const Reader& state, const ClusterMap& map, const ChangeEntries& command,
                       const PlacementOptions& placement) {
  Change change(map);
  RETURN_IF_ERROR(Create(state, map, command.created, placement, change));
  DropAll(map, command.dropped, change);
  for (const auto& [name, value] : command.puts) {
    change.PutEntry(name, value);
  }
  for (const std::string& name : command.drops) {
    change.DropEntry(name);
  }
  if (change.version() != map.version() && command.base_version != map.version()) {
    return Status::Aborted(
        StrCat("the cluster map is of version ", map.version(), ", not ", command.base_version));
  }
  std::string answer = NumberAnswer(change.version());
  return std::move(change).Finish(std::move(answer));
}

Result<Evaluation> Run(const Reader& /*state*/, const ClusterMap& map, const ReportSettled& command,
                       const PlacementOptions& /*placement*/) {
  Change change(map);
  const Partition* const partition = map.Find(command.group);
  // What is reported of replicas that are no longer wanted is out of date.
  if (partition != nullptr && !partition->settled && partition->replicas == command.voters) {
    Partition settled = *partition;
    settled.settled = true;
    change.Put(settled);
  }
  return std::move(change).Finish({});
}

Result<Evaluation> Run(const Reader& /*state*/, const ClusterMap& map, const SetReplicas& command,
                       const PlacementOptions& /*placement*/) {
  Change change(map);
  const Partition* const partition = map.Find(command.group);
  if (partition == nullptr) {
    return Status::NotFound(StrCat("there is no partition ", command.group.value()));
  }
  if (!partition->settled) {
    return Status::FailedPrecondition(
        StrCat("partition ", command.group.value(), " is on the move already"));
  }
  Partition moved = *partition;
  moved.replicas.clear();
  for (NodeNumber const node : command.nodes) {
    auto const known = map.nodes().find(node);
    if (known == map.nodes().end() || known->second.state != NodeState::kMember) {
      return Status::FailedPrecondition(StrCat("node ", node.value(), " takes no partitions"));
    }
    auto const old = std::find_if(partition->replicas.begin(), partition->replicas.end(),
                                  [node](raft::ReplicaId one) { return NodeOf(one) == node; });
    moved.replicas.push_back(old != partition->replicas.end() ? *old
                                                              : ReplicaOn(node, change.life()));
  }
  std::sort(moved.replicas.begin(), moved.replicas.end());
  bool const twice =
      std::adjacent_find(moved.replicas.begin(), moved.replicas.end()) != moved.replicas.end();
  if (moved.replicas.empty() || twice) {
    return Status::InvalidArgument("a partition's nodes are at least one, each named once");
  }
  if (moved.replicas != partition->replicas) {
    moved.settled = false;
    change.Put(moved);
  }
  return std::move(change).Finish({});
}

}  // namespace

std::string Encode(const Command& command) {
  std::string out;
  AppendVarint(out, command.index());
  std::visit([&out](const auto& one) { Append(out, one); }, command);
  return out;
}

Result<Command> Decode(std::string_view bytes) {
  codec::ByteReader reader(std::as_bytes(std::span(bytes)));
  uint64_t kind = 0;
  Command command;
  if (!reader.ReadVarint(kind) || !ReadKind(reader, static_cast<size_t>(kind), command) ||
      reader.remaining_bytes() != 0) {
    return Status::InvalidArgument("a command to the meta group cannot be read");
  }
  return command;
}

Result<uint64_t> NumberIn(const Result<std::string>& answer) {
  RETURN_IF_ERROR(answer.status());
  codec::ByteReader reader(std::as_bytes(std::span(*answer)));
  uint64_t number = 0;
  if (!reader.ReadVarint(number) || reader.remaining_bytes() != 0) {
    return Status::Internal("the meta group's answer is no number");
  }
  return number;
}

Result<Evaluation> Evaluate(const Reader& state, const ClusterMap& map, const Command& command,
                            const PlacementOptions& placement) {
  return std::visit([&](const auto& one) { return Run(state, map, one, placement); }, command);
}

WriteBatch BirthState(const std::vector<NodeRecord>& nodes, const PlacementOptions& placement) {
  WriteBatch batch;
  Partition own{.group = kMetaGroup};
  uint64_t next_node = 1;
  for (const NodeRecord& node : nodes) {
    batch.Put(Family::kMeta, NodeKey(node.number), EncodeNode(node));
    next_node = std::max<uint64_t>(next_node, node.number.value() + 1);
    if (own.birth.size() < ReplicaCount(kMetaGroup, nodes.size(), placement)) {
      own.birth.push_back(ReplicaOn(node.number, 1));
    }
  }
  std::sort(own.birth.begin(), own.birth.end());
  own.replicas = own.birth;
  batch.Put(Family::kMeta, PartitionKey(kMetaGroup), EncodePartition(own));
  PutNumber(batch, Number::kVersion, 1);
  PutNumber(batch, Number::kNextNode, next_node);
  PutNumber(batch, Number::kNextGroup, kMetaGroup.value() + 1);
  return batch;
}

Evaluation Rearrange(const ClusterMap& map, const PlacementOptions& placement) {
  Change change(map);
  bool const one_moves = std::any_of(map.partitions().begin(), map.partitions().end(),
                                     [](const auto& item) { return !item.second.settled; });
  for (const auto& [group, partition] : map.partitions()) {
    auto replicas = ProposeReplicas(map, partition, change.life(), placement);
    if (!one_moves && !replicas.empty() && replicas != partition.replicas) {
      Partition moved = partition;
      moved.replicas = std::move(replicas);
      moved.settled = false;
      change.Put(moved);
      return std::move(change).Finish({});
    }
  }
  auto balanced = one_moves ? std::nullopt : ProposeBalance(map, change.life(), placement);
  if (balanced) {
    balanced->settled = false;
    change.Put(*balanced);
  }
  return std::move(change).Finish({});
}

}  // namespace orochi::kv::meta
