// Goal: requests that failed or were slow are said with who asked and what became of it, others
// only to who wants all, and never more lines a second than allowed. Method: lines into memory; a
// clock of the test.
#include "kv/server/request_log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "base/testing/fake_clock.h"

namespace orochi::kv {
namespace {

using nlohmann::json;

class RequestLogTest : public ::testing::Test {
 protected:
  std::vector<json> TakeLines() {
    std::vector<json> lines;
    std::istringstream in(out_.str());
    for (std::string line; std::getline(in, line);) {
      lines.push_back(json::parse(line));
    }
    out_.str("");
    return lines;
  }
  static http::Served Answered(int status, int64_t duration_ns = 1) {
    return {.method = "POST",
            .path = "/v1/read",
            .route = "/v1/read",
            .status = status,
            .code = status < 400 ? "" : "some",
            .request_id = "id",
            .trace_id = "trace",
            .client = "127.0.0.1",
            .user = "app",
            .duration_ns = duration_ns};
  }

  orochi::testing::FakeClock clock_;
  std::ostringstream out_;
};

TEST_F(RequestLogTest, SaysWhatFailedOrWasSlow) {
  logs::Log log({.node = 1}, &out_);
  RequestLog requests(log, clock_, {.slow_us = 1'000});
  for (int const status : {200, 201, 400, 401, 404, 409, 412}) {
    requests.Note(Answered(status));
  }
  EXPECT_TRUE(TakeLines().empty());
  for (int const status : {429, 500, 503, 504}) {
    requests.Note(Answered(status));
    std::vector<json> const lines = TakeLines();
    ASSERT_EQ(lines.size(), 1U) << status;
    EXPECT_EQ(lines[0]["message"], "request failed");
    EXPECT_EQ(lines[0]["status"], status);
    EXPECT_EQ(lines[0]["request_id"], "id");
    EXPECT_EQ(lines[0]["trace_id"], "trace");
    EXPECT_EQ(lines[0]["user"], "app");
    EXPECT_EQ(lines[0]["code"], "some");
  }
  requests.Note(Answered(200, 1'000'000));
  std::vector<json> const slow = TakeLines();
  ASSERT_EQ(slow.size(), 1U);
  EXPECT_EQ(slow[0]["message"], "request was slow");
  EXPECT_EQ(slow[0]["milliseconds"], 1.0);
}

TEST_F(RequestLogTest, SaysEverythingToWhoWantsAll) {
  logs::Log log({.level = logs::Level::kDebug}, &out_);
  RequestLog requests(log, clock_, {});
  requests.Note(Answered(200));
  ASSERT_EQ(TakeLines().size(), 1U);
}

TEST_F(RequestLogTest, IsBoundedAndSaysWhatItLeftOut) {
  logs::Log log({}, &out_);
  RequestLog requests(log, clock_, {.line_count_max = 3});
  for (int request = 0; request < 10; ++request) {
    requests.Note(Answered(503));
  }
  EXPECT_EQ(TakeLines().size(), 3U);
  clock_.AdvanceMicros(1'000'000);
  requests.Note(Answered(503));
  std::vector<json> const after = TakeLines();
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0]["omitted"], 7);
}

}  // namespace
}  // namespace orochi::kv
