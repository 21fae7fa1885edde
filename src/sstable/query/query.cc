#include "sstable/query/query.h"

#include <algorithm>

#include "base/str_cat.h"
#include "sstable/types/compare.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_text.h"

namespace orochi::sstable {

// ---- rows of the table

Result<bool> Query::OpenNextStream() {
  switch (restrictions_.access) {
    case Restrictions::Access::kNothing:
      return false;
    case Restrictions::Access::kKeys: {
      if (next_key_ >= restrictions_.keys.size()) {
        return false;
      }
      const std::string& key = restrictions_.keys[next_key_++];
      ASSIGN_OR_RETURN(stream_, source_.Lookup(AsBytes(key), restrictions_.selection));
      return true;
    }
    case Restrictions::Access::kTokenRange:
    case Restrictions::Access::kEverything:
      break;
  }
  if (scan_opened_) {
    return false;
  }
  scan_opened_ = true;
  ASSIGN_OR_RETURN(stream_, source_.Scan(restrictions_.range, restrictions_.selection));
  return true;
}

Result<bool> Query::OpenNextPartition() {
  while (true) {
    if (stream_ == nullptr) {
      ASSIGN_OR_RETURN(bool const opened, OpenNextStream());
      if (!opened) {
        return false;
      }
    }
    ASSIGN_OR_RETURN(bool const found, stream_->NextPartition());
    if (found) {
      break;
    }
    stream_.reset();
  }
  ++statistics_.partitions_read;
  RETURN_IF_ERROR(values_.BindPartition(stream_->partition(), stream_->static_row()));
  in_partition_ = true;
  partition_had_rows_ = false;
  partition_returned_ = 0;
  return true;
}

Result<bool> Query::Accepts() const {
  for (const RowFilter& filter : restrictions_.filters) {
    ASSIGN_OR_RETURN(bool const accepted, filter.Accepts(values_));
    if (!accepted) {
      return false;
    }
  }
  return true;
}

/// Moves to the next row of the open partition that the conditions accept.
Status Query::CheckInterrupt() {
  constexpr uint64_t kStepsBetweenQuestions = 256;
  if (options_.interrupted && ++steps_ % kStepsBetweenQuestions == 0 && options_.interrupted()) {
    return Status::Cancelled("cancelled");
  }
  return Status::Ok();
}

Result<bool> Query::NextRowOfPartition() {
  while (in_partition_) {
    if (distinct_) {
      in_partition_ = false;
      values_.BindStaticOnly();
      return Accepts();
    }
    RETURN_IF_ERROR(CheckInterrupt());
    ASSIGN_OR_RETURN(bool const found, stream_->Next());
    if (!found) {
      in_partition_ = false;
      // A partition of nothing but static values is one row, unless rows were asked for.
      bool const whole = !restrictions_.has_clustering && !restrictions_.has_others;
      if (partition_had_rows_ || !whole || stream_->static_row().empty_row()) {
        return false;
      }
      values_.BindStaticOnly();
      return Accepts();
    }
    if (!stream_->current().is_row()) {
      continue;
    }
    ++statistics_.rows_read;
    partition_had_rows_ = true;
    values_.BindRow(stream_->current());
    ASSIGN_OR_RETURN(bool const accepted, Accepts());
    if (accepted) {
      return true;
    }
  }
  return false;
}

Result<bool> Query::NextRow() {
  while (true) {
    RETURN_IF_ERROR(CheckInterrupt());
    if (!in_partition_) {
      ASSIGN_OR_RETURN(bool const opened, OpenNextPartition());
      if (!opened) {
        return false;
      }
    }
    ASSIGN_OR_RETURN(bool const found, NextRowOfPartition());
    if (found) {
      return true;
    }
  }
}

// ---- rows of the result

EvaluationContext Query::Context(std::span<const Value> aggregates) const {
  return {.row = &values_,
          .aggregates = aggregates,
          .now_s = options_.now_s,
          .partitioner = source_.layout().partitioner};
}

Status Query::Outputs(std::vector<Value>& row, std::span<const Value> aggregates) const {
  row.clear();
  for (const CompiledSelector& selector : selectors_) {
    ASSIGN_OR_RETURN(Value value, selector.expression->Evaluate(Context(aggregates)));
    row.push_back(std::move(value));
  }
  return Status::Ok();
}

Status Query::ToJson(std::vector<Value>& row) const {
  std::string json = "{";
  for (size_t index = 0; index < selectors_.size(); ++index) {
    const std::string& heading = selectors_[index].heading;
    bool const lower = heading.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos;
    json += index == 0 ? "" : ", ";
    RETURN_IF_ERROR(AppendJsonString(lower ? heading : StrCat("\"", heading, "\""), json));
    json += ": ";
    if (row[index].has_value()) {
      RETURN_IF_ERROR(
          AppendJson(*selectors_[index].expression->type(), AsBytes(*row[index]), json));
    } else {
      json += "null";
    }
  }
  row.assign(1, Value(json + "}"));
  return Status::Ok();
}

Result<bool> Query::Next(std::vector<Value>& row) {
  if (finished_ || statistics_.rows_returned >= limit_) {
    finished_ = true;
    return false;
  }
  bool const grouped = !aggregate_calls_.empty() || !group_by_.empty();
  Result<bool> found = grouped ? NextGroup(row) : sort_ ? NextSorted(row) : NextPlain(row);
  if (!found.ok()) {
    finished_ = true;
    return found;
  }
  if (!*found) {
    finished_ = true;
    return false;
  }
  ++statistics_.rows_returned;
  if (json_) {
    RETURN_IF_ERROR(ToJson(row));
  }
  return true;
}

Result<bool> Query::NextPlain(std::vector<Value>& row) {
  while (true) {
    ASSIGN_OR_RETURN(bool const found, NextRow());
    if (!found) {
      return false;
    }
    RETURN_IF_ERROR(Outputs(row, {}));
    if (++partition_returned_ >= partition_limit_) {
      in_partition_ = false;  // the rest of the partition is passed over
    }
    return true;
  }
}

Status Query::ReadSorted() {
  std::vector<Value> row;
  while (true) {
    ASSIGN_OR_RETURN(bool const found, NextPlain(row));
    if (!found) {
      break;
    }
    SortedRow sorted{.order = {}, .values = row};
    for (const ColumnRef& column : order_by_) {
      ASSIGN_OR_RETURN(Value value, values_.Get(column));
      sorted.order.push_back(std::move(value));
    }
    sorted_.push_back(std::move(sorted));
    if (sorted_.size() > options_.sorted_rows_max) {
      return Status::ResourceExhausted(StrCat("ORDER BY over several partitions needs more than ",
                                              options_.sorted_rows_max,
                                              " rows in memory; ask for one partition at a time"));
    }
  }
  auto const before = [&](const SortedRow& a, const SortedRow& b) {
    for (size_t index = 0; index < order_by_.size(); ++index) {
      const Value& left = a.order[index];
      const Value& right = b.order[index];
      int order = static_cast<int>(left.has_value()) - static_cast<int>(right.has_value());
      if (left.has_value() && right.has_value()) {
        order = CompareValues(*order_by_[index].type, AsBytes(*left), AsBytes(*right));
      }
      if (order != 0) {
        return (order < 0) != order_descending_[index];
      }
    }
    return false;
  };
  std::stable_sort(sorted_.begin(), sorted_.end(), before);
  return Status::Ok();
}

Result<bool> Query::NextSorted(std::vector<Value>& row) {
  if (next_sorted_ == 0) {
    RETURN_IF_ERROR(ReadSorted());
  }
  if (next_sorted_ >= sorted_.size()) {
    return false;
  }
  row = std::move(sorted_[next_sorted_++].values);
  return true;
}

Status Query::StartGroup() {
  group_ = std::make_unique<Group>();
  for (const AggregateCall& call : aggregate_calls_) {
    group_->aggregates.push_back(MakeAggregate(
        call.function, call.argument == nullptr ? nullptr : call.argument->type().get()));
  }
  return Status::Ok();
}

Status Query::AddToGroup() {
  bool const is_first = group_->first.empty();
  if (is_first) {
    group_->partition_key = std::string(AsText(values_.partition_key()));
    for (const GroupKey& key : group_by_) {
      ASSIGN_OR_RETURN(Value value, ValueOf(key));
      group_->key.push_back(std::move(value));
    }
    for (const CompiledSelector& selector : selectors_) {
      Value value;
      if (!selector.has_aggregate) {
        ASSIGN_OR_RETURN(value, selector.expression->Evaluate(Context({})));
      }
      group_->first.push_back(std::move(value));
    }
  }
  for (size_t index = 0; index < aggregate_calls_.size(); ++index) {
    Value value;
    if (aggregate_calls_[index].argument != nullptr) {
      ASSIGN_OR_RETURN(value, aggregate_calls_[index].argument->Evaluate(Context({})));
    }
    RETURN_IF_ERROR(group_->aggregates[index]->Add(value));
  }
  return Status::Ok();
}

/// True when the row that values_ stands on belongs to the open group.
Result<Value> Query::ValueOf(const GroupKey& key) const {
  return key.function == nullptr ? values_.Get(key.column) : key.function->Evaluate(Context({}));
}

Result<bool> Query::InGroup() const {
  if (group_by_.empty() || group_->first.empty()) {
    return true;
  }
  if (group_->partition_key != AsText(values_.partition_key())) {
    return false;
  }
  for (size_t index = 0; index < group_by_.size(); ++index) {
    ASSIGN_OR_RETURN(Value const value, ValueOf(group_by_[index]));
    if (value != group_->key[index]) {
      return false;
    }
  }
  return true;
}

Status Query::FinishGroup(std::vector<Value>& row) {
  std::vector<Value> aggregates;
  for (const auto& aggregate : group_->aggregates) {
    ASSIGN_OR_RETURN(Value value, aggregate->Finish());
    aggregates.push_back(std::move(value));
  }
  row.clear();
  for (size_t index = 0; index < selectors_.size(); ++index) {
    if (selectors_[index].has_aggregate) {
      ASSIGN_OR_RETURN(Value value, selectors_[index].expression->Evaluate(Context(aggregates)));
      row.push_back(std::move(value));
    } else {
      row.push_back(index < group_->first.size() ? std::move(group_->first[index]) : Value());
    }
  }
  group_.reset();
  return Status::Ok();
}

Result<bool> Query::NextGroup(std::vector<Value>& row) {
  if (group_ == nullptr) {
    RETURN_IF_ERROR(StartGroup());
  }
  while (true) {
    if (!row_pending_) {
      ASSIGN_OR_RETURN(bool const found, NextRow());
      if (!found) {
        // Without GROUP BY there is one group even of no rows.
        bool const any =
            !group_->first.empty() || (group_by_.empty() && statistics_.rows_returned == 0);
        if (any) {
          RETURN_IF_ERROR(FinishGroup(row));
          finished_ = group_by_.empty();
          RETURN_IF_ERROR(StartGroup());
        }
        return any;
      }
    }
    row_pending_ = false;
    ASSIGN_OR_RETURN(bool const belongs, InGroup());
    if (belongs) {
      RETURN_IF_ERROR(AddToGroup());
      continue;
    }
    row_pending_ = true;
    bool const same_partition = group_->partition_key == AsText(values_.partition_key());
    RETURN_IF_ERROR(FinishGroup(row));
    RETURN_IF_ERROR(StartGroup());
    // Groups beyond the limit of a partition are passed over with the rest of it.
    ++partition_returned_;
    if (same_partition && partition_returned_ >= partition_limit_) {
      in_partition_ = false;
      row_pending_ = false;
    } else if (!same_partition) {
      partition_returned_ = 0;
    }
    return true;
  }
}

}  // namespace orochi::sstable
