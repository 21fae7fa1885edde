// `orochi sstable compact`, `upgrade` and `split`: new SSTables from old ones, which stay.
#include <algorithm>

#include "base/str_cat.h"
#include "cli/sstable/commands.h"
#include "cli/sstable/output_options.h"
#include "io/posix/posix_file_system.h"
#include "io/posix/system_clock.h"
#include "sstable/write/compact.h"
#include "sstable/write/rewrite.h"

namespace orochi::cli {

namespace {

using sstable::WrittenSstable;

constexpr const char* kCompactFooter =
    R"(Merges SSTables of one table by Cassandra's rules: of each cell the newest stays, and
what deletions cover goes. Tombstones stay, unless --purge is given.

  orochi sstable compact -o merged/ data/ks/users-*/
  orochi sstable compact -o merged/ --format da --compression zstd data/ks/users-*/
  orochi sstable compact -o merged/ --purge --schema cluster.cql data/ks/users-*/)";

constexpr const char* kUpgradeFooter =
    R"(Writes each SSTable again, row by row, tombstones and expired cells included, under
the same identifier.

  orochi sstable upgrade -o new/ --format oa data/ks/users-*/
  orochi sstable upgrade -o plain/ --compression none nb-1-big-Data.db)";

constexpr const char* kSplitFooter =
    R"(  orochi sstable split -o parts/ --max-size-mb 256 data/ks/users-*/nb-1-big-Data.db)";

struct CompactRequest {
  TableRequest table;
  OutputOptions output;
  bool purge = false;
  int64_t gc_grace_s = -1;  // -1: the schema's
};

// As the newest format and the first compression among the inputs.
Result<sstable::WriterOptions> OptionsLikeAll(const OpenTable& table) {
  ASSIGN_OR_RETURN(sstable::WriterOptions options, sstable::OptionsLike(*table.readers.front()));
  for (auto const& reader : table.readers) {
    ASSIGN_OR_RETURN(sstable::WriterOptions const other, sstable::OptionsLike(*reader));
    if (other.version.letters() > options.version.letters() && !options.version.is_bti()) {
      options.version = other.version;
    }
    options.level = 0;
    // What is repaired and what is not is not to be mixed; unrepaired is the safe word for both.
    options.repaired_at_ms = std::min(options.repaired_at_ms, other.repaired_at_ms);
  }
  return options;
}

Result<std::vector<WrittenSstable>> RunCompact(const CompactRequest& request) {
  io::PosixFileSystem files;
  RETURN_IF_ERROR(CheckApart(request.output.directory, request.table.paths));
  ASSIGN_OR_RETURN(auto const output, request.output.Open());
  ASSIGN_OR_RETURN(OpenTable const table, OpenTableOf(files, request.table));
  sstable::CompactOptions options;
  ASSIGN_OR_RETURN(options.writer, OptionsLikeAll(table));
  RETURN_IF_ERROR(request.output.Apply(options.writer));
  options.size_bytes_max = request.output.size_bytes_max();
  for (auto const& column : table.schema.dropped) {
    options.merge.dropped_columns.push_back(
        {.name = column.name, .dropped_at_us = column.dropped_at_micros});
  }
  if (request.purge) {
    io::SystemClock clock;
    int64_t const now_s = clock.NowMicros() / 1'000'000;
    int64_t const grace_s =
        request.gc_grace_s >= 0 ? request.gc_grace_s : table.schema.options.gc_grace_s;
    options.merge.purge = {.now_s = now_s, .gc_before_s = now_s - grace_s};
  }
  return sstable::Compact(table.readers, files, request.output.directory, options);
}

Result<std::vector<WrittenSstable>> RunUpgrade(const CompactRequest& request) {
  io::PosixFileSystem files;
  RETURN_IF_ERROR(CheckApart(request.output.directory, request.table.paths));
  ASSIGN_OR_RETURN(auto const output, request.output.Open());
  ASSIGN_OR_RETURN(std::vector<SstableInput> const inputs,
                   FindSstables(files, request.table.paths));
  std::vector<WrittenSstable> all;
  for (const SstableInput& input : inputs) {
    ASSIGN_OR_RETURN(auto const reader,
                     sstable::SstableReader::Open(files, input.directory, input.descriptor));
    ASSIGN_OR_RETURN(sstable::WriterOptions options, sstable::OptionsLike(*reader));
    RETURN_IF_ERROR(request.output.Apply(options));
    options.id = input.descriptor.id;
    ASSIGN_OR_RETURN(WrittenSstable written,
                     sstable::Rewrite(*reader, files, request.output.directory, options));
    all.push_back(std::move(written));
  }
  return all;
}

