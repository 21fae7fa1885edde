#include "sstable/write/rewrite.h"

namespace orochi::sstable {

namespace {

Result<WriterOptions> OptionsLike(Version source, const Statistics& statistics,
                                  const DataFile& data) {
  WriterOptions options;
  if (source.is_bti()) {
    options.version = Version::Da();
  } else {
    options.version = source.has_covered_slice() ? Version::Oa() : Version::Nb();
  }
  if (const auto& info = data.compression(); info.has_value()) {
    ASSIGN_OR_RETURN(options.compression->kind, CompressorFromClassName(info->compressor));
    options.compression->chunk_size_bytes = info->chunk_size_bytes;
    options.compression->compressed_size_bytes_max = info->compressed_size_bytes_max;
  } else {
    options.compression.reset();
  }
  options.bloom_fp_chance = statistics.validation.bloom_fp_chance;
  options.minima = {.timestamp = statistics.header.timestamp_min,
                    .local_deletion_time = statistics.header.local_deletion_time_min,
                    .ttl = statistics.header.ttl_min};
  options.level = statistics.stats.level;
  options.repaired_at_ms = statistics.stats.repaired_at_ms;
  return options;
}

}  // namespace

Result<WriterOptions> OptionsLike(const SstableReader& reader) {
  return OptionsLike(reader.descriptor().version, reader.statistics(), reader.data());
}

Result<WriterOptions> OptionsLike(const SalvageReader& reader) {
  return OptionsLike(reader.descriptor().version, reader.statistics(), reader.data());
}

Result<WrittenSstable> Rewrite(const SstableReader& reader, io::FileSystem& files,
                               const std::string& directory, const WriterOptions& options) {
  ASSIGN_OR_RETURN(auto const writer,
                   SstableWriter::Create(files, directory, reader.layout(), options));
  RETURN_IF_ERROR(WriteStream(*reader.Scan(), *writer));
  return writer->Finish();
}

Result<std::optional<WrittenSstable>> Scrub(SalvageReader& reader, io::FileSystem& files,
                                            const std::string& directory,
                                            const WriterOptions& options) {
  ASSIGN_OR_RETURN(auto const writer,
                   SstableWriter::Create(files, directory, reader.layout(), options));
  RETURN_IF_ERROR(WriteStream(*reader.Scan(), *writer));
  if (reader.report().partitions == 0) {
    return std::optional<WrittenSstable>();  // the writer removes what it began
  }
  ASSIGN_OR_RETURN(WrittenSstable written, writer->Finish());
  return std::optional<WrittenSstable>(std::move(written));
}

}  // namespace orochi::sstable
