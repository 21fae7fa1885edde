#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "raft/types.h"

namespace orochi::raft {

/// Who belongs to a group. While `outgoing` is not empty the configuration is joint: elections and
/// commitment need a majority of `voters` and a majority of `outgoing` (Ongaro's thesis, 4.3).
/// All lists are sorted, without repeats; a learner is not a voter.
struct Configuration {
  std::vector<ReplicaId> voters;
  std::vector<ReplicaId> outgoing;
  std::vector<ReplicaId> learners;

  bool IsJoint() const { return !outgoing.empty(); }
  bool IsVoter(ReplicaId id) const;
  bool IsLearner(ReplicaId id) const;
  /// Everyone, sorted, each once.
  std::vector<ReplicaId> Members() const;

  /// Whether those for which `agrees` answers true are enough. No voters: never.
  bool HasQuorum(const std::function<bool(ReplicaId)>& agrees) const;
  /// The greatest value that a quorum has reached, where `reached` says it of each voter. 0 when
  /// there are no voters.
  uint64_t QuorumValue(const std::function<uint64_t(ReplicaId)>& reached) const;

  friend bool operator==(const Configuration&, const Configuration&) = default;
};

/// Why a configuration cannot be one, as a sentence about `what`; ok when it can.
Status CheckConfiguration(const Configuration& configuration);

/// The payload of a configuration entry: three lists (voters, outgoing, learners), each a count of
/// 4 bytes and ids of 8 bytes, little-endian.
std::string EncodeConfiguration(const Configuration& configuration);
Result<Configuration> DecodeConfiguration(std::string_view bytes);

/// "voters 1 2 3, outgoing 1 2, learners 4": for logs and messages.
std::string ToString(const Configuration& configuration);

/// A point of the log which a snapshot of the state machine stands for.
struct SnapshotPoint {
  LogIndex index;
  Term term;
  Configuration configuration;  // in force at `index`

  friend bool operator==(const SnapshotPoint&, const SnapshotPoint&) = default;
};

}  // namespace orochi::raft
