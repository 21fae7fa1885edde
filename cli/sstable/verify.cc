// `orochi sstable verify`: everything about SSTables that can be checked.
#include "sstable/read/verify.h"

#include "base/str_cat.h"
#include "cli/number_format.h"
#include "cli/progress.h"
#include "cli/sstable/commands.h"
#include "cli/sstable/output.h"
#include "io/posix/posix_file_system.h"
#include "sstable/verify/check_values.h"

namespace orochi::cli {

namespace {

constexpr const char* kFooter =
    R"(Reads every byte and compares what stands in two places:

  components  those of TOC.txt are there; Digest.crc32; all checksums
  rows        every byte is part of a row that can be decoded; every size field
  order       partitions by token, rows by clustering, cells by path, none twice
  values      keys, clusterings and cells are values of their types
  index       every partition and row index leads to its place; Summary.db's samples
  filter      the bloom filter rules no partition out
  statistics  counts, timestamps, first and last key are those of the rows

  orochi sstable verify data/ks/users-*/
  orochi sstable verify --quiet data/ks/*/ || echo damaged

Exit code 6 when anything is wrong.)";

struct Findings {
  std::vector<std::string> lines;
  uint64_t left_out = 0;
};

/// What is wrong with the values of an SSTable that can be read.
Result<Findings> FindWrongValues(io::FileSystem& files, const SstableInput& input) {
  ASSIGN_OR_RETURN(auto const reader,
                   sstable::SstableReader::Open(files, input.directory, input.descriptor));
  std::unique_ptr<Progress> progress;
  int64_t partitions = 0;
  Result<sstable::ValueReport> report =
      sstable::CheckValues(*reader, [&](uint64_t bytes, uint64_t bytes_total) {
        if (progress == nullptr) {
          progress = std::make_unique<Progress>("Checking values", bytes_total);
        }
        progress->Update(++partitions, bytes);
      });
  if (progress != nullptr) {
    progress->Finish();
  }
  RETURN_IF_ERROR(report.status());
  return Findings{.lines = std::move(report->findings), .left_out = report->findings_left_out};
}

/// Prints what was found in one SSTable; true when all is well.
Result<bool> VerifyOne(io::FileSystem& files, const SstableInput& input, bool quiet) {
  ASSIGN_OR_RETURN(sstable::VerifyReport const report,
                   sstable::Verify(files, input.directory, input.descriptor));
  Findings findings{.lines = report.findings, .left_out = report.findings_left_out};
  if (report.good()) {
    // What cannot be read was found above, so that an error here is one of the machine.
    ASSIGN_OR_RETURN(findings, FindWrongValues(files, input));
  }
  bool const good = findings.lines.empty();
  if (good && quiet) {
    return true;
  }
  std::string out = StrCat(input.Name(), ": ");
  if (good) {
    out += StrCat("good: ", FormatQuantity(static_cast<int64_t>(report.partitions), "partition"),
                  ", ", FormatQuantity(static_cast<int64_t>(report.rows), "row"), ", ",
                  FormatQuantity(static_cast<int64_t>(report.cells), "cell"), "\n");
  } else {
    uint64_t const count = findings.lines.size() + findings.left_out;
    out += StrCat("DAMAGED: ", FormatQuantity(static_cast<int64_t>(count), "finding"), "\n");
  }
  for (const std::string& line : findings.lines) {
    out += StrCat("  ", line, "\n");
  }
  if (findings.left_out > 0) {
    out += StrCat("  ... and ", findings.left_out, " more\n");
  }
  RETURN_IF_ERROR(WriteToStdout(out));
  return good;
}

Status RunVerify(const std::vector<std::string>& paths, bool quiet) {
  io::PosixFileSystem files;
  ASSIGN_OR_RETURN(std::vector<SstableInput> const inputs, FindSstables(files, paths));
  size_t damaged = 0;
  for (const SstableInput& input : inputs) {
    ASSIGN_OR_RETURN(bool const good, VerifyOne(files, input, quiet));
    damaged += good ? 0 : 1;
  }
  if (damaged > 0) {
    RETURN_IF_ERROR(FlushStdout());
    return Status::Corruption(
        StrCat(damaged, " of ", inputs.size(), " SSTables failed verification"));
  }
  return Status::Ok();
}

}  // namespace

void AddSstableVerify(CLI::App& sstable, Invocation& invocation) {
  struct Options {
    std::vector<std::string> paths;
    bool quiet = false;
  };
  CLI::App* command =
      AddCommand(sstable, "verify", "Check everything that can be checked", kFooter);
  auto options = std::make_shared<Options>();
  command->add_option("files", options->paths, "Directories of SSTables, or files of single ones")
      ->required()
      ->type_name("FILES");
  command->add_flag("-q,--quiet", options->quiet, "Print only what is damaged");
  command->callback([options, &invocation] {
    FinishSstable(invocation, RunVerify(options->paths, options->quiet));
  });
}

}  // namespace orochi::cli
