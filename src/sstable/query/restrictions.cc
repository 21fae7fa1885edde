#include "sstable/query/restrictions.h"

#include <algorithm>
#include <limits>
#include <map>

#include "base/str_cat.h"
#include "sstable/cql/bind.h"
#include "sstable/types/big_decimal.h"
#include "sstable/types/compare.h"
#include "sstable/types/elements.h"

namespace orochi::sstable {

namespace {

using cql::Operator;
using cql::Relation;

/// Past so many slices or keys a statement is refused or read as a scan.
constexpr size_t kCombinationsMax = 65'536;

Status At(const Relation& relation, std::string_view message) {
  return Status::InvalidArgument(StrCat(cql::PositionText(relation.position), " ", message));
}

std::string_view OperatorText(Operator op) {
  switch (op) {
    case Operator::kEqual:
      return "=";
    case Operator::kNotEqual:
      return "!=";
    case Operator::kLess:
      return "<";
    case Operator::kLessEqual:
      return "<=";
    case Operator::kGreater:
      return ">";
    case Operator::kGreaterEqual:
      return ">=";
    case Operator::kIn:
      return "IN";
    case Operator::kContains:
      return "CONTAINS";
    case Operator::kContainsKey:
      return "CONTAINS KEY";
    case Operator::kLike:
      return "LIKE";
    case Operator::kIsNotNull:
      return "IS NOT NULL";
  }
  return "";
}

bool IsEquality(Operator op) {
  return op == Operator::kEqual || op == Operator::kIn;
}
bool IsUpper(Operator op) {
  return op == Operator::kLess || op == Operator::kLessEqual;
}
bool IsInclusive(Operator op) {
  return op == Operator::kLessEqual || op == Operator::kGreaterEqual;
}

bool Holds(Operator op, int order) {
  switch (op) {
    case Operator::kEqual:
    case Operator::kIn:
      return order == 0;
    case Operator::kLess:
      return order < 0;
    case Operator::kLessEqual:
      return order <= 0;
    case Operator::kGreater:
      return order > 0;
    case Operator::kGreaterEqual:
      return order >= 0;
    default:
      return false;
  }
}

/// The value of `key` in a serialised map, or null.
Value MapValue(const Type& map, Bytes value, Bytes key) {
  ElementReader reader(map, value);
  while (auto const entry_key = reader.Next()) {
    auto const entry_value = reader.Next();
    if (!entry_value.has_value()) {
      break;
    }
    if (EqualValues(*entry_key->type, entry_key->bytes, key)) {
      return std::string(AsText(entry_value->bytes));
    }
  }
  return std::nullopt;
}

/// True when a collection has `wanted` among its elements, a map among its values or `keys`.
bool Contains(const Type& type, Bytes collection, Bytes wanted, bool keys) {
  ElementReader reader(type, collection);
  for (size_t index = 0;; ++index) {
    auto const element = reader.Next();
    if (!element.has_value()) {
      return false;
    }
    bool const is_key = type.kind == TypeKind::kMap && index % 2 == 0;
    if (is_key == keys && EqualValues(*element->type, element->bytes, wanted)) {
      return true;
    }
  }
}

/// Turns relations into a plan, one group of columns after the other.
class Planner {
 public:
  Planner(const TableSchema& schema, const Layout& layout) : schema_(schema), layout_(layout) {}

  Result<Restrictions> Run(const std::vector<Relation>& where) {
    for (const Relation& relation : where) {
      RETURN_IF_ERROR(Add(relation));
    }
    RETURN_IF_ERROR(CheckRepeated());
    RETURN_IF_ERROR(PlanPartitions());
    PlanClustering();
    return std::move(plan_);
  }

 private:
  /// A relation with its columns found and its values bound.
  struct Bound {
    const Relation* relation;
    RowFilter filter;
  };

