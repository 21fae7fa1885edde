#include "base/testing/data_driven.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/str_cat.h"

namespace orochi::testing {
namespace {

constexpr const char* kSeparator = "----";

std::vector<std::string> ReadLines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::string WithNewline(std::string text) {
  if (!text.empty() && text.back() != '\n') {
    text.push_back('\n');
  }
  return text;
}

DataDrivenStep ParseCommand(const std::string& text, int line) {
  DataDrivenStep step;
  step.line = line;
  std::istringstream words(text);
  words >> step.command;
  for (std::string word; words >> word;) {
    step.arguments.push_back(word);
  }
  return step;
}

}  // namespace

std::string RunDataDriven(const std::string& path,
                          const std::function<std::string(const DataDrivenStep&)>& run) {
  std::vector<std::string> const lines = ReadLines(path);
  std::string differences;
  std::string rewritten;
  size_t step_count = 0;
  for (size_t at = 0; at < lines.size();) {
    if (lines[at].empty() || lines[at].starts_with('#')) {
      rewritten += lines[at++] + "\n";
      continue;
    }
    DataDrivenStep step = ParseCommand(lines[at], static_cast<int>(at) + 1);
    rewritten += lines[at++] + "\n";
    while (at < lines.size() && lines[at] != kSeparator) {
      step.input += lines[at] + "\n";
      rewritten += lines[at++] + "\n";
    }
    if (at == lines.size()) {
      return StrCat(path, ":", step.line, ": a step without ", kSeparator, "\n");
    }
    rewritten += lines[at++] + "\n";
    std::string expected;
    while (at < lines.size() && !lines[at].empty()) {
      expected += lines[at++] + "\n";
    }
    ++step_count;
    std::string const found = WithNewline(run(step));
    rewritten += found;
    if (found != expected) {
      differences += StrCat(path, ":", step.line, ": ", step.command, "\nexpected:\n", expected,
                            "found:\n", found);
    }
  }
  if (step_count == 0) {  // a script that cannot be read must not pass
    return StrCat(path, ": no steps\n");
  }
  const char* const rewrite = std::getenv("OROCHI_REWRITE");
  if (rewrite != nullptr && std::string_view(rewrite) == "1") {
    std::ofstream(path) << rewritten;
    return {};
  }
  return differences;
}

}  // namespace orochi::testing
