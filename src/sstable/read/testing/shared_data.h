#pragma once

#include <string>

namespace orochi::sstable::testing {

/// The directory of real SSTables, or empty where this machine has none: OROCHI_SHARED_DATA, or
/// shared/data next to the source tree. Tests that need it skip, and say so.
std::string SharedSstables();

}  // namespace orochi::sstable::testing
