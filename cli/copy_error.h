#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/connection.h"
#include "cli/input_files.h"

namespace orochi::cli {

/// Where the records of a file are among the lines of the COPY.
struct FileStart {
  const InputFile* file;
  int64_t first_record;  // counted from 1 over all files
};

/// What a COPY was made of, to say what is wrong with it.
struct CopiedFiles {
  std::vector<FileStart> starts;  // in the order in which they were sent
  char delimiter = ',';
  /// Columns of the table, of a text type, for which nothing was sent.
  std::vector<std::string> unfilled_text_columns;
};

/// The server's refusal of a COPY in the user's terms. COPY's line number counts the records of all
/// files; it becomes file and line. Values that the server refuses are kCorruption, with a hint
/// where there is something to do but correct them.
///
/// `error` is `connection`'s latest; one of our own reader (kCorruption) is returned as it is.
Status ExplainCopyError(const Status& error, const Connection& connection,
                        const CopiedFiles& files);

}  // namespace orochi::cli
