// Goal: what nodes say to each other survives its bytes, and other bytes are refused.
// Method: every kind of message with every field set, whole, cut and with bytes changed.
#include "kv/node/peer_codec.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <variant>

#include "base/random.h"

namespace orochi::kv {
namespace {

TransactionId Id() {
  return {.high = ~uint64_t{0}, .low = 7, .start = Timestamp(99)};
}

std::vector<PeerMessage> EveryKind() {
  raft::SnapshotPoint const point{
      .index = raft::LogIndex(9),
      .term = raft::Term(3),
      .configuration = {.voters = {raft::ReplicaId(1), raft::ReplicaId(~uint64_t{0})},
                        .outgoing = {raft::ReplicaId(2)},
                        .learners = {raft::ReplicaId(3)}}};
  raft::Message raft{.kind = raft::MessageKind::kAppend,
                     .from = raft::ReplicaId(1),
                     .to = raft::ReplicaId(2),
                     .term = raft::Term(5),
                     .index = raft::LogIndex(6),
                     .log_term = raft::Term(4)};
  raft.commit = raft::LogIndex(5);
  raft.entries = {
      {.index = raft::LogIndex(7),
       .term = raft::Term(5),
       .kind = raft::EntryKind::kCommand,
       .payload = std::make_shared<const std::string>("x\0y", 3)},
      {.index = raft::LogIndex(8), .term = raft::Term(5), .kind = raft::EntryKind::kLeaderStart}};
  raft.reject = true;
  raft.hint_index = raft::LogIndex(2);
  raft.hint_term = raft::Term(1);
  raft.read_round = 44;
  raft.transfer = true;
  raft.snapshot = point;
  KeySpan const span{.begin = "a", .end = std::string("b\0", 2)};
  std::vector<PeerMessage> all{RaftMessage{.group = log::GroupId(4), .message = raft}};
  std::vector<Request> const requests{
      CollectRequest{.safepoint = Timestamp(1)},
      ReadRequest{.transaction = Id(), .timestamp = Timestamp(2), .span = span, .reverse = true},
      ReadRequest{.limit = 3},
      WriteRequest{.transaction = Id(),
                   .anchor = "a",
                   .sequence = 2,
                   .read_timestamp = Timestamp(3),
                   .timestamp = Timestamp(4),
                   .first_writer_wins = true,
                   .key = "k",
                   .operation = "o"},
      OneShotRequest{.operations = {{.key = "k", .operation = "o"}, {.key = "", .operation = ""}}},
      RefreshRequest{
          .transaction = Id(), .spans = {span, {}}, .after = Timestamp(1), .until = Timestamp(2)},
      CommitRequest{.transaction = Id(), .anchor = "a", .timestamp = Timestamp(8), .keys = {"k"}},
      AbortRequest{.transaction = Id(), .anchor = "a"},
      HeartbeatRequest{.transaction = Id(), .anchor = "a"},
      PushRequest{.transaction = Id(),
                  .anchor = "a",
                  .pusher_start = Timestamp(5),
                  .reads = true,
                  .timestamp = Timestamp(6)},
      ResolveRequest{
          .transaction = Id(), .committed = true, .timestamp = Timestamp(7), .keys = {"a", "b"}}};
  for (const Request& request : requests) {
    all.emplace_back(PartitionCall{.call = 1, .group = log::GroupId(2), .request = request});
  }
  all.emplace_back(PartitionReply{.call = 2,
                                  .kind = PartitionReply::Kind::kError,
                                  .answer = {.outcome = Outcome::kTooOld,
                                             .timestamp = Timestamp(1),
                                             .rows = {{"k", "v"}},
                                             .resume = "r",
                                             .results = {"one", ""}},
                                  .code = StatusCode::kInternal,
                                  .message = "m",
                                  .leader = NodeNumber(UINT32_MAX)});
  all.emplace_back(StampCall{.call = 3, .count = 4});
  all.emplace_back(StampReply{.call = 3, .first = Timestamp(5), .leader = NodeNumber(1)});
  all.emplace_back(MetaCall{.call = 4, .command = "c"});
  all.emplace_back(MetaReply{.call = 4,
                             .kind = PartitionReply::Kind::kNotLeader,
                             .answer = "a",
                             .code = StatusCode::kNotFound,
                             .leader = NodeNumber(2)});
  all.emplace_back(MapCall{.version = 6});
  all.emplace_back(MapReply{.map = "map"});
  all.emplace_back(SnapshotChunk{.group = log::GroupId(1),
                                 .from = raft::ReplicaId(1),
                                 .to = raft::ReplicaId(2),
                                 .term = raft::Term(3),
                                 .point = point,
                                 .stream = 4,
                                 .number = 5,
                                 .bytes = "bytes"});
  all.emplace_back(SnapshotReceived{.group = log::GroupId(1),
                                    .to = raft::ReplicaId(2),
                                    .stream = 3,
                                    .number = 4,
                                    .accepted = true});
  return all;
}

TEST(PeerCodec, EveryKindSurvives) {
  std::string const bytes = EncodePeerMessages(EveryKind());
  Result<std::vector<PeerMessage>> const decoded = DecodePeerMessages(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status().message();
  ASSERT_EQ(decoded->size(), EveryKind().size());
  EXPECT_EQ(EncodePeerMessages(*decoded), bytes);
  std::set<size_t> kinds;
  for (const PeerMessage& message : *decoded) {
    kinds.insert(message.index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<PeerMessage>) << "a kind is not tried";
  const raft::Message& raft = std::get<RaftMessage>(decoded->front()).message;
  EXPECT_EQ(*raft.entries.front().payload, std::string("x\0y", 3));
  EXPECT_EQ(raft.snapshot->configuration.voters.back(), raft::ReplicaId(~uint64_t{0}));
  EXPECT_TRUE(raft.transfer && raft.reject);
  EXPECT_EQ(std::get<RaftMessage>(EveryKind().front()).message.read_round, raft.read_round);
}

TEST(PeerCodec, WhatIsCutIsRefused) {
  std::string const bytes = EncodePeerMessages(EveryKind());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodePeerMessages(bytes.substr(0, size)).status().code(), StatusCode::kCorruption);
  }
  EXPECT_EQ(DecodePeerMessages(bytes + "x").status().code(), StatusCode::kCorruption);
  EXPECT_TRUE(DecodePeerMessages(EncodePeerMessages({})).ok());
}

TEST(PeerCodec, ChangedBytesAreRefusedOrMessages) {
  SeededRandom random(20261121);
  std::string const bytes = EncodePeerMessages(EveryKind());
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = bytes;
    for (uint64_t left = 1 + random.Below(3); left > 0; --left) {
      changed[random.Below(changed.size())] = static_cast<char>(random.Below(256));
    }
    Result<std::vector<PeerMessage>> const decoded = DecodePeerMessages(changed);
    if (decoded.ok()) {
      EXPECT_TRUE(DecodePeerMessages(EncodePeerMessages(*decoded)).ok());
    }
  }
}

}  // namespace
}  // namespace orochi::kv
