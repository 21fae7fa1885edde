#include "sstable/write/sstable_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/format/big_endian.h"
#include "sstable/format/row_flags.h"
#include "sstable/types/java_type.h"
#include "sstable/types/murmur3.h"
#include "sstable/write/big_index_writer.h"
#include "sstable/write/bloom_builder.h"
#include "sstable/write/bti_index_writer.h"
#include "sstable/write/statistics_collector.h"

namespace orochi::sstable {

namespace {

constexpr size_t kKeySizeBytesMax = 65535;
constexpr uint32_t kBigBlockSizeBytes = 64 << 10;
constexpr uint32_t kBtiBlockSizeBytes = 16 << 10;
constexpr uint32_t kChunkSizeBytesMax = 1 << 24;

Status CheckOptions(const WriterOptions& options) {
  if (options.version != Version::Nb() && options.version != Version::Oa() &&
      options.version != Version::Da()) {
    return Status::Unsupported(
        StrCat("format ", options.version.letters(), " cannot be written; nb, oa and da can"));
  }
  if (options.compression.has_value()) {
    uint32_t const chunk = options.compression->chunk_size_bytes;
    if (!std::has_single_bit(chunk) || chunk > kChunkSizeBytesMax) {
      return Status::InvalidArgument(StrCat(
          "chunks of ", chunk, " bytes: expected a power of two up to ", kChunkSizeBytesMax));
    }
    if (options.compression->compressed_size_bytes_max <= 0) {
      return Status::InvalidArgument("the largest compressed size of a chunk is not above 0");
    }
  }
  if (!(options.bloom_fp_chance > 0 && options.bloom_fp_chance <= 1)) {
    return Status::InvalidArgument(StrCat("bloom filter false positive chance is ",
                                          std::to_string(options.bloom_fp_chance),
                                          ", expected one in (0, 1]"));
  }
  if (options.index_interval_min < 1) {
    return Status::InvalidArgument(
        StrCat("index interval is ", options.index_interval_min, ", expected at least 1"));
  }
  return Status::Ok();
}

}  // namespace

struct SstableWriter::Parts {
  Parts(io::FileSystem& the_files, std::string the_directory, Layout the_layout,
        WriterOptions the_options)
      : files(the_files),
        directory(std::move(the_directory)),
        layout(std::move(the_layout)),
        options(std::move(the_options)),
        descriptor{options.version, options.id},
        encoder(layout, options.version, options.minima),
        collector(layout),
        bloom(files, UnfinishedPath(Component::kFilter)) {}

  std::string Path(Component component) const {
    return StrCat(directory, "/", descriptor.FileName(component));
  }
  std::string UnfinishedPath(Component component) const {
    return StrCat(directory, "/", kUnfinishedPrefix, descriptor.FileName(component));
  }
  Result<std::unique_ptr<io::WritableFile>> CreateUnfinished(Component component) {
    if (std::find(components.begin(), components.end(), component) == components.end()) {
      components.push_back(component);
    }
    return files.Create(UnfinishedPath(component));
  }
  Status WriteComponent(Component component, std::span<const std::byte> bytes) {
    ASSIGN_OR_RETURN(auto const file, CreateUnfinished(component));
    RETURN_IF_ERROR(file->Append(bytes));
    RETURN_IF_ERROR(file->Sync());
    return file->Close();
  }

  io::FileSystem& files;
  std::string directory;
  Layout layout;
  WriterOptions options;
  Descriptor descriptor;
  std::vector<Component> components;  // those that were created
  RowEncoder encoder;
  StatisticsCollector collector;
  BloomBuilder bloom;
  std::unique_ptr<DataFileWriter> data;
  std::unique_ptr<BigIndexWriter> big_index;
  std::unique_ptr<BtiIndexWriter> bti_index;
  uint32_t block_size_bytes = 0;

  // The partition that is open.
  bool in_partition = false;
  bool head_written = false;
  std::vector<std::byte> key;
  Token token;
  Murmur3Hash hash;
  DeletionTime partition_deletion;
  uint64_t partition_start_bytes = 0;
  uint64_t head_size_bytes = 0;
  uint64_t previous_offset_bytes = 0;
  bool has_previous = false;
  ClusteringPrefix previous;
  DeletionTime open_deletion;

