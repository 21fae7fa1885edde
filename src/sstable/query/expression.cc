#include "sstable/query/expression.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/str_cat.h"
#include "sstable/cql/bind.h"
#include "sstable/query/conversion.h"
#include "sstable/query/operators.h"
#include "sstable/query/restrictions.h"
#include "sstable/query/time_functions.h"
#include "sstable/types/big_decimal.h"
#include "sstable/types/compare.h"
#include "sstable/types/elements.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/time_uuid.h"
#include "sstable/types/value_build.h"
#include "sstable/types/value_text.h"

namespace orochi::sstable {

namespace {

using ExpressionPtr = std::unique_ptr<Expression>;

Status At(cql::Position position, std::string_view message) {
  return Status::InvalidArgument(StrCat(cql::PositionText(position), " ", message));
}

class ColumnExpression final : public Expression {
 public:
  explicit ColumnExpression(const ColumnRef& column) : Expression(column.type), column_(column) {}
  Result<Value> Evaluate(const EvaluationContext& context) const override {
    return context.row->Get(column_);
  }

 private:
  ColumnRef column_;
};

class ConstantExpression final : public Expression {
 public:
  ConstantExpression(TypeRef type, Value value)
      : Expression(std::move(type)), value_(std::move(value)) {}
  Result<Value> Evaluate(const EvaluationContext&) const override { return value_; }

 private:
  Value value_;
};

class AggregateExpression final : public Expression {
 public:
  AggregateExpression(TypeRef type, size_t index) : Expression(std::move(type)), index_(index) {}
  Result<Value> Evaluate(const EvaluationContext& context) const override {
    return context.aggregates[index_];
  }

 private:
  size_t index_;
};

/// The number, or for partitioners by order the key's bytes.
class TokenExpression final : public Expression {
 public:
  explicit TokenExpression(TypeRef type) : Expression(std::move(type)) {}
  Result<Value> Evaluate(const EvaluationContext& context) const override {
    Bytes const key = context.row->partition_key();
    std::string out;
    switch (context.partitioner) {
      case Partitioner::kMurmur3:
        AppendBigEndian(out, TokenOf(context.partitioner, key).murmur3());
        return Value(std::move(out));
      case Partitioner::kRandom: {
        ASSIGN_OR_RETURN(out, ParseScalar(*type(), TokenText(context.partitioner, key)));
        return Value(std::move(out));
      }
      case Partitioner::kByteOrdered:
      case Partitioner::kLocal:
        break;
    }
    return Value(std::string(AsText(key)));
  }
};

class OperatorExpression final : public Expression {
 public:
  OperatorExpression(char op, ExpressionPtr left, ExpressionPtr right, TypeRef type)
      : Expression(std::move(type)), op_(op), left_(std::move(left)), right_(std::move(right)) {}
  Result<Value> Evaluate(const EvaluationContext& context) const override {
    ASSIGN_OR_RETURN(Value const left, left_->Evaluate(context));
    ASSIGN_OR_RETURN(Value const right, right_->Evaluate(context));
    return ApplyOperator(op_, *left_->type(), left, *right_->type(), right, *type());
  }

 private:
  char op_;
  ExpressionPtr left_;
  ExpressionPtr right_;
};

/// now() and its kin: the moment of the query.
class NowExpression final : public Expression {
 public:
  explicit NowExpression(TypeKind kind) : Expression(SimpleType(kind)) {}
  Result<Value> Evaluate(const EvaluationContext& context) const override {
    constexpr int64_t kMillisPerSecond = 1000;
    constexpr int64_t kSecondsPerDay = 86'400;
    constexpr int64_t kNanosPerSecond = 1'000'000'000;
    std::string out;
    switch (type()->kind) {
      case TypeKind::kTimestamp:
        AppendBigEndian(out, context.now_s * kMillisPerSecond);
        break;
      case TypeKind::kDate:
        AppendBigEndian(out, static_cast<uint32_t>(context.now_s / kSecondsPerDay + (1LL << 31)));
        break;
      case TypeKind::kTime:
        AppendBigEndian(out, context.now_s % kSecondsPerDay * kNanosPerSecond);
        break;
      default:
        out = TimeUuidBound(context.now_s * kMillisPerSecond, false);
    }
    return Value(std::move(out));
  }
};

/// min_timeuuid and max_timeuuid.
class TimeUuidBoundExpression final : public Expression {
 public:
  TimeUuidBoundExpression(ExpressionPtr argument, bool is_max)
      : Expression(SimpleType(TypeKind::kTimeuuid)),
        argument_(std::move(argument)),
        is_max_(is_max) {}
  Result<Value> Evaluate(const EvaluationContext& context) const override {
    ASSIGN_OR_RETURN(Value const value, argument_->Evaluate(context));
    if (!value.has_value() || value->size() != sizeof(int64_t)) {
      return Value();
    }
    return Value(TimeUuidBound(LoadBigEndian<int64_t>(AsBytes(*value)), is_max_));
  }

