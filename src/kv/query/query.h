#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/filter/bound_filter.h"
#include "kv/filter/expression.h"
#include "kv/record/schema_history.h"
#include "kv/record/storage_key.h"

namespace orochi::kv {

/// What becomes of records that another version of the schema wrote.
enum class VersionRule : uint8_t {
  kConvert = 0,   // read, filtered and returned as the query's version means them
  kOnly = 1,      // left out
  kAsStored = 2,  // filtered and returned in their own version
};

/// A place in the key order of a schema: before (or after) all keys that begin with these values.
struct KeyBound {
  std::vector<Value> fields;  // of the first key fields
  bool inclusive = true;      // whether those keys are inside
};

/// What is asked for. Bounds are in the order of keys, where a descending field's large values come
/// first, also when the answer comes in reverse.
struct Query {
  KeySpace space;
  SchemaVersion version;
  VersionRule version_rule = VersionRule::kConvert;
  std::vector<Value> prefix = {};  // only keys that begin with these
  std::optional<KeyBound> from = {};
  std::optional<KeyBound> to = {};
  bool reverse = false;
  std::optional<uint64_t> limit = {};        // records, over all pages
  std::vector<std::string> projection = {};  // fields; empty: all. Others come back NULL
  std::optional<Expression> filter = {};
};

struct QueryRecord {
  std::shared_ptr<const Schema> schema;  // whose fields these are
  std::vector<Value> values;
};

/// A query checked and made ready: which bytes it reads, and what it makes of a record there.
///
/// On hash collections without the whole partition key, the answer is all over the collection and
/// comes in the order of tokens.
///
/// Threads: const use from any, but Evaluate needs a RecordReader of its own for each thread.
class CompiledQuery {
 public:
  /// `history` is the schema's; the query keeps what it needs of it.
  ///   kNotFound            the history lacks the query's version
  ///   kInvalidArgument     bounds, projection or shape of the filter; names the field
  ///   kFailedPrecondition  with VersionRule::kConvert, the filter does not fit the version. With
  ///                        the other rules such a filter just passes no record.
  static Result<CompiledQuery> Make(Query query, const SchemaHistory& history);

  const Query& query() const { return query_; }
  /// In key order, without overlaps; perhaps none.
  const std::vector<ByteRange>& spans() const { return spans_; }
  /// The spans not yet read after (in reverse: before) `last_key`; all when that is empty.
  std::vector<ByteRange> SpansAfter(std::string_view last_key) const;
  /// Of all that decides the answer, but for the read timestamp.
  uint64_t digest() const { return digest_; }

  /// Scratch space of Evaluate.
  struct RecordReader {
    EncodedRecord encoded;
  };
  /// nullopt: not part of the answer. kFailedPrecondition: of a version that the history lacks, so
  /// the caller's schemas are old. kCorruption names what is damaged.
  Result<std::optional<QueryRecord>> Evaluate(std::string_view key, std::string_view row,
                                              RecordReader& reader) const;

 private:
  // How records of one stored version are read.
  struct VersionPlan {
    std::shared_ptr<const Schema> stored;
    std::shared_ptr<const Schema> result;
    std::vector<std::optional<uint32_t>> stored_field;  // by field of `result`
    std::vector<bool> projected;                        // by field of `result`
    std::optional<BoundFilter> filter;                  // on `result`
    bool skip = false;                                  // no record of this version passes
  };
  struct FieldBounds {  // encoded key fields, without the header of a storage key
    std::string begin;
    std::optional<std::string> end;
  };

  Status CompileBounds(const Schema& schema);
  Status CompileVersions(const SchemaHistory& history);
  Result<VersionPlan> PlanVersion(std::shared_ptr<const Schema> stored,
                                  std::shared_ptr<const Schema> asked) const;
  void CompileSpans(const Schema& schema);
  Status ComputeDigest();
  std::optional<std::string> FixedPartitionKey(const Schema& schema) const;

  Query query_;
  SchemaId schema_id_;
  FieldBounds bounds_;
  std::vector<ByteRange> spans_;
  std::vector<VersionPlan> versions_;  // ascending
  uint64_t digest_ = 0;
};

}  // namespace orochi::kv
