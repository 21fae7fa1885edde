#pragma once

#include <functional>
#include <string>
#include <vector>

namespace orochi::testing {

/// One step of a golden script: a command line, more lines of input, and the output expected.
///
///   # a comment, kept
///   encode delta int64
///   10 20 30
///   ----
///   3 bytes: 14 00 14
///
/// A step ends at an empty line; output lines hold no empty line.
struct DataDrivenStep {
  std::string command;                 // the first word
  std::vector<std::string> arguments;  // the other words of that line
  std::string input;                   // the lines between it and "----"
  int line = 0;                        // for messages
};

/// Runs every step of the script through `run`, which answers its output, and compares. With
/// OROCHI_REWRITE=1 in the environment, writes what came out into the script instead: read the
/// diff before you commit it. Returns the differences found, empty when there are none.
std::string RunDataDriven(const std::string& path,
                          const std::function<std::string(const DataDrivenStep&)>& run);

}  // namespace orochi::testing
