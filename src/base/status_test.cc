// Goal: an error keeps its code, message, detail and hint through copies, moves and added context,
// and cannot be dropped unread in a debug build.
#include "base/status.h"

#include <gtest/gtest.h>

#include <utility>

namespace orochi {
namespace {

Status Fails() {
  return Status::Corruption("crc is 7, expected 9");
}

Status Passes(bool fail) {
  RETURN_IF_ERROR(fail ? Fails() : Status::Ok());
  return Status::NotFound("reached the end");
}

TEST(StatusTest, SuccessHasNoText) {
  Status const status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kOk);
  EXPECT_EQ(status.message(), "");
  EXPECT_EQ(status.ToString(), "ok");
}

TEST(StatusTest, ContextIsPutInFrontAndKeepsTheRest) {
  Status const status =
      Fails().WithHint("restore from a backup").WithDetail("block 3").WithContext("stripe 7");
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_EQ(status.message(), "stripe 7: crc is 7, expected 9");
  EXPECT_EQ(status.detail(), "block 3");
  EXPECT_EQ(status.hint(), "restore from a backup");
  EXPECT_EQ(status.ToString(), "corruption: stripe 7: crc is 7, expected 9");
}

TEST(StatusTest, ContextOnSuccessChangesNothing) {
  EXPECT_TRUE(Status().WithContext("stripe 7").WithHint("none").ok());
}

TEST(StatusTest, CopiesAndMovesCarryTheError) {
  Status original = Fails();
  Status const copy = original;
  Status const moved = std::move(original);
  EXPECT_EQ(copy.message(), moved.message());
  EXPECT_EQ(moved.code(), StatusCode::kCorruption);
}

TEST(StatusTest, ReturnIfErrorLeavesOnlyOnError) {
  EXPECT_EQ(Passes(true).code(), StatusCode::kCorruption);
  EXPECT_EQ(Passes(false).code(), StatusCode::kNotFound);
}

TEST(StatusTest, EveryCodeHasAName) {
  for (int code = 0; code <= static_cast<int>(StatusCode::kInternal); ++code) {
    EXPECT_NE(StatusCodeName(static_cast<StatusCode>(code)), "unknown status code") << code;
  }
}

TEST(StatusTest, IgnoringIsSpeltOut) {
  Fails().IgnoreError("the test wants it dropped");
}

#if defined(OROCHI_CHECK_STATUS)
TEST(StatusDeathTest, AnUnreadErrorAborts) {
  EXPECT_DEATH({ Status const dropped = Fails(); }, "dropped unread: corruption");
}

TEST(StatusDeathTest, OverwritingAnUnreadErrorAborts) {
  EXPECT_DEATH(
      {
        Status status = Fails();
        status = Status::Ok();
        status.IgnoreError("test");
      },
      "dropped unread");
}
#endif

}  // namespace
}  // namespace orochi
