// Goal: golden scripts report every difference by line, and rewriting keeps all but the outputs.
#include "base/testing/data_driven.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/testing/temp_dir.h"

namespace orochi::testing {
namespace {

constexpr std::string_view kScript =
    "# sums\n"
    "\n"
    "sum 1 2\n"
    "----\n"
    "3\n"
    "\n"
    "echo\n"
    "one\n"
    "two\n"
    "----\n"
    "one\n"
    "two\n";

std::string RunStep(const DataDrivenStep& step) {
  if (step.command == "echo") {
    return step.input;
  }
  int sum = 0;
  for (const std::string& argument : step.arguments) {
    sum += std::atoi(argument.c_str());
  }
  return std::to_string(sum);
}

class DataDrivenTest : public ::testing::Test {
 protected:
  void Write(std::string_view text) { std::ofstream(path_) << text; }
  std::string Read() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  TempDir directory_;
  std::string path_ = directory_.path() + "/script.txt";
};

TEST_F(DataDrivenTest, ARightScriptHasNoDifferences) {
  Write(kScript);
  EXPECT_EQ(RunDataDriven(path_, &RunStep), "");
}

TEST_F(DataDrivenTest, ADifferenceNamesItsLine) {
  std::string text(kScript);
  text.replace(text.find("3\n"), 1, "4");
  Write(text);
  EXPECT_EQ(RunDataDriven(path_, &RunStep), path_ + ":3: sum\nexpected:\n4\nfound:\n3\n");
}

TEST_F(DataDrivenTest, RewritingMakesItRight) {
  std::string text(kScript);
  text.replace(text.find("3\n"), 1, "4");
  Write(text);
  ASSERT_EQ(::setenv("OROCHI_REWRITE", "1", 1), 0);
  EXPECT_EQ(RunDataDriven(path_, &RunStep), "");
  ASSERT_EQ(::unsetenv("OROCHI_REWRITE"), 0);
  EXPECT_EQ(Read(), kScript);
}

TEST_F(DataDrivenTest, AScriptThatIsMissingOrCutFails) {
  EXPECT_EQ(RunDataDriven(path_, &RunStep), path_ + ": no steps\n");
  Write("sum 1 2\n");
  EXPECT_EQ(RunDataDriven(path_, &RunStep), path_ + ":1: a step without ----\n");
}

}  // namespace
}  // namespace orochi::testing
