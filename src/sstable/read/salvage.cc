#include "sstable/read/salvage.h"

#include "sstable/read/internal/salvage_source.h"
#include "sstable/read/internal/salvage_stream.h"

namespace orochi::sstable {

struct SalvageReader::State {
  io::FileSystem& files;
  std::string directory;
  std::unique_ptr<internal::SalvageSource> source;
  SalvageReport report = {};
};

SalvageReader::SalvageReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
SalvageReader::~SalvageReader() = default;

Result<std::unique_ptr<SalvageReader>> SalvageReader::Open(io::FileSystem& files,
                                                           const std::string& directory,
                                                           const Descriptor& descriptor) {
  std::unique_ptr<State> state(
      new State{.files = files, .directory = directory, .source = nullptr});
  ASSIGN_OR_RETURN(state->source, internal::SalvageSource::Open(files, directory, descriptor,
                                                                state->report.notes));
  const internal::SalvageSource& source = *state->source;
  if (source.has_stats && source.statistics.stats.row_count >= 0) {
    state->report.rows_before = static_cast<uint64_t>(source.statistics.stats.row_count);
  }
  return std::unique_ptr<SalvageReader>(new SalvageReader(std::move(state)));
}

const Descriptor& SalvageReader::descriptor() const {
  return state_->source->descriptor;
}
const Statistics& SalvageReader::statistics() const {
  return state_->source->statistics;
}
const Layout& SalvageReader::layout() const {
  return state_->source->layout;
}
const DataFile& SalvageReader::data() const {
  return *state_->source->data;
}

std::unique_ptr<UnfilteredStream> SalvageReader::Scan() {
  return std::make_unique<internal::SalvageStream>(state_->files, state_->directory,
                                                   *state_->source, state_->report);
}

const SalvageReport& SalvageReader::report() const {
  return state_->report;
}

}  // namespace orochi::sstable
