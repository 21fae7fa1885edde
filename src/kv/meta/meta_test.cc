// Goal: the cluster map, the meta group's commands and the ring do what they say.
// Method: commands are evaluated on a state in memory, which is then loaded again.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kv/engine/testing/map_state.h"
#include "kv/meta/commands.h"

namespace orochi::kv {
namespace {

const PlacementOptions kPlacement;

std::string Identity(int number) {
  return std::string(15, 'x') + static_cast<char>('0' + number);
}

class MetaTest : public testing::Test {
 protected:
  MetaTest() {
    state_.Apply(
        meta::BirthState({{.number = NodeNumber(1), .identity = Identity(1)}}, kPlacement));
  }

  Result<std::string> Run(const meta::Command& command) {
    Result<meta::Command> const decoded = meta::Decode(meta::Encode(command));
    EXPECT_TRUE(decoded.ok());
    ASSIGN_OR_RETURN(meta::Evaluation evaluation,
                     meta::Evaluate(state_, Map(), *decoded, kPlacement));
    state_.Apply(evaluation.batch);
    return std::move(evaluation.answer);
  }
  ClusterMap Map() {
    Result<ClusterMap> map = ClusterMap::Load(state_);
    EXPECT_TRUE(map.ok());
    Result<ClusterMap> again = ClusterMap::Decode(map->Encode());
    EXPECT_TRUE(again.ok());
    EXPECT_EQ(again->Encode(), map->Encode());
    return *std::move(again);
  }
  void AdmitUpTo(int count) {
    for (int number = 2; number <= count; ++number) {
      EXPECT_TRUE(Run(meta::AdmitNode{.identity = Identity(number), .address = "a"}).ok());
    }
  }

