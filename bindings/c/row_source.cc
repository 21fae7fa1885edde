// Where the rows of cursors come from.
#include "bindings/c/internal/call.h"
#include "bindings/c/internal/cursor.h"
#include "sstable/cql/parser.h"
#include "sstable/query/table_source.h"

namespace orochi::cabi {

namespace {

using sstable::Bytes;
using sstable::CellView;
using sstable::ColumnRef;
using sstable::ColumnRole;
using sstable::DeletionTime;
using sstable::ResultColumn;
using sstable::UnfilteredStream;

Status NotOfSelect() {
  return Status::FailedPrecondition("a cursor of SELECT has no rows of the table")
      .WithHint("use writetime() and ttl(), or a scan or lookup");
}

int64_t SecondsOf(uint32_t deletion_time) {
  return deletion_time == sstable::kNoDeletionTime || deletion_time == sstable::kInvalidDeletionTime
             ? OROCHI_SST_NO_TIME
             : int64_t{deletion_time};
}

Result<std::unique_ptr<UnfilteredStream>> MergedStream(const OpenFiles& open,
                                                       const StreamRequest& request) {
  std::vector<std::unique_ptr<UnfilteredStream>> streams;
  for (const auto& reader : open.table.readers) {
    ASSIGN_OR_RETURN(auto stream, request.key.has_value()
                                      ? reader->Lookup(sstable::AsBytes(*request.key))
                                      : reader->Scan(request.range));
    streams.push_back(std::move(stream));
  }
  sstable::MergeOptions options;
  if (!request.all) {
    options.live_at_s = request.now_s;
  }
  for (const sstable::SchemaDroppedColumn& column : open.table.schema.dropped) {
    options.dropped_columns.push_back(
        {.name = column.name, .dropped_at_us = column.dropped_at_micros});
  }
  return Merge(std::move(streams), open.layout, std::move(options));
}

/// Rows of the merged files, column by column of the table.
class StreamRows final : public RowSource {
 public:
  StreamRows(std::shared_ptr<const OpenFiles> open, StreamRequest request)
      : open_(std::move(open)),
        request_(std::move(request)),
        values_(open_->table.schema, open_->layout) {}

  Status Open() {
    const sstable::TableSchema& schema = open_->table.schema;
    for (const auto* const some :
         {&schema.partition_key, &schema.clustering, &schema.statics, &schema.regulars}) {
      for (const sstable::SchemaColumn& column : *some) {
        ASSIGN_OR_RETURN(ColumnRef ref, FindColumn(schema, column.name));
        columns_.push_back({.name = ref.name, .type = ref.type});
        refs_.push_back(std::move(ref));
      }
    }
    scratch_.resize(refs_.size());
    ASSIGN_OR_RETURN(stream_, MergedStream(*open_, request_));
    return Status::Ok();
  }

  const std::vector<ResultColumn>& columns() const override { return columns_; }

  Result<bool> Next() override {
    while (true) {
      if (!in_partition_) {
        ASSIGN_OR_RETURN(bool const found, stream_->NextPartition());
        if (!found) {
          return false;
        }
        ++partition_count_;
        RETURN_IF_ERROR(values_.BindPartition(stream_->partition(), stream_->static_row()));
        in_partition_ = true;
        has_rows_ = false;
        step_ = OROCHI_SST_STEP_PARTITION;
        if (request_.all) {
          return true;
        }
      }
      if (request_.all && step_ == OROCHI_SST_STEP_PARTITION &&
          !stream_->static_row().empty_row()) {
        step_ = OROCHI_SST_STEP_STATIC;
        return true;
      }
      ASSIGN_OR_RETURN(bool const found, stream_->Next());
      if (found) {
        has_rows_ = true;
        ++row_count_;
        step_ = stream_->current().is_row() ? OROCHI_SST_STEP_ROW : OROCHI_SST_STEP_RANGE;
        values_.BindRow(stream_->current());
        return true;
      }
      in_partition_ = false;
      // A partition of nothing but static values is one row.
      if (!request_.all && !has_rows_ && !stream_->static_row().empty_row()) {
        step_ = OROCHI_SST_STEP_ROW;
        ++row_count_;
        values_.BindStaticOnly();
        return true;
      }
    }
  }

  Result<std::optional<Bytes>> Value(size_t column) override {
    if (!Shows(refs_[column])) {
      return std::optional<Bytes>();
    }
    return values_.View(refs_[column], scratch_[column]);
  }

  Result<std::string> Explain() override {
    return StrCat(request_.key.has_value() ? "lookup of one partition" : "scan", " in ",
                  open_->table.readers.size(), " SSTables\n", "partitions read: ", partition_count_,
                  "\nrows read: ", row_count_, "\n");
  }

