#pragma once

#include "kv/txn/partition_host.h"

namespace orochi::kv::simulation {

/// Values are lists of numbers, written one after the other, so that a value tells who wrote it.
///   p<number>  the list of that number alone, whatever was there
///   a<number>  the list with the number behind it
///   n<number>  the list of that number, if there is none yet
///   d          no list
class ListRules final : public OperationRules {
 public:
  bool Reads(std::string_view operation) const override {
    return operation[0] == 'a' || operation[0] == 'n';
  }
  Result<Evaluation> Evaluate(std::string_view operation, const Current& found) const override {
    const std::optional<std::string>& current = found.value;
    std::string const number = ";" + std::string(operation.substr(1));
    switch (operation[0]) {
      case 'p':
        return Evaluation{.value = number};
      case 'a':
        return Evaluation{.value = current.value_or("") + number};
      case 'n':
        return current ? Evaluation{.holds = false, .value = {}, .result = *current}
                       : Evaluation{.value = number};
      default:
        return Evaluation{};
    }
  }
};

}  // namespace orochi::kv::simulation
