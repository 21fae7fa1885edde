#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace orochi::sim {

/// What a client saw of a transaction over lists to which transactions append: each number is
/// appended once ever, so that a list tells who wrote it, in which order.
struct ListTransaction {
  enum class End : uint8_t {
    kCommitted,
    kAborted,
    kUnknown,  // to be told from what others read
  };
  struct Step {
    std::string key;
    bool appends = false;
    uint64_t number = 0;         // that it appended
    std::vector<uint64_t> list;  // or that it read
  };

  uint64_t name = 0;
  int64_t begin_us = 0;
  int64_t end_us = 0;  // when the client heard of it; of no meaning for kUnknown
  End end = End::kCommitted;
  std::vector<Step> steps;
};

/// Whether transactions that only append to lists and read them are strictly serializable, from
/// what was read alone: nothing the system says of itself is believed. Looks for numbers of aborted
/// transactions, lists that stop in the middle of a transaction, lists that contradict each other,
/// and cycles of "wrote before", "was read by", "read before it was written" and "ended before the
/// other began". Answers what is wrong, empty when nothing is.
///
/// After: Kingsbury, Alvaro: "Elle: Inferring Isolation Anomalies from Experimental Observations"
/// (VLDB 2020). Time: O(n log n) in steps and transactions.
std::string FindAnomaly(const std::vector<ListTransaction>& transactions);

}  // namespace orochi::sim
