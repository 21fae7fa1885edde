// Goal: what clients ask for happens to records as the words say: alone, in batches, in
// transactions, by pages, through changes of schemas; what cannot be done is told with the right
// code; and lost messages make outcomes unknown, never wrong.
// Method: a gateway over real partition leaders in memory, on simulated time; random operations
// beside a model; single cases for errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "kv/gateway/gateway.h"
#include "kv/gateway/testing/memory_catalog.h"
#include "kv/gateway/testing/single_node.h"
#include "sim/event_queue.h"

namespace orochi::kv {
namespace {

using orochi::testing::TestSeed;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MemoryCatalog;
using testing::SingleNode;

SchemaDefinition ItemSchema(uint32_t version) {
  SchemaDefinition definition{.name = "item",
                              .version = SchemaVersion(version),
                              .fields = {{.name = "shelf", .order = {FieldType::kInt64}},
                                         {.name = "place", .order = {FieldType::kInt64}},
                                         {.name = "count", .order = {FieldType::kInt64}},
                                         {.name = "note", .order = {FieldType::kText}}},
                              .partition_key = {0},
                              .range_key = {1}};
  if (version > 1) {
    definition.fields.push_back({.name = "price", .order = {FieldType::kInt64}});
  }
  return definition;
}

class GatewayTest : public ::testing::Test {
 protected:
  // Collection 1 is a hash collection over four partitions, collection 2 a range collection.
  GatewayTest() {
    options_.idle_us = 10'000'000;
    options_.conflict_attempt_count_max = 20;
    gateway_ = std::make_unique<Gateway>(node_, catalog_, random_, options_);
    Create("things", Distribution::kHash);
    Create("rows", Distribution::kRange);
    in_ = Find("things");
    range_ = Find("rows");
  }

  void Create(const std::string& name, Distribution distribution) {
    bool created = false;
    catalog_.CreateCollection(
        {.name = name, .distribution = distribution},
        [&](const Result<Catalog::Collection>& made) { created = made.ok(); });
    AddSchema(name, 1);
    ASSERT_TRUE(created);
  }
  void AddSchema(const std::string& name, uint32_t version) {
    bool added = false;
    catalog_.CreateSchema(name, ItemSchema(version), {},
                          [&](const auto& schema) { added = schema.ok(); });
    while (!added) {
      queue_.RunNext();
    }
  }

  // Runs until `call` has answered.
  template <class T>
  Result<T> Wait(const std::function<void(Gateway::Done<T>)>& call) {
    std::optional<Result<T>> result;
    call([&](Result<T> answer) {
      EXPECT_FALSE(result.has_value()) << "answered twice";
      result.emplace(std::move(answer));
    });
    while (!result) {
      if (queue_.empty()) {
        return Status::Internal("nothing happens any more");
      }
      queue_.RunNext();
    }
    return *std::move(result);
  }
  void RunFor(int64_t duration_us) {
    bool over = false;
    queue_.After(duration_us, [&] { over = true; });
    while (!over) {
      queue_.RunNext();
    }
  }

