#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kv/gateway/gateway.h"

namespace orochi::kv {

/// Reads, then writes: within a client's transaction, or one of the gateway's that is begun anew
/// after a conflict.
struct Gateway::Batch {
  struct Write {
    WriteOne asked;
    RecordOperation operation;
    std::string key;
    std::string bytes{};  // of the operation
  };

  std::vector<ReadOne> reads{};
  std::vector<Write> writes{};
  bool commits = true;  // the gateway's own transaction
  BatchResult result{};
  int conflict_count = 0;
  Done<BatchResult> done{};
};

}  // namespace orochi::kv
