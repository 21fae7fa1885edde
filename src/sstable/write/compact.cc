#include "sstable/write/compact.h"

#include <algorithm>

#include "sstable/write/splitting_writer.h"

namespace orochi::sstable {

namespace {

// Smaller than everything in the inputs, and close to it: deltas stay short.
EncodingMinima MinimaOf(const std::vector<std::unique_ptr<SstableReader>>& inputs) {
  EncodingMinima minima;
  bool first = true;
  for (auto const& input : inputs) {
    const StatsMetadata& stats = input->statistics().stats;
    int64_t const timestamp = stats.timestamp_min;
    minima.timestamp = first ? timestamp : std::min(minima.timestamp, timestamp);
    // kNoDeletionTime stands for "nothing is deleted": then any value will do.
    uint32_t const time = stats.local_deletion_time_min < kInvalidDeletionTime
                              ? stats.local_deletion_time_min
                              : SerializationHeader::kDeletionTimeEpoch;
    minima.local_deletion_time = first ? time : std::min(minima.local_deletion_time, time);
    first = false;
  }
  return minima;
}

}  // namespace

Result<std::vector<WrittenSstable>> Compact(
    const std::vector<std::unique_ptr<SstableReader>>& inputs, io::FileSystem& files,
    const std::string& directory, const CompactOptions& options) {
  if (inputs.empty()) {
    return Status::InvalidArgument("there is nothing to compact");
  }
  std::vector<const Layout*> layouts;
  std::vector<std::unique_ptr<UnfilteredStream>> streams;
  for (auto const& input : inputs) {
    layouts.push_back(&input->layout());
    streams.push_back(input->Scan());
  }
  ASSIGN_OR_RETURN(Layout layout, MergeLayouts(layouts));
  ASSIGN_OR_RETURN(auto const merged, Merge(std::move(streams), layout, options.merge));
  WriterOptions writer_options = options.writer;
  writer_options.minima = MinimaOf(inputs);
  ASSIGN_OR_RETURN(uint64_t const generation, NextGeneration(files, directory));
  SplittingWriter writer(files, directory, std::move(layout), std::move(writer_options), generation,
                         options.size_bytes_max);
  RETURN_IF_ERROR(writer.Write(*merged));
  return writer.Finish();
}

}  // namespace orochi::sstable
