#include "kv/operation/record_rules.h"

#include <utility>

#include "base/str_cat.h"
#include "kv/filter/bound_filter.h"
#include "kv/operation/operation.h"
#include "kv/record/row.h"

namespace orochi::kv {
namespace {

using Evaluation = OperationRules::Evaluation;
using Current = OperationRules::Current;

class ValueSource final : public FieldSource {
 public:
  explicit ValueSource(const std::vector<Value>& values) : values_(values) {}
  Status Read(uint32_t field, Value& value) override {
    value = values_[field];
    return Status::Ok();
  }

 private:
  const std::vector<Value>& values_;
};

Evaluation Refuse(const RecordOperation& operation, OperationOutcome outcome,
                  const Current& current) {
  return {
      .holds = false,
      .value = {},
      .result = EncodeOperationResult({.outcome = outcome,
                                       .ordinal = operation.ordinal,
                                       .row = operation.tells_row ? current.value : std::nullopt})};
}

// nullopt: what it asks of the record's being there and not having changed is so.
std::optional<OperationOutcome> Misfit(const RecordOperation& operation, const Current& current) {
  bool const must_be_there = operation.presence == Presence::kPresent || operation.filter ||
                             operation.kind == OperationKind::kUpdate;
  if (must_be_there && !current.value) {
    return OperationOutcome::kAbsent;
  }
  if (operation.presence == Presence::kAbsent && current.value) {
    return OperationOutcome::kPresent;
  }
  if (operation.unchanged_since) {
    if (current.written > *operation.unchanged_since) {
      return OperationOutcome::kChanged;
    }
    // A record may have been deleted since then, and the deletion be forgotten.
    if (!current.value && *operation.unchanged_since < current.safepoint) {
      return OperationOutcome::kForgotten;
    }
  }
  return std::nullopt;
}

std::shared_ptr<const Schema> VersionIn(const RecordOperation& operation, SchemaVersion version) {
  for (const auto& schema : operation.schemas) {
    if (schema->version() == version) {
      return schema;
    }
  }
  return nullptr;
}

// The record that was found, as the operation's version sees it.
Result<std::vector<Value>> RecordFound(const RecordOperation& operation, const Schema& stored,
                                       const Current& current) {
  const Schema& asked = *operation.schemas.front();
  ASSIGN_OR_RETURN(auto const header, ReadStorageKeyHeader(operation.distribution, current.key));
  KeySpace const space{.collection = header.collection, .distribution = operation.distribution};
  ASSIGN_OR_RETURN(auto values, DecodeRecord(space, stored, current.key, *current.value));
  return stored.version() == asked.version() ? std::move(values)
                                             : ConvertRecord(stored, asked, values);
}

Result<std::string> UpdatedRow(const RecordOperation& operation, std::vector<Value> values) {
  const Schema& schema = *operation.schemas.front();
  RowReader update;
  RETURN_IF_ERROR(update.Open(schema, operation.row));
  for (uint32_t const field : operation.updated) {
    RETURN_IF_ERROR(update.Read(field, values[field]));
  }
  return EncodeRow(schema, values);
}

// With schemas, and a record that is there.
Result<Evaluation> EvaluateOnRecord(RecordOperation& operation, const Current& current) {
  ASSIGN_OR_RETURN(SchemaVersion const version, ReadRowVersion(*current.value));
  std::shared_ptr<const Schema> const stored = VersionIn(operation, version);
  if (stored == nullptr) {
    return Evaluation{.holds = false,
                      .value = {},
                      .result = EncodeOperationResult({.outcome = OperationOutcome::kVersionMissing,
                                                       .ordinal = operation.ordinal,
                                                       .version = version})};
  }
  ASSIGN_OR_RETURN(std::vector<Value> values, RecordFound(operation, *stored, current));
  if (operation.filter) {
    ASSIGN_OR_RETURN(auto const filter,
                     BoundFilter::Bind(*operation.filter, *operation.schemas.front()));
    ValueSource source(values);
    ASSIGN_OR_RETURN(bool const passes, filter.Evaluate(source));
    if (!passes) {
      return Refuse(operation, OperationOutcome::kFilterRejects, current);
    }
  }
  if (operation.kind == OperationKind::kUpdate) {
    ASSIGN_OR_RETURN(operation.row, UpdatedRow(operation, std::move(values)));
  }
  return Evaluation{};
}

}  // namespace

bool RecordRules::Reads(std::string_view operation) const {
  return OperationReads(operation);
}

Result<Evaluation> RecordRules::Evaluate(std::string_view bytes, const Current& current) const {
  ASSIGN_OR_RETURN(RecordOperation operation, DecodeOperation(bytes));
  if (auto const misfit = Misfit(operation, current)) {
    return Refuse(operation, *misfit, current);
  }
  if (operation.NeedsSchemas()) {  // so there is a record: Misfit saw to it
    ASSIGN_OR_RETURN(Evaluation evaluated, EvaluateOnRecord(operation, current));
    if (!evaluated.holds) {
      return evaluated;
    }
  }
  Evaluation evaluation;
  switch (operation.kind) {
    case OperationKind::kPut:
    case OperationKind::kUpdate:
      evaluation.value = std::move(operation.row);
      break;
    case OperationKind::kDelete:
      break;
    case OperationKind::kCheck:
      evaluation.value = current.value;
      break;
  }
  // Who deletes is told what goes.
  const std::optional<std::string>& told =
      operation.kind == OperationKind::kDelete ? current.value : evaluation.value;
  evaluation.result = EncodeOperationResult(
      {.ordinal = operation.ordinal, .row = operation.tells_row ? told : std::nullopt});
  return evaluation;
}

}  // namespace orochi::kv
