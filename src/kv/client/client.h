#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/posix/system_clock.h"
#include "kv/client/caller.h"
#include "kv/client/records.h"
#include "kv/client/transaction.h"
#include "kv/client/value.h"

namespace orochi::kv::client {

struct FieldDefinition {
  std::string name = {};
  std::string type = {};  // "int64", "text", ...: docs/formats/kv-wire.md
  bool descending = false;
  bool nulls_last = false;
};

struct SchemaDefinition {
  std::string name = {};
  uint32_t version = 1;
  std::vector<FieldDefinition> fields = {};
  std::vector<std::string> partition_key = {};
  std::vector<std::string> range_key = {};

  const FieldDefinition* FindField(std::string_view field) const;
  std::vector<std::string> KeyFields() const;  // partition key, then range key
};

struct CollectionDefinition {
  std::string name = {};
  bool by_range = false;  // else by hash
  std::optional<uint32_t> partition_count = {};
};

/// What is known of a collection: its schemas by name, with their versions.
struct CollectionInfo {
  CollectionDefinition definition = {};
  uint64_t id = 0;
  std::vector<std::pair<std::string, std::vector<uint64_t>>> schemas = {};
};

/// The key-value store over HTTP/1.1 (docs/guide/kv-http.md), TCP or Unix sockets, without TLS.
/// Needs the standard library and POSIX only.
///
///   ASSIGN_OR_RETURN(auto client, Client::Create({.nodes = {"127.0.0.1:8001",
///   "127.0.0.1:8002"}})); ASSIGN_OR_RETURN(Written done, client->WriteOne(Write::Put({"shop",
///   "item"}, {{"id", 1}})));
///
/// Requests go to one node until it fails, then to the next. What certainly did not happen is
/// tried again until the deadline: the node could not be reached or was not sent the whole
/// request, or said unavailable or overloaded (and Retry-After). What only reads is always tried
/// again. A write whose outcome is not known never is: it is kOutcomeUnknown.
///
/// Errors: as CallReply::status has them. A condition that does not hold is no error.
/// Threads: any.    Life: outlives its transactions.
class Client {
 public:
  /// Reaches nobody yet. kInvalidArgument, kUnsupported for addresses.
  static Result<std::unique_ptr<Client>> Create(ClientOptions options);

  // collections.cc
  Result<CollectionInfo> CreateCollection(const CollectionDefinition& definition);
  Result<std::vector<CollectionInfo>> ListCollections();
  Result<CollectionInfo> FindCollection(const std::string& name);
  Status DropCollection(const std::string& name);
  Result<SchemaDefinition> CreateSchema(const std::string& collection,
                                        const SchemaDefinition& schema);
  Result<std::vector<SchemaDefinition>> ListSchemas(const std::string& collection);
  Result<SchemaDefinition> FindSchema(const std::string& collection, const std::string& schema,
                                      std::optional<uint32_t> version = std::nullopt);

  // Each call is a transaction of its own, begun anew after a conflict.
  Result<ReadAnswer> Read(const Target& in, const Object& key);
  Result<Written> WriteOne(const Write& write);
  /// All or none.
  Result<Written> WriteAll(const std::vector<Write>& writes);
  /// Reads, then writes.
  Result<BatchAnswer> RunBatch(const std::vector<KeyRead>& reads, const std::vector<Write>& writes);
  /// All pages see the state of the first. `token` is that of the page before.
  Result<QueryPage> RunQuery(const Query& query, const std::string& token = "");
  /// All records, page by page, until `each` says false.
  Status Scan(const Query& query, const std::function<bool(const Value& record)>& each);

  // Simple keys: any bytes under a name.
  Result<std::optional<std::string>> GetKey(const std::string& key);
  Status PutKey(const std::string& key, const std::string& value);
  /// false: there was none.
  Result<bool> DeleteKey(const std::string& key);

  // transaction.cc
  Result<Transaction> Begin(Isolation isolation = Isolation::kSerializable);
  /// Begins a transaction, runs `body`, commits. After a conflict, and only then, all of it again,
  /// until the deadline: so `body` may run several times. What `body` answers otherwise ends the
  /// transaction, and is answered. An unknown commit is asked about: kOutcomeUnknown is what is
  /// still unknown at the deadline, and its message has what Client::Ask needs.
  /// kAborted: nothing but conflicts.
  Status RunTransaction(const std::function<Status(Transaction&)>& body,
                        Isolation isolation = Isolation::kSerializable);
  /// What became of a transaction. Any node answers when it is given the anchor.
  Result<Outcome> Ask(const std::string& transaction, const std::string& anchor);

  /// Any other route; the answer's document is in it.
  CallReply Call(const CallRequest& request) { return caller_->Call(request); }

 private:
  Client() = default;
  CallReply Post(const std::string& target, const Value& body, bool only_reads, bool is_whole);
  Status CommitSurely(Transaction& transaction, int64_t until_us);

  io::SystemClock clock_;
  std::unique_ptr<Caller> caller_;
};

}  // namespace orochi::kv::client
