#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "kv/client/caller.h"
#include "kv/client/records.h"

namespace orochi::kv::client {

enum class Isolation : uint8_t { kSerializable, kSnapshot };

/// What became of a transaction.
struct Outcome {
  enum class Kind : uint8_t {
    kOpen,  // it may still be decided
    kCommitted,
    kAborted,
    kUnknown  // nobody knows any more
  };
  Kind kind = Kind::kUnknown;
  uint64_t timestamp = 0;  // kCommitted
};

/// A transaction that lives between calls, at the node that began it. Until Commit is called
/// nothing of it can come to be, so all errors before that are certain: kAborted is a conflict,
/// kCancelled that it is gone (idle for a minute, or its node began anew), kUnavailable that the
/// node does not answer. After an error it can only be aborted, and begun anew.
///
/// Life:    Begin -> Read, Write ... -> Commit or Abort. Destroyed open, it is aborted, which may
///          wait for its node a second.
/// Threads: one at a time.    Borrows: the client.
class Transaction {
 public:
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  const std::string& id() const { return id_; }
  /// What any node needs to tell the outcome; empty: nothing was written yet.
  const std::string& anchor() const { return anchor_; }

  Result<ReadAnswer> Read(const Target& in, const Object& key);
  Result<Written> WriteOne(const client::Write& write);
  /// All or, when a condition does not hold, only those before it.
  Result<Written> WriteAll(const std::vector<client::Write>& writes);
  Result<QueryPage> RunQuery(const Query& query, const std::string& token = "");
  /// It is not idle.
  Status Heartbeat();

  /// The commit's timestamp. kAborted, and what a failed operation said: it is aborted.
  /// kOutcomeUnknown: Ask.
  Result<uint64_t> Commit();
  Status Abort();
  /// Its own node first, then the others.
  Result<Outcome> Ask();

 private:
  friend class Client;
  Transaction(Caller& caller, size_t node, std::string id)
      : caller_(&caller), node_(node), id_(std::move(id)) {}
  CallReply Post(std::string_view what, const Value& body);
  void Learn(const CallReply& reply);

  Caller* caller_;
  size_t node_;
  std::string id_;
  std::string anchor_;
  bool ended_ = false;
};

/// Client::Ask, at one node or at any.
Result<Outcome> AskOutcome(Caller& caller, const std::string& transaction,
                           const std::string& anchor, std::optional<size_t> node);

}  // namespace orochi::kv::client
