// `orochi sstable scrub`: new SSTables from what is readable of damaged ones.
#include <filesystem>

#include "base/str_cat.h"
#include "cli/number_format.h"
#include "cli/sstable/commands.h"
#include "cli/sstable/output.h"
#include "cli/sstable/output_options.h"
#include "io/posix/posix_file_system.h"
#include "sstable/read/salvage.h"
#include "sstable/read/verify.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_text.h"
#include "sstable/write/rewrite.h"

namespace orochi::cli {

namespace {

using sstable::SalvageLoss;

constexpr const char* kFooter =
    R"(Writes what can be read of each SSTable into a new one under the same identifier, and
lists what is lost: where in Data.db, of which partition, between which rows. The source
is only read. A row that is written is as it was: chunks with a wrong checksum are
passed over, and rows behind them are taken when several things say that they are rows.

  orochi sstable scrub -o salvaged/ data/ks/users-*/
  orochi sstable scrub -o salvaged/ data/ks/users-*/nb-7-big-Data.db

Rows need one component: Statistics.db, whose header says how they are encoded. TOC.txt,
indexes, filter, digest and CompressionInfo.db are made anew. Deletions that are lost let
what they deleted elsewhere come back: after a loss, run nodetool repair.

Exit code 0 when nothing is lost, 6 when something is: new SSTables are there all the same,
but for those of which nothing was left.)";

struct ScrubRequest {
  std::vector<std::string> paths;
  OutputOptions output;
};

std::string RowName(const sstable::Layout& layout, const sstable::ClusteringPrefix& prefix) {
  std::string text;
  for (size_t index = 0; index < prefix.view().values.size(); ++index) {
    const sstable::ClusteringValue& value = prefix.view().values[index];
    text += index == 0 ? "" : ", ";
    if (value.is_null ||
        !AppendCqlLiteral(*layout.clustering.types()[index], value.bytes, text).ok()) {
      text += "null";
    }
  }
  return StrCat("(", text, ")");
}

std::string Describe(const sstable::Layout& layout, const SalvageLoss& loss) {
  std::string of = "a partition whose key is not known";
  if (loss.key.has_value()) {
    std::string key;
    if (!AppendKeyText(*layout.key_type, *loss.key, key).ok()) {
      key = "0x" + sstable::HexText(*loss.key);
    }
    of = "partition " + key;
  }
  std::string text;
  switch (loss.kind) {
    case SalvageLoss::Kind::kPartition:
      text = loss.key.has_value() ? "all of " + of : of;
      break;
    case SalvageLoss::Kind::kHeader:
      text = StrCat("the start of ", of,
                    ": its static row and its deletion, if it had them, and its first rows");
      break;
    case SalvageLoss::Kind::kStaticRow:
      text = StrCat("the static row of ", of);
      break;
    case SalvageLoss::Kind::kRows:
      text = StrCat("rows of ", of);
      break;
    case SalvageLoss::Kind::kRangeTombstone:
      text = StrCat("part of a range tombstone of ", of);
      break;
  }
  if (loss.after.has_value()) {
    text += StrCat(" after ", RowName(layout, *loss.after));
  }
  if (loss.before.has_value()) {
    text += StrCat(" before ", RowName(layout, *loss.before));
  }
  return loss.size_bytes == 0
             ? StrCat("  at ", loss.position_bytes, ": ", text, "\n")
             : StrCat("  at ", loss.position_bytes, ", ", loss.size_bytes, " bytes: ", text, "\n");
}

Status PrintReport(const SstableInput& input, const sstable::SalvageReader& reader,
                   const std::optional<sstable::WrittenSstable>& written,
                   const std::string& directory) {
  const sstable::SalvageReport& report = reader.report();
  auto const quantity = [](uint64_t count, std::string_view of) {
    return FormatQuantity(static_cast<int64_t>(count), of);
  };
  std::string text = StrCat(input.Name(), ": ", quantity(report.partitions, "partition"), ", ",
                            quantity(report.rows, "row"));
  if (report.rows_before.has_value() && !report.all_rows()) {
    text += StrCat(" of ", FormatCount(static_cast<int64_t>(*report.rows_before)));
  }
  text += written.has_value()
              ? StrCat(" in ", directory, "/",
                       written->descriptor.FileName(sstable::Component::kData), "\n")
              : std::string(": nothing is left to write\n");
  for (const std::string& note : report.notes) {
    text += StrCat("  ", note, "\n");
  }
  if (report.all_rows()) {
    return WriteToStdout(text + "  nothing is lost\n");
  }
  text += StrCat("  LOST: ", quantity(report.losses.size() + report.losses_left_out, "place"), ", ",
                 quantity(report.lost_bytes, "byte"), " of ",
                 FormatCount(static_cast<int64_t>(reader.data().size_bytes())),
                 " of Data.db (positions are of uncompressed bytes)\n");
  for (const SalvageLoss& loss : report.losses) {
    text += Describe(reader.layout(), loss);
  }
  if (report.losses_left_out > 0) {
    text += StrCat("  ... and ", report.losses_left_out, " more\n");
  }
  return WriteToStdout(text);
}

/// True when nothing was lost.
Result<bool> ScrubOne(io::FileSystem& files, const SstableInput& input,
                      const OutputOptions& output) {
  ASSIGN_OR_RETURN(auto const reader,
                   sstable::SalvageReader::Open(files, input.directory, input.descriptor));
  ASSIGN_OR_RETURN(sstable::WriterOptions options, sstable::OptionsLike(*reader));
  RETURN_IF_ERROR(output.Apply(options));
  options.id = input.descriptor.id;
  ASSIGN_OR_RETURN(std::optional<sstable::WrittenSstable> const written,
                   sstable::Scrub(*reader, files, output.directory, options));
  RETURN_IF_ERROR(PrintReport(input, *reader, written, output.directory));
  if (written.has_value()) {
    ASSIGN_OR_RETURN(sstable::VerifyReport const verified,
                     sstable::Verify(files, output.directory, written->descriptor));
    if (!verified.good()) {
      return Status::Internal(StrCat(output.directory, "/", written->descriptor.Stem(),
                                     " does not verify: ", verified.findings.front()));
    }
  }
  return reader->report().all_rows();
}

/// As FindSstables, but a directory stands for all Data.db files in it, also without a TOC.txt.
Result<std::vector<SstableInput>> FindDamaged(io::FileSystem& files,
                                              const std::vector<std::string>& paths) {
  std::vector<SstableInput> inputs;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored)) {
      ASSIGN_OR_RETURN(std::vector<SstableInput> const one, FindSstables(files, {path}));
      inputs.insert(inputs.end(), one.begin(), one.end());
      continue;
    }
    ASSIGN_OR_RETURN(std::vector<std::string> const names, files.List(path));
    for (const std::string& name : names) {
      if (name.ends_with(sstable::ComponentFileName(sstable::Component::kData))) {
        ASSIGN_OR_RETURN(sstable::Descriptor const descriptor, sstable::Descriptor::Parse(name));
        inputs.push_back({.directory = path, .descriptor = descriptor});
      }
    }
  }
  if (inputs.empty()) {
    return Status::NotFound("there are no SSTables in what is named");
  }
  return inputs;
}

