#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kv/client/caller.h"
#include "kv/client/value.h"

namespace orochi::kv::client {

/// Which records: those of a schema, as a version has them (without one the newest).
struct Target {
  std::string collection = {};
  std::string schema = {};
  std::optional<uint32_t> version = {};
};

/// What must be true of a record, else nothing is written. All of what is given.
struct Condition {
  std::optional<bool> is_present = {};
  std::optional<uint64_t> unchanged_since = {};  // a timestamp that some answer had
  Value filter = {};                             // as docs/formats/kv-wire.md has it; null: none
};

/// One write; made by the functions below.
struct Write {
  enum class Kind : uint8_t { kPut, kInsert, kUpdate, kDelete, kCheck };

  Kind kind = Kind::kPut;
  Target in;
  Object record = {};  // kPut, kInsert: all fields
  Object key = {};     // the others: the key fields
  Object set = {};     // kUpdate
  Condition condition = {};
  bool returns_record = false;  // as it is then; of kDelete what went

  static Write Put(Target in, Object record);
  static Write Insert(Target in, Object record);  // if there is none
  static Write Update(Target in, Object key, Object set);
  static Write Delete(Target in, Object key);
  /// Writes nothing new, but the condition holds until the transaction ends.
  static Write Check(Target in, Object key, Condition condition);

  Write If(Condition its_condition) &&;
  Write Returning() &&;
};

/// What came of one or more writes that are done together.
struct Written {
  bool done = false;          // false: a condition did not hold, and nothing was written
  uint64_t timestamp = 0;     // done, and not within a transaction
  Value::Array records = {};  // of those that asked for it, by the order of the writes; else null

  // Not done:
  std::string reason = {};  // "absent", "present", "filter", "changed", "forgotten"
  size_t failed = 0;        // which write
  Value record = {};        // of that one, where it asked for it; else null
};

struct ReadAnswer {
  Value record = {};  // null: there is none
  uint32_t version = 0;
  uint64_t timestamp = 0;  // as of which
};

struct KeyRead {
  Target in;
  Object key;
};

struct BatchAnswer {
  Value::Array records = {};  // of the reads, in their order; null where there is none
  Written written = {};
};

struct Query {
  struct Bound {
    Value::Array fields;  // values of the first key fields
    bool inclusive = false;
  };

  Target in;
  Value::Array prefix = {};  // values of the first key fields
  std::optional<Bound> from = {};
  std::optional<Bound> to = {};
  bool reverse = false;
  std::optional<uint64_t> limit = {};
  Value filter = {};                          // null: none
  std::vector<std::string> projection = {};   // empty: all fields
  std::optional<uint64_t> page_records = {};  // after which a page ends
};

struct QueryPage {
  Value::Array records = {};
  uint64_t scanned_count = 0;
  std::string token = {};  // of the next page; empty: this was the last
};

// Documents of the store for these, and what its answers say. kCorruption: that is something else.
Object DocumentOf(const Write& write);
Object DocumentOf(const Target& in);
Object DocumentOf(const KeyRead& read);
Object DocumentOf(const Query& query, const std::string& token);
Result<Written> WrittenFrom(const CallReply& reply);
Result<ReadAnswer> ReadAnswerFrom(const CallReply& reply);
Result<BatchAnswer> BatchAnswerFrom(const CallReply& reply);
Result<QueryPage> QueryPageFrom(const CallReply& reply);

}  // namespace orochi::kv::client
