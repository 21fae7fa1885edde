#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/str_cat.h"
#include "kv/gateway/gateway.h"

namespace orochi::kv {

/// A transaction of a client, or one of the gateway's own, and the operations that wait for each
/// other in it.
struct Gateway::Open {
  Open(CoordinatorHost& host, uint64_t high, uint64_t low, const Transaction::Options& options)
      : transaction(host, high, low, options) {}

  struct Waiting {
    Work work;
    std::function<void(Status)> refused;
  };

  /// After this it can only be aborted. Answers the same as what failed.
  Status Fail(const Status& error) {
    if (!failed) {
      failed = {error.code(), error.message()};
    }
    return Failed();
  }
  Status Failed() const { return failed ? Status(failed->first, failed->second) : Status::Ok(); }

  /// Ok when one more may be done in it.
  Status CountOperation(const GatewayOptions& options) {
    RETURN_IF_ERROR(Failed());
    if (operation_count >= options.transaction_operation_count_max) {
      return Status::InvalidArgument(StrCat("the transaction has had ", operation_count,
                                            " operations, at most ",
                                            options.transaction_operation_count_max));
    }
    ++operation_count;
    return Status::Ok();
  }

  Transaction transaction;
  std::deque<Waiting> waiting;
  bool writes_move = true;
  bool busy = false;
  bool ended = false;
  int idle_ticks = 0;
  size_t operation_count = 0;
  std::optional<std::pair<StatusCode, std::string>> failed;
};

/// What an outcome that is not ok means for the transaction. `error`: why a leader gave none.
inline Status FailureOf(Outcome outcome, const std::shared_ptr<const Status>& error) {
  if (outcome == Outcome::kTooOld) {
    return Status::OutOfRange("the transaction began, or reads, before what the store still has");
  }
  return error != nullptr ? *error
                          : Status::Aborted("others changed what the transaction read or writes");
}

}  // namespace orochi::kv
