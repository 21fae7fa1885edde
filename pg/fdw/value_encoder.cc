#include "pg/fdw/value_encoder.h"

#include <sys/socket.h>

#include <bit>
#include <limits>

#include "base/str_cat.h"
#include "codec/varint.h"
#include "pg/fdw/json_encoder.h"
#include "pg/fdw/value_decoder.h"
#include "sstable/types/bytes.h"
#include "sstable/types/cassandra_vint.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_build.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/inet.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"
}

namespace orochi::pg {
namespace {

using sstable::AppendBigEndian;
using sstable::Type;
using sstable::TypeKind;
using sstable::TypeRef;

constexpr int64_t kPostgresEpochDays = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;
constexpr int64_t kPostgresEpochMillis = kPostgresEpochDays * SECS_PER_DAY * 1000;
constexpr int64_t kDateZero = int64_t{1} << 31;
constexpr int64_t kThousand = 1000;

bool IsInteger(Oid pg_type) {
  return pg_type == INT2OID || pg_type == INT4OID || pg_type == INT8OID;
}
bool IsText(Oid pg_type) {
  return pg_type == TEXTOID || pg_type == VARCHAROID;
}
bool IsTextKind(TypeKind kind) {
  return kind == TypeKind::kText || kind == TypeKind::kAscii;
}
bool IsUuidKind(TypeKind kind) {
  return kind == TypeKind::kUuid || kind == TypeKind::kTimeuuid || kind == TypeKind::kLexicalUuid;
}
bool IsIntegerKind(TypeKind kind) {
  return kind == TypeKind::kTinyint || kind == TypeKind::kSmallint || kind == TypeKind::kInt ||
         kind == TypeKind::kBigint;
}

// Plain. A varlena's bytes, detoasted.
std::string_view BytesOf(Datum value) noexcept {
  varlena* const plain = PG_DETOAST_DATUM_PACKED(value);
  return {VARDATA_ANY(plain), VARSIZE_ANY_EXHDR(plain)};
}

std::string Text(Datum value) {
  std::string_view const text = TryPg([&]() noexcept {
    std::string_view const own = BytesOf(value);
    char* const converted = pg_server_to_any(own.data(), static_cast<int>(own.size()), PG_UTF8);
    return converted == own.data() ? own : std::string_view(converted, strlen(converted));
  });
  return std::string(text);
}

template <class Integer>
Result<std::string> Narrow(int64_t value, const Type& type) {
  if (value < std::numeric_limits<Integer>::min() || value > std::numeric_limits<Integer>::max()) {
    return Status::OutOfRange(StrCat(value, " is out of range for ", CqlName(type)));
  }
  std::string bytes;
  AppendBigEndian(bytes, static_cast<Integer>(value));
  return bytes;
}

// A value without parts, by the pair of its types.
class ScalarEncoder final : public ValueEncoder {
 public:
  ScalarEncoder(TypeRef type, Oid pg_type) : type_(std::move(type)), pg_type_(pg_type) {}

  Result<std::string> Encode(Datum value) const override {
    switch (pg_type_) {
      case INT2OID:
        return Integer(DatumGetInt16(value));
      case INT4OID:
        return Integer(DatumGetInt32(value));
      case INT8OID:
        return Integer(DatumGetInt64(value));
      case BOOLOID:
        return std::string(1, DatumGetBool(value) ? '\1' : '\0');
      case FLOAT4OID:
        return Float(static_cast<double>(DatumGetFloat4(value)));
      case FLOAT8OID:
        return Float(DatumGetFloat8(value));
      case BYTEAOID:
        return std::string(TryPg([&]() noexcept { return BytesOf(value); }));
      case DATEOID:
        return Date(DatumGetDateADT(value));
      case TIMEOID:
        return Narrow<int64_t>(DatumGetTimeADT(value) * kThousand, *type_);
      case TIMESTAMPTZOID:
        return Timestamp(DatumGetTimestampTz(value));
      case INTERVALOID:
        return Duration(*DatumGetIntervalP(value));
      case UUIDOID: {
        auto const* const uuid = DatumGetUUIDP(value);
        return std::string(reinterpret_cast<const char*>(uuid->data), UUID_LEN);
      }
      case INETOID:
        return Address(value);
      case TEXTOID:
      case VARCHAROID:
        return Text(value);
      default:
        return Status::Internal("unknown way to encode a value");
    }
  }

