#include "sstable/query/table_source.h"

namespace orochi::sstable {

MergedSource::MergedSource(std::span<const std::unique_ptr<SstableReader>> readers,
                           const TableSchema& schema, int64_t now_s)
    : readers_(readers),
      layout_(LayoutOf(schema,
                       readers.empty() ? Partitioner::kMurmur3 : readers[0]->layout().partitioner)),
      now_s_(now_s) {
  for (const SchemaDroppedColumn& column : schema.dropped) {
    dropped_.push_back({.name = column.name, .dropped_at_us = column.dropped_at_micros});
  }
}

Result<std::unique_ptr<UnfilteredStream>> MergedSource::Merged(
    std::vector<std::unique_ptr<UnfilteredStream>> streams, bool reversed) const {
  return Merge(std::move(streams), layout_,
               {.reversed = reversed, .live_at_s = now_s_, .dropped_columns = dropped_});
}

Result<std::unique_ptr<UnfilteredStream>> MergedSource::Lookup(Bytes key,
                                                               const RowSelection& selection) {
  std::vector<std::unique_ptr<UnfilteredStream>> streams;
  for (const auto& reader : readers_) {
    ++statistics_.lookups;
    ASSIGN_OR_RETURN(bool const possible, reader->MayContain(key));
    if (!possible) {
      ++statistics_.lookups_ruled_out;
      continue;
    }
    ASSIGN_OR_RETURN(auto stream, reader->Lookup(key, selection));
    streams.push_back(std::move(stream));
  }
  return Merged(std::move(streams), selection.reversed);
}

Result<std::unique_ptr<UnfilteredStream>> MergedSource::Scan(const PartitionRange& range,
                                                             const RowSelection& selection) {
  std::vector<std::unique_ptr<UnfilteredStream>> streams;
  for (const auto& reader : readers_) {
    ++statistics_.scans;
    ASSIGN_OR_RETURN(auto stream, reader->Scan(range, selection));
    streams.push_back(std::move(stream));
  }
  return Merged(std::move(streams), selection.reversed);
}

}  // namespace orochi::sstable
