#pragma once

#include <cstdint>
#include <vector>

#include "raft/types.h"

namespace orochi::raft::simulation {

/// A list of numbers to which every command appends one: what it holds says which commands were
/// applied, in which order, and how often.
struct ListState {
  LogIndex applied;
  Term applied_term;
  std::vector<uint64_t> numbers;
};

}  // namespace orochi::raft::simulation