 private:
  ExpressionPtr argument_;
  bool is_max_;
};

class FloorExpression final : public Expression {
 public:
  FloorExpression(ExpressionPtr argument, DurationParts duration)
      : Expression(SimpleType(FloorResult(argument->type()->kind))),
        argument_(std::move(argument)),
        duration_(duration) {}
  Result<Value> Evaluate(const EvaluationContext& context) const override {
    ASSIGN_OR_RETURN(Value const value, argument_->Evaluate(context));
    if (!value.has_value() || value->empty()) {
      return Value();
    }
    RETURN_IF_ERROR(ValidateValue(*argument_->type(), AsBytes(*value)));
    ASSIGN_OR_RETURN(std::string floor,
                     FloorTime(argument_->type()->kind, AsBytes(*value), duration_));
    return Value(std::move(floor));
  }

 private:
  ExpressionPtr argument_;
  DurationParts duration_;
};

/// writetime, maxwritetime and ttl.
class TimesExpression final : public Expression {
 public:
  enum class What : uint8_t { kWriteTime, kMaxWriteTime, kTtl };
  TimesExpression(const ColumnRef& column, What what, bool is_list)
      : Expression(ResultType(what, is_list)), column_(column), what_(what), is_list_(is_list) {}

  Result<Value> Evaluate(const EvaluationContext& context) const override {
    RowValues::CellTimes const times = context.row->TimesOf(column_);
    if (times.timestamps_us.empty()) {
      return Value();
    }
    if (what_ == What::kMaxWriteTime) {
      int64_t max = times.timestamps_us[0];
      for (int64_t const timestamp : times.timestamps_us) {
        max = std::max(max, timestamp);
      }
      return Encode(max);
    }
    std::vector<Value> values;
    for (size_t index = 0; index < times.timestamps_us.size(); ++index) {
      values.push_back(what_ == What::kWriteTime ? Encode(times.timestamps_us[index])
                                                 : TimeToLive(times.expires_s[index], context));
    }
    if (!is_list_) {
      return values[0];
    }
    // A list with nulls for cells that do not expire.
    std::string out;
    AppendBigEndian(out, static_cast<int32_t>(values.size()));
    for (const Value& value : values) {
      AppendBigEndian(out, value.has_value() ? static_cast<int32_t>(value->size()) : -1);
      out += value.value_or("");
    }
    return Value(std::move(out));
  }

 private:
  static TypeRef ResultType(What what, bool is_list) {
    TypeRef const one = SimpleType(what == What::kTtl ? TypeKind::kInt : TypeKind::kBigint);
    return is_list ? Frozen(ListOf(one)) : one;
  }
  static Value Encode(int64_t number) {
    std::string out;
    AppendBigEndian(out, number);
    return out;
  }
  static Value TimeToLive(const Value& expires_s, const EvaluationContext& context) {
    if (!expires_s.has_value()) {
      return std::nullopt;
    }
    std::string out;
    AppendBigEndian(
        out, static_cast<int32_t>(LoadBigEndian<int64_t>(AsBytes(*expires_s)) - context.now_s));
    return out;
  }

  ColumnRef column_;
  What what_;
  bool is_list_;
};

class CastExpression final : public Expression {
 public:
  CastExpression(ExpressionPtr argument, TypeRef type)
      : Expression(std::move(type)), argument_(std::move(argument)) {}
  Result<Value> Evaluate(const EvaluationContext& context) const override {
    ASSIGN_OR_RETURN(Value value, argument_->Evaluate(context));
    if (!value.has_value()) {
      return value;
    }
    return ConvertValue(*argument_->type(), *type(), *value);
  }