  SchemaHandle Find(const std::string& collection, std::optional<SchemaVersion> version = {}) {
    auto found = Wait<SchemaHandle>(
        [&](auto done) { gateway_->FindSchema(collection, "item", version, done); });
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    return *found;
  }
  static std::vector<Value> Item(int64_t shelf, int64_t place, int64_t count = 0,
                                 const std::string& note = "") {
    return {shelf, place, count, note};
  }
  static WriteOne Put(const SchemaHandle& in, std::vector<Value> values) {
    return {.in = in, .values = std::move(values)};
  }
  static WriteOne SetCount(const SchemaHandle& in, int64_t shelf, int64_t place, int64_t count) {
    return {.in = in,
            .kind = OperationKind::kUpdate,
            .values = Item(shelf, place, count),
            .updated = {2}};
  }
  Result<WriteResult> Write(WriteOne write, const Gateway::InTransaction& transaction = {}) {
    return WriteAll({std::move(write)}, transaction);
  }
  Result<WriteResult> WriteAll(std::vector<WriteOne> writes,
                               const Gateway::InTransaction& transaction = {}) {
    return Wait<WriteResult>(
        [&](auto done) { gateway_->Write(transaction, std::move(writes), done); });
  }
  Result<ReadResult> Read(const SchemaHandle& in, int64_t shelf, int64_t place,
                          const Gateway::InTransaction& transaction = {}) {
    return Wait<ReadResult>([&](auto done) {
      gateway_->Read(transaction, {.in = in, .key = Item(shelf, place)}, done);
    });
  }
  // -1: there is none.
  int64_t CountOf(const SchemaHandle& in, int64_t shelf, int64_t place,
                  const Gateway::InTransaction& transaction = {}) {
    auto const record = Read(in, shelf, place, transaction);
    EXPECT_TRUE(record.ok()) << record.status().ToString();
    return record.ok() && record->record ? std::get<int64_t>(record->record->values[2]) : -1;
  }
  TransactionId Begin(const BeginOptions& options = {}) {
    auto id = Wait<TransactionId>([&](auto done) { gateway_->Begin(options, done); });
    EXPECT_TRUE(id.ok());
    return *id;
  }
  Result<Timestamp> Commit(const TransactionId& id) {
    return Wait<Timestamp>([&](auto done) { gateway_->Commit(id, done); });
  }
  Result<InquiryResult> Inquire(const TransactionId& id, std::optional<std::string> anchor = {}) {
    return Wait<InquiryResult>([&](auto done) { gateway_->Inquire(id, anchor, done); });
  }
  QueryOne All(const SchemaHandle& in) {
    return {.in = in, .query = {.space = in.space(), .version = in.schema->version()}};
  }
  Result<QueryResult> RunQuery(QueryOne query, const Gateway::InTransaction& transaction = {}) {
    return Wait<QueryResult>(
        [&](auto done) { gateway_->RunQuery(transaction, std::move(query), done); });
  }

