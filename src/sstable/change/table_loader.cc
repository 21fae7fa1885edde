#include "sstable/change/table_loader.h"

#include <utility>

#include "base/str_cat.h"
#include "sstable/read/merge.h"
#include "sstable/read/reader.h"
#include "sstable/write/splitting_writer.h"

namespace orochi::sstable {

TableLoader::TableLoader(io::FileSystem& files, std::string directory, Layout layout,
                         LoadOptions options)
    : files_(files),
      directory_(std::move(directory)),
      layout_(std::move(layout)),
      options_(std::move(options)),
      buffer_(layout_) {}

Status TableLoader::Add(RowChange change) {
  buffer_.Add(std::move(change));
  ++change_count_;
  return buffer_.size_bytes() < options_.memory_bytes_max ? Status::Ok() : Spill();
}

// A sorted run is an SSTable of the scratch directory: compressed, checksummed, and read back by
// the same code as any other.
Status TableLoader::Spill() {
  WriterOptions run = options_.writer;
  run.id = std::to_string(runs_.size() + 1);
  run.compression = CompressionOptions{};
  run.bloom_fp_chance = 1;
  ASSIGN_OR_RETURN(auto const merged, Merge(buffer_.Streams(), layout_, {}));
  ASSIGN_OR_RETURN(auto const writer,
                   SstableWriter::Create(files_, options_.scratch_directory, layout_, run));
  RETURN_IF_ERROR(WriteStream(*merged, *writer));
  ASSIGN_OR_RETURN(WrittenSstable const written, writer->Finish());
  runs_.push_back(written.descriptor);
  buffer_.Clear();
  return Status::Ok();
}

Status TableLoader::RemoveScratch(const Descriptor& descriptor) {
  ASSIGN_OR_RETURN(std::vector<std::string> const names, files_.List(options_.scratch_directory));
  for (const std::string& name : names) {
    if (name.starts_with(StrCat(descriptor.Stem(), "-"))) {
      RETURN_IF_ERROR(files_.Remove(StrCat(options_.scratch_directory, "/", name)));
    }
  }
  return Status::Ok();
}

Result<std::vector<WrittenSstable>> TableLoader::Finish() {
  std::vector<std::unique_ptr<SstableReader>> readers;
  std::vector<std::unique_ptr<UnfilteredStream>> streams = buffer_.Streams();
  for (const Descriptor& run : runs_) {
    ASSIGN_OR_RETURN(auto reader, SstableReader::Open(files_, options_.scratch_directory, run));
    streams.push_back(reader->Scan());
    readers.push_back(std::move(reader));
  }
  if (streams.empty()) {
    return std::vector<WrittenSstable>();
  }
  ASSIGN_OR_RETURN(auto const merged, Merge(std::move(streams), layout_, {}));
  ASSIGN_OR_RETURN(uint64_t const generation, NextGeneration(files_, directory_));
  SplittingWriter writer(files_, directory_, layout_, options_.writer, generation,
                         options_.size_bytes_max);
  RETURN_IF_ERROR(writer.Write(*merged));
  ASSIGN_OR_RETURN(std::vector<WrittenSstable> written, writer.Finish());
  for (const Descriptor& run : runs_) {
    RETURN_IF_ERROR(RemoveScratch(run));
  }
  return written;
}

}  // namespace orochi::sstable
