#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/engine/reader.h"
#include "kv/engine/write_batch.h"
#include "kv/meta/types.h"

namespace orochi::kv {

/// Nodes and partitions as of a version: what the meta group has, and what every node remembers of
/// it. A node's memory may be old; what it leads to is checked where it leads.
///
/// Threads: none.
class ClusterMap {
 public:
  /// Of the meta group's state. An empty state is an empty map of version 0.
  static Result<ClusterMap> Load(const Reader& state);
  std::string Encode() const;
  static Result<ClusterMap> Decode(std::string_view bytes);

  uint64_t version() const { return version_; }
  const std::map<NodeNumber, NodeRecord>& nodes() const { return nodes_; }
  const std::map<log::GroupId, Partition>& partitions() const { return partitions_; }
  /// What others keep here by name, without the map knowing what it means: collections and schemas.
  const std::map<std::string, std::string, std::less<>>& entries() const { return entries_; }
  const Partition* Find(log::GroupId group) const;
  /// The partition that holds the key; the meta group holds none.
  const Partition* FindByKey(std::string_view key) const;
  /// The span cut where partitions end, in key order; what no partition holds is left out.
  std::vector<KeySpan> Cut(const KeySpan& span) const;
  const NodeRecord* FindNode(std::string_view identity) const;

  // Changes, as rows of the meta group's state too.
  void Put(NodeRecord node);
  void Put(Partition partition);
  void Drop(log::GroupId group);
  void PutEntry(std::string name, std::string value);
  void set_version(uint64_t version) { version_ = version; }

 private:
  uint64_t version_ = 0;
  std::map<NodeNumber, NodeRecord> nodes_;
  std::map<log::GroupId, Partition> partitions_;
  std::map<std::string, std::string, std::less<>> entries_;
  std::map<std::string, log::GroupId, std::less<>> by_begin_;  // without the meta group
};

/// Rows of the meta group's state, in the meta family. docs/formats/kv-meta.md has the bytes.
namespace meta {

/// All of them begin with it: what a snapshot of the meta group takes.
inline constexpr std::string_view kPrefix = "\x02";

std::string NodeKey(NodeNumber number);
std::string PartitionKey(log::GroupId group);
std::string EntryKey(std::string_view name);
std::string EncodeNode(const NodeRecord& node);
std::string EncodePartition(const Partition& partition);

/// Numbers that the meta group counts or remembers. 0 when absent.
enum class Number : uint8_t {
  kVersion = 0,      // of the map
  kOracleLimit = 1,  // timestamps below it may have been issued
  kNextNode = 2,
  kNextGroup = 3,
};
Result<uint64_t> NumberOf(const Reader& state, Number number);
void PutNumber(WriteBatch& batch, Number number, uint64_t value);

}  // namespace meta

}  // namespace orochi::kv
