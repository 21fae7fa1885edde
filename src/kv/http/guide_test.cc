// Goal: what docs/guide/kv-http.md shows is what happens.
// Method: runs its console blocks in order, in one directory, against a node in memory, and
// compares what they print; an ellipsis stands for anything within a line.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "base/str_cat.h"
#include "base/testing/temp_dir.h"
#include "kv/http/testing/single_node_server.h"

namespace orochi::kv::http {
namespace {

struct Step {
  std::string command;
  std::string output;
};

std::vector<Step> StepsOf(const std::string& path) {
  std::vector<Step> steps;
  std::ifstream guide(path);
  bool inside = false;
  bool in_command = false;
  for (std::string line; std::getline(guide, line);) {
    if (line.starts_with("```")) {
      inside = line == "```console";
    } else if (inside && line.starts_with("$ ")) {
      steps.push_back({.command = line.substr(2), .output = {}});
      in_command = true;
    } else if (inside && in_command && line.starts_with("  ")) {  // of a body over several lines
      steps.back().command += "\n" + line;
    } else if (inside) {
      in_command = false;
      steps.back().output += line + "\n";
    }
  }
  return steps;
}

std::string OutputOf(const std::string& command) {
  std::string output;
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) {
    return "cannot run it";
  }
  std::array<char, 4096> bytes;
  for (size_t size; (size = fread(bytes.data(), 1, bytes.size(), pipe)) > 0;) {
    output.append(bytes.data(), size);
  }
  pclose(pipe);
  return output;
}

// The text between ellipses is there, in order, from the beginning to the end.
bool Fits(const std::string& expected, const std::string& found) {
  constexpr std::string_view kAnything = "…";
  size_t at = 0;
  size_t from = 0;
  while (true) {
    size_t const end = expected.find(kAnything, from);
    std::string const part = expected.substr(from, end == std::string::npos ? end : end - from);
    size_t const place = from == 0 ? (found.starts_with(part) ? 0 : std::string::npos)
                         : end == std::string::npos && found.ends_with(part)
                             ? found.size() - part.size()
                             : found.find(part, at);
    if (place == std::string::npos || place < at) {
      return false;
    }
    at = place + part.size();
    if (end == std::string::npos) {
      return at == found.size();
    }
    from = end + kAnything.size();
  }
}

TEST(GuideTest, ItsCommandsPrintWhatItSays) {
  if (OutputOf("curl --version 2>/dev/null").empty()) {
    GTEST_SKIP() << "there is no curl on this machine";
  }
  testing::SingleNodeServer::Options options;
  options.server.thread_count = 4;
  testing::SingleNodeServer server(options);
  orochi::testing::TempDir const directory;
  auto const steps = StepsOf(OROCHI_DOCS_DIR "/guide/kv-http.md");
  ASSERT_GT(steps.size(), 10u);
  for (const Step& step : steps) {
    SCOPED_TRACE(step.command);
    std::string const found = OutputOf(StrCat(
        "cd ", directory.path(), " && KV=http://127.0.0.1:", server.port(), "; ", step.command));
    EXPECT_TRUE(Fits(step.output, found)) << "expected\n" << step.output << "found\n" << found;
  }
}

}  // namespace
}  // namespace orochi::kv::http