  sim::EventQueue queue_;
  SeededRandom random_{TestSeed(4711)};
  SingleNode node_{[this](int64_t delay_us, std::function<void()> event) {
                     queue_.After(delay_us, std::move(event));
                   },
                   [this] { return queue_.now_us(); },
                   {std::string("\0\0\0\1\x40", 5), std::string("\0\0\0\1\x80", 5),
                    std::string("\0\0\0\1\xc0", 5), std::string("\0\0\0\2", 4),
                    std::string("\0\0\0\2\0\0\0\1\x02\x80\0\0\0\0\0\0\5", 17)}};
  MemoryCatalog catalog_{
      [this](std::function<void()> event) { queue_.After(0, std::move(event)); }};
  GatewayOptions options_;
  std::unique_ptr<Gateway> gateway_;
  SchemaHandle in_;
  SchemaHandle range_;
};

TEST_F(GatewayTest, OneRecordIsPutReadUpdatedAndDeleted) {
  EXPECT_EQ(CountOf(in_, 1, 1), -1);
  auto const put = Write(Put(in_, Item(1, 1, 5, "five")));
  ASSERT_TRUE(put.ok());
  EXPECT_EQ(put->outcome, OperationOutcome::kDone);
  EXPECT_GT(put->timestamp, kNever);
  EXPECT_EQ(CountOf(in_, 1, 1), 5);
  WriteOne update = SetCount(in_, 1, 1, 6);
  update.tells_row = true;
  auto const updated = Write(update);
  ASSERT_TRUE(updated.ok());
  ASSERT_TRUE(updated->rows[0].has_value());
  EXPECT_THAT(updated->rows[0]->values, ElementsAre(Value(int64_t{1}), Value(int64_t{1}),
                                                    Value(int64_t{6}), Value(std::string("five"))));
  EXPECT_EQ(Write(SetCount(in_, 1, 2, 6))->outcome, OperationOutcome::kAbsent);
  EXPECT_EQ(Write({.in = in_, .kind = OperationKind::kDelete, .values = Item(1, 1)})->outcome,
            OperationOutcome::kDone);
  EXPECT_EQ(CountOf(in_, 1, 1), -1);
  EXPECT_EQ(node_.one_shot_count(), 4u) << "each was one entry in a log";
}

TEST_F(GatewayTest, ConditionsDecideAndWriteNothingWhenTheyDoNotHold) {
  WriteOne insert = Put(in_, Item(1, 1, 5));
  insert.presence = Presence::kAbsent;
  insert.tells_row = true;
  ASSERT_EQ(Write(insert)->outcome, OperationOutcome::kDone);
  insert.values = Item(1, 1, 9);
  auto const again = Write(insert);
  ASSERT_EQ(again->outcome, OperationOutcome::kPresent);
  EXPECT_EQ(again->rows[0]->values[2], Value(int64_t{5})) << "it tells what is there";
  EXPECT_EQ(CountOf(in_, 1, 1), 5);

  Expression const more_than_six{
      .operation = Operation::kGreater,
      .operands = {FieldReference{"count"}, Literal{FieldType::kInt64, int64_t{6}}}};
  WriteOne filtered = SetCount(in_, 1, 1, 8);
  filtered.filter = more_than_six;
  EXPECT_EQ(Write(filtered)->outcome, OperationOutcome::kFilterRejects);
  Timestamp const written = Write(SetCount(in_, 1, 1, 7))->timestamp;
  EXPECT_EQ(Write(filtered)->outcome, OperationOutcome::kDone);

  WriteOne unchanged = Put(in_, Item(1, 1, 10));
  unchanged.unchanged_since = written;
  EXPECT_EQ(Write(unchanged)->outcome, OperationOutcome::kChanged);
  unchanged.unchanged_since = Write(SetCount(in_, 1, 1, 9))->timestamp;
  EXPECT_EQ(Write(unchanged)->outcome, OperationOutcome::kDone);
  EXPECT_EQ(CountOf(in_, 1, 1), 10);
}

TEST_F(GatewayTest, BatchesAreAllOrNothing) {
  std::vector<WriteOne> many;
  for (int64_t shelf = 0; shelf < 20; ++shelf) {
    many.push_back(Put(in_, Item(shelf, 0, 1)));
  }
  size_t const one_shots = node_.one_shot_count();
  ASSERT_TRUE(WriteAll(many).ok());
  EXPECT_EQ(node_.one_shot_count(), one_shots) << "they are of several partitions";
  for (int64_t shelf = 0; shelf < 20; ++shelf) {
    EXPECT_EQ(CountOf(in_, shelf, 0), 1);
  }
  for (WriteOne& write : many) {
    write.values[2] = int64_t{2};
  }
  many[13].presence = Presence::kAbsent;
  auto const refused = WriteAll(many);
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->outcome, OperationOutcome::kPresent);
  EXPECT_EQ(refused->failed, 13u);
  for (int64_t shelf = 0; shelf < 20; ++shelf) {
    EXPECT_EQ(CountOf(in_, shelf, 0), 1);
  }
  // In one partition the failed one is known, too.
  std::vector<WriteOne> near = {Put(in_, Item(3, 1, 1)), Put(in_, Item(3, 0, 2))};
  near[1].presence = Presence::kAbsent;
  auto const near_refused = WriteAll(near);
  EXPECT_EQ(near_refused->failed, 1u);
  EXPECT_EQ(CountOf(in_, 3, 1), -1);
  EXPECT_EQ(node_.one_shot_count(), one_shots + 1);
}

TEST_F(GatewayTest, TransactionsSeeTheirOwnWritesAndOthersDoNot) {
  TransactionId const id = Begin();
  ASSERT_TRUE(Write(Put(in_, Item(1, 1, 5)), id).ok());
  ASSERT_TRUE(Write(Put(in_, Item(2, 1, 6)), id).ok());
  EXPECT_EQ(CountOf(in_, 1, 1, id), 5);
  EXPECT_EQ(CountOf(in_, 1, 1), -1);
  EXPECT_EQ(Inquire(id)->decision, Decision::kOpen);
  auto const committed = Commit(id);
  ASSERT_TRUE(committed.ok());
  EXPECT_EQ(CountOf(in_, 2, 1), 6);
  auto const asked = Inquire(id);
  EXPECT_EQ(asked->decision, Decision::kCommitted);
  EXPECT_EQ(asked->timestamp, *committed);
  EXPECT_EQ(Commit(id).status().code(), StatusCode::kCancelled);
  EXPECT_EQ(Read(in_, 1, 1, id).status().code(), StatusCode::kCancelled);
}

TEST_F(GatewayTest, WhoLosesAConflictIsToldAndAborted) {
  ASSERT_TRUE(Write(Put(in_, Item(1, 1, 5))).ok());
  TransactionId const id = Begin();
  EXPECT_EQ(CountOf(in_, 1, 1, id), 5);
  ASSERT_TRUE(Write(SetCount(in_, 1, 1, 50)).ok());
  EXPECT_EQ(Write(SetCount(in_, 1, 1, 6), id).status().code(), StatusCode::kAborted);
  EXPECT_EQ(Read(in_, 1, 1, id).status().code(), StatusCode::kAborted) << "it can only be ended";
  EXPECT_EQ(Commit(id).status().code(), StatusCode::kAborted);
  EXPECT_EQ(Inquire(id)->decision, Decision::kAborted);
  EXPECT_EQ(CountOf(in_, 1, 1), 50);
  // What it read has changed, which only the commit can see.
  TransactionId const reader = Begin();
  EXPECT_EQ(CountOf(in_, 1, 1, reader), 50);
  ASSERT_TRUE(Write(SetCount(in_, 1, 1, 51)).ok());
  EXPECT_EQ(CountOf(in_, 2, 1), -1);  // so that the write below moves to a later time
  ASSERT_TRUE(Write(Put(in_, Item(2, 1, 1)), reader).ok());
  EXPECT_EQ(Commit(reader).status().code(), StatusCode::kAborted);
  EXPECT_EQ(CountOf(in_, 2, 1), -1);
}

// What the chogori dialect promises instead.
TEST_F(GatewayTest, WritesThatMayNotMoveAreRefusedBelowOthersReads) {
  ASSERT_TRUE(Write(Put(in_, Item(1, 1, 5))).ok());
  TransactionId const moves = Begin();
  TransactionId const stays = Begin({.writes_move = false});
  EXPECT_EQ(CountOf(in_, 1, 1), 5);
  EXPECT_EQ(Write(SetCount(in_, 1, 1, 6), stays).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(Commit(stays).status().code(), StatusCode::kOutOfRange);
  EXPECT_TRUE(Write(SetCount(in_, 1, 1, 7), moves).ok());
  EXPECT_TRUE(Commit(moves).ok());
  EXPECT_EQ(CountOf(in_, 1, 1), 7);
}

TEST_F(GatewayTest, IdleTransactionsAreAbortedAndHeartbeatsKeepThem) {
  TransactionId const idle = Begin();
  TransactionId const kept = Begin();
  ASSERT_TRUE(Write(Put(in_, Item(1, 1, 5)), idle).ok());
  ASSERT_TRUE(Write(Put(in_, Item(2, 1, 6)), kept).ok());
  for (int turn = 0; turn < 8; ++turn) {
    RunFor(3'000'000);
    ASSERT_TRUE(gateway_->Heartbeat(kept).ok());
  }
  EXPECT_EQ(Read(in_, 1, 1, idle).status().code(), StatusCode::kCancelled);
  EXPECT_EQ(gateway_->Heartbeat(idle).code(), StatusCode::kCancelled);
  EXPECT_EQ(Inquire(idle)->decision, Decision::kAborted);
  EXPECT_EQ(CountOf(in_, 1, 1), -1);
  EXPECT_TRUE(Commit(kept).ok());
  EXPECT_EQ(CountOf(in_, 2, 1), 6);
  EXPECT_EQ(gateway_->open_transaction_count(), 0u);
  const GatewayStatistics& counts = gateway_->statistics();
  EXPECT_EQ(counts.begun, 2u);
  EXPECT_EQ(counts.idle, 1u);
  EXPECT_EQ(counts.aborted, 1u);
  EXPECT_EQ(counts.committed, 1u);
}

TEST_F(GatewayTest, OperationsOfOneTransactionWaitForEachOther) {
  TransactionId const id = Begin();
  std::vector<int64_t> seen;
  for (int64_t count = 1; count <= 5; ++count) {
    gateway_->Write(id, {Put(in_, Item(1, 1, count))},
                    [](const Result<WriteResult>& written) { EXPECT_TRUE(written.ok()); });
    gateway_->Read(id, {.in = in_, .key = Item(1, 1)}, [&](const Result<ReadResult>& read) {
      ASSERT_TRUE(read.ok() && read->record);
      seen.push_back(std::get<int64_t>(read->record->values[2]));
    });
  }
  EXPECT_TRUE(Commit(id).ok());
  EXPECT_THAT(seen, ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(GatewayTest, AnUnknownOutcomeIsToldAndCanBeAskedFor) {
  for (bool const arrives : {true, false}) {
    SCOPED_TRACE(arrives);
    TransactionId const id = Begin();
    ASSERT_TRUE(Write(Put(in_, Item(1, 1, arrives ? 1 : 2)), id).ok());
    node_.LoseCommits(!arrives);
    node_.LoseCommitAnswers(arrives);
    auto const committed = Commit(id);
    EXPECT_EQ(committed.status().code(), StatusCode::kOutcomeUnknown);
    EXPECT_THAT(committed.status().message(), HasSubstr(TransactionText(id)));
    node_.LoseCommits(false);
    node_.LoseCommitAnswers(false);
    std::string const anchor = gateway_->AnchorOf(id);
    // Another gateway knows nothing, but by the anchor.
    Gateway other(node_, catalog_, random_, options_);
    auto const ask = [&](std::optional<std::string> by) {
      return Wait<InquiryResult>([&](auto done) { other.Inquire(id, by, done); });
    };
    EXPECT_EQ(ask(std::nullopt).status().code(), StatusCode::kNotFound);
    if (arrives) {
      EXPECT_EQ(ask(anchor)->decision, Decision::kCommitted);
      EXPECT_EQ(Inquire(id)->decision, Decision::kCommitted);
    } else {
      EXPECT_EQ(Inquire(id)->decision, Decision::kOpen) << "its commit may be on its way";
      RunFor(10'000'000);
      EXPECT_EQ(Inquire(id)->decision, Decision::kAborted);
      EXPECT_EQ(ask(anchor)->decision, Decision::kAborted);
    }
    EXPECT_EQ(CountOf(in_, 1, 1), 1);
  }
  EXPECT_EQ(gateway_->statistics().unknown, 2u);
}

TEST_F(GatewayTest, LostMessagesOfSingleWritesAreUnknownAndRefusedOnesAreNot) {
  node_.LoseAnswers(true);
  EXPECT_EQ(Write(Put(in_, Item(1, 1, 1))).status().code(), StatusCode::kOutcomeUnknown);
  node_.LoseAnswers(false);
  EXPECT_EQ(CountOf(in_, 1, 1), 1) << "this one happened";
  node_.RefuseAll(true);
  EXPECT_EQ(Write(Put(in_, Item(1, 1, 2))).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Read(in_, 1, 1).status().code(), StatusCode::kUnavailable);
  node_.RefuseAll(false);
  EXPECT_EQ(CountOf(in_, 1, 1), 1);
  node_.StopOracle(true);
  EXPECT_EQ(Read(in_, 1, 1).status().code(), StatusCode::kUnavailable);
  auto const id = Wait<TransactionId>(
      [&](auto done) { gateway_->Begin({.isolation = Isolation::kSnapshot}, done); });
  EXPECT_EQ(id.status().code(), StatusCode::kUnavailable);
}

TEST_F(GatewayTest, RecordsOfOtherVersionsAreUpdatedAndReadByAGatewayThatDoesNotKnowThem) {
  ASSERT_TRUE(WriteAll({Put(in_, Item(1, 1, 1, "old")), Put(in_, Item(2, 1, 1, "old"))}).ok());
  catalog_.SetLags(true);
  AddSchema("things", 2);
  MemoryCatalog& decided = catalog_;
  Gateway newer(node_, decided, random_, options_);
  auto const found = Wait<SchemaHandle>(
      [&](auto done) { newer.FindSchema("things", "item", SchemaVersion(2), done); });
  ASSERT_TRUE(found.ok()) << "it looks again for a version it does not know";
  SchemaHandle const version_two = *found;
  // An old record, updated as the new version: one round more.
  size_t const before = node_.sent_count();
  WriteOne update{.in = version_two,
                  .kind = OperationKind::kUpdate,
                  .values = {int64_t{1}, int64_t{1}, Null{}, Null{}, int64_t{77}},
                  .updated = {4}};
  update.tells_row = true;
  auto const updated = Write(update);
  ASSERT_TRUE(updated.ok()) << updated.status().ToString();
  EXPECT_EQ(node_.sent_count(), before + 2);
  EXPECT_THAT(updated->rows[0]->values,
              ElementsAre(Value(int64_t{1}), Value(int64_t{1}), Value(int64_t{1}),
                          Value(std::string("old")), Value(int64_t{77})));
  // And within a transaction over partitions.
  update.values[0] = int64_t{2};
  EXPECT_EQ(WriteAll({update, Put(in_, Item(3, 1, 1))})->outcome, OperationOutcome::kDone);
  // The handle `in_` is of before; records of version 2 are read as version 1.
  EXPECT_EQ(CountOf(in_, 1, 1), 1);
  auto const page = RunQuery(All(in_));
  ASSERT_TRUE(page.ok()) << page.status().ToString();
  EXPECT_EQ(page->records.size(), 3u);
}

TEST_F(GatewayTest, LimitsAreErrors) {
  options_.value_size_bytes_max = 100;
  options_.batch_operation_count_max = 3;
  options_.batch_size_bytes_max = 250;
  options_.open_transaction_count_max = 1;
  options_.transaction_operation_count_max = 2;
  options_.transaction_queue_count_max = 1;
  gateway_ = std::make_unique<Gateway>(node_, catalog_, random_, options_);
  auto const code = [](const auto& result) { return result.status().code(); };
  EXPECT_EQ(code(Write(Put(in_, Item(1, 1, 1, std::string(200, 'x'))))),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(code(WriteAll({4, Put(in_, Item(1, 1))})), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(WriteAll({3, Put(in_, Item(1, 1, 1, std::string(80, 'x')))})),
            StatusCode::kInvalidArgument);
  TransactionId const id = Begin();
  EXPECT_EQ(code(Wait<TransactionId>(
                [&](auto done) { gateway_->Begin({.isolation = Isolation::kSnapshot}, done); })),
            StatusCode::kResourceExhausted);
  std::vector<StatusCode> codes;
  for (int count = 0; count < 3; ++count) {  // one runs, one waits
    gateway_->Read(id, {.in = in_, .key = Item(1, 1)},
                   [&](const auto& record) { codes.push_back(record.status().code()); });
  }
  EXPECT_THAT(codes, ElementsAre(StatusCode::kResourceExhausted));
  EXPECT_EQ(code(Read(in_, 1, 1, TransactionId{})), StatusCode::kCancelled);
  while (codes.size() < 3) {
    queue_.RunNext();
  }
  EXPECT_EQ(code(Read(in_, 1, 1, id)), StatusCode::kInvalidArgument) << "two it has had";
  EXPECT_TRUE(Commit(id).ok());
}

TEST_F(GatewayTest, NamesThatAreNotThereAreNotFound) {
  auto const code = [&](const std::string& collection, const std::string& schema, int version) {
    auto const found = Wait<SchemaHandle>([&](auto done) {
      gateway_->FindSchema(collection, schema, SchemaVersion(static_cast<uint32_t>(version)), done);
    });
    return found.status().code();
  };
  EXPECT_EQ(code("nothings", "item", 1), StatusCode::kNotFound);
  EXPECT_EQ(code("things", "items", 1), StatusCode::kNotFound);
  EXPECT_EQ(code("things", "item", 9), StatusCode::kNotFound);
  EXPECT_EQ(code("things", "item", 1), StatusCode::kOk);
  EXPECT_EQ(ParseTransactionText("x").status().code(), StatusCode::kInvalidArgument);
  TransactionId const id{.high = 1, .low = ~uint64_t{0}, .start = Timestamp(7)};
  EXPECT_EQ(*ParseTransactionText(TransactionText(id)), id);
}

// Random operations, alone and in transactions that are aborted now and then, beside a map.
TEST_F(GatewayTest, DoesWhatAModelDoes) {
  for (const SchemaHandle& in : {in_, range_}) {
    std::map<std::pair<int64_t, int64_t>, int64_t> model;
    for (int turn = 0; turn < 300; ++turn) {
      SCOPED_TRACE(turn);
      auto after = model;
      Gateway::InTransaction id;
      if (random_.OneIn(2)) {
        id = Begin();
      }
      for (uint64_t step = id ? 1 + random_.Below(6) : 1; step > 0; --step) {
        auto const shelf = static_cast<int64_t>(random_.Below(8));
        auto const place = static_cast<int64_t>(random_.Below(4));
        auto const key = std::pair(shelf, place);
        auto const count = static_cast<int64_t>(random_.Below(1000));
        bool const there = after.contains(key);
        switch (random_.Below(5)) {
          case 0:
            ASSERT_TRUE(Write(Put(in, Item(shelf, place, count)), id).ok());
            after[key] = count;
            break;
          case 1: {
            auto const updated = Write(SetCount(in, shelf, place, count), id);
            ASSERT_TRUE(updated.ok());
            ASSERT_EQ(updated->outcome == OperationOutcome::kDone, there);
            if (there) {
              after[key] = count;
            }
            break;
          }
          case 2: {
            WriteOne gone{.in = in, .kind = OperationKind::kDelete, .values = Item(shelf, place)};
            gone.presence = Presence::kPresent;
            ASSERT_EQ(Write(gone, id)->outcome == OperationOutcome::kDone, there);
            after.erase(key);
            break;
          }
          case 3:
            ASSERT_EQ(CountOf(in, shelf, place, id), there ? after[key] : -1);
            break;
          default: {
            // All of it in pages, in either direction; only of a shelf, or what has a high count.
            QueryOne query = All(in);
            query.query.reverse = random_.OneIn(2);
            bool const of_shelf = random_.OneIn(2);
            bool const high = random_.OneIn(2);
            if (of_shelf) {
              query.query.prefix = {shelf};
            }
            if (high) {
              query.query.filter = Expression{
                  .operation = Operation::kGreater,
                  .operands = {FieldReference{"count"}, Literal{FieldType::kInt64, int64_t{500}}}};
            }
            query.bounds.record_count_max = 1 + random_.Below(8);
            query.bounds.scanned_count_max = 1 + random_.Below(20);
            std::map<std::pair<int64_t, int64_t>, int64_t> seen;
            do {
              auto const page = RunQuery(query, id);
              ASSERT_TRUE(page.ok()) << page.status().ToString();
              for (const QueryRecord& record : page->records) {
                auto const number = [&](size_t field) {
                  return std::get<int64_t>(record.values[field]);
                };
                ASSERT_TRUE(seen.emplace(std::pair(number(0), number(1)), number(2)).second);
              }
              query.token = page->token;
            } while (!query.token.empty());
            auto expected = after;
            std::erase_if(expected, [&](const auto& item) {
              return (of_shelf && item.first.first != shelf) || (high && item.second <= 500);
            });
            ASSERT_EQ(seen, expected);
          }
        }
      }
      if (!id || (!random_.OneIn(3) && Commit(*id).ok())) {
        model = after;
      } else if (id) {
        ASSERT_EQ(gateway_->open_transaction_count(), 1u) << "a commit failed without a reason";
        auto const aborted = Wait<bool>([&](auto done) {
          gateway_->Abort(*id, [done](Status status) {
            ASSERT_TRUE(status.ok());
            done(true);
          });
        });
        ASSERT_TRUE(aborted.ok());
      }
    }
  }
}

TEST_F(GatewayTest, TokensOfPagesSeeOneStateAndAreRefusedElsewhere) {
  for (int64_t place = 0; place < 10; ++place) {
    ASSERT_TRUE(Write(Put(range_, Item(1, place, 1))).ok());
  }
  QueryOne query = All(range_);
  query.bounds.record_count_max = 4;
  auto const first = RunQuery(query);
  ASSERT_TRUE(first.ok());
  ASSERT_FALSE(first->token.empty());
  ASSERT_TRUE(Write(Put(range_, Item(1, 100, 1))).ok());
  ASSERT_TRUE(Write({.in = range_, .kind = OperationKind::kDelete, .values = Item(1, 9)}).ok());
  query.token = first->token;
  query.bounds.record_count_max = 100;
  auto const rest = RunQuery(query);
  ASSERT_TRUE(rest.ok());
  EXPECT_EQ(rest->records.size(), 6u) << "as of the first page";
  EXPECT_EQ(RunQuery(query, Begin()).status().code(), StatusCode::kInvalidArgument);
  QueryOne other = All(range_);
  other.query.reverse = true;
  other.token = first->token;
  EXPECT_EQ(RunQuery(other).status().code(), StatusCode::kInvalidArgument);
  query.token.back() ^= 1;
  EXPECT_EQ(RunQuery(query).status().code(), StatusCode::kInvalidArgument);
}

// Many transfers at once between shelves in all partitions keep the sum; every one that is told to
// have been made was made.
TEST_F(GatewayTest, ConcurrentTransfersKeepTheSum) {
  constexpr int64_t kShelves = 6;
  for (int64_t shelf = 0; shelf < kShelves; ++shelf) {
    ASSERT_TRUE(Write(Put(in_, Item(shelf, 0, 100))).ok());
  }
  int committed = 0;
  int failed = 0;
  int running = 0;
  constexpr int kTransfers = 200;
  auto const transfer = [&](int64_t from, int64_t to, TransactionId id) {
    gateway_->Read(id, {.in = in_, .key = Item(from, 0)}, [&, from, to, id](auto one) {
      gateway_->Read(id, {.in = in_, .key = Item(to, 0)}, [&, from, to, id, one](auto other) {
        if (!one.ok() || !other.ok()) {
          gateway_->Commit(id, [&](const auto& ended) {
            failed += ended.ok() ? 0 : 1;
            --running;
          });
          return;
        }
        int64_t const left = std::get<int64_t>(one->record->values[2]) - 1;
        int64_t const right = std::get<int64_t>(other->record->values[2]) + 1;
        gateway_->Write(id, {SetCount(in_, from, 0, left), SetCount(in_, to, 0, right)},
                        [](const auto& written) { static_cast<void>(written.ok()); });
        gateway_->Commit(id, [&](const auto& ended) {
          (ended.ok() ? committed : failed) += 1;
          --running;
        });
      });
    });
  };
  for (int count = 0; count < kTransfers; ++count) {
    auto const from = static_cast<int64_t>(random_.Below(kShelves));
    int64_t const to = (from + 1 + static_cast<int64_t>(random_.Below(kShelves - 1))) % kShelves;
    ++running;
    gateway_->Begin({}, [&, from, to](auto id) {
      ASSERT_TRUE(id.ok());
      transfer(from, to, *id);
    });
    RunFor(static_cast<int64_t>(random_.Below(3)));
  }
  while (running > 0) {
    queue_.RunNext();
  }
  EXPECT_EQ(committed + failed, kTransfers);
  EXPECT_GT(committed, 10);
  int64_t sum = 0;
  for (int64_t shelf = 0; shelf < kShelves; ++shelf) {
    sum += CountOf(in_, shelf, 0);
  }
  EXPECT_EQ(sum, 100 * kShelves);
}

// What the gateway runs by itself it begins anew after a conflict: increments by batch, none lost.
TEST_F(GatewayTest, ConcurrentBatchesAreBegunAnew) {
  ASSERT_TRUE(WriteAll({Put(in_, Item(1, 0, 0)), Put(in_, Item(2, 0, 0))}).ok());
  int done_count = 0;
  for (int count = 0; count < 20; ++count) {
    gateway_->RunBatch({{.in = in_, .key = Item(1, 0)}, {.in = in_, .key = Item(2, 0)}},
                       {SetCount(in_, 1, 0, count), SetCount(in_, 2, 0, count)},
                       [&](const Result<BatchResult>& result) {
                         ASSERT_TRUE(result.ok()) << result.status().ToString();
                         ASSERT_EQ(result->reads[0].record->values[2],
                                   result->reads[1].record->values[2]);
                         ++done_count;
                       });
  }
  while (done_count < 20) {
    queue_.RunNext();
  }
  EXPECT_EQ(CountOf(in_, 1, 0), CountOf(in_, 2, 0));
}

}  // namespace
}  // namespace orochi::kv
