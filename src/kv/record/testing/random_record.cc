#include "kv/record/testing/random_record.h"

#include <bit>
#include <limits>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/record/key_codec.h"

namespace orochi::kv::testing {

namespace {

template <class T, size_t N>
const T& Pick(const T (&values)[N], Random& random) {
  return values[random.Below(N)];
}

template <class Float>
Float RandomFloat(Random& random) {
  using Limits = std::numeric_limits<Float>;
  const Float edges[] = {Float{0},
                         -Float{0},
                         Float{1},
                         -Float{1},
                         Float{0.1f},
                         Limits::infinity(),
                         -Limits::infinity(),
                         Limits::quiet_NaN(),
                         -Limits::quiet_NaN(),
                         Limits::max(),
                         Limits::lowest(),
                         Limits::denorm_min(),
                         -Limits::denorm_min()};
  if (random.OneIn(2)) {
    return Pick(edges, random);
  }
  if (random.OneIn(2)) {
    return static_cast<Float>(static_cast<int64_t>(random.Below(20)) - 10);
  }
  if constexpr (sizeof(Float) == 4) {
    return std::bit_cast<float>(static_cast<uint32_t>(random.Next()));
  } else {
    return std::bit_cast<double>(random.Next());
  }
}

Decimal RandomDecimal(size_t digits_max, Random& random) {
  const char* const edges[] = {"0",     "1",     "-1",     "0.1", "-0.1", "9.9", "10",
                               "1e-20", "-1e20", "1e7777", "12",  "-12",  "-1.2"};
  if (random.OneIn(2)) {
    return *Decimal::Parse(Pick(edges, random));
  }
  std::string digits;
  size_t const count = 1 + random.Below(random.OneIn(2) ? 3 : digits_max);
  for (size_t index = 0; index < count; ++index) {
    digits.push_back(static_cast<char>('0' + random.Below(10)));
  }
  return *Decimal::FromDigits(random.OneIn(2), digits, static_cast<int64_t>(random.Below(5)) - 2);
}

std::string RandomString(Random& random) {
  using namespace std::string_literals;
  const std::string edges[] = {""s,     "\0"s,     "\0\0"s,     "\1"s,   "\0\1"s,
                               "\xff"s, "\0\xff"s, "\xff\xff"s, "a"s,    "aa"s,
                               "ab"s,   "b"s,      "a\0"s,      "a\0b"s, "abc"s};
  if (random.OneIn(2)) {
    return Pick(edges, random);
  }
  std::string text;
  for (size_t count = random.Below(6); count > 0; --count) {
    text.push_back(random.OneIn(3) ? static_cast<char>(random.Next())
                                   : static_cast<char>('a' + random.Below(3)));
  }
  return text;
}

}  // namespace

FieldType RandomType(Random& random) {
  return static_cast<FieldType>(kFieldTypeMin + random.Below(kFieldTypeMax));
}

Value RandomValue(FieldType type, Random& random) {
  const FieldTypeTraits& traits = TraitsOf(type);
  auto const unused_bits = static_cast<int>(64 - 8 * traits.width_bytes);
  switch (traits.kind) {
    case ValueKind::kBool:
      return random.OneIn(2);
    case ValueKind::kSigned: {
      int64_t const max = INT64_MAX >> unused_bits;
      const int64_t edges[] = {0, 1, -1, 2, -2, 10, max, -max - 1, max - 1, 255, 256};
      return random.OneIn(2)
                 ? Pick(edges, random)
                 : static_cast<int64_t>(random.Next()) >> (unused_bits + random.Below(8));
    }
    case ValueKind::kUnsigned: {
      uint64_t const max = UINT64_MAX >> unused_bits;
      const uint64_t edges[] = {0, 1, 2, 10, 127, 128, max, max - 1, max / 2, max / 2 + 1};
      return random.OneIn(2)
                 ? Pick(edges, random)
                 : random.Next() >> (static_cast<uint64_t>(unused_bits) + random.Below(8));
    }
    case ValueKind::kFloat:
      return RandomFloat<float>(random);
    case ValueKind::kDouble:
      return RandomFloat<double>(random);
    case ValueKind::kDecimal:
      return RandomDecimal(traits.digits_max, random);
    case ValueKind::kString:
      return RandomString(random);
    case ValueKind::kUuid: {
      Uuid uuid{};
      if (!random.OneIn(3)) {
        uuid[random.Below(uuid.size())] = static_cast<uint8_t>(random.Next());
      }
      return uuid;
    }
  }
  ASSERT(false);
  return Null();
}

Value RandomValueOrNull(FieldType type, Random& random) {
  return random.OneIn(5) ? Value(Null()) : RandomValue(type, random);
}

SchemaDefinition RandomDefinition(Random& random, size_t value_count_max) {
  SchemaDefinition definition{.name = "random", .version = SchemaVersion(1)};
  auto const partition_count = static_cast<uint32_t>(1 + random.Below(2));
  auto const range_count = static_cast<uint32_t>(random.Below(4));
  uint32_t const key_count = partition_count + range_count;
  auto const field_count = key_count + random.Below(value_count_max + 1);
  for (size_t index = 0; index < field_count; ++index) {
    definition.fields.push_back({.name = StrCat("f", index),
                                 .order = {RandomType(random), random.OneIn(2), random.OneIn(2)}});
  }
  std::vector<uint32_t> places;
  for (uint32_t index = 0; index < key_count; ++index) {
    places.insert(places.begin() + static_cast<int64_t>(random.Below(index + 1)), index);
  }
  definition.partition_key.assign(places.begin(), places.begin() + partition_count);
  definition.range_key.assign(places.begin() + partition_count, places.end());
  return definition;
}

std::vector<Value> RandomRecord(const Schema& schema, Random& random) {
  std::vector<Value> values;
  for (size_t index = 0; index < schema.field_count(); ++index) {
    values.push_back(RandomValueOrNull(schema.field(index).type(), random));
  }
  return values;
}

bool SameValue(const Value& left, const Value& right) {
  if (left.index() != right.index()) {
    return false;
  }
  if (const auto* number = std::get_if<float>(&left)) {
    return CompareFloats(double{*number}, double{std::get<float>(right)}) == 0;
  }
  if (const auto* number = std::get_if<double>(&left)) {
    return CompareFloats(*number, std::get<double>(right)) == 0;
  }
  return left == right;
}

}  // namespace orochi::kv::testing
