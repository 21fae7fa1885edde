#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "kv/gateway/catalog.h"
#include "kv/operation/operation.h"
#include "kv/query/page.h"
#include "kv/query/query.h"
#include "kv/txn/coordinator.h"

namespace orochi::kv {

struct GatewayOptions {
  size_t value_size_bytes_max = 1024 * 1024;  // of a row
  size_t batch_operation_count_max = 1'000;
  size_t batch_size_bytes_max = 8 * 1024 * 1024;
  size_t open_transaction_count_max = 10'000;
  size_t transaction_operation_count_max = 10'000;
  size_t transaction_queue_count_max = 64;  // operations that wait for an earlier one
  PageBounds page_bounds_max = {
      .record_count_max = 10'000, .scanned_count_max = 100'000, .size_bytes_max = 4 * 1024 * 1024};
  int64_t idle_us = 60'000'000;        // after which an open transaction is aborted
  int64_t begin_us_max = 5'000'000;    // to wait for the oracle
  int conflict_attempt_count_max = 6;  // of what the gateway may begin anew itself
  size_t ended_count_max = 10'000;     // transactions whose outcome is remembered
  /// The cluster's, 32 bytes or more. What is missing is drawn, and tokens are good here only then.
  std::string continuation_secret = {};
};

/// A schema version to read and write by.
struct SchemaHandle {
  Catalog::Collection collection;
  std::shared_ptr<const Schema> schema;

  KeySpace space() const { return collection->space(); }
  const SchemaHistory& history() const { return *collection->FindSchema(schema->name()); }
};

struct Record {
  std::shared_ptr<const Schema> schema;  // whose fields these are
  std::vector<Value> values;
};

struct ReadOne {
  SchemaHandle in;
  std::vector<Value> key = {};  // one value per field; only key fields count
  bool as_stored = false;       // in the version that wrote it; else in that of `in`
};

struct ReadResult {
  std::optional<Record> record = {};
  Timestamp timestamp{};  // as of which
};

struct WriteOne {
  SchemaHandle in;
  OperationKind kind = OperationKind::kPut;
  std::vector<Value> values = {};  // one per field; of all but kPut only keys and `updated` count
  std::vector<uint32_t> updated = {};  // kUpdate
  Presence presence = Presence::kAny;
  std::optional<Timestamp> unchanged_since = {};
  std::optional<Expression> filter = {};
  bool tells_row = false;
};

struct WriteResult {
  OperationOutcome outcome = OperationOutcome::kDone;  // of the first that was not done, if any
  size_t failed = 0;                                   // which that is
  std::vector<std::optional<Record>> rows =
      {};                 // where asked for; only of the failed if one failed
  Timestamp timestamp{};  // of the commit; within a transaction kNever
};

struct BatchResult {
  std::vector<ReadResult> reads = {};
  WriteResult written = {};
};

/// Pages of a query that no transaction is given for see the state of one timestamp, which the
/// token carries.
struct QueryOne {
  SchemaHandle in;
  Query query;             // of `in`
  std::string token = {};  // of the page before; empty: the first
  PageBounds bounds = {};
};
struct QueryResult {
  std::vector<QueryRecord> records = {};
  std::string token = {};  // of the next page; empty: this was the last
  size_t scanned_count = 0;
};

struct BeginOptions {
  Isolation isolation = Isolation::kStrictSerializable;
  /// false: a write of what others read or wrote since the beginning fails (kOutOfRange) and does
  /// not move behind them.
  bool writes_move = true;
};

enum class Decision : uint8_t { kOpen, kCommitted, kAborted, kUnknown };
struct InquiryResult {
  Decision decision = Decision::kUnknown;
  Timestamp timestamp{};  // kCommitted
};

/// How transactions have ended since the gateway is there.
struct GatewayStatistics {
  // Those that clients began.
  uint64_t begun = 0;
  uint64_t committed = 0;
  uint64_t aborted = 0;  // also those that were idle
  uint64_t idle = 0;     // aborted for that
  uint64_t unknown = 0;
  // Writes and batches that are transactions of their own.
  uint64_t single_committed = 0;
  uint64_t single_condition = 0;  // one did not hold
  uint64_t single_conflict = 0;   // given up after several attempts
  uint64_t single_unknown = 0;
  uint64_t single_failed = 0;
  uint64_t restarted = 0;  // attempts after a conflict
};

/// "0011...eeff-000000000000abcd": high and low, then start.
std::string TransactionText(const TransactionId& id);
/// kInvalidArgument for other text.
Result<TransactionId> ParseTransactionText(std::string_view text);

/// What the store can do for its clients, as asynchronous calls: records of collections by schema,
/// transactions that live between calls, queries by page.
///
/// Errors of all calls, by code:
///   kInvalidArgument     the request can never succeed, or is past a limit of GatewayOptions
///   kNotFound            collection, schema, version or field
///   kAlreadyExists, kFailedPrecondition   of the catalog
///   kAborted             lost a conflict: the transaction can only be aborted, and begun anew
///   kOutOfRange          as of a time of which the store keeps no versions any more
///   kCancelled           the transaction is not open here: it ended, or was idle too long
///   kResourceExhausted   too much at once: later it may succeed
///   kUnavailable         nobody who could do it answers; nothing happened
///   kOutcomeUnknown      it may have happened; ask Inquire if the message names a transaction
///   kCorruption, kInternal
///
/// Threads: none; all happens in calls and in what host and catalog call back. `done` is called
/// once, perhaps from within. Open transactions are aborted after a while when the gateway goes.
/// Borrows: host, catalog, random.
class Gateway {
 public:
  template <class T>
  using Done = std::function<void(Result<T>)>;
  using InTransaction = std::optional<TransactionId>;