Result<std::vector<WrittenSstable>> RunSplit(const CompactRequest& request) {
  if (request.output.size_mb_max == 0) {
    return Status::InvalidArgument("say how large the parts may be: --max-size-mb");
  }
  io::PosixFileSystem files;
  RETURN_IF_ERROR(CheckApart(request.output.directory, request.table.paths));
  ASSIGN_OR_RETURN(auto const output, request.output.Open());
  ASSIGN_OR_RETURN(std::vector<SstableInput> const inputs,
                   FindSstables(files, request.table.paths));
  std::vector<WrittenSstable> all;
  for (const SstableInput& input : inputs) {
    std::vector<std::unique_ptr<sstable::SstableReader>> readers;
    ASSIGN_OR_RETURN(auto reader,
                     sstable::SstableReader::Open(files, input.directory, input.descriptor));
    readers.push_back(std::move(reader));
    sstable::CompactOptions options;
    ASSIGN_OR_RETURN(options.writer, sstable::OptionsLike(*readers.front()));
    RETURN_IF_ERROR(request.output.Apply(options.writer));
    options.size_bytes_max = request.output.size_bytes_max();
    ASSIGN_OR_RETURN(std::vector<WrittenSstable> written,
                     sstable::Compact(readers, files, request.output.directory, options));
    std::move(written.begin(), written.end(), std::back_inserter(all));
  }
  return all;
}

using Run = Result<std::vector<WrittenSstable>> (*)(const CompactRequest&);

void FinishWith(Invocation& invocation, const CompactRequest& request, Run run) {
  Result<std::vector<WrittenSstable>> const written = run(request);
  FinishSstable(invocation, written.ok() ? ReportWritten(request.output.directory, *written)
                                         : written.status());
}

void AddFiles(CLI::App& command, CompactRequest& request) {
  command
      .add_option("files", request.table.paths, "Directories of SSTables, or files of single ones")
      ->required()
      ->type_name("FILES");
}

}  // namespace

void AddSstableCompact(CLI::App& sstable, Invocation& invocation) {
  CLI::App* command =
      AddCommand(sstable, "compact", "Merge SSTables into new ones", kCompactFooter);
  auto request = std::make_shared<CompactRequest>();
  AddTableOptions(*command, request->table);
  request->output.AddTo(*command, "the newest of the inputs", "that of the first input");
  command->add_flag("--purge", request->purge,
                    "Forget tombstones older than gc_grace_seconds. Only when\n"
                    "FILES are all SSTables of the table: otherwise what they\n"
                    "delete elsewhere comes back");
  command
      ->add_option("--gc-grace", request->gc_grace_s,
                   "Seconds that tombstones stay with --purge. Default: the\n"
                   "schema's, or ten days")
      ->check(CLI::NonNegativeNumber)
      ->type_name("SECONDS");
  command->callback([request, &invocation] { FinishWith(invocation, *request, RunCompact); });
}

void AddSstableUpgrade(CLI::App& sstable, Invocation& invocation) {
  CLI::App* command = AddCommand(
      sstable, "upgrade", "Write SSTables again in another format or compression", kUpgradeFooter);
  auto request = std::make_shared<CompactRequest>();
  AddFiles(*command, *request);
  request->output.AddTo(*command, "that of the input", "that of the input", /*may_split=*/false);
  command->callback([request, &invocation] { FinishWith(invocation, *request, RunUpgrade); });
}

void AddSstableSplit(CLI::App& sstable, Invocation& invocation) {
  CLI::App* command =
      AddCommand(sstable, "split", "Cut large SSTables into smaller ones", kSplitFooter);
  auto request = std::make_shared<CompactRequest>();
  AddFiles(*command, *request);
  request->output.AddTo(*command, "that of the input", "that of the input");
  command->callback([request, &invocation] { FinishWith(invocation, *request, RunSplit); });
}

}  // namespace orochi::cli
