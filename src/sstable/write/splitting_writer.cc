#include "sstable/write/splitting_writer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/str_cat.h"

namespace orochi::sstable {

Result<uint64_t> NextGeneration(io::FileSystem& files, const std::string& directory) {
  Result<std::vector<std::string>> names = files.List(directory);
  if (!names.ok()) {
    if (names.status().code() == StatusCode::kNotFound) {
      return uint64_t{1};
    }
    return std::move(names).status();
  }
  uint64_t highest = 0;
  for (const std::string& name : *names) {
    // Any component counts: a number that was used once, if only by files without their data, is
    // not given again.
    Result<Descriptor> const descriptor = Descriptor::Parse(name);
    if (!descriptor.ok()) {
      continue;
    }
    uint64_t generation = 0;
    const std::string& id = descriptor->id;
    auto const [end, error] = std::from_chars(id.data(), id.data() + id.size(), generation);
    if (error == std::errc() && end == id.data() + id.size()) {
      highest = std::max(highest, generation);
    }
  }
  return highest + 1;
}

SplittingWriter::SplittingWriter(io::FileSystem& files, std::string directory, Layout layout,
                                 WriterOptions options, uint64_t generation,
                                 uint64_t size_bytes_max)
    : files_(files),
      directory_(std::move(directory)),
      layout_(std::move(layout)),
      options_(std::move(options)),
      generation_(generation),
      size_bytes_max_(size_bytes_max) {}

Status SplittingWriter::FinishCurrent() {
  ASSIGN_OR_RETURN(WrittenSstable written, writer_->Finish());
  writer_.reset();
  written_.push_back(std::move(written));
  return Status::Ok();
}

Status SplittingWriter::StartPartition(const UnfilteredStream& stream) {
  if (writer_ != nullptr && size_bytes_max_ != 0 && writer_->data_size_bytes() >= size_bytes_max_) {
    RETURN_IF_ERROR(FinishCurrent());
  }
  if (writer_ == nullptr) {
    options_.id = std::to_string(generation_++);
    ASSIGN_OR_RETURN(writer_, SstableWriter::Create(files_, directory_, layout_, options_));
  }
  RETURN_IF_ERROR(writer_->StartPartition(stream.partition().key, stream.partition().deletion));
  return stream.static_row().empty_row() ? Status::Ok() : writer_->AddStatic(stream.static_row());
}

Status SplittingWriter::Write(UnfilteredStream& stream) {
  while (true) {
    ASSIGN_OR_RETURN(bool const has_partition, stream.NextPartition());
    if (!has_partition) {
      return Status::Ok();
    }
    RETURN_IF_ERROR(StartPartition(stream));
    while (true) {
      ASSIGN_OR_RETURN(bool const has_row, stream.Next());
      if (!has_row) {
        break;
      }
      RETURN_IF_ERROR(writer_->Add(stream.current()));
    }
  }
}

Result<std::vector<WrittenSstable>> SplittingWriter::Finish() {
  if (writer_ != nullptr) {
    RETURN_IF_ERROR(FinishCurrent());
  }
  return std::move(written_);
}

}  // namespace orochi::sstable
