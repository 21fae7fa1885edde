#pragma once

#include "kv/txn/partition_host.h"

namespace orochi::kv {

/// What operations on records (operation.h) mean at the leader of their partition: values are rows,
/// partial updates are resolved to whole ones, results are OperationResult.
///
/// Errors: kCorruption for an operation or a row that is none.
/// Threads: any; it has no state.
class RecordRules final : public OperationRules {
 public:
  bool Reads(std::string_view operation) const override;
  Result<Evaluation> Evaluate(std::string_view operation, const Current& current) const override;
};

}  // namespace orochi::kv