  static bool Has(const Type& type, Oid pg_type) {
    switch (pg_type) {
      case INT2OID:
      case INT4OID:
      case INT8OID:  // times as nanoseconds
        return IsIntegerKind(type.kind) || type.kind == TypeKind::kTime;
      case BOOLOID:
        return type.kind == TypeKind::kBoolean;
      case FLOAT4OID:
        return type.kind == TypeKind::kFloat || type.kind == TypeKind::kDouble;
      case FLOAT8OID:
        return type.kind == TypeKind::kDouble;
      case BYTEAOID:
        return type.kind == TypeKind::kBlob || type.kind == TypeKind::kCustom;
      case DATEOID:
        return type.kind == TypeKind::kDate;
      case TIMEOID:
        return type.kind == TypeKind::kTime;
      case TIMESTAMPTZOID:
        return type.kind == TypeKind::kTimestamp;
      case INTERVALOID:
        return type.kind == TypeKind::kDuration;
      case UUIDOID:
        return IsUuidKind(type.kind);
      case INETOID:
        return type.kind == TypeKind::kInet;
      case TEXTOID:
      case VARCHAROID:
        return IsTextKind(type.kind);
      default:
        return false;
    }
  }

 private:
  Result<std::string> Integer(int64_t value) const {
    switch (type_->kind) {
      case TypeKind::kTinyint:
        return Narrow<int8_t>(value, *type_);
      case TypeKind::kSmallint:
        return Narrow<int16_t>(value, *type_);
      case TypeKind::kInt:
        return Narrow<int32_t>(value, *type_);
      default:
        return Narrow<int64_t>(value, *type_);
    }
  }

  Result<std::string> Float(double value) const {
    std::string bytes;
    if (type_->kind == TypeKind::kFloat) {
      AppendBigEndian(bytes, std::bit_cast<uint32_t>(static_cast<float>(value)));
    } else {
      AppendBigEndian(bytes, std::bit_cast<uint64_t>(value));
    }
    return bytes;
  }

  Result<std::string> Date(DateADT days) const {
    if (DATE_NOT_FINITE(days)) {
      return Status::OutOfRange("infinity is no date of Cassandra's");
    }
    std::string bytes;
    AppendBigEndian(bytes, static_cast<uint32_t>(int64_t{days} + kPostgresEpochDays + kDateZero));
    return bytes;
  }

  // Cassandra counts milliseconds: finer digits are cut, towards the past.
  Result<std::string> Timestamp(TimestampTz micros) const {
    if (TIMESTAMP_NOT_FINITE(micros)) {
      return Status::OutOfRange("infinity is no timestamp of Cassandra's");
    }
    int64_t const millis = micros / kThousand - (micros % kThousand < 0 ? 1 : 0);
    return Narrow<int64_t>(millis + kPostgresEpochMillis, *type_);
  }

  Result<std::string> Duration(const Interval& interval) const {
    int64_t const parts[] = {interval.month, interval.day, interval.time};
    bool const negative =
        std::any_of(std::begin(parts), std::end(parts), [](int64_t p) { return p < 0; });
    bool const positive =
        std::any_of(std::begin(parts), std::end(parts), [](int64_t p) { return p > 0; });
    int64_t nanos = 0;
    if ((negative && positive) || __builtin_mul_overflow(interval.time, kThousand, &nanos)) {
      return Status::OutOfRange(
          "an interval with parts of both signs, or of too many nanoseconds, is no duration");
    }
    std::vector<std::byte> bytes;
    for (int64_t const part : {parts[0], parts[1], nanos}) {
      sstable::AppendVint(bytes, codec::ZigZagEncode(part));
    }
    return std::string(sstable::AsText(bytes));
  }

