#include "cli/sstable/output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/str_cat.h"

namespace orochi::cli {

namespace {

constexpr std::string_view kBrokenPipe = "the reader of the output is gone";

Status OutputError() {
  if (errno == EPIPE) {
    return Status::Cancelled(std::string(kBrokenPipe));
  }
  return Status::IoError(StrCat("standard output: ", std::string_view(strerror(errno))));
}

}  // namespace

Status WriteToStdout(std::string_view text) {
  return fwrite(text.data(), 1, text.size(), stdout) == text.size() ? Status::Ok() : OutputError();
}

Status FlushStdout() {
  return fflush(stdout) == 0 ? Status::Ok() : OutputError();
}

bool IsBrokenPipe(const Status& status) {
  return status.code() == StatusCode::kCancelled && status.message() == kBrokenPipe;
}

}  // namespace orochi::cli