  Status Row(orochi_sst_row& row) override {
    row.step = step_;
    row.timestamp_us = OROCHI_SST_NO_TIMESTAMP;
    row.expires_s = OROCHI_SST_NO_TIME;
    row.deleted_timestamp_us = OROCHI_SST_NO_TIMESTAMP;
    row.deleted_s = OROCHI_SST_NO_TIME;
    row.closed_timestamp_us = OROCHI_SST_NO_TIMESTAMP;
    row.closed_s = OROCHI_SST_NO_TIME;
    auto const give = [](const DeletionTime& deletion, int64_t& timestamp_us, int64_t& time_s) {
      if (!deletion.live()) {
        timestamp_us = deletion.marked_for_delete_at;
        time_s = SecondsOf(deletion.local_deletion_time);
      }
    };
    if (step_ == OROCHI_SST_STEP_PARTITION) {
      give(stream_->partition().deletion, row.deleted_timestamp_us, row.deleted_s);
      return Status::Ok();
    }
    if (step_ == OROCHI_SST_STEP_STATIC || !in_partition_) {
      return Status::Ok();
    }
    const sstable::Unfiltered& current = stream_->current();
    row.clustering_count = current.clustering.values.size();
    if (step_ == OROCHI_SST_STEP_RANGE) {
      using Kind = sstable::ClusteringKind;
      Kind const kind = current.clustering.kind;
      bool const after = kind == Kind::kInclEndBound || kind == Kind::kExclStartBound ||
                         kind == Kind::kInclEndExclStartBoundary;
      row.bound = (sstable::ClosesDeletion(kind) ? OROCHI_SST_BOUND_CLOSES : 0) |
                  (sstable::OpensDeletion(kind) ? OROCHI_SST_BOUND_OPENS : 0) |
                  (after ? OROCHI_SST_BOUND_AFTER : 0);
      give(current.open, row.deleted_timestamp_us, row.deleted_s);
      give(current.close, row.closed_timestamp_us, row.closed_s);
      return Status::Ok();
    }
    if (!current.liveness.empty()) {
      row.timestamp_us = current.liveness.timestamp;
      row.ttl_s = current.liveness.ttl;
      row.expires_s = SecondsOf(current.liveness.local_expiration_time);
    }
    give(current.deletion, row.deleted_timestamp_us, row.deleted_s);
    return Status::Ok();
  }

  Result<std::span<const CellView>> Cells(size_t column) override {
    bool const is_key = refs_[column].role == ColumnRole::kPartitionKey ||
                        refs_[column].role == ColumnRole::kClustering;
    return is_key || !Shows(refs_[column]) ? std::span<const CellView>()
                                           : values_.Cells(refs_[column]);
  }

  Result<DeletionTime> ColumnDeletion(size_t column) override {
    return Shows(refs_[column]) ? values_.DeletionOf(refs_[column]) : DeletionTime();
  }

 private:
  /// With a step for each thing stored, a step has values of that thing only.
  bool Shows(const ColumnRef& column) const {
    if (!request_.all || column.role == ColumnRole::kPartitionKey) {
      return true;
    }
    return column.role == ColumnRole::kStatic
               ? step_ == OROCHI_SST_STEP_STATIC
               : step_ == OROCHI_SST_STEP_ROW || step_ == OROCHI_SST_STEP_RANGE;
  }

  std::shared_ptr<const OpenFiles> open_;  // shared with the table and its other cursors
  StreamRequest request_;
  std::vector<ResultColumn> columns_;
  std::vector<ColumnRef> refs_;
  sstable::RowValues values_;
  std::vector<std::string> scratch_;  // one for each column
  std::unique_ptr<UnfilteredStream> stream_;
  int32_t step_ = 0;
  bool in_partition_ = false;
  bool has_rows_ = false;
  uint64_t partition_count_ = 0;
  uint64_t row_count_ = 0;
};

class SelectRows final : public RowSource {
 public:
  SelectRows(std::shared_ptr<const OpenFiles> open, int64_t now_s)
      : open_(std::move(open)),
        schema_(open_->table.schema),
        source_(open_->table.readers, schema_, now_s),
        now_s_(now_s) {}

  Status Plan(std::string_view cql) {
    ASSIGN_OR_RETURN(sstable::cql::Statement const statement, sstable::cql::ParseStatement(cql));
    const auto* const select = std::get_if<sstable::cql::Select>(&statement);
    if (select == nullptr) {
      return Status::InvalidArgument("only SELECT can be run on files");
    }
    if (select->explain) {
      return Status::InvalidArgument("EXPLAIN is asked of a cursor")
          .WithHint("run the SELECT and call orochi_sst_cursor_explain");
    }
    if (schema_.key_names_are_generated) {
      schema_.table = select->from.table;  // files do not hold their table's name
    }
    ASSIGN_OR_RETURN(query_, sstable::Query::Plan(*select, schema_, source_, {.now_s = now_s_}));
    return Status::Ok();
  }

  const std::vector<ResultColumn>& columns() const override { return query_->columns(); }
  Result<bool> Next() override { return query_->Next(row_); }
  Result<std::optional<Bytes>> Value(size_t column) override {
    return row_[column].has_value() ? std::optional<Bytes>(sstable::AsBytes(*row_[column]))
                                    : std::nullopt;
  }
  Result<std::string> Explain() override { return query_->Explain(); }

 private:
  std::shared_ptr<const OpenFiles> open_;  // shared with the table and its other cursors
  sstable::TableSchema schema_;
  sstable::MergedSource source_;
  int64_t now_s_;
  std::unique_ptr<sstable::Query> query_;
  std::vector<sstable::Value> row_;
};

}  // namespace

Status RowSource::Row(orochi_sst_row& /*row*/) {
  return NotOfSelect();
}

Result<std::span<const CellView>> RowSource::Cells(size_t /*column*/) {
  return NotOfSelect();
}

Result<DeletionTime> RowSource::ColumnDeletion(size_t /*column*/) {
  return NotOfSelect();
}

Result<std::unique_ptr<RowSource>> OpenStream(std::shared_ptr<const OpenFiles> open,
                                              StreamRequest request) {
  auto rows = std::make_unique<StreamRows>(std::move(open), std::move(request));
  RETURN_IF_ERROR(rows->Open());
  return std::unique_ptr<RowSource>(std::move(rows));
}

Result<std::unique_ptr<RowSource>> OpenSelect(std::shared_ptr<const OpenFiles> open,
                                              std::string_view cql, int64_t now_s) {
  auto rows = std::make_unique<SelectRows>(std::move(open), now_s);
  RETURN_IF_ERROR(rows->Plan(cql));
  return std::unique_ptr<RowSource>(std::move(rows));
}

}  // namespace orochi::cabi
