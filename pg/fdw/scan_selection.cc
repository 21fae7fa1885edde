#include "pg/fdw/scan_selection.h"

#include <limits>

#include "base/str_cat.h"
#include "pg/fdw/value_encoder.h"
#include "sstable/cql/parser.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_text.h"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

namespace orochi::pg {
namespace {

using sstable::ColumnRole;
using sstable::TypeKind;
using sstable::cql::Operator;
using sstable::cql::Relation;
using sstable::cql::Term;

// More lookups than this are not worth it: the scan is.
constexpr size_t kLookupsMax = 10'000;

struct Values {
  std::vector<Datum> elements;  // without nulls
};

Values ElementsOf(const KeyCondition& condition, const ConditionValue& value) {
  Values out;
  if (value.is_null) {
    return out;
  }
  if (!condition.is_array) {
    out.elements.push_back(value.value);
    return out;
  }
  Datum* elements = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  TryPg([&]() noexcept {
    int16 length = 0;
    bool by_value = false;
    char align = 0;
    get_typlenbyvalalign(condition.value_type, &length, &by_value, &align);
    deconstruct_array(DatumGetArrayTypeP(value.value), condition.value_type, length, by_value,
                      align, &elements, &nulls, &count);
  });
  for (int index = 0; index < count; ++index) {
    if (!nulls[index]) {
      out.elements.push_back(elements[index]);
    }
  }
  return out;
}

bool IsIntegerKind(TypeKind kind) {
  return kind == TypeKind::kTinyint || kind == TypeKind::kSmallint || kind == TypeKind::kInt ||
         kind == TypeKind::kBigint;
}

// Has fractions of a millisecond, which Cassandra's timestamps have not.
bool IsBetweenMillis(Oid value_type, Datum value) {
  return value_type == TIMESTAMPTZOID && DatumGetTimestampTz(value) % 1000 != 0;
}

Operator OperatorOf(int strategy) {
  switch (strategy) {
    case BTLessStrategyNumber:
      return Operator::kLess;
    case BTLessEqualStrategyNumber:
      return Operator::kLessEqual;
    case BTGreaterEqualStrategyNumber:
      return Operator::kGreaterEqual;
    case BTGreaterStrategyNumber:
      return Operator::kGreater;
    default:
      return Operator::kEqual;
  }
}

class Selector {
 public:
  Selector(const std::vector<KeyCondition>& conditions, std::span<const ConditionValue> values,
           const std::vector<ForeignColumn>& columns, const sstable::TableSchema& schema)
      : conditions_(conditions), values_(values), columns_(columns), schema_(schema) {}

  Result<ScanSelection> Run() {
    for (size_t index = 0; index < conditions_.size(); ++index) {
      if (ElementsOf(conditions_[index], values_[index]).elements.empty()) {
        out_.nothing = true;  // a comparison with null is not true
        return std::move(out_);
      }
    }
    RETURN_IF_ERROR(AddPartitionKey());
    if (!out_.by_key) {
      AddTokens();
    }
    RETURN_IF_ERROR(AddClustering());
    return std::move(out_);
  }

 private:
  const ForeignColumn& ColumnOf(const KeyCondition& condition) const {
    return *std::find_if(columns_.begin(), columns_.end(), [&](const ForeignColumn& column) {
      return column.number == condition.number;
    });
  }

  // The conditions on one column of the key, those with values apart from ranges.
  std::vector<size_t> ConditionsOn(ColumnRole role, size_t index, bool equality) const {
    std::vector<size_t> found;
    for (size_t at = 0; at < conditions_.size(); ++at) {
      const ForeignColumn& column = ColumnOf(conditions_[at]);
      if (column.source.kind == ColumnSource::Kind::kValue && column.column.role == role &&
          column.column.index == index &&
          (conditions_[at].strategy == BTEqualStrategyNumber) == equality) {
        found.push_back(at);
      }
    }
    return found;
  }

  // The value as CQL; nothing when Cassandra cannot have such a value.
  static Result<std::optional<Term>> TermOf(const ForeignColumn& column,
                                            const KeyCondition& condition, Datum value) {
    const sstable::TypeRef& type = column.column.type;
    ASSIGN_OR_RETURN(auto const encoder, MakeValueEncoder(type, condition.value_type));
    auto const bytes = encoder->Encode(value);
    if (!bytes.ok() || !sstable::ValidateValue(*type, sstable::AsBytes(*bytes)).ok()) {
      bytes.status().IgnoreError("PostgreSQL checks the condition on what is read");
      return std::optional<Term>();
    }
    std::string literal;
    RETURN_IF_ERROR(sstable::AppendCqlLiteral(*type, sstable::AsBytes(*bytes), literal));
    ASSIGN_OR_RETURN(Term term, sstable::cql::ParseTerm(literal));
    return std::optional<Term>(std::move(term));
  }

  // column = value or column IN (values). False when the condition cannot be used.
  Result<bool> AddEquality(size_t at) {
    const KeyCondition& condition = conditions_[at];
    const ForeignColumn& column = ColumnOf(condition);
    Relation relation;
    relation.columns = {column.column.name};
    for (Datum const element : ElementsOf(condition, values_[at]).elements) {
      ASSIGN_OR_RETURN(std::optional<Term> term, TermOf(column, condition, element));
      if (term.has_value()) {
        relation.values.push_back(*std::move(term));
      } else if (!IsIntegerKind(column.column.type->kind)) {
        return false;
      }  // else no integer of the column can equal one that is too large for it
    }
    if (relation.values.empty()) {
      out_.nothing = true;
      return true;
    }
    combinations_ *= relation.values.size();
    if (combinations_ > kLookupsMax) {
      combinations_ /= relation.values.size();
      return false;
    }
    relation.op = condition.is_array ? Operator::kIn : Operator::kEqual;
    out_.where.push_back(std::move(relation));
    return true;
  }

