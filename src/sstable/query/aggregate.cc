#include "sstable/query/aggregate.h"

#include <bit>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/types/big_decimal.h"
#include "sstable/types/bytes.h"
#include "sstable/types/compare.h"

namespace orochi::sstable {

namespace {

enum class NumberKind { kNone, kInteger, kFloat, kBig };

NumberKind NumberKindOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInt:
    case TypeKind::kBigint:
      return NumberKind::kInteger;
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return NumberKind::kFloat;
    case TypeKind::kVarint:
    case TypeKind::kDecimal:
      return NumberKind::kBig;
    default:
      return NumberKind::kNone;
  }
}

int64_t DecodeInteger(TypeKind kind, Bytes bytes) {
  switch (kind) {
    case TypeKind::kTinyint:
      return LoadBigEndian<int8_t>(bytes);
    case TypeKind::kSmallint:
      return LoadBigEndian<int16_t>(bytes);
    case TypeKind::kInt:
      return LoadBigEndian<int32_t>(bytes);
    default:
      return LoadBigEndian<int64_t>(bytes);
  }
}

/// The low bits of `value`, as Java's narrowing keeps them.
std::string EncodeInteger(TypeKind kind, int64_t value) {
  std::string out;
  switch (kind) {
    case TypeKind::kTinyint:
      AppendBigEndian(out, static_cast<int8_t>(value));
      break;
    case TypeKind::kSmallint:
      AppendBigEndian(out, static_cast<int16_t>(value));
      break;
    case TypeKind::kInt:
      AppendBigEndian(out, static_cast<int32_t>(value));
      break;
    default:
      AppendBigEndian(out, value);
  }
  return out;
}

/// Empty numbers are no numbers; wrong ones are errors.
Result<bool> IsNumber(const Type& type, const Value& value, size_t size_bytes) {
  if (!value.has_value() || value->empty()) {
    return false;
  }
  if (size_bytes != 0 && value->size() != size_bytes) {
    return Status::Corruption(StrCat("a value of type ", CqlName(type), " has ", value->size(),
                                     " bytes, expected ", size_bytes));
  }
  return true;
}

class Count final : public Aggregate {
 public:
  explicit Count(bool rows) : rows_(rows) {}
  Status Add(const Value& value) override {
    count_ += rows_ || value.has_value() ? 1 : 0;
    return Status::Ok();
  }
  Result<Value> Finish() override {
    std::string out;
    AppendBigEndian(out, count_);
    return Value(std::move(out));
  }

 private:
  bool rows_;
  int64_t count_ = 0;
};

class Extreme final : public Aggregate {
 public:
  Extreme(const Type& type, bool max) : type_(type), max_(max) {}
  Status Add(const Value& value) override {
    if (!value.has_value()) {
      return Status::Ok();
    }
    if (best_.has_value()) {
      int const order = CompareValues(type_, AsBytes(*value), AsBytes(*best_));
      if (max_ ? order <= 0 : order >= 0) {
        return Status::Ok();
      }
    }
    best_ = value;
    return Status::Ok();
  }
  Result<Value> Finish() override { return best_; }

 private:
  const Type& type_;
  bool max_;
  Value best_;
};

class IntegerSum final : public Aggregate {
 public:
  IntegerSum(const Type& type, bool average) : type_(type), average_(average) {}
  Status Add(const Value& value) override {
    size_t const size_bytes = EncodeInteger(type_.kind, 0).size();
    ASSIGN_OR_RETURN(bool const is_number, IsNumber(type_, value, size_bytes));
    if (is_number) {
      sum_ += DecodeInteger(type_.kind, AsBytes(*value));
      ++count_;
    }
    return Status::Ok();
  }
  Result<Value> Finish() override {
    __int128 const result = average_ ? (count_ == 0 ? 0 : sum_ / count_) : sum_;
    return Value(EncodeInteger(type_.kind, static_cast<int64_t>(result)));
  }

 private:
  const Type& type_;
  bool average_;
  __int128 sum_ = 0;  // 2^63 rows of 64 bits fit
  int64_t count_ = 0;
};