 private:
  ExpressionPtr argument_;
};

class JsonExpression final : public Expression {
 public:
  explicit JsonExpression(ExpressionPtr argument)
      : Expression(SimpleType(TypeKind::kText)), argument_(std::move(argument)) {}
  Result<Value> Evaluate(const EvaluationContext& context) const override {
    ASSIGN_OR_RETURN(Value const value, argument_->Evaluate(context));
    if (!value.has_value()) {
      return Value("null");
    }
    std::string json;
    RETURN_IF_ERROR(AppendJson(*argument_->type(), AsBytes(*value), json));
    return Value(std::move(json));
  }

 private:
  ExpressionPtr argument_;
};

class FieldExpression final : public Expression {
 public:
  FieldExpression(ExpressionPtr argument, size_t field)
      : Expression(argument->type()->parameters[field]),
        argument_(std::move(argument)),
        field_(field) {}
  Result<Value> Evaluate(const EvaluationContext& context) const override {
    ASSIGN_OR_RETURN(Value const value, argument_->Evaluate(context));
    if (!value.has_value()) {
      return value;
    }
    ElementReader reader(*argument_->type(), AsBytes(*value));
    for (size_t index = 0;; ++index) {
      auto const element = reader.Next();
      if (!element.has_value() || (index == field_ && element->is_null)) {
        return Value();
      }
      if (index == field_) {
        return Value(std::string(AsText(element->bytes)));
      }
    }
  }

 private:
  ExpressionPtr argument_;
  size_t field_;
};

/// m['key'], s['element'], and the slices of both.
class ElementExpression final : public Expression {
 public:
  ElementExpression(ExpressionPtr argument, TypeRef type, bool is_slice, Value from, Value to)
      : Expression(std::move(type)),
        argument_(std::move(argument)),
        is_slice_(is_slice),
        from_(std::move(from)),
        to_(std::move(to)) {}
  Result<Value> Evaluate(const EvaluationContext& context) const override {
    ASSIGN_OR_RETURN(Value const value, argument_->Evaluate(context));
    if (!value.has_value()) {
      return value;
    }
    const Type& collection = *argument_->type();
    bool const is_map = collection.kind == TypeKind::kMap;
    ElementReader reader(collection, AsBytes(*value));
    std::string kept;
    int32_t count = 0;
    while (auto const key = reader.Next()) {
      auto const mapped = is_map ? reader.Next() : key;
      if (!mapped.has_value()) {
        break;
      }
      if (!is_slice_) {
        if (EqualValues(*key->type, key->bytes, AsBytes(*from_))) {
          return Value(std::string(AsText(mapped->bytes)));
        }
        continue;
      }
      if ((from_.has_value() && CompareValues(*key->type, key->bytes, AsBytes(*from_)) < 0) ||
          (to_.has_value() && CompareValues(*key->type, key->bytes, AsBytes(*to_)) > 0)) {
        continue;
      }
      ++count;
      AppendElement(key->bytes, kept);
      if (is_map) {
        AppendElement(mapped->bytes, kept);
      }
    }
    if (!is_slice_) {
      return Value();
    }
    std::string out;
    AppendBigEndian(out, count);
    return Value(out + kept);
  }

 private:
  static void AppendElement(Bytes bytes, std::string& out) {
    AppendBigEndian(out, static_cast<int32_t>(bytes.size()));
    AppendBytes(out, bytes);
  }

