#include "codec/run_length.h"

#include <cstring>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/frame_of_reference.h"
#include "codec/varint.h"

namespace orochi::codec {
namespace {

template <class SameAsBefore>
void FindRunsOf(size_t count, SameAsBefore same_as_before, Runs& runs) {
  ASSERT(count > 0);
  runs.starts.assign(1, 0);
  runs.lengths.clear();
  for (size_t place = 1; place < count; ++place) {
    if (!same_as_before(place)) {
      runs.lengths.push_back(static_cast<int64_t>(place - runs.starts.back()));
      runs.starts.push_back(static_cast<uint32_t>(place));
    }
  }
  runs.lengths.push_back(static_cast<int64_t>(count - runs.starts.back()));
}

}  // namespace

void FindRuns(std::span<const uint64_t> words, Runs& runs) {
  FindRunsOf(
      words.size(), [&](size_t place) { return words[place] == words[place - 1]; }, runs);
}

void FindRuns(const ByteStrings& strings, Runs& runs) {
  FindRunsOf(
      strings.count(),
      [&](size_t place) {
        auto const value = strings.At(place);
        auto const before = strings.At(place - 1);
        return value.size() == before.size() &&
               (value.empty() || std::memcmp(value.data(), before.data(), value.size()) == 0);
      },
      runs);
}

size_t RunLengthsSizeBytes(const Runs& runs) {
  return VarintSizeBytes(runs.lengths.size()) + PlanFrameOfReference(runs.lengths).size_bytes;
}

void EncodeRunLengths(const Runs& runs, std::vector<std::byte>& out) {
  AppendVarint(out, runs.lengths.size());
  EncodeFrameOfReference(runs.lengths, out);
}

Status DecodeRunLengths(ByteReader& reader, size_t value_count, std::vector<uint32_t>& lengths) {
  size_t run_count = 0;
  if (!reader.ReadVarintUpTo(value_count, run_count) || run_count == 0) {
    return Status::Corruption(StrCat("run length: it does not have 1 to ", value_count, " runs"));
  }
  lengths.resize(run_count);
  RETURN_IF_ERROR(DecodeFrameOfReference(reader, std::span(lengths)));
  uint64_t total = 0;
  bool all_positive = true;
  for (uint32_t const length : lengths) {
    total += length;
    all_positive = all_positive && length > 0;
  }
  if (total != value_count || !all_positive) {
    return Status::Corruption(StrCat("run length: ", run_count, " runs have ", total,
                                     " values together, ", all_positive ? "none" : "some",
                                     " of them empty; expected ", value_count));
  }
  return Status::Ok();
}

}  // namespace orochi::codec