Status RunScrub(const ScrubRequest& request) {
  io::PosixFileSystem files;
  RETURN_IF_ERROR(CheckApart(request.output.directory, request.paths));
  ASSIGN_OR_RETURN(std::vector<SstableInput> const inputs, FindDamaged(files, request.paths));
  ASSIGN_OR_RETURN(auto const output, request.output.Open());
  size_t damaged = 0;
  for (const SstableInput& input : inputs) {
    Result<bool> const whole = ScrubOne(files, input, request.output);
    // An SSTable of which nothing can be had does not keep the others from being saved.
    if (!whole.ok() && whole.status().code() == StatusCode::kCorruption && inputs.size() > 1) {
      RETURN_IF_ERROR(
          WriteToStdout(StrCat(input.Name(), ": ALL LOST: ", whole.status().message(), "\n")));
      ++damaged;
      continue;
    }
    RETURN_IF_ERROR(whole.status());
    damaged += *whole ? 0 : 1;
  }
  if (damaged > 0) {
    RETURN_IF_ERROR(FlushStdout());
    return Status::Corruption(
        StrCat("rows of ", damaged, " of ", inputs.size(), " SSTables are lost"));
  }
  return Status::Ok();
}

}  // namespace

void AddSstableScrub(CLI::App& sstable, Invocation& invocation) {
  CLI::App* command =
      AddCommand(sstable, "scrub", "Save what is readable of damaged SSTables", kFooter);
  auto request = std::make_shared<ScrubRequest>();
  command->add_option("files", request->paths, "Directories of SSTables, or files of single ones")
      ->required()
      ->type_name("FILES");
  request->output.AddTo(*command, "that of the input", "that of the input", /*may_split=*/false);
  command->callback([request, &invocation] { FinishSstable(invocation, RunScrub(*request)); });
}

}  // namespace orochi::cli
