// Goal: what certainly did not happen is tried again elsewhere; what may have happened is never
// sent twice, unless it only reads; errors have the code that the answer has. Method: nodes that
// answer by a script and count what they read.
#include "kv/client/caller.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "io/posix/system_clock.h"
#include "kv/client/client.h"
#include "kv/client/testing/scripted_node.h"

namespace orochi::kv::client {
namespace {

using testing::Act;
using testing::Answer;
using testing::Refuse;
using testing::ScriptedNode;

constexpr const char* kRetrySoon = "Retry-After: 0\r\n";

std::unique_ptr<Client> ClientOf(std::vector<std::string> nodes, int64_t deadline_us = 5'000'000) {
  auto client = Client::Create({.nodes = std::move(nodes),
                                .token = "secret",
                                .deadline_us = deadline_us,
                                .read_attempt_us = 50'000});
  EXPECT_TRUE(client.ok());
  return *std::move(client);
}

Write AnyWrite() {
  return Write::Put({"shop", "item"}, {{"id", 1}});
}

// A port that nobody listens on, while nobody takes it.
std::string ClosedAddress() {
  ScriptedNode node({});
  return node.address();
}

TEST(CallerTest, ANodeThatCannotBeReachedIsPassedOver) {
  ScriptedNode node({});
  auto const client = ClientOf({ClosedAddress(), node.address()});
  auto const written = client->WriteOne(AnyWrite());
  ASSERT_TRUE(written.ok()) << written.status().ToString();
  EXPECT_TRUE(written->done);
  EXPECT_EQ(node.requests().size(), 1u);
  EXPECT_NE(node.requests()[0].find("Authorization: Bearer secret\r\n"), std::string::npos);
}

TEST(CallerTest, NobodyThereIsUnavailableAtTheDeadline) {
  auto const client = ClientOf({ClosedAddress()}, 100'000);
  EXPECT_EQ(client->WriteOne(AnyWrite()).status().code(), StatusCode::kUnavailable);
}

TEST(CallerTest, WhatDidNotHappenIsAskedOfAnotherNode) {
  for (const char* code : {"unavailable", "overloaded"}) {
    ScriptedNode first({Refuse(503, code, kRetrySoon)});
    ScriptedNode second({});
    auto const client = ClientOf({first.address(), second.address()});
    EXPECT_TRUE(client->WriteOne(AnyWrite()).ok());
    EXPECT_EQ(first.requests().size(), 1u);
    EXPECT_EQ(second.requests().size(), 1u);
  }
}

TEST(CallerTest, ANodeIsNotAskedAgainBeforeItWantsToBe) {
  ScriptedNode node({Refuse(429, "overloaded", "Retry-After: 1\r\n")});
  auto const client = ClientOf({node.address()});
  io::SystemClock clock;
  int64_t const begin_ns = clock.MonotonicNanos();
  EXPECT_TRUE(client->WriteOne(AnyWrite()).ok());
  EXPECT_GE(clock.MonotonicNanos() - begin_ns, 990'000'000);
  EXPECT_EQ(node.requests().size(), 2u);
}

TEST(CallerTest, AWriteWithoutAnAnswerIsNotSentAgain) {
  const std::vector<Act> acts = {{.kind = Act::Kind::kClose},
                                 {.kind = Act::Kind::kSilence},
                                 {.bytes = "garbage\r\n"},
                                 {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"},
                                 Refuse(504, "outcome_unknown"),
                                 Refuse(504, "deadline"),
                                 {.bytes = "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n"},
                                 {.bytes = "HTTP/1.1 503 Bad\r\nContent-Length: 0\r\n\r\n"}};
  for (const Act& act : acts) {
    ScriptedNode first({act});
    ScriptedNode second({});
    auto const client = ClientOf({first.address(), second.address()}, 1'500'000);
    auto const written = client->WriteOne(AnyWrite());
    EXPECT_EQ(written.status().code(), StatusCode::kOutcomeUnknown) << act.bytes;
    EXPECT_FALSE(written.status().hint().empty());
    EXPECT_EQ(first.requests().size() + second.requests().size(), 1u) << act.bytes;
  }
}

TEST(CallerTest, WhatOnlyReadsIsAskedAgain) {
  for (const Act& act : {Act{.kind = Act::Kind::kClose}, Act{.kind = Act::Kind::kSilence},
                         Refuse(504, "deadline"), Refuse(504, "outcome_unknown")}) {
    Act const found = Answer(200, {{"records", Value::Array()}, {"scanned", 0}});
    ScriptedNode first({act, found, found, found});
    ScriptedNode second({found, found, found, found});
    auto const client = ClientOf({first.address(), second.address()});
    auto const page = client->RunQuery({.in = {"shop", "item"}});
    EXPECT_TRUE(page.ok()) << page.status().ToString();
  }
}

TEST(CallerTest, ReadsThatGetNoAnswerEndInTime) {
  ScriptedNode first({{.kind = Act::Kind::kSilence}, {.kind = Act::Kind::kSilence}});
  auto const client = ClientOf({first.address()}, 100'000);
  EXPECT_EQ(client->GetKey("a").status().code(), StatusCode::kTimeout);
}

TEST(CallerTest, ConflictsOfWholeTransactionsAreTriedAgain) {
  ScriptedNode node({Refuse(409, "conflict"), Refuse(409, "conflict")});
  auto const client = ClientOf({node.address()});
  EXPECT_TRUE(client->WriteOne(AnyWrite()).ok());
  EXPECT_EQ(node.requests().size(), 3u);
}

TEST(CallerTest, ErrorsHaveTheirCodes) {
  const std::vector<std::pair<Act, StatusCode>> cases = {
      {Refuse(400, "invalid_argument"), StatusCode::kInvalidArgument},
      {Refuse(404, "not_found"), StatusCode::kNotFound},
      {Refuse(404, "no_such_route"), StatusCode::kUnsupported},
      {Refuse(405, "method_not_allowed"), StatusCode::kUnsupported},
      {Refuse(409, "already_exists"), StatusCode::kAlreadyExists},
      {Refuse(409, "failed_precondition"), StatusCode::kFailedPrecondition},
      {Refuse(403, "too_old"), StatusCode::kOutOfRange},
      {Refuse(403, "forbidden"), StatusCode::kPermissionDenied},
      {Refuse(401, "unauthenticated"), StatusCode::kPermissionDenied},
      {Refuse(410, "transaction_gone"), StatusCode::kCancelled},
      {Refuse(413, "bad_request"), StatusCode::kInvalidArgument},
      {Refuse(500, "internal"), StatusCode::kInternal},
      {Refuse(500, "something_new"), StatusCode::kOutcomeUnknown},
  };
  for (const auto& [act, code] : cases) {
    ScriptedNode node({act});
    auto const client = ClientOf({node.address()});
    EXPECT_EQ(client->WriteOne(AnyWrite()).status().code(), code) << act.bytes;
    EXPECT_EQ(node.requests().size(), 1u);
  }
}

TEST(CallerTest, AConditionThatDoesNotHoldIsNoError) {
  ScriptedNode node({Answer(
      412, {{"code", "condition_failed"}, {"message", "m"}, {"reason", "filter"}, {"failed", 3}})});
  auto const written = ClientOf({node.address()})->WriteOne(AnyWrite());
  ASSERT_TRUE(written.ok());
  EXPECT_FALSE(written->done);
  EXPECT_EQ(written->reason, "filter");
  EXPECT_EQ(written->failed, 3u);
}

TEST(CallerTest, AnAnswerThatIsNoneIsAnError) {
  ScriptedNode node({Answer(200, {{"nothing", "of use"}})});
  EXPECT_EQ(ClientOf({node.address()})->FindSchema("a", "b").status().code(),
            StatusCode::kCorruption);
}

TEST(CallerTest, ConnectionsAreUsedAgainUnlessTheNodeClosedThem) {
  ScriptedNode node({});
  auto const client = ClientOf({node.address()});
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(client->WriteOne(AnyWrite()).ok());
  }
  EXPECT_EQ(node.requests().size(), 20u);
}

TEST(CallerTest, AddressesAndTokensAreChecked) {
  EXPECT_EQ(Client::Create({}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Client::Create({.nodes = {"https://a:1"}}).status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(Client::Create({.nodes = {"a:1"}, .token = "a\r\nX: y"}).status().code(),
            StatusCode::kInvalidArgument);
}

// The parts of a transaction, as a node answers them.
Act Begun() {
  return Answer(201, {{"transaction", "t1"}, {"outcome", "open"}});
}
Act WroteWithAnchor() {
  return Answer(200, {{"anchor", "YW5jaG9y"}});
}
Act Decided(const char* outcome) {
  return Answer(200, {{"transaction", "t1"}, {"outcome", outcome}, {"timestamp", 7}});
}

Status WriteOnce(Transaction& transaction) {
  auto const written = transaction.WriteOne(AnyWrite());
  return written.ok() ? Status::Ok() : written.status();
}

TEST(TransactionLoopTest, OnlyConflictsBeginAnew) {
  ScriptedNode node({Begun(), Refuse(409, "conflict"), Answer(200, {}),    // the write; the abort
                     Begun(), WroteWithAnchor(), Refuse(409, "conflict"),  // the commit
                     Begun(), WroteWithAnchor(), Decided("committed")});
  auto const client = ClientOf({node.address()});
  int runs = 0;
  Status const ran = client->RunTransaction([&](Transaction& transaction) {
    ++runs;
    return WriteOnce(transaction);
  });
  EXPECT_TRUE(ran.ok()) << ran.ToString();
  EXPECT_EQ(runs, 3);
}

TEST(TransactionLoopTest, OtherErrorsEndIt) {
  ScriptedNode node({Begun()});
  auto const client = ClientOf({node.address()});
  int runs = 0;
  Status const ran = client->RunTransaction([&](Transaction&) {
    ++runs;
    return Status::NotFound("mine");
  });
  EXPECT_EQ(ran.message(), "mine");
  EXPECT_EQ(runs, 1);
  ASSERT_EQ(node.requests().size(), 2u);
  EXPECT_TRUE(node.requests()[1].starts_with("POST /v1/txn/t1/abort "));
}

TEST(TransactionLoopTest, ACommitWithoutAnAnswerIsAskedAboutAtAnyNode) {
  for (const char* outcome : {"committed", "aborted"}) {
    ScriptedNode first({Begun(),
                        WroteWithAnchor(),
                        {.kind = Act::Kind::kClose},
                        Refuse(503, "unavailable", kRetrySoon)});
    ScriptedNode second(
        {Decided("open"), Decided(outcome), Begun(), WroteWithAnchor(), Decided("committed")});
    auto const client = ClientOf({first.address(), second.address()});
    int runs = 0;
    Status const ran = client->RunTransaction([&](Transaction& transaction) {
      ++runs;
      return WriteOnce(transaction);
    });
    EXPECT_TRUE(ran.ok()) << ran.ToString();
    EXPECT_EQ(runs, std::string(outcome) == "committed" ? 1 : 2);
    bool with_anchor = false;
    for (const std::string& request : second.requests()) {
      with_anchor = with_anchor || request.starts_with("GET /v1/txn/t1?anchor=YW5jaG9y ");
    }
    EXPECT_TRUE(with_anchor);
  }
}

TEST(TransactionLoopTest, WhatStaysUnknownIsTold) {
  ScriptedNode node({Begun(), WroteWithAnchor(), Refuse(504, "outcome_unknown"), Decided("unknown"),
                     Decided("unknown")});
  auto const client = ClientOf({node.address()});
  Status const ran = client->RunTransaction(WriteOnce);
  EXPECT_EQ(ran.code(), StatusCode::kOutcomeUnknown);
  EXPECT_NE(ran.message().find("t1"), std::string::npos);
  EXPECT_NE(ran.message().find("YW5jaG9y"), std::string::npos);
}

TEST(TransactionTest, BeforeTheCommitErrorsAreCertain) {
  ScriptedNode node({Begun(), {.kind = Act::Kind::kClose}});
  auto const client = ClientOf({node.address()});
  auto transaction = client->Begin();
  ASSERT_TRUE(transaction.ok());
  EXPECT_EQ(transaction->WriteOne(AnyWrite()).status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace orochi::kv::client
