#include "sstable/read/data_file.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/format/big_endian.h"
#include "sstable/format/crc32.h"

namespace orochi::sstable {

namespace {

constexpr size_t kCrcSizeBytes = 4;
constexpr uint32_t kPlainBlockSizeBytes = 64 * 1024;
/// Eight bytes a chunk: good for 2 TiB in chunks of 16 KiB.
constexpr uint64_t kCompressionInfoSizeBytesMax = uint64_t{1} << 30;
constexpr uint64_t kBlockCrcsSizeBytesMax = uint64_t{1} << 30;

// No codec makes a chunk longer than this; a longer one is a damaged offset, not data to read.
uint64_t StoredSizeBytesMax(uint64_t chunk_size_bytes) {
  return 2 * chunk_size_bytes + 1024;
}

}  // namespace

Result<std::vector<std::byte>> ReadWholeFile(io::FileSystem& files, const std::string& path,
                                             uint64_t size_bytes_max) {
  ASSIGN_OR_RETURN(std::unique_ptr<io::RandomAccessFile> const file, files.OpenForRead(path));
  ASSIGN_OR_RETURN(uint64_t const size_bytes, file->SizeBytes());
  if (size_bytes > size_bytes_max) {
    return Status::ResourceExhausted(
        StrCat(path, ": has ", size_bytes, " bytes, at most ", size_bytes_max, " are read"));
  }
  std::vector<std::byte> bytes(static_cast<size_t>(size_bytes));
  if (Status status = file->ReadExact(0, bytes); !status.ok()) {
    return std::move(status).WithContext(path);
  }
  return bytes;
}

Result<std::unique_ptr<DataFile>> DataFile::Open(io::FileSystem& files,
                                                 const std::string& directory,
                                                 const Descriptor& descriptor,
                                                 const Options& options) {
  std::unique_ptr<DataFile> data(new DataFile());
  auto const path_of = [&](Component component) {
    return StrCat(directory, "/", descriptor.FileName(component));
  };
  data->name_ = path_of(Component::kData);
  data->verify_checksums_ = options.verify_checksums;
  ASSIGN_OR_RETURN(data->file_, files.OpenForRead(data->name_));
  ASSIGN_OR_RETURN(data->stored_size_bytes_, data->file_->SizeBytes());
  data->size_bytes_ = data->stored_size_bytes_;
  data->chunk_size_bytes_ = kPlainBlockSizeBytes;
  if (options.is_compressed) {
    std::string const path = path_of(Component::kCompressionInfo);
    ASSIGN_OR_RETURN(std::vector<std::byte> const bytes,
                     ReadWholeFile(files, path, kCompressionInfoSizeBytesMax));
    Result<CompressionInfo> info = CompressionInfo::Decode(bytes, descriptor.version);
    if (!info.ok()) {
      return std::move(info).status().WithContext(path);
    }
    data->compression_ = *std::move(info);
    RETURN_IF_ERROR(data->CheckCompressionInfo(path));
  } else if (options.has_block_crcs) {
    RETURN_IF_ERROR(data->LoadBlockCrcs(files, path_of(Component::kCrc)));
  }
  return data;
}

Result<std::unique_ptr<DataFile>> DataFile::OpenPlain(io::FileSystem& files, std::string path,
                                                      uint32_t block_size_bytes) {
  std::unique_ptr<DataFile> data(new DataFile());
  data->name_ = std::move(path);
  ASSIGN_OR_RETURN(data->file_, files.OpenForRead(data->name_));
  ASSIGN_OR_RETURN(data->stored_size_bytes_, data->file_->SizeBytes());
  data->size_bytes_ = data->stored_size_bytes_;
  data->chunk_size_bytes_ = block_size_bytes;
  return data;
}

Result<std::unique_ptr<DataFile>> DataFile::OpenParts(io::FileSystem& files, std::string path,
                                                      Parts parts) {
  std::unique_ptr<DataFile> data(new DataFile());
  data->name_ = std::move(path);
  ASSIGN_OR_RETURN(data->file_, files.OpenForRead(data->name_));
  ASSIGN_OR_RETURN(data->stored_size_bytes_, data->file_->SizeBytes());
  if (parts.compression.has_value()) {
    ASSIGN_OR_RETURN(data->compressor_, CompressorFromClassName(parts.compression->compressor));
    data->size_bytes_ = parts.compression->data_size_bytes;
    data->chunk_size_bytes_ = parts.compression->chunk_size_bytes;
    data->compression_ = std::move(parts.compression);
    return data;
  }
  data->chunk_size_bytes_ = parts.block_size_bytes;
  data->size_bytes_ = data->stored_size_bytes_;
  if (!parts.block_crcs.empty()) {
    data->size_bytes_ =
        std::min(data->size_bytes_, parts.block_crcs.size() * uint64_t{parts.block_size_bytes});
    data->block_crcs_ = std::move(parts.block_crcs);
  }
  return data;
}

Status DataFile::CheckCompressionInfo(const std::string& path) {
  Result<CompressorKind> kind = CompressorFromClassName(compression_->compressor);
  if (!kind.ok()) {
    return std::move(kind).status().WithContext(path);
  }
  compressor_ = *kind;
  uint64_t const first = compression_->chunk_offsets.front();
  uint64_t const last = compression_->chunk_offsets.back();
  if (first != 0 || last + kCrcSizeBytes > stored_size_bytes_) {
    return Status::Corruption(StrCat(path, ": chunks start at ", first, " and end behind ", last,
                                     ", but ", name_, " has ", stored_size_bytes_, " bytes"));
  }
  size_bytes_ = compression_->data_size_bytes;
  chunk_size_bytes_ = compression_->chunk_size_bytes;
  return Status::Ok();
}

Status DataFile::LoadBlockCrcs(io::FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(std::vector<std::byte> const bytes,
                   ReadWholeFile(files, path, kBlockCrcsSizeBytesMax));
  BigEndianReader reader(bytes);
  uint32_t block_size_bytes = 0;
  if (!reader.Read(block_size_bytes) || block_size_bytes == 0 ||
      block_size_bytes > CompressionInfo::kChunkSizeBytesMax) {
    return Status::Corruption(StrCat(path, ": at offset 0: block size ", block_size_bytes,
                                     ", expected 1 to ", CompressionInfo::kChunkSizeBytesMax));
  }
  uint64_t const blocks = (size_bytes_ + block_size_bytes - 1) / block_size_bytes;
  if (reader.remaining_bytes() != blocks * kCrcSizeBytes) {
    return Status::Corruption(StrCat(path, ": ", reader.remaining_bytes() / kCrcSizeBytes,
                                     " checksums of blocks, but ", name_, " has ", size_bytes_,
                                     " bytes in ", blocks, " blocks of ", block_size_bytes));
  }
  chunk_size_bytes_ = block_size_bytes;
  block_crcs_.resize(static_cast<size_t>(blocks));
  for (uint32_t& crc : block_crcs_) {
    bool const read = reader.Read(crc);
    ASSERT(read);  // counted above
  }
  return Status::Ok();
}

Status DataFile::CorruptAt(uint64_t position_bytes, std::string_view what) const {
  return Status::Corruption(StrCat(name_, ": at offset ", position_bytes,
                                   compression_.has_value() ? " uncompressed: " : ": ", what));
}

ChunkReader::ChunkReader(const DataFile& file) : file_(file) {
  if (file.compression_.has_value()) {
    codec_.emplace(file.compressor_);
  }
}

Status ChunkReader::Read(uint64_t position_bytes, std::span<std::byte> out) {
  uint64_t const end = position_bytes + out.size();
  ASSERT(position_bytes % file_.chunk_size_bytes_ == 0);
  ASSERT(end <= file_.size_bytes_);
  ASSERT(end % file_.chunk_size_bytes_ == 0 || end == file_.size_bytes_);
  if (!file_.compression_.has_value()) {
    return ReadPlain(position_bytes, out);
  }
  uint64_t const first = position_bytes / file_.chunk_size_bytes_;
  uint64_t const last = (end + file_.chunk_size_bytes_ - 1) / file_.chunk_size_bytes_;
  return ReadCompressed(static_cast<size_t>(first), static_cast<size_t>(last - first), out);
}

Status ChunkReader::ReadPlain(uint64_t position_bytes, std::span<std::byte> out) {
  if (Status status = file_.file_->ReadExact(position_bytes, out); !status.ok()) {
    return std::move(status).WithContext(StrCat(file_.name_, ": at offset ", position_bytes));
  }
  if (!file_.verify_checksums_ || file_.block_crcs_.empty()) {
    return Status::Ok();
  }
  for (size_t at = 0; at < out.size(); at += file_.chunk_size_bytes_) {
    std::span<const std::byte> const block =
        out.subspan(at, std::min<size_t>(file_.chunk_size_bytes_, out.size() - at));
    auto const index = static_cast<size_t>((position_bytes + at) / file_.chunk_size_bytes_);
    if (uint32_t const crc = Crc32(block); crc != file_.block_crcs_[index]) {
      return file_.CorruptAt(position_bytes + at,
                             StrCat("checksum of block ", index, " is ", crc, ", CRC.db has ",
                                    file_.block_crcs_[index]));
    }
  }
  return Status::Ok();
}

uint64_t ChunkReader::StoredEnd(size_t index) const {
  const std::vector<uint64_t>& offsets = file_.compression_->chunk_offsets;
  return index + 1 < offsets.size() ? offsets[index + 1] : file_.stored_size_bytes_;
}

Status ChunkReader::ReadCompressed(size_t first, size_t count, std::span<std::byte> out) {
  const CompressionInfo& info = *file_.compression_;
  if (count == 0) {
    return Status::Ok();
  }
  for (size_t index = first; index < first + count; ++index) {
    uint64_t const size_bytes = StoredEnd(index) - info.chunk_offsets[index];
    if (size_bytes > StoredSizeBytesMax(info.chunk_size_bytes)) {
      return Status::Corruption(
          StrCat(file_.name_, ": at offset ", info.chunk_offsets[index], ": chunk ", index, " has ",
                 size_bytes, " bytes, for at most ", info.chunk_size_bytes, " uncompressed"));
    }
  }
  uint64_t const begin = info.chunk_offsets[first];
  stored_.resize(static_cast<size_t>(StoredEnd(first + count - 1) - begin));
  if (Status status = file_.file_->ReadExact(begin, stored_); !status.ok()) {
    return std::move(status).WithContext(StrCat(file_.name_, ": at offset ", begin));
  }
  for (size_t index = first; index < first + count; ++index) {
    auto const at = static_cast<size_t>(info.chunk_offsets[index] - begin);
    auto const end = static_cast<size_t>(StoredEnd(index) - begin);
    std::span<std::byte> const target = out.subspan((index - first) * size_t{info.chunk_size_bytes},
                                                    info.UncompressedSizeBytes(index));
    Status status = Expand(index, std::span(stored_).subspan(at, end - at), target);
    if (!status.ok()) {
      return std::move(status).WithContext(
          StrCat(file_.name_, ": at offset ", info.chunk_offsets[index], ": chunk ", index));
    }
  }
  return Status::Ok();
}

Status ChunkReader::Expand(size_t index, std::span<const std::byte> stored,
                           std::span<std::byte> out) {
  if (stored.size() < kCrcSizeBytes) {
    return Status::Corruption(
        StrCat("has ", stored.size(), " bytes, its checksum alone needs ", kCrcSizeBytes));
  }
  std::span<const std::byte> const content = stored.first(stored.size() - kCrcSizeBytes);
  if (file_.verify_checksums_) {
    auto const expected = LoadBigEndian<uint32_t>(stored.data() + content.size());
    if (uint32_t const crc = Crc32(content); crc != expected) {
      return Status::Corruption(StrCat("checksum is ", crc, ", stored is ", expected));
    }
  }
  const CompressionInfo& info = *file_.compression_;
  if (content.size() < static_cast<size_t>(info.compressed_size_bytes_max)) {
    return codec_->Decompress(content, out);
  }
  // Stored raw. The last chunk may be padded with zeros up to the largest compressed length.
  bool const is_last = index + 1 == info.chunk_count();
  if (content.size() < out.size() || (content.size() > out.size() && !is_last)) {
    return Status::Corruption(
        StrCat("stored raw with ", content.size(), " bytes, expected ", out.size()));
  }
  if (!out.empty()) {
    std::memcpy(out.data(), content.data(), out.size());
  }
  return Status::Ok();
}

}  // namespace orochi::sstable