  // The first usable one of the conditions with values on a column.
  Result<bool> AddFirstEquality(ColumnRole role, size_t index) {
    for (size_t const at : ConditionsOn(role, index, true)) {
      ASSIGN_OR_RETURN(bool const added, AddEquality(at));
      if (added) {
        return true;
      }
    }
    return false;
  }

  Status AddPartitionKey() {
    for (size_t index = 0; index < schema_.partition_key.size(); ++index) {
      ASSIGN_OR_RETURN(bool const added, AddFirstEquality(ColumnRole::kPartitionKey, index));
      if (!added) {
        out_.where.clear();
        combinations_ = 1;
        return Status::Ok();
      }
    }
    out_.by_key = true;
    return Status::Ok();
  }

  Status AddClustering() {
    for (size_t index = 0; index < schema_.clustering.size(); ++index) {
      ASSIGN_OR_RETURN(bool const added, AddFirstEquality(ColumnRole::kClustering, index));
      if (!added) {
        return AddRanges(index);
      }
    }
    return Status::Ok();
  }

  Status AddRanges(size_t index) {
    for (size_t const at : ConditionsOn(ColumnRole::kClustering, index, false)) {
      const KeyCondition& condition = conditions_[at];
      const ForeignColumn& column = ColumnOf(condition);
      ASSIGN_OR_RETURN(std::optional<Term> term, TermOf(column, condition, values_[at].value));
      if (!term.has_value()) {
        continue;
      }
      Relation relation;
      relation.columns = {column.column.name};
      relation.op = OperatorOf(condition.strategy);
      // Times were cut to milliseconds: what is below 1.5 ms is at most 1 ms.
      if (relation.op == Operator::kLess &&
          IsBetweenMillis(condition.value_type, values_[at].value)) {
        relation.op = Operator::kLessEqual;
      }
      relation.values.push_back(*std::move(term));
      out_.where.push_back(std::move(relation));
    }
    return Status::Ok();
  }

  // The range in which all conditions on tokens hold.
  void AddTokens() {
    int64_t first = std::numeric_limits<int64_t>::min();
    int64_t last = std::numeric_limits<int64_t>::max();
    bool any = false;
    for (size_t at = 0; at < conditions_.size(); ++at) {
      const KeyCondition& condition = conditions_[at];
      if (ColumnOf(condition).source.kind != ColumnSource::Kind::kToken) {
        continue;
      }
      any = true;
      Datum const datum = values_[at].value;
      int64_t const value = condition.value_type == INT2OID   ? DatumGetInt16(datum)
                            : condition.value_type == INT4OID ? DatumGetInt32(datum)
                                                              : DatumGetInt64(datum);
      int const strategy = condition.strategy;
      if (strategy == BTGreaterStrategyNumber && value == std::numeric_limits<int64_t>::max()) {
        out_.nothing = true;
      } else if (strategy == BTGreaterStrategyNumber) {
        first = std::max(first, value + 1);
      } else if (strategy == BTLessStrategyNumber && value == std::numeric_limits<int64_t>::min()) {
        out_.nothing = true;
      } else if (strategy == BTLessStrategyNumber) {
        last = std::min(last, value - 1);
      }
      if (strategy == BTEqualStrategyNumber || strategy == BTGreaterEqualStrategyNumber) {
        first = std::max(first, value);
      }
      if (strategy == BTEqualStrategyNumber || strategy == BTLessEqualStrategyNumber) {
        last = std::min(last, value);
      }
    }
    out_.nothing = out_.nothing || first > last;
    if (any && !out_.nothing) {
      out_.where = TokenRange(schema_, first, last);
    }
  }

  const std::vector<KeyCondition>& conditions_;
  std::span<const ConditionValue> values_;
  const std::vector<ForeignColumn>& columns_;
  const sstable::TableSchema& schema_;
  ScanSelection out_;
  size_t combinations_ = 1;
};

Relation TokenBound(const sstable::TableSchema& schema, Operator op, int64_t token) {
  Relation relation;
  relation.is_token = true;
  for (const sstable::SchemaColumn& column : schema.partition_key) {
    relation.columns.push_back(column.name);
  }
  relation.op = op;
  Term term;
  term.kind = Term::Kind::kInteger;
  term.text = StrCat(token);
  relation.values.push_back(std::move(term));
  return relation;
}

}  // namespace

std::vector<Relation> TokenRange(const sstable::TableSchema& schema, int64_t first, int64_t last) {
  return {TokenBound(schema, Operator::kGreaterEqual, first),
          TokenBound(schema, Operator::kLessEqual, last)};
}

Result<ScanSelection> SelectRows(const std::vector<KeyCondition>& conditions,
                                 std::span<const ConditionValue> values,
                                 const std::vector<ForeignColumn>& columns,
                                 const sstable::TableSchema& schema) {
  return Selector(conditions, values, columns, schema).Run();
}

}  // namespace orochi::pg
