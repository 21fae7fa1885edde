#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "kv/client/http_message.h"
#include "kv/client/node_pool.h"
#include "kv/client/value.h"

namespace orochi::kv::client {

struct ClientOptions {
  /// One or more; any node takes any request. See ParseNodeAddress.
  std::vector<std::string> nodes = {};
  std::string token = {};                  // sent as a bearer token; empty: none
  int64_t deadline_us = 10'000'000;        // of a call with all its attempts
  int64_t read_attempt_us = 3'000'000;     // after which a read is tried at another node
  int64_t connect_us = 1'000'000;          // of one attempt
  size_t idle_connection_count_max = 64;   // that are kept for a node
  int transaction_attempt_count_max = 20;  // of RunTransaction
};

/// One request to the store.
struct CallRequest {
  std::string method = "GET";
  std::string target = {};        // path and parameters, encoded
  std::string content_type = {};  // of the body
  std::string body = {};
  bool only_reads = false;  // asking again does no harm, whatever became of it
  bool is_whole = false;    // it is a transaction of its own: after a conflict it is sent anew
  std::optional<size_t> only_node = {};  // asked once, and no other
  int64_t deadline_us = 0;               // 0: that of the options
};

/// What came of it. Not ok: `http` and `document` are what the last node answered, if one did.
struct CallReply {
  /// By the code in the answer:
  ///   kInvalidArgument, kNotFound, kAlreadyExists, kFailedPrecondition, kOutOfRange (too old),
  ///   kPermissionDenied, kUnsupported (a route that the node does not have), kCorruption,
  ///   kInternal kAborted             a conflict kCancelled           the transaction is gone
  ///   kUnavailable, kResourceExhausted   nothing happened, at no node, until the deadline
  ///   kTimeout             of what only reads
  ///   kOutcomeUnknown      it may or may not have happened, now or later
  /// A condition that did not hold is ok, with http.status 412.
  Status status = {};
  HttpResponse http = {};
  Value document = {};  // of the body; null where that is raw
  size_t node = 0;      // that answered
};

/// Sends requests until the outcome is known, but nothing twice whose outcome is not.
///
/// Threads: any.    Borrows: clock.
class Caller {
 public:
  static Result<std::unique_ptr<Caller>> Create(ClientOptions options, Clock& clock, uint64_t seed);

  CallReply Call(const CallRequest& request);

  const ClientOptions& options() const { return options_; }
  NodePool& pool() { return pool_; }
  int64_t NowMicros() { return clock_.MonotonicNanos() / 1000; }
  /// A pause before an attempt, longer the more there were, and by chance.
  void Pause(int attempt, int64_t until_us);

 private:
  struct Attempt;
  struct Exchange;

  Caller(ClientOptions options, std::vector<NodeAddress> nodes, Clock& clock, uint64_t seed);
  Exchange Send(size_t node, const CallRequest& request, int64_t until_us);
  CallReply Understand(const CallRequest& request, size_t node, HttpResponse http) const;
  CallReply CallNode(const CallRequest& request, size_t node, int64_t until_us, bool& is_certain);

  ClientOptions options_;
  Clock& clock_;
  NodePool pool_;
  std::atomic<uint64_t> seed_;
};

}  // namespace orochi::kv::client