  ExpressionPtr argument_;
  bool is_slice_;
  Value from_;
  Value to_;
};

bool IsTimeFunction(std::string_view name) {
  constexpr std::array<std::string_view, 13> kNames = {"now",
                                                       "currenttimeuuid",
                                                       "current_timeuuid",
                                                       "currenttimestamp",
                                                       "current_timestamp",
                                                       "currentdate",
                                                       "current_date",
                                                       "currenttime",
                                                       "current_time",
                                                       "mintimeuuid",
                                                       "min_timeuuid",
                                                       "maxtimeuuid",
                                                       "max_timeuuid"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

/// Compiles one selector, from its leaves up.
class Compiler {
 public:
  Compiler(const TableSchema& schema, Partitioner partitioner,
           std::vector<AggregateCall>& aggregates, CompiledSelector& result)
      : schema_(schema), partitioner_(partitioner), aggregates_(aggregates), result_(result) {}

  /// Leaves the heading of what it compiled in `heading`.
  Result<ExpressionPtr> Compile(const cql::Selector& selector, std::string& heading);

 private:
  Result<ColumnRef> ColumnOf(const cql::Selector& selector);
  Result<ExpressionPtr> CompileBare(const cql::Selector& selector, std::string& heading);
  Result<ExpressionPtr> CompileFunction(const cql::Selector& selector, std::string& heading);
  Result<ExpressionPtr> CompileAggregate(const cql::Selector& selector, std::string& heading);
  Result<ExpressionPtr> CompileTimes(const cql::Selector& selector, std::string& heading);
  Result<ExpressionPtr> CompileToken(const cql::Selector& selector, std::string& heading);
  Result<ExpressionPtr> CompileCast(const cql::Selector& selector, std::string& heading);
  Result<ExpressionPtr> CompileField(const cql::Selector& selector, std::string& heading);
  Result<ExpressionPtr> CompileElement(const cql::Selector& selector, std::string& heading);
  Result<ExpressionPtr> CompileTerm(const cql::Selector& selector, std::string& heading);
  Status CheckArguments(const cql::Selector& selector, size_t count) const;

  Result<ExpressionPtr> CompileOperator(const cql::Selector& selector, std::string& heading);
  Result<ExpressionPtr> CompileNegation(const cql::Selector& selector, std::string& heading);
  Result<ExpressionPtr> CompileTimeFunction(const cql::Selector& selector, std::string& heading);
  Result<ExpressionPtr> CompileFloor(const cql::Selector& selector, std::string& heading);
  Result<ExpressionPtr> CompileLike(const cql::Selector& selector, const Type& type,
                                    std::string& heading);

  const TableSchema& schema_;
  Partitioner partitioner_;
  std::vector<AggregateCall>& aggregates_;
  CompiledSelector& result_;
  bool in_aggregate_ = false;
};

Result<ColumnRef> Compiler::ColumnOf(const cql::Selector& selector) {
  if (selector.kind != cql::Selector::Kind::kColumn) {
    return At(selector.position, "a column is expected here");
  }
  Result<ColumnRef> column = FindColumn(schema_, selector.name);
  if (!column.ok()) {
    return At(selector.position, column.status().message());
  }
  result_.columns.push_back(*column);
  return column;
}

Result<ExpressionPtr> Compiler::Compile(const cql::Selector& selector, std::string& heading) {
  ASSIGN_OR_RETURN(ExpressionPtr expression, CompileBare(selector, heading));
  for (int depth = 0; depth < selector.parentheses; ++depth) {
    heading = StrCat("(", heading, ")");
  }
  return expression;
}

Result<ExpressionPtr> Compiler::CompileBare(const cql::Selector& selector, std::string& heading) {
  switch (selector.kind) {
    case cql::Selector::Kind::kColumn: {
      ASSIGN_OR_RETURN(ColumnRef const column, ColumnOf(selector));
      heading = column.name;
      return std::make_unique<ColumnExpression>(column);
    }
    case cql::Selector::Kind::kFunction:
      return CompileFunction(selector, heading);
    case cql::Selector::Kind::kCast:
      return CompileCast(selector, heading);
    case cql::Selector::Kind::kField:
      return CompileField(selector, heading);
    case cql::Selector::Kind::kElement:
    case cql::Selector::Kind::kSlice:
      return CompileElement(selector, heading);
    case cql::Selector::Kind::kTerm:
      return CompileTerm(selector, heading);
    case cql::Selector::Kind::kOperator:
      return CompileOperator(selector, heading);
    case cql::Selector::Kind::kNegate:
      return CompileNegation(selector, heading);
  }
  return At(selector.position, "cannot be selected");
}

Status Compiler::CheckArguments(const cql::Selector& selector, size_t count) const {
  if (selector.arguments.size() != count) {
    return At(selector.position,
              StrCat("Invalid number of arguments in call to function system.", selector.name, ": ",
                     count, " required but ", selector.arguments.size(), " provided"));
  }
  return Status::Ok();
}

Result<ExpressionPtr> Compiler::CompileFunction(const cql::Selector& selector,
                                                std::string& heading) {
  const std::string& name = selector.name;
  if (IsAggregate(name)) {
    return CompileAggregate(selector, heading);
  }
  if (name == "writetime" || name == "maxwritetime" || name == "ttl") {
    return CompileTimes(selector, heading);
  }
  if (name == "token") {
    return CompileToken(selector, heading);
  }
  if (name == "tojson" || name == "to_json") {
    RETURN_IF_ERROR(CheckArguments(selector, 1));
    std::string inner;
    ASSIGN_OR_RETURN(ExpressionPtr argument, Compile(selector.arguments[0], inner));
    heading = StrCat("system.", name, "(", inner, ")");
    return std::make_unique<JsonExpression>(std::move(argument));
  }
  if (IsTimeFunction(name)) {
    return CompileTimeFunction(selector, heading);
  }
  if (name == "floor") {
    return CompileFloor(selector, heading);
  }
  std::optional<TypeKind> const target = ConversionFunction(name);
  if (!target.has_value()) {
    return At(selector.position, StrCat("Unknown function '", name, "'"));
  }
  RETURN_IF_ERROR(CheckArguments(selector, 1));
  std::string inner;
  ASSIGN_OR_RETURN(ExpressionPtr argument, Compile(selector.arguments[0], inner));
  TypeRef type = SimpleType(*target);
  if (argument->type()->kind == *target || !CanConvert(*argument->type(), *type)) {
    return At(selector.position, StrCat("Invalid call to function ", name,
                                        ", none of its type signatures match (it "
                                        "does not take ",
                                        CqlName(*argument->type()), ")"));
  }
  heading = StrCat("system.", name, "(", inner, ")");
  return std::make_unique<CastExpression>(std::move(argument), std::move(type));
}

Result<ExpressionPtr> Compiler::CompileAggregate(const cql::Selector& selector,
                                                 std::string& heading) {
  if (in_aggregate_) {
    return At(selector.position,
              "aggregate functions cannot be used as arguments of aggregate "
              "functions");
  }
  AggregateCall call{.function = selector.name, .argument = nullptr, .result_type = nullptr};
  heading = "count";
  if (selector.name != "countrows") {
    RETURN_IF_ERROR(CheckArguments(selector, 1));
    in_aggregate_ = true;
    std::string inner;
    ASSIGN_OR_RETURN(call.argument, Compile(selector.arguments[0], inner));
    in_aggregate_ = false;
    heading = StrCat("system.", selector.name, "(", inner, ")");
  }
  Result<TypeRef> type =
      AggregateType(call.function, call.argument ? call.argument->type().get() : nullptr);
  if (!type.ok()) {
    return At(selector.position, type.status().message());
  }
  call.result_type = *type;
  aggregates_.push_back(std::move(call));
  result_.has_aggregate = true;
  return std::make_unique<AggregateExpression>(*std::move(type), aggregates_.size() - 1);
}

Result<ExpressionPtr> Compiler::CompileTimes(const cql::Selector& selector, std::string& heading) {
  RETURN_IF_ERROR(CheckArguments(selector, 1));
  ASSIGN_OR_RETURN(ColumnRef const column, ColumnOf(selector.arguments[0]));
  heading = StrCat(selector.name, "(", column.name, ")");
  if (column.role == ColumnRole::kPartitionKey || column.role == ColumnRole::kClustering) {
    return At(selector.position, StrCat("Cannot use selection function ", selector.name,
                                        " on PRIMARY KEY part ", column.name));
  }
  bool const multi_cell = schema_.Find(column.name)->column->type->multi_cell();
  using What = TimesExpression::What;
  What const what = selector.name == "ttl"         ? What::kTtl
                    : selector.name == "writetime" ? What::kWriteTime
                                                   : What::kMaxWriteTime;
  return std::make_unique<TimesExpression>(column, what, multi_cell && what != What::kMaxWriteTime);
}

Result<ExpressionPtr> Compiler::CompileToken(const cql::Selector& selector, std::string& heading) {
  heading = "system.token(";
  bool in_order = selector.arguments.size() == schema_.partition_key.size();
  for (size_t index = 0; index < selector.arguments.size(); ++index) {
    ASSIGN_OR_RETURN(ColumnRef const column, ColumnOf(selector.arguments[index]));
    in_order = in_order && column.role == ColumnRole::kPartitionKey && column.index == index;
    heading += StrCat(index == 0 ? "" : ", ", column.name);
  }
  heading += ")";
  if (!in_order) {
    return At(selector.position,
              "The token function arguments must be in the partition key order, and all of them");
  }
  return std::make_unique<TokenExpression>(TokenType(schema_, partitioner_));
}

Result<ExpressionPtr> Compiler::CompileCast(const cql::Selector& selector, std::string& heading) {
  std::string inner;
  ASSIGN_OR_RETURN(ExpressionPtr argument, Compile(selector.arguments[0], inner));
  ASSIGN_OR_RETURN(TypeRef type, cql::ResolveType(selector.cast_type[0], schema_.user_types));
  if (SameType(*argument->type(), *type)) {
    heading = std::move(inner);
    return argument;
  }
  heading = StrCat("cast(", inner, " as ", CqlName(*type), ")");
  if (!CanConvert(*argument->type(), *type)) {
    return At(selector.position,
              StrCat(CqlName(*argument->type()), " cannot be cast to ", CqlName(*type)));
  }
  return std::make_unique<CastExpression>(std::move(argument), std::move(type));
}

Result<ExpressionPtr> Compiler::CompileField(const cql::Selector& selector, std::string& heading) {
  std::string inner;
  ASSIGN_OR_RETURN(ExpressionPtr argument, Compile(selector.arguments[0], inner));
  const Type& type = *argument->type();
  heading = StrCat(inner, ".", QuoteIdentifier(selector.name));
  if (type.kind != TypeKind::kUdt) {
    return At(selector.position, StrCat("Invalid field selection: ", inner, " of type ",
                                        CqlName(type), " is not a user type"));
  }
  for (size_t field = 0; field < type.field_names.size(); ++field) {
    if (type.field_names[field] == selector.name) {
      return std::make_unique<FieldExpression>(std::move(argument), field);
    }
  }
  return At(selector.position,
            StrCat(inner, " of type ", CqlName(type), " has no field ", selector.name));
}

Result<ExpressionPtr> Compiler::CompileElement(const cql::Selector& selector,
                                               std::string& heading) {
  std::string inner;
  ASSIGN_OR_RETURN(ExpressionPtr argument, Compile(selector.arguments[0], inner));
  const Type& type = *argument->type();
  bool const is_slice = selector.kind == cql::Selector::Kind::kSlice;
  if (type.kind != TypeKind::kMap && type.kind != TypeKind::kSet) {
    return At(selector.position, StrCat("Invalid element selection: ", inner, " is of type ",
                                        CqlName(type), ", expected a map or a set"));
  }
  auto const bind = [&](const cql::Term& term) {
    return cql::BindTerm(term, type.element(), inner);
  };
  ASSIGN_OR_RETURN(Value from, bind(selector.terms[0]));
  Value to;
  if (is_slice) {
    ASSIGN_OR_RETURN(to, bind(selector.terms[1]));
  } else if (!from.has_value()) {
    return At(selector.position, StrCat("Invalid null value for element selection on ", inner));
  }
  // The heading is the text as written: literals keep their spelling.
  heading = selector.text.empty() ? StrCat(inner, "[...]") : selector.text;
  TypeRef result = is_slice                      ? argument->type()
                   : type.kind == TypeKind::kMap ? type.parameters[1]
                                                 : type.parameters[0];
  return std::make_unique<ElementExpression>(std::move(argument), std::move(result), is_slice,
                                             std::move(from), std::move(to));
}

// Of the smallest type that holds it: int, bigint or varint; double or decimal.
TypeKind NumberKind(const cql::Term& term) {
  if (term.kind == cql::Term::Kind::kInteger) {
    int64_t number = 0;
    const char* const end = term.text.data() + term.text.size();
    auto const [stop, problem] = std::from_chars(term.text.data(), end, number);
    if (problem != std::errc() || stop != end) {
      return TypeKind::kVarint;
    }
    return number == static_cast<int32_t>(number) ? TypeKind::kInt : TypeKind::kBigint;
  }
  TypeRef const real = SimpleType(TypeKind::kDouble);
  Result<std::string> const near = ParseScalar(*real, term.text);
  if (!near.ok()) {
    return TypeKind::kDecimal;
  }
  Result<std::string> const text = ScalarText(*real, AsBytes(*near));
  Result<BigDecimal> const nearest =
      text.ok() ? ParseBigDecimal(*text) : Result<BigDecimal>(text.status());
  Result<BigDecimal> const exact = ParseBigDecimal(term.text);
  bool const holds =
      !nearest.ok() || !exact.ok() || CompareBigDecimals(*nearest, *exact) == 0;  // NaN, Infinity
  return holds ? TypeKind::kDouble : TypeKind::kDecimal;
}

/// "1" of "(int) 1".
std::string_view AfterParenthesis(std::string_view cast) {
  size_t const end = cast.find(')');
  size_t const next = end == std::string_view::npos ? end : cast.find_first_not_of(' ', end + 1);
  return next == std::string_view::npos ? std::string_view() : cast.substr(next);
}

Result<ExpressionPtr> Compiler::CompileTerm(const cql::Selector& selector, std::string& heading) {
  const cql::Term& term = selector.terms[0];
  heading = selector.text;
  TypeRef type;
  switch (term.kind) {
    case cql::Term::Kind::kCast: {
      ASSIGN_OR_RETURN(type, cql::ResolveType(term.cast_type[0], schema_.user_types));
      heading = StrCat("(", CqlName(*type), ")", AfterParenthesis(selector.text));
      break;
    }
    case cql::Term::Kind::kInteger:
    case cql::Term::Kind::kFloat:
      type = SimpleType(NumberKind(term));
      break;
    case cql::Term::Kind::kString:
      type = SimpleType(TypeKind::kText);
      break;
    case cql::Term::Kind::kBoolean:
      type = SimpleType(TypeKind::kBoolean);
      break;
    case cql::Term::Kind::kUuid:
      type = SimpleType(TypeKind::kUuid);
      break;
    case cql::Term::Kind::kHex:
      type = SimpleType(TypeKind::kBlob);
      break;
    case cql::Term::Kind::kDuration:
      type = SimpleType(TypeKind::kDuration);
      break;
    default:
      return At(selector.position,
                StrCat("Cannot infer type for term ", heading,
                       " in selection clause (try using a cast to force a type)"));
  }
  ASSIGN_OR_RETURN(Value value, cql::BindTerm(term, *type, heading));
  return std::make_unique<ConstantExpression>(std::move(type), std::move(value));
}

// A literal where something of a type is expected takes that type where it can.
Result<ExpressionPtr> Compiler::CompileLike(const cql::Selector& selector, const Type& type,
                                            std::string& heading) {
  if (selector.kind == cql::Selector::Kind::kTerm) {
    Result<Value> value = cql::BindTerm(selector.terms[0], type, selector.text);
    if (value.ok()) {
      heading = selector.text;
      return std::make_unique<ConstantExpression>(SimpleType(type.kind), *std::move(value));
    }
    value.status().IgnoreError("of a type of its own, then");
  }
  return Compile(selector, heading);
}

Result<ExpressionPtr> Compiler::CompileOperator(const cql::Selector& selector,
                                                std::string& heading) {
  char const op = selector.name[0];
  std::string left_heading;
  std::string right_heading;
  ASSIGN_OR_RETURN(ExpressionPtr left, Compile(selector.arguments[0], left_heading));
  ASSIGN_OR_RETURN(ExpressionPtr right, Compile(selector.arguments[1], right_heading));
  heading = StrCat(left_heading, " ", selector.name, " ", right_heading);
  Result<TypeRef> type = OperatorType(op, *left->type(), *right->type());
  if (!type.ok()) {
    return type.status().code() == StatusCode::kInvalidArgument
               ? At(selector.position,
                    StrCat("the '", selector.name, "' operation is not supported between ",
                           left_heading, " and ", right_heading))
               : type.status();
  }
  return std::make_unique<OperatorExpression>(op, std::move(left), std::move(right),
                                              *std::move(type));
}

Result<ExpressionPtr> Compiler::CompileNegation(const cql::Selector& selector,
                                                std::string& heading) {
  std::string inner;
  ASSIGN_OR_RETURN(ExpressionPtr operand, Compile(selector.arguments[0], inner));
  heading = "-" + inner;
  Result<TypeRef> type = OperatorType('-', *operand->type(), *operand->type());
  if (!type.ok()) {
    return At(selector.position,
              StrCat("the '-' operation is not supported on ", CqlName(*operand->type())));
  }
  // As a product, which keeps the sign of zeros.
  ASSIGN_OR_RETURN(std::string minus_one, ParseScalar(**type, "-1"));
  return std::make_unique<OperatorExpression>(
      '*', std::move(operand), std::make_unique<ConstantExpression>(*type, std::move(minus_one)),
      *type);
}

Result<ExpressionPtr> Compiler::CompileTimeFunction(const cql::Selector& selector,
                                                    std::string& heading) {
  const std::string& name = selector.name;
  bool const is_min = name == "mintimeuuid" || name == "min_timeuuid";
  bool const is_max = name == "maxtimeuuid" || name == "max_timeuuid";
  if (is_min || is_max) {
    RETURN_IF_ERROR(CheckArguments(selector, 1));
    std::string inner;
    ASSIGN_OR_RETURN(ExpressionPtr argument,
                     CompileLike(selector.arguments[0], *SimpleType(TypeKind::kTimestamp), inner));
    if (argument->type()->kind != TypeKind::kTimestamp) {
      return At(selector.position,
                StrCat("Invalid call to function ", name, ", it takes a timestamp and not ",
                       CqlName(*argument->type())));
    }
    heading = StrCat("system.", name, "(", inner, ")");
    return std::make_unique<TimeUuidBoundExpression>(std::move(argument), is_max);
  }
  RETURN_IF_ERROR(CheckArguments(selector, 0));
  heading = StrCat("system.", name, "()");
  TypeKind const kind = name.ends_with("timestamp") ? TypeKind::kTimestamp
                        : name.ends_with("date")    ? TypeKind::kDate
                        : name.ends_with("time")    ? TypeKind::kTime
                                                    : TypeKind::kTimeuuid;
  return std::make_unique<NowExpression>(kind);
}

Result<ExpressionPtr> Compiler::CompileFloor(const cql::Selector& selector, std::string& heading) {
  if (selector.arguments.size() != 2) {
    return At(selector.position,
              "floor takes a timestamp, timeuuid, date or time, and a duration; a starting time is "
              "not there");
  }
  std::string inner;
  ASSIGN_OR_RETURN(ExpressionPtr argument, Compile(selector.arguments[0], inner));
  TypeKind const kind = argument->type()->kind;
  const cql::Selector& step = selector.arguments[1];
  bool const is_time = kind == TypeKind::kTimestamp || kind == TypeKind::kTimeuuid ||
                       kind == TypeKind::kDate || kind == TypeKind::kTime;
  if (!is_time || step.kind != cql::Selector::Kind::kTerm ||
      step.terms[0].kind != cql::Term::Kind::kDuration) {
    return At(selector.position,
              StrCat("Invalid call to function floor, none of its type signatures match (",
                     CqlName(*argument->type()), ", ", step.text, ")"));
  }
  ASSIGN_OR_RETURN(Value const value,
                   cql::BindTerm(step.terms[0], *SimpleType(TypeKind::kDuration), "duration"));
  ASSIGN_OR_RETURN(DurationParts const duration, DecodeDuration(AsBytes(*value)));
  heading = StrCat("system.floor(", inner, ", ", step.text, ")");
  return std::make_unique<FloorExpression>(std::move(argument), duration);
}

}  // namespace

Result<CompiledSelector> CompileSelector(const cql::Selector& selector, const TableSchema& schema,
                                         Partitioner partitioner,
                                         std::vector<AggregateCall>& aggregates) {
  CompiledSelector result;
  Compiler compiler(schema, partitioner, aggregates, result);
  ASSIGN_OR_RETURN(result.expression, compiler.Compile(selector, result.heading));
  if (!selector.alias.empty()) {
    result.heading = selector.alias;
  }
  return result;
}

CompiledSelector SelectColumn(const ColumnRef& column) {
  CompiledSelector result;
  result.heading = column.name;
  result.columns.push_back(column);
  result.expression = std::make_unique<ColumnExpression>(column);
  return result;
}

}  // namespace orochi::sstable