  Status Add(const Relation& relation);
  Status AddToken(const Relation& relation);
  Result<std::optional<PartitionBound>> TokenBound(const Relation& relation) const;
  Status CheckOperator(const Relation& relation, const ColumnRef& column) const;
  Result<RowFilter> Bind(const Relation& relation);
  Result<TypeRef> ValueType(const Relation& relation, const ColumnRef& column) const;
  Status CheckRepeated() const;
  Status PlanPartitions();
  Status CombineKeys(const std::vector<std::vector<std::string>>& choices);
  void PlanClustering();
  bool TakeEquality(size_t column);
  void TakeBounds(size_t column);
  bool ExtendPrefixes(const std::vector<std::vector<Value>>& choices);
  void MakeSlices(const std::vector<const Bound*>& bounds);
  ClusteringPrefix MakeBound(const std::vector<Value>& values, ClusteringKind kind) const;

  const TableSchema& schema_;
  const Layout& layout_;
  Restrictions plan_;
  std::vector<Bound> key_relations_;
  std::vector<Bound> clustering_relations_;
  std::vector<std::vector<Value>> prefixes_ = {{}};  // of the slices, as far as they are equalities
  size_t prefix_length_ = 0;
};

Status Planner::CheckOperator(const Relation& relation, const ColumnRef& column) const {
  std::string_view const op = OperatorText(relation.op);
  const SchemaColumn& stored = *schema_.Find(column.name)->column;
  switch (relation.op) {
    case Operator::kNotEqual:
      return At(relation, StrCat("Unsupported \"!=\" relation: ", column.name, " != ..."));
    case Operator::kLike:
      return At(relation, "LIKE restriction is only supported on properly indexed columns");
    case Operator::kIsNotNull:
      return At(relation, StrCat("Unsupported restriction: ", column.name, " IS NOT NULL"));
    case Operator::kContains:
      if (!column.type->is_collection()) {
        return At(relation, StrCat("Cannot use CONTAINS on non-collection column ", column.name));
      }
      return Status::Ok();
    case Operator::kContainsKey:
      if (column.type->kind != TypeKind::kMap) {
        return At(relation, StrCat("Cannot use CONTAINS KEY on non-map column ", column.name));
      }
      return Status::Ok();
    default:
      break;
  }
  if (relation.element.has_value()) {
    return column.type->kind == TypeKind::kMap
               ? Status::Ok()
               : At(relation, StrCat("Column ", column.name, " cannot be used as a map"));
  }
  if (stored.type->multi_cell()) {
    return At(relation,
              StrCat(stored.type->kind == TypeKind::kUdt ? "Non-frozen UDT" : "Collection",
                     " column '", column.name, "' (", CqlName(*stored.type),
                     ") cannot be restricted by a '", op, "' relation"));
  }
  if (column.type->kind == TypeKind::kDuration && !IsEquality(relation.op)) {
    return At(relation, "Slice restrictions are not supported on duration columns");
  }
  return Status::Ok();
}

Result<TypeRef> Planner::ValueType(const Relation& relation, const ColumnRef& column) const {
  const Type& type = *column.type;
  if (relation.op == Operator::kContainsKey ||
      (relation.op == Operator::kContains && type.kind != TypeKind::kMap)) {
    return type.parameters[0];
  }
  if (relation.op == Operator::kContains || relation.element.has_value()) {
    return type.parameters[1];
  }
  return column.type;
}

Result<RowFilter> Planner::Bind(const Relation& relation) {
  RowFilter filter;
  filter.op = relation.op;
  std::vector<TypeRef> types;
  for (const std::string& name : relation.columns) {
    Result<ColumnRef> column = FindColumn(schema_, name);
    if (!column.ok()) {
      return At(relation, column.status().message());
    }
    RETURN_IF_ERROR(CheckOperator(relation, *column));
    ASSIGN_OR_RETURN(TypeRef type, ValueType(relation, *column));
    types.push_back(std::move(type));
    filter.columns.push_back(*std::move(column));
  }
  auto const bind = [&](const cql::Term& term, size_t index) -> Result<Value> {
    const std::string& name = filter.columns[index].name;
    ASSIGN_OR_RETURN(Value value, cql::BindTerm(term, *types[index], name));
    if (!value.has_value()) {
      return At(relation, StrCat("Invalid null value in condition for column ", name));
    }
    return value;
  };
  if (relation.element.has_value()) {
    ASSIGN_OR_RETURN(filter.element,
                     cql::BindTerm(*relation.element, filter.columns[0].type->element(),
                                   filter.columns[0].name));
  }
  for (const cql::Term& term : relation.values) {
    std::vector<Value> values;
    if (!relation.is_tuple) {
      ASSIGN_OR_RETURN(Value value, bind(term, 0));
      values.push_back(std::move(value));
    } else if (term.kind != cql::Term::Kind::kTuple || term.items.size() != types.size()) {
      return At(relation, StrCat("Expected ", types.size(), " elements in value tuple, but got ",
                                 term.items.size()));
    } else {
      for (size_t index = 0; index < types.size(); ++index) {
        ASSIGN_OR_RETURN(Value value, bind(term.items[index], index));
        values.push_back(std::move(value));
      }
    }
    filter.values.push_back(std::move(values));
  }
  return filter;
}

Status Planner::Add(const Relation& relation) {
  if (relation.is_token) {
    return AddToken(relation);
  }
  ASSIGN_OR_RETURN(RowFilter filter, Bind(relation));
  ColumnRole const role = filter.columns[0].role;
  for (size_t index = 0; relation.is_tuple && index < filter.columns.size(); ++index) {
    const ColumnRef& column = filter.columns[index];
    if (column.role != ColumnRole::kClustering) {
      return At(relation, StrCat("Multi-column relations can only be applied to clustering columns "
                                 "but was applied to: ",
                                 column.name));
    }
    if (column.index != filter.columns[0].index + index) {
      return At(relation,
                "Clustering columns must appear in the PRIMARY KEY order in multi-column "
                "relations");
    }
  }
  bool const one_value = relation.op == Operator::kEqual && !relation.element.has_value();
  for (size_t index = 0; one_value && index < filter.columns.size(); ++index) {
    plan_.equal_columns.push_back(filter.columns[index].name);
  }
  Bound bound{.relation = &relation, .filter = std::move(filter)};
  if (role == ColumnRole::kPartitionKey) {
    key_relations_.push_back(std::move(bound));
    return Status::Ok();
  }
  plan_.filters.push_back(bound.filter);
  if (role == ColumnRole::kClustering) {
    plan_.has_clustering = true;
    clustering_relations_.push_back(std::move(bound));
    return Status::Ok();
  }
  plan_.has_others = plan_.has_others || role == ColumnRole::kRegular;
  plan_.needs_filtering = true;
  return Status::Ok();
}

// Where the token stands on the ring; nothing for the one before all keys.
Result<std::optional<PartitionBound>> Planner::TokenBound(const Relation& relation) const {
  Partitioner const partitioner = layout_.partitioner;
  TypeRef const type = TokenType(schema_, partitioner);
  const cql::Term& term = relation.values[0];
  ASSIGN_OR_RETURN(Value const value, cql::BindTerm(term, *type, "partition key token"));
  if (!value.has_value()) {
    return At(relation, "Invalid null token value");
  }
  PartitionBound bound;
  if (partitioner == Partitioner::kMurmur3) {
    auto const token = LoadBigEndian<int64_t>(AsBytes(*value));
    bound.token = Token::OfMurmur3(token);
    return token == std::numeric_limits<int64_t>::min() ? std::nullopt : std::optional(bound);
  }
  if (partitioner == Partitioner::kRandom) {
    // The least token is -1; what is above the largest one is behind all keys.
    BigDecimal const number = DecodeVarint(AsBytes(*value));
    constexpr unsigned __int128 kPastAll = ~static_cast<unsigned __int128>(0);
    for (char const c : number.digits) {
      auto const digit = static_cast<unsigned>(c - '0');
      unsigned __int128& position = bound.token.position;
      position = position > (kPastAll - digit) / 10 ? kPastAll : position * 10 + digit;
    }
    if (!number.negative) {
      return std::optional(bound);
    }
    bool const is_least = bound.token.position == 1;
    bound.token.position = 0;
    return is_least ? std::nullopt : std::optional(bound);
  }
  Bytes const bytes = AsBytes(*value);
  bound.key.emplace(bytes.begin(), bytes.end());
  return bytes.empty() ? std::nullopt : std::optional(bound);
}

Status Planner::AddToken(const Relation& relation) {
  bool in_order = relation.columns.size() == schema_.partition_key.size();
  for (size_t index = 0; in_order && index < relation.columns.size(); ++index) {
    in_order = relation.columns[index] == schema_.partition_key[index].name;
  }
  if (!in_order) {
    return At(relation,
              "The token function arguments must be in the partition key order, and all of them");
  }
  bool const equal = relation.op == Operator::kEqual;
  bool const inclusive = equal || IsInclusive(relation.op);
  // Before the least token there is nothing to start after, and as an end it is the ring's.
  ASSIGN_OR_RETURN(std::optional<PartitionBound> bound, TokenBound(relation));
  if (bound.has_value()) {
    bound->inclusive = inclusive;
  }
  if (equal || !IsUpper(relation.op)) {
    if (plan_.range.start.has_value()) {
      return At(relation, "More than one restriction was found for the start bound on token()");
    }
    plan_.range.start = bound;
  }
  if (equal || IsUpper(relation.op)) {
    if (plan_.range.end.has_value()) {
      return At(relation, "More than one restriction was found for the end bound on token()");
    }
    plan_.range.end = bound;
  }
  return Status::Ok();
}

/// A column restricted to values cannot be restricted again.
Status Planner::CheckRepeated() const {
  std::map<std::string, std::vector<const Bound*>> by_column;
  for (const auto* relations : {&key_relations_, &clustering_relations_}) {
    for (const Bound& bound : *relations) {
      for (const ColumnRef& column : bound.filter.columns) {
        by_column[column.name].push_back(&bound);
      }
    }
  }
  for (const auto& [name, bounds] : by_column) {
    for (const Bound* const bound : bounds) {
      if (bounds.size() > 1 && IsEquality(bound->filter.op)) {
        return At(*bounds[1]->relation,
                  StrCat(name, " cannot be restricted by more than one relation if it includes ",
                         bound->filter.op == Operator::kEqual ? "an Equal" : "a IN"));
      }
    }
  }
  return Status::Ok();
}

Status Planner::PlanPartitions() {
  std::vector<std::vector<std::string>> choices(schema_.partition_key.size());
  bool all_equal = true;
  for (const Bound& bound : key_relations_) {
    all_equal = all_equal && IsEquality(bound.filter.op) && !bound.filter.element.has_value();
    for (const std::vector<Value>& values : bound.filter.values) {
      choices[bound.filter.columns[0].index].push_back(*values[0]);
    }
  }
  std::vector<bool> restricted(schema_.partition_key.size());
  for (const Bound& bound : key_relations_) {
    restricted[bound.filter.columns[0].index] = true;
  }
  bool const complete =
      all_equal && std::find(restricted.begin(), restricted.end(), false) == restricted.end();
  bool const by_token = !plan_.range.everything();
  if (complete && !by_token) {
    plan_.access = Restrictions::Access::kKeys;
    return CombineKeys(choices);
  }
  if (by_token && !key_relations_.empty()) {
    return At(*key_relations_[0].relation,
              "Columns cannot be restricted by both a normal relation and a token relation");
  }
  plan_.access = by_token ? Restrictions::Access::kTokenRange : Restrictions::Access::kEverything;
  for (const Bound& bound : key_relations_) {
    plan_.needs_filtering = true;
    plan_.filters.push_back(bound.filter);
  }
  return Status::Ok();
}

/// Every combination of the values of the key's columns, in the order of the columns' types.
Status Planner::CombineKeys(const std::vector<std::vector<std::string>>& choices) {
  std::vector<std::vector<std::string>> keys = {{}};
  for (size_t column = 0; column < choices.size(); ++column) {
    std::vector<std::string> values = choices[column];
    const Type& type = *schema_.partition_key[column].type;
    auto const compare = [&](const std::string& a, const std::string& b) {
      return CompareValues(type, AsBytes(a), AsBytes(b));
    };
    std::sort(values.begin(), values.end(),
              [&](const auto& a, const auto& b) { return compare(a, b) < 0; });
    values.erase(std::unique(values.begin(), values.end(),
                             [&](const auto& a, const auto& b) { return compare(a, b) == 0; }),
                 values.end());
    if (keys.size() * values.size() > kCombinationsMax) {
      return Status::ResourceExhausted(
          StrCat("IN on the partition key makes more than ", kCombinationsMax, " keys"));
    }
    std::vector<std::vector<std::string>> longer;
    for (const std::vector<std::string>& key : keys) {
      for (const std::string& value : values) {
        longer.push_back(key);
        longer.back().push_back(value);
      }
    }
    keys = std::move(longer);
  }
  for (const std::vector<std::string>& values : keys) {
    ASSIGN_OR_RETURN(std::string key, MakePartitionKey(values));
    plan_.keys.push_back(std::move(key));
  }
  return Status::Ok();
}

// Clustering columns narrow what is read as long as they are restricted one after the other: values
// first, then a range on one more. All of them are also filters, so that here only what is sure to
// be right is taken.
void Planner::PlanClustering() {
  size_t column = 0;
  while (column < schema_.clustering.size() && TakeEquality(column)) {
    column = prefix_length_;
  }
  bool const by_key = plan_.access == Restrictions::Access::kKeys;
  TakeBounds(column);
  size_t used = prefix_length_;
  for (const Bound& bound : clustering_relations_) {
    bool const is_range_here =
        !IsEquality(bound.filter.op) && bound.filter.columns[0].index == column;
    used = std::max(used, is_range_here ? column + 1 : 0);
  }
  for (const Bound& bound : clustering_relations_) {
    const RowFilter& filter = bound.filter;
    bool const preceded = filter.columns[0].index < used;
    bool const plain = filter.op != Operator::kContains && filter.op != Operator::kContainsKey &&
                       !filter.element.has_value();
    if (!preceded || !plain) {
      plan_.needs_filtering = true;
    }
  }
  if (plan_.has_clustering && !by_key) {
    plan_.needs_filtering = true;
  }
}

/// Extends the prefixes by the columns that an = or IN restricts from `column` on.
bool Planner::TakeEquality(size_t column) {
  for (const Bound& bound : clustering_relations_) {
    const RowFilter& filter = bound.filter;
    if (filter.columns[0].index != column || !IsEquality(filter.op) || filter.element.has_value()) {
      continue;
    }
    if (!ExtendPrefixes(filter.values)) {
      return false;
    }
    if (filter.op == Operator::kEqual && plan_.clustering_equal_count == prefix_length_) {
      plan_.clustering_equal_count += filter.columns.size();
    }
    prefix_length_ += filter.columns.size();
    return true;
  }
  return false;
}

bool Planner::ExtendPrefixes(const std::vector<std::vector<Value>>& choices) {
  if (prefixes_.size() * choices.size() > kCombinationsMax) {
    return false;
  }
  std::vector<std::vector<Value>> longer;
  for (const std::vector<Value>& prefix : prefixes_) {
    for (const std::vector<Value>& choice : choices) {
      longer.push_back(prefix);
      longer.back().insert(longer.back().end(), choice.begin(), choice.end());
    }
  }
  prefixes_ = std::move(longer);
  return true;
}

void Planner::TakeBounds(size_t column) {
  std::vector<const Bound*> bounds;
  for (const Bound& bound : clustering_relations_) {
    const RowFilter& filter = bound.filter;
    bool const range = !IsEquality(filter.op) && filter.op != Operator::kContains &&
                       filter.op != Operator::kContainsKey && !filter.element.has_value();
    if (!range || filter.columns[0].index != column) {
      continue;
    }
    bool same_direction = true;
    for (const ColumnRef& part : filter.columns) {
      same_direction = same_direction && schema_.clustering[part.index].type->reversed ==
                                             schema_.clustering[column].type->reversed;
    }
    if (same_direction) {
      bounds.push_back(&bound);
    }
  }
  if (prefix_length_ > 0 || !bounds.empty()) {
    MakeSlices(bounds);
  }
}

ClusteringPrefix Planner::MakeBound(const std::vector<Value>& values, ClusteringKind kind) const {
  std::vector<ClusteringValue> views;
  for (const Value& value : values) {
    views.push_back({.bytes = AsBytes(*value)});
  }
  return ClusteringPrefix(ClusteringView{.kind = kind, .values = views});
}

void Planner::MakeSlices(const std::vector<const Bound*>& bounds) {
  std::vector<ClusteringSlice> slices;
  for (const std::vector<Value>& prefix : prefixes_) {
    ClusteringSlice slice;
    slice.start = MakeBound(prefix, ClusteringKind::kInclStartBound);
    slice.end = MakeBound(prefix, ClusteringKind::kInclEndBound);
    for (const Bound* const bound : bounds) {
      const RowFilter& filter = bound->filter;
      std::vector<Value> values = prefix;
      values.insert(values.end(), filter.values[0].begin(), filter.values[0].end());
      bool const descending = schema_.clustering[filter.columns[0].index].type->reversed;
      bool const is_end = IsUpper(filter.op) != descending;
      bool const inclusive = IsInclusive(filter.op);
      ClusteringKind const kind =
          is_end ? (inclusive ? ClusteringKind::kInclEndBound : ClusteringKind::kExclEndBound)
                 : (inclusive ? ClusteringKind::kInclStartBound : ClusteringKind::kExclStartBound);
      ClusteringPrefix const made = MakeBound(values, kind);
      ClusteringPrefix& side = is_end ? slice.end : slice.start;
      int const order = layout_.clustering.Compare(made.view(), side.view());
      if (is_end ? order < 0 : order > 0) {
        side = made;
      }
    }
    if (layout_.clustering.Compare(slice.start.view(), slice.end.view()) < 0) {
      slices.push_back(std::move(slice));
    }
  }
  auto const before = [&](const ClusteringSlice& a, const ClusteringSlice& b) {
    return layout_.clustering.Compare(a.start.view(), b.start.view()) < 0;
  };
  std::sort(slices.begin(), slices.end(), before);
  auto const same = [&](const ClusteringSlice& a, const ClusteringSlice& b) {
    return layout_.clustering.Compare(a.start.view(), b.start.view()) == 0;
  };
  slices.erase(std::unique(slices.begin(), slices.end(), same), slices.end());
  if (slices.empty()) {
    plan_.access = Restrictions::Access::kNothing;  // no slices would mean all rows
  }
  plan_.selection.slices = std::move(slices);
}

}  // namespace

Result<bool> RowFilter::Accepts(const RowValues& row) const {
  std::vector<Value> found;
  for (const ColumnRef& column : columns) {
    ASSIGN_OR_RETURN(Value value, row.Get(column));
    if (!value.has_value()) {
      return false;
    }
    found.push_back(std::move(value));
  }
  const Type& type = *columns[0].type;
  if (op == cql::Operator::kContains || op == cql::Operator::kContainsKey) {
    return Contains(type, AsBytes(*found[0]), AsBytes(*values[0][0]),
                    op == cql::Operator::kContainsKey);
  }
  if (element.has_value()) {
    Value const inside = MapValue(type, AsBytes(*found[0]), AsBytes(*element));
    return inside.has_value() &&
           std::any_of(values.begin(), values.end(), [&](const std::vector<Value>& wanted) {
             return Holds(op,
                          CompareValues(type.map_value(), AsBytes(*inside), AsBytes(*wanted[0])));
           });
  }
  for (const std::vector<Value>& wanted : values) {
    int order = 0;
    for (size_t index = 0; order == 0 && index < columns.size(); ++index) {
      order = CompareValues(*columns[index].type, AsBytes(*found[index]), AsBytes(*wanted[index]));
    }
    if (Holds(op, order)) {
      return true;
    }
  }
  return false;
}

Result<Restrictions> PlanRestrictions(const std::vector<cql::Relation>& where,
                                      const TableSchema& schema, const Layout& layout) {
  return Planner(schema, layout).Run(where);
}

TypeRef TokenType(const TableSchema& schema, Partitioner partitioner) {
  switch (partitioner) {
    case Partitioner::kMurmur3:
      return SimpleType(TypeKind::kBigint);
    case Partitioner::kRandom:
      return SimpleType(TypeKind::kVarint);
    case Partitioner::kLocal:
      if (schema.partition_key.size() == 1) {
        return schema.partition_key[0].type;
      }
      break;
    case Partitioner::kByteOrdered:
      break;
  }
  return SimpleType(TypeKind::kBlob);
}

}  // namespace orochi::sstable
