// The cluster: its nodes and partitions, and changes of them.

#include <charconv>
#include <utility>

#include "base/str_cat.h"
#include "kv/http/places.h"
#include "kv/http/service.h"
#include "kv/http/status_table.h"

namespace orochi::kv::http {
namespace {

constexpr size_t kReplicaCountMax = 64;

Document OptionalNumber(const std::optional<uint64_t>& number) {
  return number ? Document::Unsigned(*number) : Document();
}

Document TextOrNull(const std::string& text) {
  return text.empty() ? Document() : Document::String(text);
}

Document Hex(const std::string& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (char const byte : bytes) {
    hex.push_back(kDigits[static_cast<uint8_t>(byte) >> 4]);
    hex.push_back(kDigits[static_cast<uint8_t>(byte) & 15]);
  }
  return Document::String(std::move(hex));
}

Document DocumentOf(const ClusterNode& node) {
  Document document = Document::Object();
  document.Add("number", Document::Unsigned(node.number));
  document.Add("address", TextOrNull(node.address));
  document.Add("http", TextOrNull(node.http));
  document.Add("state", Document::String(node.state));
  document.Add("alive", node.alive ? Document::Bool(*node.alive) : Document());
  document.Add("replicas", Document::Unsigned(node.replicas));
  document.Add("leads", OptionalNumber(node.leads));
  return document;
}

Document DocumentOf(const ClusterPartition& partition) {
  Document document = Document::Object();
  document.Add("group", Document::Unsigned(partition.group));
  document.Add("collection", TextOrNull(partition.collection));
  document.Add("begin", Hex(partition.begin));
  document.Add("end", Hex(partition.end));
  Document replicas = Document::Array();
  for (uint32_t const node : partition.replicas) {
    replicas.items.push_back(Document::Unsigned(node));
  }
  document.Add("replicas", std::move(replicas));
  document.Add("leader", OptionalNumber(partition.leader));
  document.Add("settled", Document::Bool(partition.settled));
  document.Add("size_bytes", OptionalNumber(partition.size_bytes));
  return document;
}

template <class Value>
Reply ReplyOf(const Result<Value>& value) {
  return value.ok() ? Reply{.document = DocumentOf(*value)} : ErrorReply(value.status());
}

// A segment of a path.
template <class Number>
Result<Number> NumberIn(const std::string& text, std::string_view what) {
  Number number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) {
    return Status::InvalidArgument(StrCat("found '", std::string_view(text).substr(0, 40),
                                          "', expected the number of ", what));
  }
  return number;
}

Result<std::vector<uint32_t>> NodesIn(const Document& body) {
  Place const place(body);
  RETURN_IF_ERROR(place.CheckObject({"nodes"}));
  ASSIGN_OR_RETURN(Place const list, place.Member("nodes"));
  RETURN_IF_ERROR(list.CheckArray());
  if (list.item_count() == 0 || list.item_count() > kReplicaCountMax) {
    return list.Fail(
        StrCat("found ", list.item_count(), " nodes, expected 1 to ", kReplicaCountMax));
  }
  std::vector<uint32_t> nodes;
  for (size_t index = 0; index < list.item_count(); ++index) {
    ASSIGN_OR_RETURN(uint64_t const node, list.Item(index).Unsigned(UINT32_MAX));
    nodes.push_back(static_cast<uint32_t>(node));
  }
  return nodes;
}

Result<uint32_t> NodeIn(const Document& body) {
  Place const place(body);
  RETURN_IF_ERROR(place.CheckObject({"node"}));
  ASSIGN_OR_RETURN(Place const node, place.Member("node"));
  ASSIGN_OR_RETURN(uint64_t const number, node.Unsigned(UINT32_MAX));
  return static_cast<uint32_t>(number);
}

}  // namespace

ClusterControl* Service::Cluster(const Done& done) {
  if (options_.cluster == nullptr) {
    done(ErrorReply(404, "no_cluster", "this node is no part of a cluster", ""));
  }
  return options_.cluster;
}

void Service::ShowCluster(const CallPointer& /*call*/, Done done) {
  ClusterControl* const cluster = Cluster(done);
  if (cluster == nullptr) {
    return;
  }
  ClusterOverview const overview = cluster->Overview();
  Document document = Document::Object();
  document.Add("cluster", Document::String(overview.cluster));
  document.Add("node", Document::Unsigned(overview.node));
  document.Add("map_version", Document::Unsigned(overview.map_version));
  document.Add("meta_leader", OptionalNumber(overview.meta_leader));
  Document nodes = Document::Array();
  for (const ClusterNode& node : overview.nodes) {
    nodes.items.push_back(DocumentOf(node));
  }
  document.Add("nodes", std::move(nodes));
  done({.document = std::move(document)});
}

void Service::ShowPartitions(const CallPointer& /*call*/, Done done) {
  ClusterControl* const cluster = Cluster(done);
  if (cluster == nullptr) {
    return;
  }
  Document partitions = Document::Array();
  for (const ClusterPartition& partition : cluster->Partitions()) {
    partitions.items.push_back(DocumentOf(partition));
  }
  Document document = Document::Object();
  document.Add("partitions", std::move(partitions));
  done({.document = std::move(document)});
}

void Service::ChangeNode(const CallPointer& call, Done done) {
  ClusterControl* const cluster = Cluster(done);
  if (cluster == nullptr) {
    return;
  }
  Result<uint32_t> const node = NumberIn<uint32_t>(call->segments[3], "a node");
  if (!node.ok()) {
    done(ErrorReply(node.status()));
    return;
  }
  const std::string& what = call->segments[4];
  auto const force = call->parameters.find("force");
  bool const is_forced = force != call->parameters.end() && force->second == "true";
  NodeChange const change = what == "drain"     ? NodeChange::kDrain
                            : what == "undrain" ? NodeChange::kUndrain
                            : is_forced         ? NodeChange::kRemoveForce
                                                : NodeChange::kRemove;
  cluster->ChangeNode(*node, change, [done = std::move(done)](const Result<ClusterNode>& changed) {
    done(ReplyOf(changed));
  });
}

void Service::MovePartition(const CallPointer& call, Done done) {
  ClusterControl* const cluster = Cluster(done);
  if (cluster == nullptr) {
    return;
  }
  Result<uint64_t> const group = NumberIn<uint64_t>(call->segments[3], "a partition's group");
  Result<std::vector<uint32_t>> const nodes = NodesIn(call->body);
  if (!group.ok() || !nodes.ok()) {
    done(ErrorReply(group.ok() ? nodes.status() : group.status()));
    return;
  }
  cluster->Move(*group, *nodes, [done = std::move(done)](const Result<ClusterPartition>& moved) {
    done(ReplyOf(moved));
  });
}

void Service::LeadPartition(const CallPointer& call, Done done) {
  ClusterControl* const cluster = Cluster(done);
  if (cluster == nullptr) {
    return;
  }
  Result<uint64_t> const group = NumberIn<uint64_t>(call->segments[3], "a partition's group");
  Result<uint32_t> const node = NodeIn(call->body);
  if (!group.ok() || !node.ok()) {
    done(ErrorReply(group.ok() ? node.status() : group.status()));
    return;
  }
  done(ReplyOf(cluster->Lead(*group, *node)));
}

}  // namespace orochi::kv::http
