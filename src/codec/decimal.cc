#include "codec/decimal.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/bit_packing.h"
#include "codec/byte_writer.h"
#include "codec/varint.h"

namespace orochi::codec {
namespace {

constexpr double kPowersOfTen[kDecimalExponentMax + 1] = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
// Adding an integer below 2^51 in magnitude to the bits of 1.5 * 2^52 adds it to the number: a
// conversion that has a vector form on every processor, unlike the instruction for it.
constexpr double kShifter = 0x1.8p52;
constexpr double kIntegerBound = 0x1.0p51;
constexpr size_t kSampleCount = 256;

enum Mode : uint8_t { kFrameOfReferenceMode = 0, kDeltaMode = 1 };

template <class Unsigned>
using FloatOf = std::conditional_t<sizeof(Unsigned) == 4, float, double>;

template <class Unsigned>
double ValueOf(Unsigned bits) {
  return static_cast<double>(std::bit_cast<FloatOf<Unsigned>>(bits));
}

// Both sides must compute with exactly these steps.
template <class Unsigned>
Unsigned Compose(uint64_t integer, double power) {
  double const whole =
      std::bit_cast<double>(integer + std::bit_cast<uint64_t>(kShifter)) - kShifter;
  return std::bit_cast<Unsigned>(static_cast<FloatOf<Unsigned>>(whole / power));
}

// True, and the integer, when composing it gives back `bits`.
template <class Unsigned>
bool Decompose(Unsigned bits, double power, int64_t& integer) {
  double const scaled = ValueOf(bits) * power;
  if (!(std::fabs(scaled) < kIntegerBound - 1)) {  // false for NaN, too
    return false;
  }
  integer = static_cast<int64_t>(std::nearbyint(scaled));
  return Compose<Unsigned>(static_cast<uint64_t>(integer), power) == bits;
}

struct Estimate {
  double bits_per_value = 0;
  size_t exceptions = 0;
};

// What a value costs with this exponent, from evenly spaced samples: the width of the integers'
// range, plus its bits and its position for each exception.
template <class Unsigned>
Estimate EstimateExponent(std::span<const Unsigned> values, uint32_t exponent) {
  size_t const step = std::max<size_t>(1, values.size() / kSampleCount);
  int64_t least = INT64_MAX;
  int64_t greatest = INT64_MIN;
  size_t sampled = 0;
  size_t exceptions = 0;
  for (size_t index = 0; index < values.size(); index += step) {
    ++sampled;
    int64_t integer = 0;
    if (Decompose(values[index], kPowersOfTen[exponent], integer)) {
      least = std::min(least, integer);
      greatest = std::max(greatest, integer);
    } else {
      ++exceptions;
    }
  }
  uint32_t const width_bits =
      exceptions == sampled
          ? 0
          : BitWidth(static_cast<uint64_t>(greatest) - static_cast<uint64_t>(least));
  double const exception_bits = sizeof(Unsigned) * 8 + 8;
  return {.bits_per_value = width_bits + static_cast<double>(exceptions) /
                                             static_cast<double>(sampled) * exception_bits,
          .exceptions = exceptions};
}

template <class Unsigned>
std::optional<uint32_t> ChooseExponent(std::span<const Unsigned> values) {
  double least_bits = sizeof(Unsigned) * 8;
  std::optional<uint32_t> chosen;
  for (uint32_t exponent = 0; exponent <= kDecimalExponentMax; ++exponent) {
    Estimate const estimate = EstimateExponent(values, exponent);
    if (estimate.bits_per_value < least_bits) {
      least_bits = estimate.bits_per_value;
      chosen = exponent;
    }
    if (estimate.exceptions == 0) {
      break;  // more digits only make the integers wider
    }
  }
  return chosen;
}

Status ReadHeader(ByteReader& reader, size_t value_count, uint8_t& exponent, uint8_t& mode,
                  size_t& exception_count) {
  if (!reader.ReadFixed(exponent) || exponent > kDecimalExponentMax) {
    return Status::Corruption(
        StrCat("decimal: exponent ", int{exponent}, ", expected at most ", kDecimalExponentMax));
  }
  if (!reader.ReadFixed(mode) || mode > kDeltaMode) {
    return Status::Corruption(StrCat("decimal: integers in mode ", int{mode}, ", expected 0 or 1"));
  }
  if (!reader.ReadVarintUpTo(value_count, exception_count)) {
    return Status::Corruption(StrCat("decimal: more exceptions than its ", value_count, " values"));
  }
  return Status::Ok();
}

}  // namespace

template <class Unsigned>
std::optional<DecimalPlan> PlanDecimal(std::span<const Unsigned> values) {
  ASSERT(!values.empty());
  std::optional<uint32_t> const exponent = ChooseExponent(values);
  if (!exponent) {
    return std::nullopt;
  }
  DecimalPlan plan;
  plan.exponent = *exponent;
  plan.integers.reserve(values.size());
  double const power = kPowersOfTen[plan.exponent];
  int64_t before = 0;
  for (size_t index = 0; index < values.size(); ++index) {
    int64_t integer = 0;
    if (Decompose(values[index], power, integer)) {
      before = integer;
    } else {
      plan.exceptions.push_back(static_cast<int64_t>(index));
    }
    plan.integers.push_back(before);  // an exception repeats its neighbour: no width, no jump
  }
  if (plan.exceptions.size() > values.size() / 2) {
    return std::nullopt;
  }
  if (!plan.exceptions.empty() && plan.exceptions[0] == 0) {
    // Exceptions at the start have no neighbour before them; 0 could be far from all others.
    size_t first = 0;
    while (first < plan.exceptions.size() &&
           plan.exceptions[first] == static_cast<int64_t>(first)) {
      ++first;
    }
    std::fill_n(plan.integers.begin(), first, plan.integers[first]);
  }
  plan.frame = PlanFrameOfReference(plan.integers);
  TakeDifferences(plan.integers, plan.differences);
  plan.delta = PlanDelta(plan.integers, plan.differences);
  plan.use_delta = plan.delta.size_bytes < plan.frame.size_bytes;
  plan.size_bytes = 2 + VarintSizeBytes(plan.exceptions.size()) +
                    plan.exceptions.size() * sizeof(Unsigned) +
                    std::min(plan.delta.size_bytes, plan.frame.size_bytes);
  return plan;
}

template <class Unsigned>
void EncodeDecimal(std::span<const Unsigned> values, const DecimalPlan& plan,
                   std::vector<std::byte>& out) {
  AppendFixed(out, static_cast<uint8_t>(plan.exponent));
  AppendFixed(out, static_cast<uint8_t>(plan.use_delta ? kDeltaMode : kFrameOfReferenceMode));
  AppendVarint(out, plan.exceptions.size());
  if (!plan.exceptions.empty()) {
    std::vector<int64_t> differences;
    TakeDifferences(plan.exceptions, differences);
    EncodeDelta(plan.exceptions, differences, PlanDelta(plan.exceptions, differences), out);
    for (int64_t const position : plan.exceptions) {
      AppendFixed(out, values[static_cast<size_t>(position)]);
    }
  }
  if (plan.use_delta) {
    EncodeDelta(plan.integers, plan.differences, plan.delta, out);
  } else {
    EncodeFrameOfReference(plan.integers, plan.frame, out);
  }
}

template <class Unsigned>
Status DecodeDecimal(ByteReader& reader, std::span<Unsigned> out, std::vector<uint64_t>& scratch) {
  ASSERT(!out.empty());
  uint8_t exponent = 0;
  uint8_t mode = 0;
  size_t exception_count = 0;
  RETURN_IF_ERROR(ReadHeader(reader, out.size(), exponent, mode, exception_count));
  scratch.resize(out.size() + exception_count);
  std::span<uint64_t> const integers = std::span(scratch).first(out.size());
  std::span<uint64_t> const positions = std::span(scratch).subspan(out.size());
  std::span<const std::byte> exception_bits;
  if (exception_count > 0) {
    RETURN_IF_ERROR(DecodeDelta(reader, positions));
    if (!reader.ReadSpan(exception_count * sizeof(Unsigned), exception_bits)) {
      return Status::Corruption(
          StrCat("decimal: ", exception_count, " exceptions, and the bytes end"));
    }
  }
  RETURN_IF_ERROR(mode == kDeltaMode ? DecodeDelta(reader, integers)
                                     : DecodeFrameOfReference(reader, integers));
  double const power = kPowersOfTen[exponent];
  for (size_t index = 0; index < out.size(); ++index) {
    out[index] = Compose<Unsigned>(integers[index], power);
  }
  for (size_t index = 0; index < exception_count; ++index) {
    bool const ascending = index == 0 || positions[index] > positions[index - 1];
    if (positions[index] >= out.size() || !ascending) {
      return Status::Corruption(
          StrCat("decimal: exception ", index, " at value ", positions[index], " of ", out.size()));
    }
    std::memcpy(&out[positions[index]], exception_bits.data() + index * sizeof(Unsigned),
                sizeof(Unsigned));
  }
  return Status::Ok();
}

template <class Unsigned>
Status ReadDecimalAt(ByteReader reader, size_t count, size_t index, std::vector<uint64_t>& scratch,
                     Unsigned& value) {
  ASSERT(index < count);
  uint8_t exponent = 0;
  uint8_t mode = 0;
  size_t exception_count = 0;
  RETURN_IF_ERROR(ReadHeader(reader, count, exponent, mode, exception_count));
  if (exception_count > 0) {
    scratch.resize(exception_count);
    RETURN_IF_ERROR(DecodeDelta(reader, std::span(scratch)));
    std::span<const std::byte> bits;
    if (!reader.ReadSpan(exception_count * sizeof(Unsigned), bits)) {
      return Status::Corruption(
          StrCat("decimal: ", exception_count, " exceptions, and the bytes end"));
    }
    auto const found = std::lower_bound(scratch.begin(), scratch.end(), uint64_t{index});
    if (found != scratch.end() && *found == index) {
      std::memcpy(&value,
                  bits.data() + static_cast<size_t>(found - scratch.begin()) * sizeof(Unsigned),
                  sizeof(Unsigned));
      return Status::Ok();
    }
  }
  uint64_t integer = 0;
  RETURN_IF_ERROR(mode == kDeltaMode ? ReadDeltaAt(reader, count, index, integer)
                                     : ReadFrameOfReferenceAt(reader, count, index, integer));
  value = Compose<Unsigned>(integer, kPowersOfTen[exponent]);
  return Status::Ok();
}

template std::optional<DecimalPlan> PlanDecimal(std::span<const uint32_t>);
template std::optional<DecimalPlan> PlanDecimal(std::span<const uint64_t>);
template void EncodeDecimal(std::span<const uint32_t>, const DecimalPlan&, std::vector<std::byte>&);
template void EncodeDecimal(std::span<const uint64_t>, const DecimalPlan&, std::vector<std::byte>&);
template Status DecodeDecimal(ByteReader&, std::span<uint32_t>, std::vector<uint64_t>&);
template Status DecodeDecimal(ByteReader&, std::span<uint64_t>, std::vector<uint64_t>&);
template Status ReadDecimalAt(ByteReader, size_t, size_t, std::vector<uint64_t>&, uint32_t&);
template Status ReadDecimalAt(ByteReader, size_t, size_t, std::vector<uint64_t>&, uint64_t&);

}  // namespace orochi::codec
