#include "sstable/read/reader.h"

#include <mutex>
#include <optional>
#include <utility>

#include "base/str_cat.h"
#include "sstable/read/components.h"
#include "sstable/read/internal/big_index.h"
#include "sstable/read/internal/bti_index.h"
#include "sstable/read/internal/partition_cursor.h"
#include "sstable/read/internal/scan_stream.h"

namespace orochi::sstable {

namespace {

constexpr uint64_t kStatisticsSizeBytesMax = uint64_t{256} << 20;
constexpr uint64_t kFilterSizeBytesMax = uint64_t{1} << 34;

}  // namespace

// What is loaded after Open, and what streams share.
struct SstableReader::State {
  ComponentSet components;
  internal::PartitionSource source;
  std::mutex mutex = {};  // guards the two below while they are made; they never change after
  std::optional<BloomFilter> filter = {};
  std::unique_ptr<internal::PartitionIndex> index = {};
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
  state_.reset(new State{.components = components,
                         .source = {.data = *data_,
                                    .layout = layout_,
                                    .header = statistics_.header,
                                    .version = descriptor_.version,
                                    .timestamp_max = statistics_.stats.timestamp_max,
                                    .row_size_bytes_max = options_.row_size_bytes_max}});
  return Status::Ok();
}

const ComponentSet& SstableReader::components() const {
  return state_->components;
}

Result<const BloomFilter*> SstableReader::Filter() const {
  std::scoped_lock const lock(state_->mutex);
  if (!state_->filter.has_value() && state_->components.Has(Component::kFilter)) {
    std::string const path = PathOf(Component::kFilter);
    ASSIGN_OR_RETURN(std::vector<std::byte> bytes,
                     ReadWholeFile(files_, path, kFilterSizeBytesMax));
    Result<BloomFilter> filter = BloomFilter::Decode(std::move(bytes), descriptor_.version);
    if (!filter.ok()) {
      return std::move(filter).status().WithContext(path);
    }
    state_->filter = *std::move(filter);
  }
  const BloomFilter* const filter = state_->filter.has_value() ? &*state_->filter : nullptr;
  return filter;
}

Result<const internal::PartitionIndex*> SstableReader::Index() const {
  std::scoped_lock const lock(state_->mutex);
  if (state_->index == nullptr) {
    if (descriptor_.version.is_bti()) {
      ASSIGN_OR_RETURN(state_->index, internal::BtiIndex::Open(
                                          files_, PathOf(Component::kPartitions),
                                          PathOf(Component::kRows), layout_, descriptor_.version));
    } else {
      std::string const summary = PathOf(Component::kSummary);
      ASSIGN_OR_RETURN(
          state_->index,
          internal::BigIndex::Open(files_, PathOf(Component::kIndex),
                                   state_->components.Has(Component::kSummary) ? &summary : nullptr,
                                   layout_, descriptor_.version));
    }
  }
  const internal::PartitionIndex* const index = state_->index.get();
  return index;
}

Status SstableReader::LoadIndex() const {
  RETURN_IF_ERROR(Filter().status());
  return Index().status();
}

std::unique_ptr<UnfilteredStream> SstableReader::Scan() const {
  return std::make_unique<internal::ScanStream>(state_->source, options_.scan_size_bytes, 0,
                                                PartitionRange(), RowSelection());
}

Result<std::unique_ptr<UnfilteredStream>> SstableReader::Scan(PartitionRange range,
                                                              RowSelection selection) const {
  uint64_t begin = 0;
  if (range.start.has_value()) {
    ASSIGN_OR_RETURN(const internal::PartitionIndex* const index, Index());
    ASSIGN_OR_RETURN(begin, index->PositionBefore(*range.start));
  }
  return std::unique_ptr<UnfilteredStream>(std::make_unique<internal::ScanStream>(
      state_->source, options_.scan_size_bytes, begin, std::move(range), std::move(selection)));
}

Result<bool> SstableReader::MayContain(Bytes key) const {
  ASSIGN_OR_RETURN(const BloomFilter* const filter, Filter());
  return filter == nullptr || filter->MayContain(Murmur3(key));
}

Result<std::unique_ptr<UnfilteredStream>> SstableReader::Lookup(Bytes key,
                                                                RowSelection selection) const {
  ASSIGN_OR_RETURN(bool const may_contain, MayContain(key));
  ASSIGN_OR_RETURN(const internal::PartitionIndex* const index, Index());
  std::optional<internal::IndexEntry> entry;
  if (may_contain) {
    ASSIGN_OR_RETURN(entry, index->Find(key));
  }
  return std::unique_ptr<UnfilteredStream>(std::make_unique<internal::LookupStream>(
      state_->source, *index, std::vector<std::byte>(key.begin(), key.end()), entry,
      std::move(selection)));
}

}  // namespace orochi::sstable
