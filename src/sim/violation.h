#pragma once

#include <stdexcept>

namespace orochi::sim {

/// A promise was broken. A simulation stops where it sees it.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace orochi::sim
