// Any bytes as Statistics.db of any version; what is read is written and read again.
#include "sstable/format/statistics.h"

#include "codec/testing/fuzz_input.h"
#include "sstable/format/layout.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::sstable;
  using orochi::codec::testing::Require;
  orochi::codec::testing::FuzzInput input(data, size_bytes);
  // Without checksums (me) the decoders see more of the bytes.
  constexpr const char* kVersions[] = {"me", "mb", "nb", "oa", "me", "mc", "nc", "na"};
  auto const version = Version::Parse(kVersions[input.TakeByte() % 8], IndexFormat::kBig);
  auto const statistics = Statistics::Decode(input.rest(), *version);
  if (!statistics.ok()) {
    return 0;
  }
  Layout::FromStatistics(*statistics).status().IgnoreError("any types may stand there");
  Statistics again = *statistics;
  again.stats.clustering_types.clear();  // the covered slice is in terms of them
  again.stats.covered_start = ClusteringPrefix::Bottom();
  again.stats.covered_end = ClusteringPrefix::Top();
  again.stats.clustering_min.clear();
  again.stats.clustering_max.clear();
  for (TombstoneHistogram::Bin& bin : again.stats.tombstone_drop_times.bins) {
    bin.deletion_time_s %= int64_t{1} << 40;  // what a double keeps
  }
  for (Version const written : {Version::Nb(), Version::Oa()}) {
    auto const bytes = again.Encode(written);
    auto const found = Statistics::Decode(bytes, written);
    Require(found.ok(), "what is written can be read");
    Require(found->header.regulars.size() == again.header.regulars.size(), "columns survive");
    Require(found->header.timestamp_min == again.header.timestamp_min, "minima survive");
    Require(found->stats.row_count == again.stats.row_count, "counts survive");
    Require(found->Encode(written) == bytes, "the second time changes nothing");
  }
  return 0;
}
