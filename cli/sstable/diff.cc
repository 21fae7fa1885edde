// `orochi sstable diff`: two sets of SSTables, compared by what they say.
#include <ctime>

#include "base/str_cat.h"
#include "cli/number_format.h"
#include "cli/sstable/commands.h"
#include "cli/sstable/output.h"
#include "io/posix/posix_file_system.h"
#include "sstable/dump/table_diff.h"
#include "sstable/read/merge.h"

namespace orochi::cli {

namespace {

constexpr const char* kFooter =
    R"(Each side is a directory of SSTables, which are merged, or one SSTable. Rows, cells,
timestamps and tombstones are compared, not how they are stored: a compaction or an
upgrade changes nothing. Lines begin with - for what only the first has, + for what
only the second has, @ for a partition that is in both and differs.

  orochi sstable diff snapshot/ks/users-*/ data/ks/users-*/
  orochi sstable diff --live before/ after/

Exit code 0 when both say the same, 1 when they differ.)";

struct DiffOptions {
  std::string left;
  std::string right;
  bool live = false;
};

/// The SSTables of one side, and a stream that merges them.
struct DiffSide {
  std::vector<std::unique_ptr<sstable::SstableReader>> readers;
  std::unique_ptr<sstable::UnfilteredStream> stream;
};

Result<DiffSide> OpenSide(io::FileSystem& files, const std::string& path, bool live) {
  ASSIGN_OR_RETURN(OpenTable table,
                   OpenTableOf(files, {.paths = {path}, .schema_files = {}, .table = ""}));
  DiffSide side{.readers = std::move(table.readers), .stream = nullptr};
  std::vector<std::unique_ptr<sstable::UnfilteredStream>> streams;
  std::vector<const sstable::Layout*> layouts;
  for (const auto& reader : side.readers) {
    streams.push_back(reader->Scan());
    layouts.push_back(&reader->layout());
  }
  ASSIGN_OR_RETURN(sstable::Layout layout, sstable::MergeLayouts(layouts));
  sstable::MergeOptions options;
  if (live) {
    options.live_at_s = time(nullptr);
  }
  ASSIGN_OR_RETURN(side.stream,
                   sstable::Merge(std::move(streams), std::move(layout), std::move(options)));
  return side;
}

Result<bool> RunDiff(const DiffOptions& options) {
  io::PosixFileSystem files;
  ASSIGN_OR_RETURN(DiffSide const left, OpenSide(files, options.left, options.live));
  ASSIGN_OR_RETURN(DiffSide const right, OpenSide(files, options.right, options.live));
  ASSIGN_OR_RETURN(sstable::DiffReport const report,
                   sstable::DiffTables(*left.stream, *right.stream, WriteToStdout));
  auto const count = [](uint64_t number) { return FormatCount(static_cast<int64_t>(number)); };
  RETURN_IF_ERROR(WriteToStdout(
      report.same() ? StrCat("the same: ", count(report.partitions), " partitions\n")
                    : StrCat(count(report.partitions), " partitions: ", count(report.changed),
                             " differ, ", count(report.left_only), " only in ", options.left, ", ",
                             count(report.right_only), " only in ", options.right, "\n")));
  return report.same();
}

}  // namespace

void AddSstableDiff(CLI::App& sstable, Invocation& invocation) {
  CLI::App* command = AddCommand(sstable, "diff", "Compare two sets of SSTables", kFooter);
  auto options = std::make_shared<DiffOptions>();
  command->add_option("left", options->left, "One side")->required()->type_name("FILES");
  command->add_option("right", options->right, "The other")->required()->type_name("FILES");
  command->add_flag("--live", options->live,
                    "Only what is alive now: no tombstones, nothing expired");
  command->callback([options, &invocation] {
    Result<bool> const same = RunDiff(*options);
    FinishSstable(invocation, same.status());
    if (same.ok() && !*same) {
      invocation.exit_code = static_cast<int>(ExitCode::kFailed);
    }
  });
}

}  // namespace orochi::cli
