#include "pg/fdw/scalar_decoder.h"

#include <sys/socket.h>

#include <bit>

#include "base/str_cat.h"
#include "codec/varint.h"
#include "sstable/types/big_decimal.h"
#include "sstable/types/cassandra_vint.h"
#include "sstable/types/civil_time.h"
#include "sstable/types/scalar_text.h"

extern "C" {
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "utils/date.h"
#include "utils/inet.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
}

namespace orochi::pg {
namespace {

using sstable::BigDecimal;
using sstable::Bytes;
using sstable::LoadBigEndian;
using sstable::Type;
using sstable::TypeKind;
using sstable::TypeRef;

constexpr int64_t kDateZero = int64_t{1} << 31;  // 1970-01-01 as Cassandra stores it
constexpr int64_t kPostgresEpochDays = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;
constexpr int64_t kMicrosPerMilli = 1000;
constexpr int64_t kNanosPerMicro = 1000;
constexpr int64_t kNumericDigitsMax = 131'072;  // before the point
constexpr int64_t kNumericScaleMax = 16'383;

// How the bytes become a Datum.
enum class Way : uint8_t {
  kInt8,  // one byte
  kInt16,
  kInt32,
  kInt64,
  kBoolean,
  kFloat4,
  kFloat8,
  kFloat4To8,
  kText,
  kBytea,
  kDate,
  kTime,
  kTimestamp,
  kInterval,
  kUuid,
  kInet,
  kVarint,
  kDecimal,
};

struct Pair {
  TypeKind cql;
  Oid pg;
  Way way;
};

// Integers widen: their way reads the CQL type's bytes, and the Datum of the wider type is made
// from the number.
constexpr Pair kPairs[] = {
    {TypeKind::kAscii, TEXTOID, Way::kText},
    {TypeKind::kAscii, VARCHAROID, Way::kText},
    {TypeKind::kText, TEXTOID, Way::kText},
    {TypeKind::kText, VARCHAROID, Way::kText},
    {TypeKind::kTinyint, INT2OID, Way::kInt8},
    {TypeKind::kTinyint, INT4OID, Way::kInt8},
    {TypeKind::kTinyint, INT8OID, Way::kInt8},
    {TypeKind::kSmallint, INT2OID, Way::kInt16},
    {TypeKind::kSmallint, INT4OID, Way::kInt16},
    {TypeKind::kSmallint, INT8OID, Way::kInt16},
    {TypeKind::kInt, INT4OID, Way::kInt32},
    {TypeKind::kInt, INT8OID, Way::kInt32},
    {TypeKind::kBigint, INT8OID, Way::kInt64},
    {TypeKind::kCounter, INT8OID, Way::kInt64},
    {TypeKind::kBoolean, BOOLOID, Way::kBoolean},
    {TypeKind::kFloat, FLOAT4OID, Way::kFloat4},
    {TypeKind::kFloat, FLOAT8OID, Way::kFloat4To8},
    {TypeKind::kDouble, FLOAT8OID, Way::kFloat8},
    {TypeKind::kDate, DATEOID, Way::kDate},
    {TypeKind::kTime, TIMEOID, Way::kTime},
    {TypeKind::kTime, INT8OID, Way::kInt64},  // nanoseconds
    {TypeKind::kTimestamp, TIMESTAMPTZOID, Way::kTimestamp},
    {TypeKind::kLegacyDate, TIMESTAMPTZOID, Way::kTimestamp},
    {TypeKind::kDuration, INTERVALOID, Way::kInterval},
    {TypeKind::kUuid, UUIDOID, Way::kUuid},
    {TypeKind::kTimeuuid, UUIDOID, Way::kUuid},
    {TypeKind::kLexicalUuid, UUIDOID, Way::kUuid},
    {TypeKind::kInet, INETOID, Way::kInet},
    {TypeKind::kVarint, NUMERICOID, Way::kVarint},
    {TypeKind::kDecimal, NUMERICOID, Way::kDecimal},
};

// The length that values have; 0: any.
size_t SizeBytesOf(Way way) {
  switch (way) {
    case Way::kInt8:
    case Way::kBoolean:
      return 1;
    case Way::kInt16:
      return 2;
    case Way::kInt32:
    case Way::kFloat4:
    case Way::kFloat4To8:
    case Way::kDate:
      return 4;
    case Way::kInt64:
    case Way::kFloat8:
    case Way::kTime:
    case Way::kTimestamp:
      return 8;
    case Way::kUuid:
      return UUID_LEN;
    default:
      return 0;
  }
}

void* Allocate(size_t size_bytes) {
  void* const memory =
      MemoryContextAllocExtended(CurrentMemoryContext, size_bytes, MCXT_ALLOC_NO_OOM);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

class ScalarDecoder final : public ValueDecoder {
 public:
  ScalarDecoder(TypeRef type, Oid pg_type, Way way, const ValueRules& rules)
      : type_(std::move(type)),
        pg_type_(pg_type),
        way_(way),
        size_bytes_(SizeBytesOf(way)),
        rules_(rules) {}

  Result<DecodedValue> Decode(Bytes bytes) const override {
    if (bytes.empty() && way_ != Way::kText && way_ != Way::kBytea) {
      return Empty();
    }
    if (size_bytes_ != 0 && bytes.size() != size_bytes_) {
      return Status::Corruption(StrCat("a value of type ", CqlName(*type_), " has ", bytes.size(),
                                       " bytes, expected ", size_bytes_));
    }
    switch (way_) {
      case Way::kInt8:
        return Integer(LoadBigEndian<int8_t>(bytes));
      case Way::kInt16:
        return Integer(LoadBigEndian<int16_t>(bytes));
      case Way::kInt32:
        return Integer(LoadBigEndian<int32_t>(bytes));
      case Way::kInt64:
        return Integer(LoadBigEndian<int64_t>(bytes));
      case Way::kBoolean:
        return DecodedValue{.value = BoolGetDatum(bytes[0] != std::byte{0})};
      case Way::kFloat4:
        return DecodedValue{
            .value = Float4GetDatum(std::bit_cast<float>(LoadBigEndian<uint32_t>(bytes)))};
      case Way::kFloat4To8:
        return DecodedValue{
            .value = Float8GetDatum(std::bit_cast<float>(LoadBigEndian<uint32_t>(bytes)))};
      case Way::kFloat8:
        return DecodedValue{
            .value = Float8GetDatum(std::bit_cast<double>(LoadBigEndian<uint64_t>(bytes)))};
      case Way::kText:
        return Wrap(MakeText(sstable::AsText(bytes)));
      case Way::kBytea:
        return Wrap(MakeVarlena(sstable::AsText(bytes)));
      case Way::kUuid: {
        auto* const uuid = static_cast<pg_uuid_t*>(Allocate(sizeof(pg_uuid_t)));
        std::memcpy(uuid->data, bytes.data(), UUID_LEN);
        return DecodedValue{.value = UUIDPGetDatum(uuid)};
      }
      case Way::kDate:
        return Date(int64_t{LoadBigEndian<uint32_t>(bytes)} - kDateZero);
      case Way::kTime:
        return Time(LoadBigEndian<int64_t>(bytes));
      case Way::kTimestamp:
        return Timestamp(LoadBigEndian<int64_t>(bytes));
      case Way::kInterval:
        return DurationValue(bytes);
      case Way::kInet:
        return Address(bytes);
      case Way::kVarint:
        return Number(sstable::DecodeVarint(bytes));
      case Way::kDecimal: {
        ASSIGN_OR_RETURN(BigDecimal const number, sstable::DecodeDecimal(bytes));
        return Number(number);
      }
    }
    return Status::Internal("unknown way to decode a value");
  }

 private:
  Result<DecodedValue> Empty() const {
    if (rules_.empty == EmptyRule::kNull) {
      return DecodedValue{.is_null = true};
    }
    return Status::OutOfRange(StrCat("an empty value of type ", CqlName(*type_)))
        .WithHint("With the option empty_values 'null' it is read as null.");
  }

  static Result<DecodedValue> Wrap(Result<Datum> datum) {
    RETURN_IF_ERROR(datum.status());
    return DecodedValue{.value = *datum};
  }

  Result<DecodedValue> OutOfRange(std::string_view shown, const char* pg_name,
                                  std::optional<Datum> infinity) const {
    if (rules_.out_of_range == OutOfRangeRule::kNull) {
      return DecodedValue{.is_null = true};
    }
    if (rules_.out_of_range == OutOfRangeRule::kInfinity && infinity.has_value()) {
      return DecodedValue{.value = *infinity};
    }
    return Status::OutOfRange(StrCat(CqlName(*type_), " ", shown, " is out of range for ", pg_name))
        .WithHint(
            "The option out_of_range may be 'null' or 'infinity'; a column of type text "
            "shows the value as Cassandra does.");
  }

  Result<DecodedValue> Integer(int64_t value) const {
    return DecodedValue{.value = pg_type_ == INT2OID   ? Int16GetDatum(static_cast<int16>(value))
                                 : pg_type_ == INT4OID ? Int32GetDatum(static_cast<int32>(value))
                                                       : Int64GetDatum(value)};
  }

  Result<DecodedValue> Date(int64_t days_since_1970) const {
    int64_t const days = days_since_1970 - kPostgresEpochDays;
    if (!IS_VALID_DATE(days)) {
      Datum const infinity = DateADTGetDatum(days < 0 ? DATEVAL_NOBEGIN : DATEVAL_NOEND);
      return OutOfRange(sstable::DateText(days_since_1970), "date", infinity);
    }
    return DecodedValue{.value = DateADTGetDatum(static_cast<DateADT>(days))};
  }

  // PostgreSQL counts microseconds: finer digits are cut.
  Result<DecodedValue> Time(int64_t nanos) const {
    if (nanos < 0 || nanos >= USECS_PER_DAY * kNanosPerMicro) {
      return Status::Corruption(StrCat("a time of ", nanos, " nanoseconds is not within a day"));
    }
    return DecodedValue{.value = TimeADTGetDatum(nanos / kNanosPerMicro)};
  }

  Result<DecodedValue> Timestamp(int64_t millis) const {
    constexpr int64_t kEpochMillis = kPostgresEpochDays * SECS_PER_DAY * 1000;
    int64_t const first = MIN_TIMESTAMP / kMicrosPerMilli + kEpochMillis;
    int64_t const end = END_TIMESTAMP / kMicrosPerMilli + kEpochMillis;
    if (millis < first || millis >= end) {
      Datum const infinity = TimestampTzGetDatum(millis < first ? DT_NOBEGIN : DT_NOEND);
      return OutOfRange(sstable::TimestampText(millis, {}), "timestamptz", infinity);
    }
    return DecodedValue{.value = TimestampTzGetDatum((millis - kEpochMillis) * kMicrosPerMilli)};
  }

  Result<DecodedValue> DurationValue(Bytes bytes) const {
    RETURN_IF_ERROR(sstable::ValidateValue(*type_, bytes));
    int64_t parts[3] = {};
    const std::byte* at = bytes.data();
    for (int64_t& part : parts) {
      uint64_t zigzag = 0;
      at = sstable::ReadVint(at, bytes.data() + bytes.size(), zigzag);
      part = codec::ZigZagDecode(zigzag);
    }
    auto* const interval = static_cast<Interval*>(Allocate(sizeof(Interval)));
    interval->month = static_cast<int32>(parts[0]);
    interval->day = static_cast<int32>(parts[1]);
    interval->time = parts[2] / kNanosPerMicro;
    return DecodedValue{.value = IntervalPGetDatum(interval)};
  }

  Result<DecodedValue> Address(Bytes bytes) const {
    if (bytes.size() != 4 && bytes.size() != 16) {
      return Status::Corruption(StrCat("an address of ", bytes.size(), " bytes, expected 4 or 16"));
    }
    size_t const size_bytes = VARHDRSZ + sizeof(inet_struct);
    auto* const address = static_cast<inet*>(Allocate(size_bytes));
    std::memset(address, 0, size_bytes);
    ip_family(address) = bytes.size() == 4 ? PGSQL_AF_INET : PGSQL_AF_INET6;
    ip_bits(address) = static_cast<unsigned char>(bytes.size() * 8);
    std::memcpy(ip_addr(address), bytes.data(), bytes.size());
    SET_INET_VARSIZE(address);
    return DecodedValue{.value = InetPGetDatum(address)};
  }

  Result<DecodedValue> Number(const BigDecimal& number) const {
    auto const digits = static_cast<int64_t>(number.digits.size());
    if (number.scale > kNumericScaleMax || digits - number.scale > kNumericDigitsMax) {
      return OutOfRange(StrCat("with ", digits, " digits and scale ", number.scale), "numeric",
                        std::nullopt);
    }
    std::string const text = sstable::BigDecimalText(number);
    Datum const value = TryPg([&]() noexcept {
      return DirectFunctionCall3(numeric_in, CStringGetDatum(text.c_str()),
                                 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
    });
    return DecodedValue{.value = value};
  }

  TypeRef type_;
  Oid pg_type_;
  Way way_;
  size_t size_bytes_;
  ValueRules rules_;
};

}  // namespace

Result<Datum> MakeVarlena(std::string_view bytes) {
  if (bytes.size() > MaxAllocSize - VARHDRSZ) {
    return Status::OutOfRange(StrCat("a value of ", bytes.size(),
                                     " bytes, PostgreSQL holds at most ", MaxAllocSize - VARHDRSZ));
  }
  auto* const value = static_cast<varlena*>(Allocate(bytes.size() + VARHDRSZ));
  SET_VARSIZE(value, bytes.size() + VARHDRSZ);
  std::memcpy(VARDATA(value), bytes.data(), bytes.size());
  return PointerGetDatum(value);
}

Result<Datum> MakeText(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return Status::OutOfRange("text with a NUL character, which PostgreSQL's text cannot hold")
        .WithHint("A column of type bytea shows the bytes as they are.");
  }
  int const encoding = GetDatabaseEncoding();
  if (encoding == PG_SQL_ASCII) {
    return MakeVarlena(text);
  }
  if (!sstable::IsUtf8(text)) {
    return Status::Corruption("text that is not UTF-8")
        .WithHint("A column of type bytea shows the bytes as they are.");
  }
  if (encoding == PG_UTF8) {
    return MakeVarlena(text);
  }
  std::string const copy(text);
  if (copy.size() > MaxAllocSize) {
    return MakeVarlena(text);  // says that it is too long
  }
  return TryPg([&]() noexcept {
    return PointerGetDatum(
        cstring_to_text(pg_any_to_server(copy.c_str(), static_cast<int>(copy.size()), PG_UTF8)));
  });
}

std::unique_ptr<ValueDecoder> MakeScalarDecoder(const TypeRef& type, Oid pg_type,
                                                const ValueRules& rules) {
  for (const Pair& pair : kPairs) {
    if (pair.cql == type->kind && pair.pg == pg_type) {
      return std::make_unique<ScalarDecoder>(type, pg_type, pair.way, rules);
    }
  }
  if (pg_type == BYTEAOID) {
    return std::make_unique<ScalarDecoder>(type, pg_type, Way::kBytea, rules);
  }
  return nullptr;
}

}  // namespace orochi::pg
