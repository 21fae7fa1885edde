#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "codec/byte_reader.h"
#include "codec/byte_strings.h"

namespace orochi::codec {

/// How often values repeat in a row. The lengths are stored as
///
///   varint  run count
///   ...     lengths, each at least 1, as a frame of reference
///
/// and what the runs are made of by whoever uses this.
struct Runs {
  std::vector<uint32_t> starts;  // places of the first value of each run
  std::vector<int64_t> lengths;
};

/// REQUIRES: there is a value.
void FindRuns(std::span<const uint64_t> words, Runs& runs);
void FindRuns(const ByteStrings& strings, Runs& runs);

size_t RunLengthsSizeBytes(const Runs& runs);
void EncodeRunLengths(const Runs& runs, std::vector<std::byte>& out);

/// kCorruption unless the lengths are at least 1 and make `value_count` together.
Status DecodeRunLengths(ByteReader& reader, size_t value_count, std::vector<uint32_t>& lengths);

/// Repeats values[i] lengths[i] times. REQUIRES: lengths make out.size() together.
template <class T>
void ExpandRuns(std::span<const T> values, std::span<const uint32_t> lengths, std::span<T> out) {
  T* at = out.data();
  for (size_t run = 0; run < lengths.size(); ++run) {
    T const value = values[run];
    for (T* const end = at + lengths[run]; at != end; ++at) {
      *at = value;
    }
  }
}

}  // namespace orochi::codec
