#include "sstable/read/internal/salvage_source.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string_view>

#include "base/str_cat.h"
#include "sstable/format/big_endian.h"
#include "sstable/format/compressor.h"
#include "sstable/format/crc32.h"
#include "sstable/read/internal/chunk_search.h"

namespace orochi::sstable::internal {

namespace {

using Range = SalvageSource::Range;
constexpr uint64_t kComponentSizeBytesMax = uint64_t{1} << 30;
constexpr size_t kReadSizeBytes = 1 << 20;
constexpr uint32_t kPlainBlockSizeBytes = 64 * 1024;

class Opener {
 public:
  Opener(io::FileSystem& files, const std::string& directory, SalvageSource& source,
         std::vector<std::string>& notes)
      : files_(files), directory_(directory), source_(source), notes_(notes) {}

  Status Run() {
    RETURN_IF_ERROR(ReadStatistics());
    ASSIGN_OR_RETURN(bool const has_toc, Exists(Component::kToc));
    if (!has_toc) {
      Note(Component::kToc,
           "is missing: if the SSTable was never finished, its rows are elsewhere");
    }
    ASSIGN_OR_RETURN(bool const has_info, Exists(Component::kCompressionInfo));
    ASSIGN_OR_RETURN(bool const has_crc, Exists(Component::kCrc));
    bool compressed = has_info;
    if (has_info == has_crc && source_.has_stats) {
      compressed = source_.statistics.stats.compression_ratio >= 0;
    } else if (!has_info && !has_crc) {
      compressed = true;  // what is not will show no chunks
    }
    RETURN_IF_ERROR(compressed ? OpenCompressed(has_info) : OpenPlain(has_crc));
    return Status::Ok();
  }

 private:
  std::string PathOf(Component component) const {
    return StrCat(directory_, "/", source_.descriptor.FileName(component));
  }
  Result<bool> Exists(Component component) { return files_.Exists(PathOf(component)); }
  void Note(Component component, std::string_view what) {
    notes_.push_back(StrCat(PathOf(component), ": ", what));
  }

  Status ReadStatistics() {
    std::string const path = PathOf(Component::kStatistics);
    ASSIGN_OR_RETURN(std::vector<std::byte> const bytes,
                     ReadWholeFile(files_, path, kComponentSizeBytesMax));
    std::vector<std::string> lost;
    Result<Statistics> statistics =
        Statistics::DecodeReadable(bytes, source_.descriptor.version, lost);
    if (!statistics.ok()) {
      return std::move(statistics)
          .status()
          .WithContext(path)
          .WithHint("without its header no row can be told from another: nothing can be salvaged");
    }
    source_.statistics = *std::move(statistics);
    for (const std::string& name : lost) {
      Note(Component::kStatistics, StrCat("the ", name, " component is damaged"));
      source_.has_stats = source_.has_stats && name != "stats";
      if (name == "validation") {
        source_.statistics.validation.partitioner = PartitionerClass(Partitioner::kMurmur3);
        notes_.back() += "; taken to be of Murmur3Partitioner";
      }
    }
    Result<Layout> layout = Layout::FromStatistics(source_.statistics);
    if (!layout.ok()) {
      return std::move(layout).status().WithContext(path);
    }
    source_.layout = *std::move(layout);
    return Status::Ok();
  }

  Status OpenCompressed(bool has_info) {
    std::optional<CompressionInfo> stored;
    if (has_info) {
      std::string const path = PathOf(Component::kCompressionInfo);
      Result<std::vector<std::byte>> const bytes =
          ReadWholeFile(files_, path, kComponentSizeBytesMax);
      Result<CompressionInfo> info =
          bytes.ok() ? CompressionInfo::Decode(*bytes, source_.descriptor.version)
                     : Result<CompressionInfo>(bytes.status());
      if (info.ok()) {
        stored = *std::move(info);
        if (TryParts({.compression = stored}).ok() && source_.unreadable.empty()) {
          return Status::Ok();
        }
      } else {
        Note(Component::kCompressionInfo, info.status().message());
      }
    } else {
      Note(Component::kCompressionInfo, "is missing");
    }
    ASSIGN_OR_RETURN(
        std::optional<CompressionInfo> found,
        SearchChunks(files_, PathOf(Component::kData), stored.has_value() ? &*stored : nullptr));
    if (found.has_value()) {
      Note(Component::kCompressionInfo, "made anew from the checksums in Data.db");
      return TryParts({.compression = std::move(found)});
    }
    if (!stored.has_value()) {
      ASSIGN_OR_RETURN(bool const has_crc, Exists(Component::kCrc));
      if (!has_info && has_crc) {
        return OpenPlain(true);
      }
      return Status::Corruption(StrCat(PathOf(Component::kCompressionInfo),
                                       ": cannot be read, and Data.db's chunks cannot be told "
                                       "apart without it"));
    }
    return CompressorFromClassName(stored->compressor).ok()
               ? TryParts({.compression = std::move(stored)})
               : TryCompressors(*std::move(stored));
  }