  Result<std::string> Address(Datum value) const {
    inet* const address = TryPg([&]() noexcept { return DatumGetInetPP(value); });
    size_t const size_bytes = ip_family(address) == PGSQL_AF_INET ? 4 : 16;
    if (ip_bits(address) != size_bytes * 8) {
      return Status::OutOfRange("an inet with a netmask is no inet of Cassandra's");
    }
    return std::string(reinterpret_cast<const char*>(ip_addr(address)), size_bytes);
  }

  TypeRef type_;
  Oid pg_type_;
};

// Whatever else, through the text of the value.
class OutputTextEncoder final : public ValueEncoder {
 public:
  OutputTextEncoder(TypeRef type, Oid pg_type) : type_(std::move(type)) {
    bool is_varlena = false;
    TryPg([&]() noexcept { getTypeOutputInfo(pg_type, &output_, &is_varlena); });
  }
  Result<std::string> Encode(Datum value) const override {
    const char* const text =
        TryPg([&]() noexcept { return OidOutputFunctionCall(output_, value); });
    return sstable::ParseScalar(*type_, text);
  }

 private:
  TypeRef type_;
  Oid output_ = InvalidOid;
};

class ArrayEncoder final : public ValueEncoder {
 public:
  ArrayEncoder(TypeRef type, Oid element_type, std::unique_ptr<ValueEncoder> element)
      : type_(std::move(type)), element_type_(element_type), element_(std::move(element)) {
    TryPg([&]() noexcept { get_typlenbyvalalign(element_type_, &length_, &by_value_, &align_); });
  }

  Result<std::string> Encode(Datum value) const override {
    Datum* values = nullptr;
    bool* nulls = nullptr;
    int count = 0;
    int const dimensions = TryPg([&]() noexcept {
      ArrayType* const array = DatumGetArrayTypeP(value);
      deconstruct_array(array, element_type_, length_, by_value_, align_, &values, &nulls, &count);
      return ARR_NDIM(array);
    });
    if (dimensions > 1) {
      return Status::InvalidArgument(StrCat(
          "an array of ", dimensions, " dimensions, expected one of 1 for ", CqlName(*type_)));
    }
    std::vector<std::string> elements;
    for (int index = 0; index < count; ++index) {
      if (nulls[index]) {
        return Status::InvalidArgument(
            StrCat("null is no element of a value of type ", CqlName(*type_)));
      }
      ASSIGN_OR_RETURN(std::string bytes, element_->Encode(values[index]));
      elements.push_back(std::move(bytes));
    }
    if (type_->kind == TypeKind::kVector) {
      return sstable::BuildVector(*type_, elements);
    }
    return type_->kind == TypeKind::kSet ? sstable::BuildSet(*type_, std::move(elements))
                                         : sstable::BuildList(elements);
  }

 private:
  TypeRef type_;
  Oid element_type_;
  std::unique_ptr<ValueEncoder> element_;
  int16 length_ = 0;
  bool by_value_ = false;
  char align_ = 0;
};

class CompositeEncoder final : public ValueEncoder {
 public:
  CompositeEncoder(TypeRef type, TupleDesc descriptor, std::vector<int> fields,
                   std::vector<std::unique_ptr<ValueEncoder>> encoders)
      : type_(std::move(type)),
        descriptor_(descriptor),
        fields_(std::move(fields)),
        encoders_(std::move(encoders)) {}

  Result<std::string> Encode(Datum value) const override {
    std::vector<Datum> values(fields_.size());
    std::vector<char> nulls(fields_.size());
    Datum* const data = values.data();
    auto* const null_flags = reinterpret_cast<bool*>(nulls.data());
    TryPg([&]() noexcept {
      HeapTupleHeader const header = DatumGetHeapTupleHeader(value);
      HeapTupleData tuple = {};
      tuple.t_len = HeapTupleHeaderGetDatumLength(header);
      tuple.t_data = header;
      heap_deform_tuple(&tuple, descriptor_, data, null_flags);
    });
    std::vector<std::optional<std::string>> parts(type_->parameters.size());
    for (size_t column = 0; column < fields_.size(); ++column) {
      if (fields_[column] >= 0 && nulls[column] == 0) {
        ASSIGN_OR_RETURN(parts[static_cast<size_t>(fields_[column])],
                         encoders_[column]->Encode(values[column]));
      }
    }
    return sstable::BuildTuple(parts);
  }

