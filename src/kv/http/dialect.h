#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kv/gateway/gateway.h"
#include "kv/http/message.h"
#include "kv/wire/place.h"

namespace orochi::kv::http {

/// The chogori platform's HTTP API: POST /api/{name} with MessagePack arrays by position, always
/// answered with HTTP 200 and [[code, message], response]; GET /api lists the names.
///
/// Where it differs from its model: a transaction is known by the timestamp of its begin, of which
/// the clock id and the error are 1 and 0; queries on hash collections are answered, not refused;
/// pages are as large as the store's, and their keys are its sealed continuation tokens; priorities
/// and time limits of transactions are read and not used.
///
/// Threads: the loop's.    Borrows: gateway.
class Dialect {
 public:
  Dialect(Gateway& gateway, size_t query_count_max)
      : gateway_(gateway), query_count_max_(query_count_max) {}
  void Handle(Call call, Done done);
  static std::vector<std::string_view> VerbNames();

 private:
  struct Answer {  // of one call
    int code = 200;
    std::string message = {};
    Document response = {};  // an array
  };
  using Answered = std::function<void(Answer)>;
  using BodyPointer = std::shared_ptr<const Document>;
  using Handler = void (Dialect::*)(const BodyPointer& body, Answered answered);
  struct Verb {
    std::string_view name;
    std::string_view description;
    Handler handler;
    Document (*empty)();  // the response of what failed
  };
  struct OpenQuery {
    Timestamp transaction;
    QueryOne asked;
    std::string position = {};  // for clients that leave the pages' keys to the server
  };

  static const std::vector<Verb>& Verbs();
  static Answer Failed(const Status& error);

  void CreateCollection(const BodyPointer& body, Answered answered);
  void DropCollection(const BodyPointer& body, Answered answered);
  void CreateSchema(const BodyPointer& body, Answered answered);
  void GetSchema(const BodyPointer& body, Answered answered);
  void TxnBegin(const BodyPointer& body, Answered answered);
  void TxnEnd(const BodyPointer& body, Answered answered);
  void Read(const BodyPointer& body, Answered answered);
  void Write(const BodyPointer& body, Answered answered);
  void CreateQuery(const BodyPointer& body, Answered answered);
  void Query(const BodyPointer& body, Answered answered);
  void DestroyQuery(const BodyPointer& body, Answered answered);

  Result<TransactionId> OpenTransaction(const Place& timestamp) const;
  void FindStored(const Place& collection, const Place& schema, const Place& storage,
                  Gateway::Done<SchemaHandle> done);
  void FinishWrite(const TransactionId& id, WriteOne write, Answered answered);
  bool IsOwn(Timestamp transaction) const;
  void Own(Timestamp transaction, const std::string& user);
  void ForgetQueries(Timestamp transaction);
  void ForgetGone();

  Gateway& gateway_;
  size_t query_count_max_;
  std::map<uint64_t, OpenQuery> queries_;
  uint64_t next_query_ = 1;
  std::string user_ = {};  // of the call that is being read: handlers look at it before they return
  std::map<Timestamp, std::string> owners_ = {};  // of transactions that users began here
  static constexpr size_t kOwnerCountSlack = 1'000;
};

}  // namespace orochi::kv::http