  Gateway(CoordinatorHost& host, Catalog& catalog, Random& random, GatewayOptions options);

  const GatewayOptions& options() const { return options_; }
  Catalog& catalog() { return catalog_; }

  // schemas.cc
  void FindCollection(std::string name, Done<Catalog::Collection> done);
  /// Without a version the newest.
  void FindSchema(std::string collection, std::string schema, std::optional<SchemaVersion> version,
                  Done<SchemaHandle> done);

  // Without a transaction these are transactions of their own, begun anew after a conflict.
  void Read(const InTransaction& transaction, ReadOne request, Done<ReadResult> done);
  /// All or, when a condition does not hold, none of them; within a transaction those before it.
  void Write(const InTransaction& transaction, std::vector<WriteOne> writes,
             Done<WriteResult> done);
  void RunQuery(const InTransaction& transaction, QueryOne request, Done<QueryResult> done);
  /// Reads, then writes, as one transaction.
  void RunBatch(std::vector<ReadOne> reads, std::vector<WriteOne> writes, Done<BatchResult> done);

  // transactions.cc
  void Begin(const BeginOptions& options, Done<TransactionId> done);
  /// kAborted, and what a failed operation of the transaction said, mean that it is aborted.
  void Commit(const TransactionId& id, Done<Timestamp> done);
  void Abort(const TransactionId& id, std::function<void(Status)> done);
  /// Not idle.
  Status Heartbeat(const TransactionId& id);
  /// `anchor` as AnchorOf told it; by default what is remembered here.
  void Inquire(const TransactionId& id, std::optional<std::string> anchor,
               Done<InquiryResult> done);
  /// Which partition decides about it, by a key there; empty: not known here.
  std::string AnchorOf(const TransactionId& id) const;
  /// The open transaction that began then.
  std::optional<TransactionId> FindOpen(Timestamp start) const;
  size_t open_transaction_count() const { return open_.size(); }
  const GatewayStatistics& statistics() const { return statistics_; }