  uint64_t UnreadableSize() const {
    uint64_t size_bytes = 0;
    for (const Range& range : source_.unreadable) {
      size_bytes += range.end_bytes - range.begin_bytes;
    }
    return size_bytes;
  }

  // The compressor has a name that none has: it is the one that expands most.
  Status TryCompressors(CompressionInfo info) {
    constexpr CompressorKind kKinds[] = {CompressorKind::kLz4, CompressorKind::kSnappy,
                                         CompressorKind::kDeflate, CompressorKind::kZstd};
    std::string const name = info.compressor;
    std::optional<CompressorKind> best;
    uint64_t least_bytes = UINT64_MAX;
    for (CompressorKind const kind : kKinds) {
      info.compressor = CompressorClassName(kind);
      if (TryParts({.compression = info}).ok() && UnreadableSize() < least_bytes) {
        least_bytes = UnreadableSize();
        best = kind;
      }
    }
    if (!best.has_value() || least_bytes == info.data_size_bytes) {
      return Status::Corruption(StrCat(PathOf(Component::kCompressionInfo), ": the compressor is '",
                                       name, "', and no known one expands a chunk of Data.db"));
    }
    info.compressor = CompressorClassName(*best);
    Note(Component::kCompressionInfo,
         StrCat("the compressor is '", name, "', taken to be ", info.compressor));
    return TryParts({.compression = std::move(info)});
  }

  Status OpenPlain(bool has_crc) {
    DataFile::Parts parts;
    parts.block_size_bytes = kPlainBlockSizeBytes;
    if (has_crc && ReadBlockCrcs(parts)) {
      RETURN_IF_ERROR(TryParts(parts));
      if (source_.unreadable.empty() && source_.data->size_bytes() == stored_size_bytes()) {
        return Status::Ok();
      }
    } else if (!has_crc) {
      Note(Component::kCrc, "is missing");
    }
    // A checksum may be what is wrong; then the whole file has the one in Digest.crc32.
    if (DigestHolds()) {
      Note(Component::kCrc, "is damaged, Data.db is whole by Digest.crc32");
      parts.block_crcs.clear();
      return TryParts(std::move(parts));
    }
    if (source_.data == nullptr) {
      Note(Component::kCrc, "is no help and Digest.crc32 is not either: rows are not checked");
      source_.has_checksums = false;
      return TryParts(std::move(parts));
    }
    if (source_.data->size_bytes() < stored_size_bytes()) {
      Note(Component::kCrc, StrCat("has checksums of the first ", source_.data->size_bytes(),
                                   " bytes; what follows in Data.db is not read"));
    }
    return Status::Ok();
  }

  bool ReadBlockCrcs(DataFile::Parts& parts) {
    Result<std::vector<std::byte>> const bytes =
        ReadWholeFile(files_, PathOf(Component::kCrc), kComponentSizeBytesMax);
    if (!bytes.ok()) {
      Note(Component::kCrc, bytes.status().message());
      return false;
    }
    BigEndianReader reader(*bytes);
    uint32_t block_size_bytes = 0;
    if (!reader.Read(block_size_bytes) || block_size_bytes == 0 ||
        block_size_bytes > CompressionInfo::kChunkSizeBytesMax || reader.remaining_bytes() < 4) {
      Note(Component::kCrc, "cannot be read");
      return false;
    }
    parts.block_size_bytes = block_size_bytes;
    for (uint32_t crc = 0; reader.Read(crc);) {
      parts.block_crcs.push_back(crc);
    }
    return true;
  }

