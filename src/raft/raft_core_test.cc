// Goal: what one replica does at each input, in the cases a simulation meets seldom.
// Method: cores joined by hand; the test delivers messages, and says when a disk is done.
#include "raft/raft_core.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>

namespace orochi::raft {
namespace {

Payload Bytes(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

Configuration VotersUpTo(uint64_t last) {
  Configuration configuration;
  for (uint64_t id = 1; id <= last; ++id) {
    configuration.voters.emplace_back(id);
  }
  return configuration;
}

// Replicas whose disks are done when the test says so, and whose messages go to all but `deaf`
// ones.
class Group {
 public:
  explicit Group(uint64_t count) : configuration_(VotersUpTo(count)) {
    for (uint64_t id = 1; id <= count; ++id) {
      Add(id, {.hard_state = {}, .base = {{}, {}, configuration_}, .entries = {}, .applied = {}});
    }
  }

  void Add(uint64_t id, RecoveredState state) {
    auto core = RaftCore::Create({.id = ReplicaId(id)}, std::move(state), random_);
    ASSERT_TRUE(core.ok()) << core.status().message();
    cores_[id] = *std::move(core);
  }
  RaftCore& operator[](uint64_t id) { return *cores_.at(id); }

  // Until nothing is left to do.
  void Settle() {
    bool busy = true;
    while (busy) {
      busy = false;
      for (auto& [id, core] : cores_) {
        while (core->HasOutput()) {
          busy = true;
          Take(id, *core);
        }
      }
      for (; !messages_.empty(); messages_.pop_front()) {
        busy = true;
        Message& message = messages_.front();
        if (cores_.contains(message.to.value()) && !deaf.contains(message.to.value()) &&
            !deaf.contains(message.from.value())) {
          ASSERT_TRUE(cores_[message.to.value()]->Step(std::move(message)).ok());
        }
      }
    }
  }

  void Elect(uint64_t id) {
    cores_.at(id)->Campaign();
    Settle();
    ASSERT_EQ(cores_.at(id)->role(), Role::kLeader);
  }
  void Tick(int count) {
    for (int tick = 0; tick < count; ++tick) {
      for (auto& [id, core] : cores_) {
        core->Tick();
      }
      Settle();
    }
  }

  std::map<uint64_t, std::vector<std::string>> applied;  // by replica: the commands
  std::map<uint64_t, std::vector<uint64_t>> served;      // by replica: tokens of reads
  std::map<uint64_t, std::vector<uint64_t>> refused;
  std::set<uint64_t> deaf;
  std::set<uint64_t> slow_disks;
  std::map<uint64_t, uint64_t> written;  // by replica with a slow disk: the last request

 private:
  void Take(uint64_t id, RaftCore& core) {
    Output output = core.TakeOutput();
    for (Message& message : output.messages) {
      messages_.push_back(std::move(message));
    }
    for (const Entry& entry : output.committed) {
      if (entry.kind == EntryKind::kCommand) {
        applied[id].push_back(*entry.payload);
      }
      core.OnApplied(entry.index);
    }
    for (const ReadReady& ready : output.reads) {
      served[id].push_back(ready.token);
    }
    refused[id].insert(refused[id].end(), output.reads_refused.begin(), output.reads_refused.end());
    if (output.persist.has_value() && slow_disks.contains(id)) {
      written[id] = output.persist->sequence;
    } else if (output.persist.has_value()) {
      core.OnPersisted(output.persist->sequence);
    }
  }

  Configuration configuration_;
  SeededRandom random_{1};
  std::map<uint64_t, std::unique_ptr<RaftCore>> cores_;
  std::deque<Message> messages_;
};

TEST(RaftCore, OneVoterLeadsAndCommitsAlone) {
  Group group(1);
  group.Elect(1);
  ASSERT_TRUE(group[1].Propose(Bytes("a")).ok());
  group.Settle();
  EXPECT_EQ(group.applied[1], std::vector<std::string>{"a"});
  auto const token = group[1].RequestRead();
  ASSERT_TRUE(token.ok());
  group.Settle();
  EXPECT_EQ(group.served[1], std::vector<uint64_t>{*token});
}

TEST(RaftCore, ACommandIsAppliedEverywhere) {
  Group group(3);
  group.Elect(2);
  ASSERT_TRUE(group[2].Propose(Bytes("a")).ok());
  ASSERT_TRUE(group[2].Propose(Bytes("b")).ok());
  group.Settle();
  group.Tick(1);  // the heartbeat tells the followers what is committed
  std::vector<std::string> const both = {"a", "b"};
  EXPECT_EQ(group.applied[1], both);
  EXPECT_EQ(group.applied[2], both);
  EXPECT_EQ(group.applied[3], both);
  EXPECT_EQ(group[1].Propose(Bytes("c")).status().code(), StatusCode::kUnavailable);
}

TEST(RaftCore, FollowersCommitBeforeTheLeadersOwnDiskIsDone) {
  Group group(3);
  group.Elect(1);
  group.slow_disks = {1};
  ASSERT_TRUE(group[1].Propose(Bytes("a")).ok());
  group.Settle();
  EXPECT_EQ(group[1].log().committed(), group[1].log().last_index());
  EXPECT_TRUE(group.applied[1].empty());  // applied is never ahead of the own log
  group[1].OnPersisted(group.written[1]);
  group.Settle();
  EXPECT_EQ(group.applied[1], std::vector<std::string>{"a"});
}

TEST(RaftCore, NothingIsPromisedBeforeTheDiskIsDone) {
  Group group(3);
  group.slow_disks = {2, 3};
  group[1].Campaign();
  group.Settle();
  EXPECT_EQ(group[1].role(), Role::kCandidate);
  EXPECT_EQ(group[2].term(), Term(1));
  group[2].OnPersisted(group.written[2]);
  group.Settle();
  EXPECT_EQ(group[1].role(), Role::kLeader);
  EXPECT_EQ(group[1].log().committed(), LogIndex(0));
  group[2].OnPersisted(group.written[2]);
  group.Settle();
  EXPECT_EQ(group[1].log().committed(), LogIndex(1));
}

TEST(RaftCore, ALeaderThatNobodyHearsStepsDownAndRefusesItsReads) {
  Group group(3);
  group.Elect(1);
  group.deaf = {1};
  auto const token = group[1].RequestRead();
  ASSERT_TRUE(token.ok());
  group.Settle();
  EXPECT_TRUE(group.served[1].empty());
  group.Tick(25);
  EXPECT_NE(group[1].role(), Role::kLeader);
  EXPECT_EQ(group.refused[1], std::vector<uint64_t>{*token});
  EXPECT_TRUE(group[2].role() == Role::kLeader || group[3].role() == Role::kLeader ||
              group[2].term() > Term(1));
}

TEST(RaftCore, AReplicaThatLostTouchDoesNotDeposeTheLeader) {
  Group group(3);
  group.Elect(1);
  group.deaf = {3};
  group.Tick(60);  // 3 asks in vain, again and again
  EXPECT_EQ(group[3].term(), Term(1));
  group.deaf.clear();
  group.Tick(30);
  EXPECT_EQ(group[1].role(), Role::kLeader);
  EXPECT_EQ(group[1].term(), Term(1));
  EXPECT_EQ(group[3].leader(), ReplicaId(1));
}

TEST(RaftCore, LeadershipMovesToTheOneAskedFor) {
  Group group(3);
  group.Elect(1);
  ASSERT_TRUE(group[1].Propose(Bytes("a")).ok());
  ASSERT_TRUE(group[1].TransferLeadership(ReplicaId(3)).ok());
  EXPECT_EQ(group[1].Propose(Bytes("b")).status().code(), StatusCode::kUnavailable);
  group.Settle();
  EXPECT_EQ(group[3].role(), Role::kLeader);
  EXPECT_EQ(group[1].leader(), ReplicaId(3));
  EXPECT_EQ(group[3].TransferLeadership(ReplicaId(9)).code(), StatusCode::kFailedPrecondition);
}

TEST(RaftCore, VotersAreReplacedThroughAJointConfiguration) {
  Group group(3);
  group.Elect(1);
  group.Add(4, {});
  group.Add(5, {});
  auto const direct = group[1].ProposeConfiguration({ReplicaId(1), ReplicaId(4), ReplicaId(5)}, {});
  EXPECT_EQ(direct.status().code(), StatusCode::kFailedPrecondition)
      << "they are not even learners";
  std::vector<ReplicaId> const old = VotersUpTo(3).voters;
  ASSERT_TRUE(group[1].ProposeConfiguration(old, {ReplicaId(4), ReplicaId(5)}).ok());
  auto const second = group[1].ProposeConfiguration(old, {});
  EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition) << "one change at a time";
  group.Settle();
  auto const joint = group[1].ProposeConfiguration({ReplicaId(4), ReplicaId(5)}, {});
  ASSERT_TRUE(joint.ok()) << joint.status().message();
  EXPECT_TRUE(group[1].configuration().IsJoint());
  group.Settle();
  // The leader brought the change about and is no part of what comes after.
  EXPECT_EQ(group[1].role(), Role::kFollower);
  group.Tick(40);
  EXPECT_TRUE(group[4].role() == Role::kLeader || group[5].role() == Role::kLeader);
  EXPECT_EQ(ToString(group[4].configuration()), "voters 4 5");
}

TEST(RaftCore, ASnapshotReplacesALogThatCannotBeCaughtUp) {
  Group group(3);
  group.Elect(1);
  group.deaf = {3};
  for (int count = 0; count < 5; ++count) {
    ASSERT_TRUE(group[1].Propose(Bytes("a")).ok());
    group.Settle();
  }
  group[1].Compact(group[1].log().applied());
  group.deaf.clear();
  group[1].Tick();
  std::vector<ReplicaId> wanted;
  for (int round = 0; round < 3 && wanted.empty(); ++round) {
    Output output = group[1].TakeOutput();
    wanted = output.snapshots_wanted;
    for (Message& message : output.messages) {
      RaftCore& to = group[message.to.value()];
      ASSERT_TRUE(to.Step(std::move(message)).ok());
      for (Message& answer : to.TakeOutput().messages) {
        ASSERT_TRUE(group[1].Step(std::move(answer)).ok());
      }
    }
  }
  ASSERT_EQ(wanted, std::vector<ReplicaId>{ReplicaId(3)});
  const Log& log = group[1].log();
  Message snapshot{.kind = MessageKind::kSnapshot,
                   .from = ReplicaId(1),
                   .to = ReplicaId(3),
                   .term = group[1].term()};
  snapshot.snapshot = SnapshotPoint{
      .index = log.applied(), .term = *log.TermAt(log.applied()), .configuration = VotersUpTo(3)};
  ASSERT_TRUE(group[3].Step(snapshot).ok());
  Output const output = group[3].TakeOutput();
  ASSERT_TRUE(output.persist.has_value() && output.persist->install.has_value());
  EXPECT_EQ(output.persist->install->index, log.applied());
  EXPECT_TRUE(output.messages.empty()) << "the acknowledgement waits for the disk";
  group[3].OnPersisted(output.persist->sequence);
  group.Settle();
  EXPECT_EQ(group[1].progress().at(ReplicaId(3)).state, Progress::State::kReplicate);
}

TEST(RaftCore, MessagesThatNoPeerSendsChangeNothing) {
  Group group(3);
  group.Elect(1);
  auto const append = [](uint64_t index, uint64_t term) {
    Message message{.kind = MessageKind::kAppend,
                    .from = ReplicaId(2),
                    .to = ReplicaId(3),
                    .term = Term(7),
                    .index = LogIndex(1),
                    .log_term = Term(1)};
    message.entries.push_back({.index = LogIndex(index), .term = Term(term), .payload = nullptr});
    return message;
  };
  EXPECT_EQ(group[3].Step(append(3, 1)).code(), StatusCode::kInvalidArgument);  // a gap
  EXPECT_EQ(group[3].Step(append(2, 8)).code(), StatusCode::kInvalidArgument);  // from the future
  EXPECT_EQ(group[3].Step(append(2, 0)).code(), StatusCode::kInvalidArgument);  // backwards
  Message configuration = append(2, 1);
  configuration.entries[0].kind = EntryKind::kConfiguration;
  EXPECT_FALSE(group[3].Step(configuration).ok());
  Message second_leader{.kind = MessageKind::kHeartbeat,
                        .from = ReplicaId(2),
                        .to = ReplicaId(1),
                        .term = group[1].term()};
  EXPECT_EQ(group[1].Step(second_leader).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(group[3].term(), Term(1));
  EXPECT_EQ(group[3].log().last_index(), LogIndex(1));
  EXPECT_EQ(group[1].role(), Role::kLeader);
}

TEST(RaftCore, WhatWaitsToBeCommittedIsBounded) {
  SeededRandom random(1);
  auto core = RaftCore::Create(
      {.id = ReplicaId(1), .uncommitted_size_bytes_max = 300},
      {.hard_state = {}, .base = {{}, {}, VotersUpTo(1)}, .entries = {}, .applied = {}}, random);
  ASSERT_TRUE(core.ok());
  (*core)->Campaign();
  (*core)->OnPersisted((*core)->TakeOutput().persist->sequence);
  ASSERT_EQ((*core)->role(), Role::kLeader);
  ASSERT_TRUE((*core)->Propose(Bytes(std::string(200, 'x'))).ok());
  EXPECT_EQ((*core)->Propose(Bytes(std::string(200, 'x'))).status().code(),
            StatusCode::kResourceExhausted);
  (*core)->OnPersisted((*core)->TakeOutput().persist->sequence);
  EXPECT_TRUE((*core)->Propose(Bytes(std::string(200, 'x'))).ok());
}

TEST(RaftCore, ARecoveredStateThatContradictsItselfIsRefused) {
  SeededRandom random(1);
  auto const create = [&random](RecoveredState state) {
    state.base.configuration = VotersUpTo(1);
    return RaftCore::Create({.id = ReplicaId(1)}, std::move(state), random).status().code();
  };
  Entry const entry{.index = LogIndex(2), .term = Term(3), .payload = nullptr};
  HardState const hard_state{.term = Term(3), .vote = kNobody, .commit = {}};
  EXPECT_EQ(create({.hard_state = hard_state, .base = {}, .entries = {entry}, .applied = {}}),
            StatusCode::kCorruption);
  EXPECT_EQ(create({.hard_state = {},
                    .base = {LogIndex(1), Term(1), {}},
                    .entries = {entry},
                    .applied = LogIndex(1)}),
            StatusCode::kCorruption);
  EXPECT_EQ(create({.hard_state = hard_state,
                    .base = {LogIndex(1), Term(1), {}},
                    .entries = {entry},
                    .applied = LogIndex(3)}),
            StatusCode::kCorruption);
}

}  // namespace
}  // namespace orochi::raft
