#include "pg/fdw/sstable_scan.h"

#include "base/str_cat.h"
#include "pg/fdw/planned_tables.h"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/timestamp.h"
}

namespace orochi::pg {
namespace {

using sstable::TypeKind;

// Microseconds since 1970 as timestamptz.
class WriteTimeDecoder final : public ValueDecoder {
 public:
  Result<DecodedValue> Decode(sstable::Bytes bytes) const override {
    if (bytes.size() != sizeof(int64_t)) {
      return Status::Corruption(StrCat("a write time of ", bytes.size(), " bytes, expected 8"));
    }
    constexpr int64_t kEpochMicros = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
    int64_t const micros = sstable::LoadBigEndian<int64_t>(bytes);
    int64_t time = 0;
    if (__builtin_sub_overflow(micros, kEpochMicros, &time) || !IS_VALID_TIMESTAMP(time)) {
      return Status::OutOfRange(StrCat("write time ", micros, " is out of range for timestamptz"))
          .WithHint("Read it as bigint: some clients write other numbers than microseconds.");
    }
    return DecodedValue{.value = TimestampTzGetDatum(time)};
  }
};

Result<std::unique_ptr<ValueDecoder>> DecoderOf(const ForeignColumn& column,
                                                const sstable::TypeRef& type,
                                                const ValueRules& rules) {
  if (column.source.kind == ColumnSource::Kind::kWriteTime && column.pg_type == TIMESTAMPTZOID &&
      type->kind == TypeKind::kBigint) {
    return std::make_unique<WriteTimeDecoder>();
  }
  return MakeValueDecoder(type, column.pg_type, column.type_modifier, rules);
}

}  // namespace

Result<std::unique_ptr<SstableScan>> SstableScan::Open(Oid foreign_table, TupleDesc descriptor,
                                                       std::vector<AttrNumber> wanted,
                                                       std::vector<KeyCondition> conditions) {
  auto scan = std::make_unique<SstableScan>();
  ASSIGN_OR_RETURN(scan->options_, ReadTableOptions(foreign_table));
  scan->table_ = TakePlanned(foreign_table, scan->options_);
  if (scan->table_ == nullptr) {
    ASSIGN_OR_RETURN(scan->table_, OpenTable::Open(scan->options_));
  }
  ASSIGN_OR_RETURN(scan->columns_, MatchColumns(foreign_table, descriptor, scan->table_->schema()));
  scan->conditions_ = std::move(conditions);
  scan->column_count_ = descriptor->natts;
  for (const ForeignColumn& column : scan->columns_) {
    if (std::find(wanted.begin(), wanted.end(), column.number) != wanted.end()) {
      scan->outputs_.push_back({.column = &column, .decoder = nullptr});
    }
  }
  return scan;
}

sstable::cql::Select SstableScan::MakeSelect(std::vector<sstable::cql::Relation> where) const {
  const sstable::TableSchema& schema = table_->schema();
  sstable::cql::Select select;
  select.from = {.keyspace = schema.keyspace, .table = schema.table, .position = {}};
  select.allow_filtering = true;
  select.where = std::move(where);
  for (const Output& output : outputs_) {
    select.selectors.push_back(SelectorOf(*output.column, schema));
  }
  if (select.selectors.empty()) {  // rows are counted: the key is there anyway
    sstable::cql::Selector key;
    key.name = schema.partition_key[0].name;
    select.selectors.push_back(std::move(key));
  }
  return select;
}

Status SstableScan::MakeDecoders() {
  ContextScope const scope(context_);
  for (size_t index = 0; index < outputs_.size(); ++index) {
    Output& output = outputs_[index];
    if (output.decoder != nullptr) {
      continue;
    }
    auto decoder = DecoderOf(*output.column, query_->columns()[index].type, options_.rules);
    if (!decoder.ok()) {
      Status status = decoder.status();
      if (output.column->source.kind == ColumnSource::Kind::kToken) {
        // The type of tokens is not the table's but follows from the partitioner.
        status = std::move(status).WithContext(
            StrCat("tokens of ", sstable::PartitionerClass(table_->source().layout().partitioner)));
      }
      return std::move(status).WithContext(StrCat("column \"", output.column->name, "\""));
    }
    output.decoder = *std::move(decoder);
  }
  return Status::Ok();
}

Status SstableScan::Restart(std::span<const ConditionValue> values) {
  ASSIGN_OR_RETURN(ScanSelection selection,
                   SelectRows(conditions_, values, columns_, table_->schema()));
  return Begin(std::move(selection));
}

Status SstableScan::RestartTokens(int64_t first, int64_t last) {
  return Begin({.where = TokenRange(table_->schema(), first, last)});
}

Status SstableScan::Begin(ScanSelection selection) {
  before_ = statistics();
  query_.reset();
  finished_ = selection.nothing;
  if (finished_) {
    return Status::Ok();
  }
  sstable::cql::Select const select = MakeSelect(std::move(selection.where));
  ASSIGN_OR_RETURN(query_, sstable::Query::Plan(select, table_->schema(), table_->source(),
                                                {.now_s = options_.NowSeconds()}));
  return MakeDecoders();
}

Result<bool> SstableScan::Next(Datum* values, bool* nulls) {
  if (finished_) {
    return false;
  }
  ASSIGN_OR_RETURN(bool const found, query_->Next(row_));
  if (!found) {
    finished_ = true;
    return false;
  }
  std::fill_n(nulls, column_count_, true);
  for (size_t index = 0; index < outputs_.size(); ++index) {
    if (!row_[index].has_value()) {
      continue;
    }
    const Output& output = outputs_[index];
    auto const decoded = output.decoder->Decode(sstable::AsBytes(*row_[index]));
    if (!decoded.ok()) {
      return Status(decoded.status())
          .WithContext(
              StrCat(table_->schema().QualifiedName(), ", column \"", output.column->name, "\""));
    }
    values[output.column->number - 1] = decoded->value;
    nulls[output.column->number - 1] = decoded->is_null;
  }
  return true;
}

SstableScan::Statistics SstableScan::statistics() const {
  Statistics now = before_;
  if (query_ != nullptr) {
    now.partitions += query_->statistics().partitions_read;
    now.rows += query_->statistics().rows_read;
  }
  return now;
}

}  // namespace orochi::pg