  bool DigestHolds() {
    Result<std::vector<std::byte>> const text =
        ReadWholeFile(files_, PathOf(Component::kDigest), 64);
    if (!text.ok()) {
      return false;
    }
    auto const* const begin = reinterpret_cast<const char*>(text->data());
    uint32_t expected = 0;
    auto const [end, error] = std::from_chars(begin, begin + text->size(), expected);
    Result<std::unique_ptr<io::RandomAccessFile>> const file =
        files_.OpenForRead(PathOf(Component::kData));
    if (error != std::errc() || end != begin + text->size() || !file.ok()) {
      return false;
    }
    uint32_t crc = 0;
    uint64_t const size_bytes = stored_size_bytes();
    std::vector<std::byte> buffer(kReadSizeBytes);
    for (uint64_t at = 0; at < size_bytes; at += buffer.size()) {
      auto const part = static_cast<size_t>(std::min<uint64_t>(buffer.size(), size_bytes - at));
      if (!(*file)->ReadExact(at, std::span(buffer).first(part)).ok()) {
        return false;
      }
      crc = Crc32(std::span(buffer).first(part), crc);
    }
    return crc == expected;
  }

  uint64_t stored_size_bytes() const {
    Result<std::unique_ptr<io::RandomAccessFile>> const file =
        files_.OpenForRead(PathOf(Component::kData));
    Result<uint64_t> const size =
        file.ok() ? (*file)->SizeBytes() : Result<uint64_t>(file.status());
    return size.ok() ? *size : 0;
  }

  // Opens Data.db so and finds what of it cannot be read.
  Status TryParts(DataFile::Parts parts) {
    ASSIGN_OR_RETURN(source_.data,
                     DataFile::OpenParts(files_, PathOf(Component::kData), std::move(parts)));
    source_.unreadable.clear();
    ChunkReader reader(*source_.data);
    uint64_t const size_bytes = source_.data->size_bytes();
    uint64_t const chunk = source_.data->chunk_size_bytes();
    std::vector<std::byte> buffer(static_cast<size_t>(std::min(chunk, size_bytes)));
    for (uint64_t at = 0; at < size_bytes; at += chunk) {
      auto const part = static_cast<size_t>(std::min(chunk, size_bytes - at));
      if (reader.Read(at, std::span(buffer).first(part)).ok()) {
        continue;
      }
      if (!source_.unreadable.empty() && source_.unreadable.back().end_bytes == at) {
        source_.unreadable.back().end_bytes = at + part;
      } else {
        source_.unreadable.push_back({at, at + part});
      }
    }
    return Status::Ok();
  }

  io::FileSystem& files_;
  const std::string& directory_;
  SalvageSource& source_;
  std::vector<std::string>& notes_;
};

}  // namespace

bool IsDamage(const Status& status) {
  return status.code() == StatusCode::kCorruption || status.code() == StatusCode::kOutOfRange ||
         status.code() == StatusCode::kIoError || status.code() == StatusCode::kUnsupported ||
         status.code() == StatusCode::kResourceExhausted;
}

Result<std::unique_ptr<SalvageSource>> SalvageSource::Open(io::FileSystem& files,
                                                           const std::string& directory,
                                                           const Descriptor& descriptor,
                                                           std::vector<std::string>& notes) {
  std::unique_ptr<SalvageSource> source(new SalvageSource{.descriptor = descriptor});
  RETURN_IF_ERROR(Opener(files, directory, *source, notes).Run());
  return source;
}

PartitionSource SalvageSource::partition_source() const {
  constexpr uint64_t kRowSizeBytesMax = uint64_t{256} << 20;
  return {.data = *data,
          .layout = layout,
          .header = statistics.header,
          .version = descriptor.version,
          .timestamp_max = has_stats ? statistics.stats.timestamp_max : INT64_MAX,
          .row_size_bytes_max = kRowSizeBytesMax};
}

uint64_t SalvageSource::ReadableFrom(uint64_t position_bytes) const {
  auto const range = std::upper_bound(
      unreadable.begin(), unreadable.end(), position_bytes,
      [](uint64_t position, const Range& other) { return position < other.end_bytes; });
  bool const inside = range != unreadable.end() && range->begin_bytes <= position_bytes;
  return inside ? range->end_bytes : position_bytes;
}

uint64_t SalvageSource::ReadableUntil(uint64_t position_bytes) const {
  auto const range = std::lower_bound(
      unreadable.begin(), unreadable.end(), position_bytes,
      [](const Range& other, uint64_t position) { return other.begin_bytes < position; });
  return range == unreadable.end() ? data->size_bytes() : range->begin_bytes;
}

}  // namespace orochi::sstable::internal
