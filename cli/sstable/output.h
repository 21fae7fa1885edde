#pragma once

#include <string_view>

#include "base/status.h"

namespace orochi::cli {

/// Writes to stdout. kCancelled when the reader of a pipe is gone (`| head`), which is no failure
/// worth a message; kIoError otherwise.
Status WriteToStdout(std::string_view text);
Status FlushStdout();

/// True for what WriteToStdout answers when the reader is gone.
bool IsBrokenPipe(const Status& status);

}  // namespace orochi::cli