  // Its block of rows that is open.
  bool in_block = false;
  uint64_t block_offset_bytes = 0;
  uint64_t block_count = 0;
  std::vector<std::byte> block_first;  // as Index.db has it
  std::vector<std::byte> block_last;

  std::vector<std::byte> scratch;
  std::vector<std::byte> first_key;
  bool failed = false;
  bool published = false;
};

SstableWriter::SstableWriter(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

SstableWriter::~SstableWriter() {
  if (parts_->published) {
    return;
  }
  for (Component const component : parts_->components) {
    parts_->files.Remove(parts_->UnfinishedPath(component))
        .IgnoreError("what is left has a name that nobody reads");
  }
}

Result<std::unique_ptr<SstableWriter>> SstableWriter::Create(io::FileSystem& files,
                                                             std::string directory, Layout layout,
                                                             WriterOptions options) {
  RETURN_IF_ERROR(CheckOptions(options));
  auto parts =
      std::make_unique<Parts>(files, std::move(directory), std::move(layout), std::move(options));
  ASSIGN_OR_RETURN(Descriptor const parsed,
                   Descriptor::Parse(parts->descriptor.FileName(Component::kData)));
  ASSERT(parsed == parts->descriptor);
  RETURN_IF_ERROR(files.CreateDirectories(parts->directory));
  for (Component const component : {Component::kData, Component::kToc}) {
    ASSIGN_OR_RETURN(bool const exists, files.Exists(parts->Path(component)));
    if (exists) {
      return Status::AlreadyExists(StrCat(parts->Path(component), " exists"));
    }
  }
  auto* const raw = parts.get();
  std::unique_ptr<SstableWriter> writer(new SstableWriter(std::move(parts)));
  ASSIGN_OR_RETURN(auto data_file, raw->CreateUnfinished(Component::kData));
  raw->data = std::make_unique<DataFileWriter>(std::move(data_file), raw->options.compression,
                                               raw->options.compresses_in_thread);
  raw->block_size_bytes = raw->options.row_block_size_bytes;
  if (raw->options.version.is_bti()) {
    ASSIGN_OR_RETURN(auto partitions, raw->CreateUnfinished(Component::kPartitions));
    ASSIGN_OR_RETURN(auto rows, raw->CreateUnfinished(Component::kRows));
    raw->bti_index = std::make_unique<BtiIndexWriter>(std::move(partitions), std::move(rows),
                                                      raw->layout, raw->encoder);
    raw->block_size_bytes = raw->block_size_bytes == 0 ? kBtiBlockSizeBytes : raw->block_size_bytes;
  } else {
    ASSIGN_OR_RETURN(auto index, raw->CreateUnfinished(Component::kIndex));
    raw->big_index = std::make_unique<BigIndexWriter>(std::move(index), raw->encoder,
                                                      raw->options.index_interval_min);
    raw->block_size_bytes = raw->block_size_bytes == 0 ? kBigBlockSizeBytes : raw->block_size_bytes;
  }
  return writer;
}

Status SstableWriter::Keep(Status status) {
  if (!status.ok()) {
    parts_->failed = true;
    return std::move(status).WithContext(StrCat("writing ", parts_->Path(Component::kData)));
  }
  return status;
}

uint64_t SstableWriter::data_size_bytes() const {
  return parts_->data->position_bytes();
}

Status SstableWriter::StartPartition(Bytes key, const DeletionTime& deletion) {
  return Keep(DoStartPartition(key, deletion));
}
Status SstableWriter::AddStatic(const Unfiltered& row) {
  return Keep(DoAddStatic(row));
}
Status SstableWriter::Add(const Unfiltered& unfiltered) {
  return Keep(DoAdd(unfiltered));
}

Status SstableWriter::DoStartPartition(Bytes key, const DeletionTime& deletion) {
  Parts& p = *parts_;
  if (p.failed || p.published) {
    return Status::FailedPrecondition("the writer has failed or finished before");
  }
  if (key.size() > kKeySizeBytesMax) {
    return Status::InvalidArgument(StrCat("partition key of ", key.size(), " bytes, at most ",
                                          kKeySizeBytesMax, " can be stored"));
  }
  if (p.in_partition) {
    RETURN_IF_ERROR(FinishPartition());
  }
  Murmur3Hash const hash = Murmur3(key);
  Token const token = TokenOf(p.layout.partitioner, key, hash);
  if (p.collector.partition_count() == 0) {
    p.first_key.assign(key.begin(), key.end());
  } else if (CompareKeys(p.layout.partitioner, *p.layout.key_type, p.token, p.key, token, key) >=
             0) {
    return Status::InvalidArgument(StrCat("partition ", p.collector.partition_count(),
                                          " does not come after the one before it in token order"));
  }
  if (p.options.bloom_fp_chance < 1) {
    RETURN_IF_ERROR(p.bloom.Add(hash));
  }
  p.key.assign(key.begin(), key.end());
  p.token = token;
  p.hash = hash;
  p.partition_deletion = deletion;
  p.partition_start_bytes = p.data->position_bytes();
  p.in_partition = true;
  p.head_written = false;
  p.has_previous = false;
  p.previous_offset_bytes = 0;
  p.open_deletion = {};
  p.in_block = false;
  p.block_count = 0;
  p.collector.StartPartition(key, deletion);

  p.scratch.clear();
  AppendShortBytes(p.scratch, key);
  RETURN_IF_ERROR(p.encoder.AppendDeletion(p.scratch, deletion));
  RETURN_IF_ERROR(p.data->Append(p.scratch));
  return Status::Ok();
}

Status SstableWriter::DoAddStatic(const Unfiltered& row) {
  Parts& p = *parts_;
  if (p.failed || !p.in_partition || p.head_written) {
    return Status::FailedPrecondition("a static row goes between a partition's start and its rows");
  }
  if (p.layout.statics.empty()) {
    if (row.empty_row()) {
      return Status::Ok();
    }
    return Status::InvalidArgument("static row of a table without static columns");
  }
  if (!row.empty_row()) {
    p.collector.Add(row);
  }
  p.scratch.clear();
  RETURN_IF_ERROR(p.encoder.AppendStatic(p.scratch, row));
  RETURN_IF_ERROR(p.data->Append(p.scratch));
  p.head_written = true;
  p.head_size_bytes = p.data->position_bytes() - p.partition_start_bytes;
  return Status::Ok();
}

// Where a table has static columns every partition has a static row.
Status SstableWriter::FlushHead() {
  Parts& p = *parts_;
  if (p.head_written) {
    return Status::Ok();
  }
  if (!p.layout.statics.empty()) {
    Unfiltered empty;
    empty.clustering.kind = ClusteringKind::kStatic;
    p.scratch.clear();
    RETURN_IF_ERROR(p.encoder.AppendStatic(p.scratch, empty));
    RETURN_IF_ERROR(p.data->Append(p.scratch));
  }
  p.head_written = true;
  p.head_size_bytes = p.data->position_bytes() - p.partition_start_bytes;
  return Status::Ok();
}

Status SstableWriter::CheckOrder(const Unfiltered& unfiltered) const {
  const Parts& p = *parts_;
  if (p.has_previous &&
      p.layout.clustering.Compare(p.previous.view(), unfiltered.clustering) >= 0) {
    return Status::InvalidArgument(
        StrCat("partition ", p.collector.partition_count() - 1,
               ": a row or marker does not come after the one before it in clustering order"));
  }
  if (!unfiltered.is_row() && unfiltered.close != p.open_deletion) {
    return Status::InvalidArgument(
        StrCat("partition ", p.collector.partition_count() - 1,
               ": a range tombstone marker does not close what is open before it"));
  }
  return Status::Ok();
}

void SstableWriter::StartBlock(const Unfiltered& unfiltered, uint64_t offset_bytes) {
  Parts& p = *parts_;
  p.in_block = true;
  p.block_offset_bytes = offset_bytes;
  if (p.bti_index != nullptr) {
    p.bti_index->StartBlock(unfiltered.clustering, offset_bytes, p.open_deletion);
  }
}

Status SstableWriter::FinishBlock() {
  Parts& p = *parts_;
  p.in_block = false;
  ++p.block_count;
  if (p.bti_index != nullptr) {
    return p.bti_index->FinishBlock(p.previous.view());
  }
  return p.big_index->AddBlock(
      {.first = p.block_first,
       .last = p.block_last,
       .offset_bytes = p.block_offset_bytes,
       .size_bytes = p.data->position_bytes() - p.partition_start_bytes - p.block_offset_bytes,
       .open_at_end = p.open_deletion});
}

Status SstableWriter::DoAdd(const Unfiltered& unfiltered) {
  Parts& p = *parts_;
  if (p.failed || !p.in_partition) {
    return Status::FailedPrecondition("a row goes into a partition");
  }
  RETURN_IF_ERROR(FlushHead());
  RETURN_IF_ERROR(CheckOrder(unfiltered));
  uint64_t const offset_bytes = p.data->position_bytes() - p.partition_start_bytes;
  p.scratch.clear();
  RETURN_IF_ERROR(p.encoder.Append(p.scratch, unfiltered, offset_bytes - p.previous_offset_bytes));
  if (!p.in_block) {
    StartBlock(unfiltered, offset_bytes);
  }
  if (p.big_index != nullptr) {
    // A row's kind is not in the row itself; a marker's is.
    std::vector<std::byte>& prefix = p.block_last;
    prefix.clear();
    if (unfiltered.is_row()) {
      prefix.push_back(static_cast<std::byte>(ClusteringKind::kClustering));
    }
    prefix.insert(prefix.end(),
                  p.scratch.begin() + static_cast<ptrdiff_t>(p.encoder.clustering_begin()),
                  p.scratch.begin() + static_cast<ptrdiff_t>(p.encoder.clustering_end()));
    if (p.block_offset_bytes == offset_bytes) {
      p.block_first = prefix;
    }
  }
  RETURN_IF_ERROR(p.data->Append(p.scratch));
  p.collector.Add(unfiltered);
  if (!p.has_previous) {
    p.collector.CoverFirst(unfiltered.clustering);
    p.has_previous = true;
  }
  p.previous.Assign(unfiltered.clustering);
  p.previous_offset_bytes = offset_bytes;
  if (!unfiltered.is_row()) {
    p.open_deletion = unfiltered.open;
  }
  uint64_t const end_bytes = p.data->position_bytes() - p.partition_start_bytes;
  return end_bytes - p.block_offset_bytes >= p.block_size_bytes ? FinishBlock() : Status::Ok();
}

Status SstableWriter::FinishPartition() {
  Parts& p = *parts_;
  RETURN_IF_ERROR(FlushHead());
  if (!p.open_deletion.live()) {
    return Status::InvalidArgument(StrCat("partition ", p.collector.partition_count() - 1,
                                          " ends while a range tombstone is open"));
  }
  uint64_t const end_offset_bytes = p.data->position_bytes() - p.partition_start_bytes;
  RETURN_IF_ERROR(p.data->Append(std::array{std::byte{kEndOfPartition}}));
  // The last block of a BIG index reaches over the end mark, a trie's does not.
  if (p.in_block && p.block_count > 0) {
    RETURN_IF_ERROR(FinishBlock());
  }
  if (p.has_previous) {
    p.collector.CoverLast(p.previous.view());
  }
  p.collector.FinishPartition(p.data->position_bytes() - p.partition_start_bytes);
  p.in_partition = false;
  if (p.bti_index != nullptr) {
    return p.bti_index->AddPartition({p.key, p.token, p.hash}, p.partition_deletion,
                                     p.partition_start_bytes, end_offset_bytes);
  }
  return p.big_index->AddPartition(p.key, p.partition_deletion, p.partition_start_bytes,
                                   p.head_size_bytes);
}

Status SstableWriter::WriteComponents() {
  Parts& p = *parts_;
  RETURN_IF_ERROR(p.data->Finish());
  if (p.bti_index != nullptr) {
    RETURN_IF_ERROR(p.bti_index->Finish());
  } else {
    RETURN_IF_ERROR(p.big_index->Finish());
    RETURN_IF_ERROR(p.WriteComponent(Component::kSummary, p.big_index->EncodeSummary()));
  }
  if (p.options.bloom_fp_chance < 1) {
    ASSIGN_OR_RETURN(BloomFilter const filter, p.bloom.Build(p.options.bloom_fp_chance));
    RETURN_IF_ERROR(p.WriteComponent(Component::kFilter, filter.Encode()));
  }
  if (p.options.compression.has_value()) {
    RETURN_IF_ERROR(p.WriteComponent(Component::kCompressionInfo,
                                     p.data->compression_info().Encode(p.options.version)));
  } else {
    RETURN_IF_ERROR(p.WriteComponent(Component::kCrc, p.data->crc_component()));
  }
  std::string const digest = std::to_string(p.data->digest());
  RETURN_IF_ERROR(p.WriteComponent(Component::kDigest, AsBytes(digest)));

  Statistics statistics;
  statistics.validation.partitioner = PartitionerClass(p.layout.partitioner);
  statistics.validation.bloom_fp_chance = p.options.bloom_fp_chance;
  statistics.compaction = p.collector.EncodeSketch();
  p.collector.Collect(statistics.stats);
  statistics.stats.compression_ratio = p.data->compression_ratio();
  statistics.stats.level = p.options.level;
  statistics.stats.repaired_at_ms = p.options.repaired_at_ms;
  statistics.stats.first_key = p.first_key;
  statistics.stats.last_key = p.key;
  statistics.stats.token_space_coverage = std::numeric_limits<double>::quiet_NaN();
  SerializationHeader& header = statistics.header;
  header.timestamp_min = p.options.minima.timestamp;
  header.local_deletion_time_min = p.options.minima.local_deletion_time;
  header.ttl_min = p.options.minima.ttl;
  header.key_type = JavaTypeName(*p.layout.key_type);
  for (const TypeRef& type : p.layout.clustering.types()) {
    header.clustering_types.push_back(JavaTypeName(*type));
  }
  for (const Column& column : p.layout.statics) {
    header.statics.push_back({.name = column.name, .type = JavaTypeName(*column.type)});
  }
  for (const Column& column : p.layout.regulars) {
    header.regulars.push_back({.name = column.name, .type = JavaTypeName(*column.type)});
  }
  RETURN_IF_ERROR(p.WriteComponent(Component::kStatistics, statistics.Encode(p.options.version)));

  std::string toc;
  for (Component const component : p.components) {
    toc += StrCat(ComponentFileName(component), "\n");
  }
  toc += StrCat(ComponentFileName(Component::kToc), "\n");
  return p.WriteComponent(Component::kToc, AsBytes(toc));
}

Status SstableWriter::Publish() {
  Parts& p = *parts_;
  for (Component const component : p.components) {
    if (component != Component::kData && component != Component::kToc) {
      RETURN_IF_ERROR(p.files.Rename(p.UnfinishedPath(component), p.Path(component)));
    }
  }
  // Each step is durable before the next: an index without data is no SSTable to anyone, data
  // without TOC.txt is none to us, and complete all the same to those who do not ask for it.
  RETURN_IF_ERROR(p.files.SyncDirectory(p.directory));
  for (Component const component : {Component::kData, Component::kToc}) {
    RETURN_IF_ERROR(p.files.Rename(p.UnfinishedPath(component), p.Path(component)));
    RETURN_IF_ERROR(p.files.SyncDirectory(p.directory));
  }
  return Status::Ok();
}

Result<WrittenSstable> SstableWriter::DoFinish() {
  Parts& p = *parts_;
  if (p.failed || p.published) {
    return Status::FailedPrecondition("the writer has failed or finished before");
  }
  if (p.collector.partition_count() == 0) {
    return Status::FailedPrecondition("there is no partition to write");
  }
  RETURN_IF_ERROR(FinishPartition());
  RETURN_IF_ERROR(WriteComponents());
  RETURN_IF_ERROR(Publish());
  p.published = true;
  return WrittenSstable{.descriptor = p.descriptor,
                        .partition_count = p.collector.partition_count(),
                        .row_count = p.collector.row_count(),
                        .data_size_bytes = p.data->position_bytes(),
                        .stored_size_bytes = p.data->stored_size_bytes()};
}

Result<WrittenSstable> SstableWriter::Finish() {
  Result<WrittenSstable> written = DoFinish();
  if (!written.ok()) {
    return Keep(std::move(written).status());
  }
  return written;
}

Status WriteStream(UnfilteredStream& stream, SstableWriter& writer) {
  while (true) {
    ASSIGN_OR_RETURN(bool const has_partition, stream.NextPartition());
    if (!has_partition) {
      return Status::Ok();
    }
    RETURN_IF_ERROR(writer.StartPartition(stream.partition().key, stream.partition().deletion));
    if (!stream.static_row().empty_row()) {
      RETURN_IF_ERROR(writer.AddStatic(stream.static_row()));
    }
    while (true) {
      ASSIGN_OR_RETURN(bool const has_row, stream.Next());
      if (!has_row) {
        break;
      }
      RETURN_IF_ERROR(writer.Add(stream.current()));
    }
  }
}

}  // namespace orochi::sstable
