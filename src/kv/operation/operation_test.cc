// Goal: an operation evaluated at the leader gives exactly the row, or the reason, that its words
// say, whatever version of the schema wrote the record that is there; its bytes survive; and the
// rules know which operations look at what they find.
// Method: random histories of schemas, records, operations, beside a model that works on lists of
// values and knows nothing of bytes; single cases for what the model does not have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "kv/filter/testing/random_filter.h"
#include "kv/operation/operation.h"
#include "kv/operation/record_rules.h"
#include "kv/record/key_codec.h"
#include "kv/record/row.h"
#include "kv/record/schema_history.h"
#include "kv/record/testing/random_record.h"

namespace orochi::kv {
namespace {

using orochi::testing::TestSeed;
using testing::PlainEvaluate;
using testing::RandomDefinition;
using testing::RandomFilter;
using testing::RandomRecord;
using testing::RandomValueOrNull;
using testing::SameValue;

// A record as the model has it: values of a version.
struct ModelRecord {
  std::shared_ptr<const Schema> schema;
  std::vector<Value> values;
};

struct Case {
  KeySpace space{.collection = CollectionId(4), .distribution = Distribution::kHash};
  SchemaHistory history{SchemaId(6)};
  std::shared_ptr<const Schema> asked;
  RecordOperation operation;
  std::string key;
  std::optional<ModelRecord> found;
  std::optional<std::string> found_row;
  std::vector<Value> given;  // of `asked`
  Timestamp written{};
  Timestamp safepoint{};
};

SchemaHistory RandomHistory(Random& random) {
  SchemaHistory history{SchemaId(6)};
  SchemaDefinition definition = RandomDefinition(random, 6);
  uint32_t const version_count = 1 + static_cast<uint32_t>(random.Below(3));
  for (uint32_t version = 1; version <= version_count; ++version) {
    definition.version = SchemaVersion(version);
    EXPECT_TRUE(history.Add(definition, {}).ok());
    size_t const key_count = definition.partition_key.size() + definition.range_key.size();
    if (random.OneIn(2) && definition.fields.size() > key_count) {
      definition.fields.pop_back();
    }
    definition.fields.push_back(
        {.name = StrCat("added", version), .order = {testing::RandomType(random)}});
  }
  return history;
}

Case RandomCase(Random& random) {
  Case one;
  one.space.distribution = random.OneIn(2) ? Distribution::kHash : Distribution::kRange;
  one.history = RandomHistory(random);
  const auto& versions = one.history.versions();
  one.asked = versions[random.Below(versions.size())];
  one.given = RandomRecord(*one.asked, random);
  one.key = *EncodeStorageKey(one.space, *one.asked, one.given);
  if (!random.OneIn(4)) {
    auto const stored = versions[random.Below(versions.size())];
    std::vector<Value> values = RandomRecord(*stored, random);
    for (uint32_t const field : stored->key_fields()) {
      values[field] = CanonicalKeyValue(one.given[field]);
    }
    one.found_row = *EncodeRow(*stored, values);
    one.found = ModelRecord{.schema = stored, .values = std::move(values)};
  }
  one.written = Timestamp(random.Below(20));
  one.safepoint = Timestamp(random.Below(20));
  RecordOperation& operation = one.operation;
  operation.kind = static_cast<OperationKind>(random.Below(4));
  operation.presence = static_cast<Presence>(random.Below(3));
  operation.distribution = one.space.distribution;
  operation.tells_row = random.OneIn(2);
  operation.ordinal = static_cast<uint32_t>(random.Below(1000));
  if (random.OneIn(4)) {
    operation.unchanged_since = Timestamp(random.Below(20));
  }
  if (random.OneIn(3)) {
    operation.filter = RandomFilter(*one.asked, random);
    if (!PlainEvaluate(*operation.filter, *one.asked, one.given)) {
      operation.filter.reset();  // does not fit the schema: who sends operations refuses it
    }
  }
  operation.row = *EncodeRow(*one.asked, one.given);
  if (operation.kind == OperationKind::kUpdate) {
    for (uint32_t const field : one.asked->value_fields()) {
      if (random.OneIn(2)) {
        operation.updated.push_back(field);
      }
    }
  }
  operation.schemas = {one.asked};
  for (const auto& version : versions) {
    if (version != one.asked && random.OneIn(2)) {
      operation.schemas.push_back(version);
    }
  }
  return one;
}

struct Expected {
  OperationOutcome outcome = OperationOutcome::kDone;
  std::optional<ModelRecord> record{};
};

bool Brings(const RecordOperation& operation, const Schema& version) {
  return std::any_of(operation.schemas.begin(), operation.schemas.end(),
                     [&](const auto& schema) { return schema->version() == version.version(); });
}

Expected Model(const Case& one) {
  const RecordOperation& operation = one.operation;
  bool const update = operation.kind == OperationKind::kUpdate;
  if (!one.found && (operation.presence == Presence::kPresent || update || operation.filter)) {
    return {.outcome = OperationOutcome::kAbsent};
  }
  if (one.found && operation.presence == Presence::kAbsent) {
    return {.outcome = OperationOutcome::kPresent};
  }
  if (operation.unchanged_since && one.written > *operation.unchanged_since) {
    return {.outcome = OperationOutcome::kChanged};
  }
  if (operation.unchanged_since && !one.found && *operation.unchanged_since < one.safepoint) {
    return {.outcome = OperationOutcome::kForgotten};
  }
  std::vector<Value> seen;
  if (update || operation.filter) {
    if (!Brings(operation, *one.found->schema)) {
      return {.outcome = OperationOutcome::kVersionMissing};
    }
    seen = ConvertRecord(*one.found->schema, *one.asked, one.found->values);
  }
  if (operation.filter && !*PlainEvaluate(*operation.filter, *one.asked, seen)) {
    return {.outcome = OperationOutcome::kFilterRejects};
  }
  switch (operation.kind) {
    case OperationKind::kPut:
      return {.record = ModelRecord{.schema = one.asked, .values = one.given}};
    case OperationKind::kUpdate:
      for (uint32_t const field : operation.updated) {
        seen[field] = one.given[field];
      }
      return {.record = ModelRecord{.schema = one.asked, .values = seen}};
    case OperationKind::kCheck:
      return {.record = one.found};
    default:
      return {};
  }
}

void ExpectSameRecord(const Case& one, const std::optional<ModelRecord>& expected,
                      const std::optional<std::string>& row) {
  ASSERT_EQ(row.has_value(), expected.has_value());
  if (!row) {
    return;
  }
  auto const version = ReadRowVersion(*row);
  ASSERT_TRUE(version.ok());
  ASSERT_EQ(*version, expected->schema->version());
  auto const values = DecodeRecord(one.space, *expected->schema, one.key, *row);
  ASSERT_TRUE(values.ok()) << values.status().ToString();
  for (size_t field = 0; field < values->size(); ++field) {
    EXPECT_TRUE(SameValue((*values)[field], expected->values[field])) << "field " << field;
  }
}

TEST(RecordRulesTest, DoesWhatAModelDoes) {
  SeededRandom random(TestSeed(2026));
  RecordRules const rules;
  std::array<int, kOperationOutcomeMax + 1> seen{};
  for (int round = 0; round < 4'000; ++round) {
    SCOPED_TRACE(round);
    Case const one = RandomCase(random);
    auto const bytes = EncodeOperation(one.operation);
    ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
    auto const evaluation = rules.Evaluate(*bytes, {.key = one.key,
                                                    .value = one.found_row,
                                                    .written = one.written,
                                                    .safepoint = one.safepoint});
    ASSERT_TRUE(evaluation.ok()) << evaluation.status().ToString();
    auto const result = DecodeOperationResult(evaluation->result);
    ASSERT_TRUE(result.ok());
    Expected const expected = Model(one);
    ++seen[static_cast<size_t>(expected.outcome)];
    ASSERT_EQ(result->outcome, expected.outcome);
    EXPECT_EQ(result->ordinal, one.operation.ordinal);
    EXPECT_EQ(evaluation->holds, expected.outcome == OperationOutcome::kDone);
    if (evaluation->holds) {
      ExpectSameRecord(one, expected.record, evaluation->value);
    }
    if (expected.outcome == OperationOutcome::kVersionMissing) {
      EXPECT_EQ(result->version, one.found->schema->version());
    } else if (!one.operation.tells_row) {
      EXPECT_EQ(result->row, std::nullopt);
    } else if (!evaluation->holds || one.operation.kind == OperationKind::kDelete) {
      EXPECT_EQ(result->row, one.found_row);
    } else {
      EXPECT_EQ(result->row, evaluation->value);
    }
    if (!rules.Reads(*bytes)) {  // then what is found makes no difference
      auto const blind = rules.Evaluate(*bytes, {.key = one.key, .value = {}});
      ASSERT_TRUE(blind.ok());
      EXPECT_EQ(blind->value, evaluation->value);
      EXPECT_EQ(blind->result, evaluation->result);
    }
    if (HasFatalFailure() || HasNonfatalFailure()) {
      return;
    }
  }
  for (int const count : seen) {
    EXPECT_GT(count, 10) << "an outcome hardly occurs";
  }
}

TEST(RecordRulesTest, BlindOperationsAreKnownAsSuch) {
  RecordRules const rules;
  SeededRandom random(TestSeed(1));
  Case one = RandomCase(random);
  one.operation = {.kind = OperationKind::kPut, .row = one.operation.row};
  EXPECT_FALSE(rules.Reads(*EncodeOperation(one.operation)));
  one.operation.kind = OperationKind::kDelete;
  EXPECT_FALSE(rules.Reads(*EncodeOperation(one.operation)));
  one.operation.unchanged_since = kNever;
  EXPECT_TRUE(rules.Reads(*EncodeOperation(one.operation)));
  EXPECT_TRUE(rules.Reads(""));
}

// Bytes from the network end anywhere and may be any.
TEST(OperationTest, EveryBeginningAndEveryFlippedBitIsAnOperationOrCorruption) {
  SeededRandom random(TestSeed(7));
  RecordRules const rules;
  for (int round = 0; round < 15; ++round) {
    Case const one = RandomCase(random);
    std::string const bytes = *EncodeOperation(one.operation);
    for (size_t at = 0; at < bytes.size(); ++at) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << random.Below(8)));
      for (const std::string& damaged : {bytes.substr(0, at), flipped}) {
        auto const evaluation = rules.Evaluate(damaged, {.key = one.key, .value = one.found_row});
        if (!evaluation.ok()) {
          EXPECT_THAT(evaluation.status().code(),
                      ::testing::AnyOf(StatusCode::kCorruption, StatusCode::kInvalidArgument,
                                       StatusCode::kFailedPrecondition))
              << evaluation.status().ToString();
        }
      }
    }
  }
}

TEST(OperationResultTest, SurvivesAndRefusesOthers) {
  for (uint8_t outcome = 0; outcome <= kOperationOutcomeMax; ++outcome) {
    OperationResult result{.outcome = static_cast<OperationOutcome>(outcome), .ordinal = 300};
    if (result.outcome == OperationOutcome::kVersionMissing) {
      result.version = SchemaVersion(77);
    } else {
      result.row = "row";
    }
    auto const again = DecodeOperationResult(EncodeOperationResult(result));
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*again, result);
  }
  for (std::string_view const bytes : {"", "\x09\x01", "\x01", "\x06\x01"}) {
    EXPECT_EQ(DecodeOperationResult(bytes).status().code(), StatusCode::kCorruption);
  }
}

}  // namespace
}  // namespace orochi::kv