/// With Kahan's compensation, as Cassandra adds.
class FloatSum final : public Aggregate {
 public:
  FloatSum(const Type& type, bool average) : type_(type), average_(average) {}
  Status Add(const Value& value) override {
    bool const single = type_.kind == TypeKind::kFloat;
    ASSIGN_OR_RETURN(bool const is_number, IsNumber(type_, value, single ? 4 : 8));
    if (!is_number) {
      return Status::Ok();
    }
    double const number = single ? std::bit_cast<float>(LoadBigEndian<uint32_t>(AsBytes(*value)))
                                 : std::bit_cast<double>(LoadBigEndian<uint64_t>(AsBytes(*value)));
    simple_sum_ += number;
    double const corrected = number - compensation_;
    double const next = sum_ + corrected;
    compensation_ = (next - sum_) - corrected;
    sum_ = next;
    ++count_;
    return Status::Ok();
  }
  Result<Value> Finish() override {
    // Infinities make the compensation a NaN.
    double const sum = sum_ != sum_ ? simple_sum_ : sum_;
    double const result = average_ ? (count_ == 0 ? 0 : sum / static_cast<double>(count_)) : sum;
    std::string out;
    if (type_.kind == TypeKind::kFloat) {
      AppendBigEndian(out, std::bit_cast<uint32_t>(static_cast<float>(result)));
    } else {
      AppendBigEndian(out, std::bit_cast<uint64_t>(result));
    }
    return Value(std::move(out));
  }

 private:
  const Type& type_;
  bool average_;
  double sum_ = 0;
  double compensation_ = 0;
  double simple_sum_ = 0;
  int64_t count_ = 0;
};

class BigSum final : public Aggregate {
 public:
  BigSum(const Type& type, bool average) : type_(type), average_(average) {}
  Status Add(const Value& value) override {
    ASSIGN_OR_RETURN(bool const is_number, IsNumber(type_, value, 0));
    if (!is_number) {
      return Status::Ok();
    }
    BigDecimal number = DecodeVarint(AsBytes(*value));
    if (type_.kind == TypeKind::kDecimal) {
      ASSIGN_OR_RETURN(number, DecodeDecimal(AsBytes(*value)));
    }
    ASSIGN_OR_RETURN(sum_, AddBigDecimals(sum_, number));
    ++count_;
    return Status::Ok();
  }
  Result<Value> Finish() override {
    bool const decimal = type_.kind == TypeKind::kDecimal;
    BigDecimal const result =
        average_ && count_ > 0 ? DivideBigDecimal(sum_, count_, /*half_even=*/decimal) : sum_;
    return Value(decimal ? EncodeDecimal(result) : EncodeVarint(result));
  }

 private:
  const Type& type_;
  bool average_;
  BigDecimal sum_;
  uint64_t count_ = 0;
};

}  // namespace

bool IsAggregate(std::string_view function) {
  return function == "count" || function == "countrows" || function == "min" || function == "max" ||
         function == "sum" || function == "avg";
}

Result<TypeRef> AggregateType(std::string_view function, const Type* argument) {
  if (function == "count" || function == "countrows") {
    return SimpleType(TypeKind::kBigint);
  }
  ASSERT(argument != nullptr);
  bool const number = NumberKindOf(argument->kind) != NumberKind::kNone;
  bool const ordered = argument->kind != TypeKind::kDuration;
  if ((function == "sum" || function == "avg") ? !number : !ordered) {
    return Status::InvalidArgument(StrCat("Invalid call to function ", function,
                                          ", none of its type signatures match (it does not take ",
                                          CqlName(*argument), ")"));
  }
  return std::make_shared<const Type>(*argument);
}

std::unique_ptr<Aggregate> MakeAggregate(std::string_view function, const Type* argument) {
  if (function == "count" || function == "countrows") {
    return std::make_unique<Count>(/*rows=*/argument == nullptr);
  }
  if (function == "min" || function == "max") {
    return std::make_unique<Extreme>(*argument, function == "max");
  }
  bool const average = function == "avg";
  switch (NumberKindOf(argument->kind)) {
    case NumberKind::kInteger:
      return std::make_unique<IntegerSum>(*argument, average);
    case NumberKind::kFloat:
      return std::make_unique<FloatSum>(*argument, average);
    case NumberKind::kBig:
    case NumberKind::kNone:
      break;
  }
  return std::make_unique<BigSum>(*argument, average);
}

}  // namespace orochi::sstable
