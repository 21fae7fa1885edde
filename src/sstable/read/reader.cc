#include "sstable/read/reader.h"

#include <utility>

#include "base/str_cat.h"
#include "sstable/read/components.h"
#include "sstable/read/internal/partition_cursor.h"
#include "sstable/read/internal/scan_stream.h"

namespace orochi::sstable {

namespace {

constexpr uint64_t kStatisticsSizeBytesMax = uint64_t{256} << 20;

}  // namespace

struct SstableReader::State {
  ComponentSet components;
  internal::PartitionSource source;
};

SstableReader::SstableReader(io::FileSystem& files, std::string directory, Descriptor descriptor,
                             const ReaderOptions& options)
    : files_(files),
      directory_(std::move(directory)),
      descriptor_(std::move(descriptor)),
      options_(options) {}
SstableReader::~SstableReader() = default;

std::string SstableReader::PathOf(Component component) const {
  return StrCat(directory_, "/", descriptor_.FileName(component));
}

Result<std::unique_ptr<SstableReader>> SstableReader::Open(io::FileSystem& files,
                                                           const std::string& directory,
                                                           const Descriptor& descriptor,
                                                           const ReaderOptions& options) {
  std::unique_ptr<SstableReader> reader(new SstableReader(files, directory, descriptor, options));
  RETURN_IF_ERROR(reader->Load());
  return reader;
}

Status SstableReader::Load() {
  ASSIGN_OR_RETURN(ComponentSet const components,
                   ComponentSet::Load(files_, directory_, descriptor_));
  std::string const path = PathOf(Component::kStatistics);
  ASSIGN_OR_RETURN(std::vector<std::byte> const bytes,
                   ReadWholeFile(files_, path, kStatisticsSizeBytesMax));
  Result<Statistics> statistics = Statistics::Decode(bytes, descriptor_.version);
  if (!statistics.ok()) {
    return std::move(statistics).status().WithContext(path);
  }
  statistics_ = *std::move(statistics);
  Result<Layout> layout = Layout::FromStatistics(statistics_);
  if (!layout.ok()) {
    return std::move(layout).status().WithContext(path);
  }
  layout_ = *std::move(layout);
  DataFile::Options const data_options = {
      .is_compressed = components.Has(Component::kCompressionInfo),
      .has_block_crcs = components.Has(Component::kCrc),
      .verify_checksums = options_.verify_checksums,
  };
  ASSIGN_OR_RETURN(data_, DataFile::Open(files_, directory_, descriptor_, data_options));
  state_ = std::make_unique<State>(
      State{components,
            {*data_, layout_, statistics_.header, descriptor_.version,
             statistics_.stats.timestamp_max, options_.row_size_bytes_max}});
  return Status::Ok();
}

std::unique_ptr<UnfilteredStream> SstableReader::Scan() const {
  return std::make_unique<internal::ScanStream>(state_->source, options_.scan_size_bytes, 0,
                                                data_->size_bytes());
}

}  // namespace orochi::sstable