  MapState state_;
};

TEST_F(MetaTest, ANodeIsAdmittedOnceAndMayMove) {
  auto const first = Run(meta::AdmitNode{.identity = Identity(2), .address = "here"});
  auto const again = Run(meta::AdmitNode{.identity = Identity(2), .address = "there"});
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(*first, *again);
  EXPECT_EQ(Map().nodes().size(), 2U);
  EXPECT_EQ(Map().nodes().at(NodeNumber(2)).address, "there");
  EXPECT_EQ(Run(meta::AdmitNode{.identity = "short", .address = ""}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(MetaTest, WhoIsGoneDoesNotComeBack) {
  AdmitUpTo(2);
  ASSERT_TRUE(Run(meta::SetNodeState{.node = NodeNumber(2), .state = NodeState::kGone}).ok());
  EXPECT_EQ(Run(meta::AdmitNode{.identity = Identity(2), .address = ""}).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(
      Run(meta::SetNodeState{.node = NodeNumber(2), .state = NodeState::kMember}).status().code(),
      StatusCode::kFailedPrecondition);
  EXPECT_EQ(Run(meta::SetNodeState{.node = NodeNumber(9)}).status().code(), StatusCode::kNotFound);
}

TEST_F(MetaTest, PartitionsAreFoundByKeyAndCutSpans) {
  AdmitUpTo(5);
  meta::CreatePartitions const create{
      .spans = {{.begin = "b", .end = "f"}, {.begin = "f", .end = "m"}, {.begin = "p", .end = ""}}};
  ASSERT_TRUE(Run(create).ok());
  uint64_t const version = Map().version();
  ASSERT_TRUE(Run(create).ok());
  EXPECT_EQ(Map().version(), version) << "asking twice is as good as once";
  ClusterMap const map = Map();
  EXPECT_EQ(map.FindByKey("a"), nullptr);
  EXPECT_EQ(map.FindByKey("f")->span.begin, "f");
  EXPECT_EQ(map.FindByKey("ezz")->span.begin, "b");
  EXPECT_EQ(map.FindByKey("n"), nullptr);
  EXPECT_EQ(map.FindByKey("zz")->span.begin, "p");
  std::vector<KeySpan> const pieces = map.Cut({.begin = "c", .end = "q"});
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[0].begin, "c");
  EXPECT_EQ(pieces[1].end, "m");
  EXPECT_EQ(pieces[2].end, "q");
  for (const auto& [group, partition] : map.partitions()) {
    EXPECT_EQ(partition.replicas.size(), group == kMetaGroup ? 1U : 3U);
  }
  EXPECT_EQ(Run(meta::CreatePartitions{.spans = {{.begin = "a", .end = "c"}}}).status().code(),
            StatusCode::kAlreadyExists);
  EXPECT_EQ(Run(meta::CreatePartitions{.spans = {{.begin = "", .end = "b"}, {.begin = "a"}}})
                .status()
                .code(),
            StatusCode::kInvalidArgument);
  ASSERT_TRUE(Run(meta::DropPartitions{.spans = {{.begin = "f", .end = "m"}}}).ok());
  EXPECT_EQ(Map().FindByKey("g"), nullptr);
}

TEST_F(MetaTest, ReplicasMoveToNewNodesAndAwayFromThoseThatDrain) {
  ASSERT_TRUE(Run(meta::CreatePartitions{.spans = {{}}}).ok());
  AdmitUpTo(4);
  EXPECT_TRUE(meta::Rearrange(Map(), kPlacement).batch.empty()) << "before it has begun";
  ClusterMap const begun = Map();
  for (const auto& [group, partition] : begun.partitions()) {
    ASSERT_TRUE(Run(meta::ReportSettled{.group = group, .voters = partition.replicas}).ok());
  }
  int moves = 0;
  auto const settle = [&] {
    for (; moves < 100; ++moves) {
      meta::Evaluation evaluation = meta::Rearrange(Map(), kPlacement);
      if (evaluation.batch.empty()) {
        return;
      }
      state_.Apply(evaluation.batch);
      EXPECT_TRUE(meta::Rearrange(Map(), kPlacement).batch.empty()) << "one at a time";
      ClusterMap const moved = Map();
      for (const auto& [group, partition] : moved.partitions()) {
        EXPECT_TRUE(Run(meta::ReportSettled{.group = group, .voters = partition.replicas}).ok());
      }
    }
  };
  settle();
  ClusterMap const grown = Map();
  EXPECT_EQ(moves, 3) << "the meta group and the partition, and one of them to the fourth node";
  std::map<NodeNumber, int> counts;
  for (const auto& [group, partition] : grown.partitions()) {
    EXPECT_EQ(partition.replicas.size(), 3U);
    for (raft::ReplicaId const replica : partition.replicas) {
      ++counts[NodeOf(replica)];
    }
  }
  for (const auto& [node, count] : counts) {
    EXPECT_LE(count, 2) << node.value();
  }
  EXPECT_EQ(counts.size(), 4U);
  ASSERT_TRUE(Run(meta::SetNodeState{.node = NodeNumber(1)}).ok());
  settle();
  ClusterMap const drained = Map();
  for (const auto& [group, partition] : drained.partitions()) {
    EXPECT_EQ(partition.replicas.size(), 3U);
    EXPECT_FALSE(partition.HasReplicaOn(NodeNumber(1)));
  }
}

TEST_F(MetaTest, ReplicasStayWhereNobodyCanTakeThemAndLeaveForGoodWhenTheirNodeHas) {
  AdmitUpTo(3);
  ASSERT_TRUE(Run(meta::CreatePartitions{.spans = {{}}}).ok());
  auto const count = [this] {
    ClusterMap const map = Map();
    const Partition& partition = *map.FindByKey("");
    return ProposeReplicas(map, partition, 100, kPlacement).size();
  };
  for (NodeState const state : {NodeState::kDraining, NodeState::kMember, NodeState::kDown}) {
    ASSERT_TRUE(Run(meta::SetNodeState{.node = NodeNumber(2), .state = state}).ok());
    EXPECT_EQ(count(), 3U);
  }
  ASSERT_TRUE(Run(meta::SetNodeState{.node = NodeNumber(2), .state = NodeState::kGone}).ok());
  EXPECT_EQ(count(), 2U);
}

TEST_F(MetaTest, NewPartitionsBeginOnNodesThatAreThere) {
  AdmitUpTo(7);
  PlacementOptions placement = kPlacement;
  placement.absent = {NodeNumber(2), NodeNumber(3), NodeNumber(4), NodeNumber(5)};
  auto const born = [&] {
    return meta::Evaluate(state_, Map(), meta::CreatePartitions{.spans = {{}}}, placement);
  };
  Result<meta::Evaluation> evaluation = born();
  ASSERT_TRUE(evaluation.ok());
  state_.Apply(evaluation->batch);
  ClusterMap const map = Map();
  for (raft::ReplicaId const replica : map.FindByKey("")->replicas) {
    EXPECT_FALSE(placement.absent.contains(NodeOf(replica)));
  }
  ASSERT_TRUE(Run(meta::DropPartitions{.spans = {{}}}).ok());
  placement.absent.insert(NodeNumber(6));  // two are left: a majority
  evaluation = born();
  ASSERT_TRUE(evaluation.ok());
  placement.absent.insert(NodeNumber(7));
  EXPECT_EQ(born().status().code(), StatusCode::kUnavailable);
}

TEST_F(MetaTest, ThereAreAtMostSoManyPartitionsForEachNode) {
  PlacementOptions placement = kPlacement;
  placement.partition_count_max = 2;
  meta::CreatePartitions const two{.spans = {{.end = "b"}, {.begin = "b"}}};
  EXPECT_EQ(meta::Evaluate(state_, Map(), two, placement).status().code(),
            StatusCode::kResourceExhausted);
  AdmitUpTo(2);
  EXPECT_TRUE(meta::Evaluate(state_, Map(), two, placement).ok());
}

TEST_F(MetaTest, LeadersAreSpread) {
  AdmitUpTo(3);
  std::map<NodeNumber, int> counts;
  for (uint64_t group = 2; group < 302; ++group) {
    Partition partition{.group = log::GroupId(group)};
    partition.replicas = ProposeReplicas(Map(), partition, 1, kPlacement);
    ++counts[NodeOf(PreferredLeader(Map(), partition))];
  }
  for (uint32_t node = 1; node <= 3; ++node) {
    EXPECT_GT(counts[NodeNumber(node)], 70);
  }
}

TEST_F(MetaTest, EntriesChangeWithPartitionsOrNotAtAll) {
  meta::ChangeEntries change{.base_version = Map().version(),
                             .puts = {{"one", "1"}, {"two", "2"}},
                             .created = {{.begin = "a", .end = "b"}}};
  ASSERT_TRUE(Run(change).ok());
  EXPECT_EQ(Map().entries().at("two"), "2");
  EXPECT_NE(Map().FindByKey("a"), nullptr);
  change.created = {{.begin = "c", .end = "d"}};
  EXPECT_EQ(Run(change).status().code(), StatusCode::kAborted);
  EXPECT_EQ(Map().FindByKey("c"), nullptr);
  meta::ChangeEntries const away{
      .base_version = Map().version(), .drops = {"one"}, .dropped = {{.begin = "a", .end = "b"}}};
  ASSERT_TRUE(Run(away).ok());
  EXPECT_EQ(Map().entries().size(), 1U);
  EXPECT_EQ(Map().FindByKey("a"), nullptr);
  EXPECT_EQ(*Run(meta::ChangeEntries{}), std::string(1, static_cast<char>(Map().version())));
}

TEST_F(MetaTest, TheRingSpreadsAndKeepsItsPlaces) {
  AdmitUpTo(6);
  std::map<NodeNumber, int> loads;
  std::vector<std::vector<NodeNumber>> before;
  for (int key = 0; key < 600; ++key) {
    before.push_back(ProposeNodes(Map(), "key" + std::to_string(key), 3, kPlacement));
    EXPECT_EQ(std::set<NodeNumber>(before.back().begin(), before.back().end()).size(), 3U);
    for (NodeNumber const node : before.back()) {
      ++loads[node];
    }
  }
  for (const auto& [node, load] : loads) {
    EXPECT_GT(load, 100);
    EXPECT_LT(load, 600);
  }
  ASSERT_TRUE(Run(meta::AdmitNode{.identity = Identity(7), .address = ""}).ok());
  for (int key = 0; key < 600; ++key) {
    std::vector<NodeNumber> after = ProposeNodes(Map(), "key" + std::to_string(key), 3, kPlacement);
    for (NodeNumber const node : after) {
      bool const was_there = std::find(before[static_cast<size_t>(key)].begin(),
                                       before[static_cast<size_t>(key)].end(),
                                       node) != before[static_cast<size_t>(key)].end();
      EXPECT_TRUE(was_there || node == NodeNumber(7)) << "only the new node takes anything";
    }
  }
}

TEST_F(MetaTest, BytesOfNobodyAreRefused) {
  EXPECT_EQ(meta::Decode("").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(meta::Decode("\x7F").status().code(), StatusCode::kInvalidArgument);
  std::string const whole = Map().Encode();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ClusterMap::Decode(whole.substr(0, size)).ok());
  }
  EXPECT_FALSE(ClusterMap::Decode(whole + "x").ok());
}

}  // namespace
}  // namespace orochi::kv
