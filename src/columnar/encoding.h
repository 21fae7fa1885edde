#pragma once

#include <cstdint>
#include <string_view>

namespace orochi::columnar {

/// How a chunk's non-NULL values are laid out before general compression. Persisted: numbers never
/// change meaning (docs/formats/columnar.md).
enum class Encoding : uint8_t {
  kPlain = 0,             // values one after the other
  kConstant = 1,          // one value stands for all
  kRunLength = 2,         // (value, run length) pairs
  kFrameOfReference = 3,  // integers: minimum, then bit-packed differences from it
  kDelta = 4,             // integers: first value, then zigzagged differences, bit-packed
  kDictionary = 5,        // distinct values, then bit-packed codes
  kGorilla = 6,           // floats: XOR with the value before (Pelkonen et al., VLDB 2015)
  kDecimal = 7,           // floats that are short decimals: scaled integers, exact, with exceptions
};

/// "frame_of_reference", ... as shown in orochi.columnar_chunks; empty for an unknown number.
std::string_view EncodingName(Encoding encoding);

}  // namespace orochi::columnar
