#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "sstable/query/query.h"

namespace orochi::cli {

/// Prints the rows of a query on stdout.
///
/// Life: Begin -> Row* -> End.
class ResultWriter {
 public:
  virtual ~ResultWriter() = default;
  virtual Status Begin(const std::vector<sstable::ResultColumn>& columns) = 0;
  virtual Status Row(const std::vector<sstable::Value>& values) = 0;
  virtual Status End() = 0;
};

enum class ResultFormat { kTable, kExpanded, kJson, kLines, kCsv };

/// kTable: as cqlsh, widths by the first thousand rows. kExpanded: a line per value. kJson: one
/// array of objects. kLines: one object a line. kCsv: a heading, then RFC 4180; null is nothing,
/// empty text is "".
std::unique_ptr<ResultWriter> MakeResultWriter(ResultFormat format);

}  // namespace orochi::cli