 private:
  struct Open;
  struct Batch;
  struct Page;
  struct Ended {
    TransactionId id;
    std::string anchor;
    InquiryResult result;
  };
  using OpenPointer = std::shared_ptr<Open>;  // the table's, and that of calls on their way
  // What one operation does; it calls `next` when it has answered.
  using Work = std::function<void(const OpenPointer& open, std::function<void()> next)>;

  // transactions.cc
  OpenPointer NewOpen(const BeginOptions& options = {});
  void BeginStamped(const OpenPointer& open, std::function<void(Status)> begun);
  /// Runs `work` when the transaction's operations before it are done. `refused` when it cannot.
  void Run(const TransactionId& id, Work work, const std::function<void(Status)>& refused);
  void RunNext(const OpenPointer& open);
  void End(const OpenPointer& open, const InquiryResult& result);
  void Remember(const Ended& ended);
  void Arm();
  void Tick();
  void AskAnchor(const TransactionId& id, const std::string& anchor, Done<InquiryResult> done);
  Status NotOpen(const TransactionId& id) const;

  // reads.cc
  void ReadRecord(const OpenPointer& open, const ReadOne& request, Done<ReadResult> done);
  /// A row as a record; looks for a version that is not known here yet.
  void Tell(const SchemaHandle& in, const std::string& key, const std::string& row, bool as_stored,
            Done<Record> done);
  void FindVersion(const SchemaHandle& in, SchemaVersion version,
                   Done<std::shared_ptr<const Schema>> done);

  // writes.cc
  Result<std::shared_ptr<Batch>> Prepare(std::vector<ReadOne> reads,
                                         std::vector<WriteOne> writes) const;
  void WriteWithin(const OpenPointer& open, const std::shared_ptr<Batch>& batch, size_t index);
  void Took(const std::shared_ptr<Batch>& batch, size_t index, const OperationResult& result,
            std::function<void(Status)> next);
  void AddVersion(const std::shared_ptr<Batch>& batch, size_t index, SchemaVersion version,
                  std::function<void(Status)> done);
  void SendOneShot(const std::shared_ptr<Batch>& batch);
  void TakeOneShot(const std::shared_ptr<Batch>& batch, const Answer& answer, size_t index);

  // batches.cc
  void StartBatch(const std::shared_ptr<Batch>& batch);
  void CountSingle(const Result<BatchResult>& result);
  void RunAttempt(const std::shared_ptr<Batch>& batch);
  void ReadNext(const OpenPointer& open, const std::shared_ptr<Batch>& batch, size_t index);
  void FinishWrites(const OpenPointer& open, const std::shared_ptr<Batch>& batch, Status error);
  void CommitAttempt(const OpenPointer& open, const std::shared_ptr<Batch>& batch);
  void EndAttempt(const OpenPointer& open, const std::shared_ptr<Batch>& batch, Status error);
  void TryAgain(const std::shared_ptr<Batch>& batch, Status error);

  // queries.cc
  void StartPage(const std::shared_ptr<Page>& page);
  void ContinuePage(const std::shared_ptr<Page>& page);
  void PageFailed(const std::shared_ptr<Page>& page, Status error);

  template <class... Arguments>
  std::function<void(Arguments...)> WhileHere(std::function<void(Arguments...)> body) {
    return [here = std::weak_ptr<int>(here_), body = std::move(body)](Arguments... arguments) {
      if (!here.expired()) {
        body(std::move(arguments)...);
      }
    };
  }

  CoordinatorHost& host_;
  Catalog& catalog_;
  Random& random_;
  GatewayOptions options_;
  std::map<Timestamp, OpenPointer> open_;  // by start, which no two share
  struct Beginning {
    int ticks = 0;
    std::function<void(Status)> begun;
  };
  std::map<uint64_t, Beginning> beginning_;  // wait for their first timestamp
  uint64_t next_beginning_ = 0;
  bool armed_ = false;
  std::map<Timestamp, Ended> ended_;
  std::deque<Timestamp> ended_order_;
  GatewayStatistics statistics_;
  std::shared_ptr<int> here_ = std::make_shared<int>(0);
};

}  // namespace orochi::kv
