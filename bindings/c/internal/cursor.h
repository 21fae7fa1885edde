#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings/c/internal/handles.h"
#include "sstable/query/query.h"
#include "sstable/query/row_values.h"

namespace orochi::cabi {

/// Rows behind a cursor. Values are those of the last row that Next found.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual const std::vector<sstable::ResultColumn>& columns() const = 0;
  virtual Result<bool> Next() = 0;
  /// REQUIRES: column < columns().size(), and Next answered true last.
  virtual Result<std::optional<sstable::Bytes>> Value(size_t column) = 0;
  virtual Result<std::string> Explain() = 0;

  // What SELECT does not know: kFailedPrecondition.
  virtual Status Row(orochi_sst_row& row);
  virtual Result<std::span<const sstable::CellView>> Cells(size_t column);
  virtual Result<sstable::DeletionTime> ColumnDeletion(size_t column);
};

struct StreamRequest {
  std::optional<std::string> key;  // none: a scan
  sstable::PartitionRange range;
  bool all = false;  // OROCHI_SST_CURSOR_ALL
  int64_t now_s = 0;
};

Result<std::unique_ptr<RowSource>> OpenStream(std::shared_ptr<const OpenFiles> open,
                                              StreamRequest request);
Result<std::unique_ptr<RowSource>> OpenSelect(std::shared_ptr<const OpenFiles> open,
                                              std::string_view cql, int64_t now_s);

}  // namespace orochi::cabi
