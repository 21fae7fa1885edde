#include "pg/nodes/aggregate_input.h"

#include "pg/bridge.h"
#include "pg/nodes/columnar_scan.h"
#include "pg/nodes/row_batch.h"

extern "C" {
#include "executor/executor.h"
#include "executor/instrument.h"
}

namespace orochi::pg {
namespace {

/// The batch a ColumnarScan has just read.
class ScanBatch final : public InputBatch {
 public:
  ScanBatch(BatchReader& reader, const std::vector<AttrNumber>& attributes)
      : reader_(reader), attributes_(attributes) {}

  const vexec::Selection& selection() const override { return reader_.selection(); }
  Result<const columnar::ColumnVector*> Column(size_t input) override {
    return reader_.Column(attributes_[input]);
  }
  const columnar::ChunkInfo* Chunk(size_t input) const override {
    return reader_.AllSelected() ? reader_.Chunk(attributes_[input]) : nullptr;
  }

 private:
  BatchReader& reader_;
  const std::vector<AttrNumber>& attributes_;  // by input column
};

/// Rows gathered from any other node.
class GatheredBatch final : public InputBatch {
 public:
  GatheredBatch(const RowBatch& rows, uint32_t row_count) : rows_(rows) {
    selection_.SelectAll(row_count);
  }

  const vexec::Selection& selection() const override { return selection_; }
  Result<const columnar::ColumnVector*> Column(size_t input) override {
    return &rows_.vector(input);
  }
  const columnar::ChunkInfo* Chunk(size_t) const override { return nullptr; }

 private:
  const RowBatch& rows_;
  vexec::Selection selection_;
};

/// Times and counts a node that hands over rows without ExecProcNode.
class NodeClock {
 public:
  explicit NodeClock(PlanState* node) : instrument_(node->instrument) {
    if (instrument_ != nullptr) {
      Instrumentation* const instrument = instrument_;
      TryPg([instrument]() noexcept { InstrStartNode(instrument); });
    }
  }
  /// Also before an error of ours is passed on: a running clock forbids a rescan.
  void Stop(uint64_t row_count) {
    if (instrument_ != nullptr) {
      Instrumentation* const instrument = instrument_;
      TryPg([=]() noexcept { InstrStopNode(instrument, static_cast<double>(row_count)); });
    }
  }

 private:
  Instrumentation* instrument_;
};

class Feeder {
 public:
  Feeder(const std::vector<InputColumn>& columns, MemoryContext scratch, BatchSink& sink)
      : columns_(columns), scratch_(scratch), sink_(sink) {}

  Result<uint64_t> Feed(PlanState* node);

 private:
  std::optional<std::vector<AttrNumber>> BatchColumns(ColumnarScanState* scan) const;
  Status FeedScan(ColumnarScanState& scan, const std::vector<AttrNumber>& attributes,
                  uint64_t* row_count);
  Status FeedAppend(AppendState* append, uint64_t* row_count);
  Result<uint64_t> FeedRows(PlanState* node);

  const std::vector<InputColumn>& columns_;
  MemoryContext scratch_;
  BatchSink& sink_;
};

/// The column of the scanned relation at a position of the node's target list, or 0.
AttrNumber AttributeAt(const PlanState* node, AttrNumber position) noexcept {
  auto* const entry = static_cast<TargetEntry*>(list_nth(node->plan->targetlist, position - 1));
  if (!IsA(entry->expr, Var)) {
    return 0;
  }
  auto* const column = reinterpret_cast<Var*>(entry->expr);
  bool const of_relation =
      column->varno == static_cast<int>(reinterpret_cast<Scan*>(node->plan)->scanrelid);
  return of_relation && column->varattno > 0 ? column->varattno : 0;
}

Result<uint64_t> Feeder::Feed(PlanState* node) {
  TryPg([node]() noexcept {
    check_stack_depth();
    if (node->chgParam != nullptr) {
      ExecReScan(node);
    }
  });
  ColumnarScanState* const scan = AsColumnarScan(node);
  std::optional<std::vector<AttrNumber>> const attributes = BatchColumns(scan);
  bool const is_append = IsA(node, AppendState);
  if (!is_append && !attributes.has_value()) {
    return FeedRows(node);
  }
  NodeClock clock(node);
  uint64_t row_count = 0;
  Status const status = is_append ? FeedAppend(reinterpret_cast<AppendState*>(node), &row_count)
                                  : FeedScan(*scan, *attributes, &row_count);
  clock.Stop(row_count);
  RETURN_IF_ERROR(status);
  return row_count;
}

/// By input column its attribute in the scanned relation; nullopt when the scan cannot feed
/// batches.
std::optional<std::vector<AttrNumber>> Feeder::BatchColumns(ColumnarScanState* scan) const {
  if (scan == nullptr || !FiltersByBatchesOnly(*scan)) {
    return std::nullopt;
  }
  std::vector<AttrNumber> attributes;
  for (const InputColumn& column : columns_) {
    AttrNumber const attribute = AttributeAt(&scan->css.ss.ps, column.position);
    if (attribute == 0) {
      return std::nullopt;
    }
    attributes.push_back(attribute);
  }
  return attributes;
}

Status Feeder::FeedScan(ColumnarScanState& scan, const std::vector<AttrNumber>& attributes,
                        uint64_t* row_count) {
  ASSIGN_OR_RETURN(BatchReader* const reader, BatchesOf(scan));
  std::optional<uint64_t> const known_count = reader->KnownRowCount();
  if (attributes.empty() && scan.filter_count == 0 && known_count) {
    *row_count = *known_count;
    return sink_.TakeRows(*row_count);
  }
  ScanBatch batch(*reader, attributes);
  for (;;) {
    ASSIGN_OR_RETURN(bool const found, reader->Next());
    if (!found) {
      return Status::Ok();
    }
    RETURN_IF_ERROR(sink_.Take(batch));
    *row_count += reader->selection().CountSelected();
  }
}

Status Feeder::FeedAppend(AppendState* append, uint64_t* row_count) {
  for (int i = 0; i < append->as_nplans; ++i) {
    ASSIGN_OR_RETURN(uint64_t const child_rows, Feed(append->appendplans[i]));
    *row_count += child_rows;
  }
  return Status::Ok();
}

Result<uint64_t> Feeder::FeedRows(PlanState* node) {
  std::vector<RowBatch::Column> columns;
  for (const InputColumn& column : columns_) {
    columns.push_back({.position = column.position,
                       .physical = column.physical,
                       .only_nulls = column.only_nulls});
  }
  RowBatch rows(std::move(columns));
  uint64_t row_count = 0;
  for (;;) {
    CheckInterrupts();
    ASSIGN_OR_RETURN(uint32_t const batch_rows, rows.Fill(node, scratch_));
    if (batch_rows == 0) {
      return row_count;
    }
    row_count += batch_rows;
    GatheredBatch batch(rows, batch_rows);
    RETURN_IF_ERROR(columns_.empty() ? sink_.TakeRows(batch_rows) : sink_.Take(batch));
  }
}

}  // namespace

Result<uint64_t> FeedFrom(PlanState* child, const std::vector<InputColumn>& columns,
                          MemoryContext scratch, BatchSink& sink) {
  return Feeder(columns, scratch, sink).Feed(child);
}

}  // namespace orochi::pg