 private:
  TypeRef type_;
  TupleDesc descriptor_;
  std::vector<int> fields_;
  std::vector<std::unique_ptr<ValueEncoder>> encoders_;
};

Result<std::unique_ptr<ValueEncoder>> MakeCompositeEncoder(const TypeRef& type, Oid pg_type) {
  TupleDesc const descriptor =
      TryPg([&]() noexcept { return lookup_rowtype_tupdesc_copy(pg_type, -1); });
  std::vector<int> fields;
  if (type->kind == TypeKind::kUdt) {
    ASSIGN_OR_RETURN(fields, MatchFields(*type, descriptor));
  } else {
    int place = 0;
    for (int index = 0; index < descriptor->natts; ++index) {
      fields.push_back(TupleDescAttr(descriptor, index)->attisdropped ? -1 : place++);
    }
    if (static_cast<size_t>(place) != type->parameters.size()) {
      return Status::Unsupported(
          StrCat("a composite type of ", place, " columns cannot become ", CqlName(*type)));
    }
  }
  std::vector<std::unique_ptr<ValueEncoder>> encoders(fields.size());
  for (size_t column = 0; column < fields.size(); ++column) {
    if (fields[column] >= 0) {
      Form_pg_attribute const attribute = TupleDescAttr(descriptor, static_cast<int>(column));
      ASSIGN_OR_RETURN(encoders[column],
                       MakeValueEncoder(type->parameters[static_cast<size_t>(fields[column])],
                                        attribute->atttypid));
    }
  }
  return std::make_unique<CompositeEncoder>(type, descriptor, std::move(fields),
                                            std::move(encoders));
}

struct CatalogType {
  Oid base;
  Oid element;
  bool composite;
  const char* name;
};

CatalogType Describe(Oid pg_type) {
  return TryPg([&]() noexcept -> CatalogType {
    Oid const base = getBaseType(pg_type);
    return {.base = base,
            .element = get_element_type(base),
            .composite = get_typtype(base) == TYPTYPE_COMPOSITE,
            .name = format_type_be(pg_type)};
  });
}

}  // namespace

bool HasExactEncoding(const Type& type, Oid pg_type) {
  if (pg_type == NUMERICOID) {
    return type.kind == TypeKind::kVarint || type.kind == TypeKind::kDecimal;
  }
  return ScalarEncoder::Has(type, pg_type);
}

Result<std::unique_ptr<ValueEncoder>> MakeValueEncoder(const TypeRef& type, Oid pg_type) {
  CatalogType const source = Describe(pg_type);
  bool const has_elements = type->kind == TypeKind::kList || type->kind == TypeKind::kSet ||
                            type->kind == TypeKind::kVector;
  if (ScalarEncoder::Has(*type, source.base)) {
    return std::make_unique<ScalarEncoder>(type, source.base);
  }
  if (source.base == JSONBOID && !IsTextKind(type->kind)) {
    return MakeJsonEncoder(type);
  }
  if (OidIsValid(source.element) && has_elements) {
    ASSIGN_OR_RETURN(auto element, MakeValueEncoder(type->parameters[0], source.element));
    return std::make_unique<ArrayEncoder>(type, source.element, std::move(element));
  }
  if (source.composite && (type->kind == TypeKind::kUdt || type->kind == TypeKind::kTuple)) {
    return MakeCompositeEncoder(type, source.base);
  }
  bool const is_number = IsInteger(source.base) || source.base == NUMERICOID;
  bool const takes_number = IsIntegerKind(type->kind) || type->kind == TypeKind::kVarint ||
                            type->kind == TypeKind::kDecimal;
  bool const takes_text = IsTextKind(type->kind);
  if (type->parameters.empty() &&
      ((is_number && takes_number) || IsText(source.base) || takes_text)) {
    return std::make_unique<OutputTextEncoder>(type, source.base);
  }
  return Status::Unsupported(StrCat(source.name, " cannot become the CQL type ", CqlName(*type)))
      .WithHint(
          "Cast it in the query: to the type that IMPORT FOREIGN SCHEMA gives such a column, "
          "to text, or to jsonb.");
}

}  // namespace orochi::pg
