// `orochi sstable dump`: rows, cells and tombstones as JSON.
#include <ctime>

#include "base/str_cat.h"
#include "cli/sstable/commands.h"
#include "cli/sstable/output.h"
#include "io/posix/posix_file_system.h"
#include "sstable/dump/json_dump.h"
#include "sstable/types/value_build.h"

namespace orochi::cli {

namespace {

using sstable::Bytes;
using sstable::Type;
using sstable::TypeRef;

constexpr const char* kFooter =
    R"(Prints what each SSTable holds, tombstones and expired cells included, as Cassandra's
sstabledump does. Counters are shown as their total, where sstabledump prints the first
bytes of their inner state. With several SSTables the arrays follow each other.

  orochi sstable dump nb-1-big-Data.db
  orochi sstable dump --lines data/ks/users-*/ | jq .partition.key
  orochi sstable dump --key 42 --key 43 nb-1-big-Data.db
  orochi sstable dump --key alice:2024-01-01 nb-1-big-Data.db    two key columns)";

struct DumpOptions {
  std::vector<std::string> paths;
  std::vector<std::string> keys;
  bool lines = false;
  bool keys_only = false;
  bool raw_timestamps = false;
  bool raw_counters = false;
};

/// "a:b" cut at the colons that no backslash escapes.
std::vector<std::string> SplitKeyText(std::string_view text) {
  std::vector<std::string> parts(1);
  for (size_t index = 0; index < text.size(); ++index) {
    if (text[index] == '\\' && index + 1 < text.size()) {
      parts.back() += text[++index];
    } else if (text[index] == ':') {
      parts.emplace_back();
    } else {
      parts.back() += text[index];
    }
  }
  return parts;
}

Result<std::string> KeyFromText(const Type& type, std::string_view text) {
  if (type.kind != sstable::TypeKind::kComposite) {
    return sstable::ParseScalar(type, text);
  }
  std::vector<std::string> const parts = SplitKeyText(text);
  if (parts.size() != type.parameters.size()) {
    return Status::InvalidArgument(StrCat("the key \"", text, "\" has ", parts.size(),
                                          " parts, the table's has ", type.parameters.size()))
        .WithHint("separate the columns by ':'; \\: stands for a colon inside one");
  }
  std::vector<std::string> values;
  for (size_t index = 0; index < parts.size(); ++index) {
    ASSIGN_OR_RETURN(std::string value,
                     sstable::ParseScalar(*type.parameters[index], parts[index]));
    values.push_back(std::move(value));
  }
  return sstable::MakePartitionKey(values);
}

Status DumpAll(sstable::UnfilteredStream& stream, sstable::JsonDump& dump) {
  while (true) {
    ASSIGN_OR_RETURN(bool const found, stream.NextPartition());
    if (!found) {
      return Status::Ok();
    }
    RETURN_IF_ERROR(dump.WritePartition(stream));
  }
}

Status DumpSstable(io::FileSystem& files, const SstableInput& input, const DumpOptions& options) {
  ASSIGN_OR_RETURN(auto const reader,
                   sstable::SstableReader::Open(files, input.directory, input.descriptor));
  sstable::JsonDump dump(reader->layout(),
                         {.lines = options.lines,
                          .keys_only = options.keys_only,
                          .raw_timestamps = options.raw_timestamps,
                          .raw_counters = options.raw_counters,
                          .now_s = time(nullptr)},
                         WriteToStdout);
  RETURN_IF_ERROR(dump.Begin());
  if (options.keys.empty()) {
    RETURN_IF_ERROR(DumpAll(*reader->Scan(), dump));
  }
  for (const std::string& text : options.keys) {
    ASSIGN_OR_RETURN(std::string const key, KeyFromText(*reader->layout().key_type, text));
    ASSIGN_OR_RETURN(auto const stream, reader->Lookup(sstable::AsBytes(key)));
    RETURN_IF_ERROR(DumpAll(*stream, dump));
  }
  return dump.End();
}

Status RunDump(const DumpOptions& options) {
  io::PosixFileSystem files;
  ASSIGN_OR_RETURN(std::vector<SstableInput> const inputs, FindSstables(files, options.paths));
  for (const SstableInput& input : inputs) {
    RETURN_IF_ERROR(DumpSstable(files, input, options));
  }
  return Status::Ok();
}

}  // namespace

void AddSstableDump(CLI::App& sstable, Invocation& invocation) {
  CLI::App* command = AddCommand(sstable, "dump",
                                 "Print rows and tombstones as JSON, as sstabledump does", kFooter);
  auto options = std::make_shared<DumpOptions>();
  command->add_option("files", options->paths, "Directories of SSTables, or files of single ones")
      ->required()
      ->type_name("FILES");
  command
      ->add_option("-k,--key", options->keys,
                   "Only this partition, looked up through the index; may be\nrepeated")
      ->type_name("KEY")
      ->allow_extra_args(false);
  command->add_flag("-l,--lines", options->lines, "One partition a line");
  command->add_flag("-e,--keys-only", options->keys_only, "Only the keys of partitions");
  command->add_flag("-t,--timestamps", options->raw_timestamps,
                    "Times as numbers of microseconds and seconds");
  command->add_flag("--raw-counters", options->raw_counters,
                    "Counters exactly as sstabledump prints them");
  command->callback([options, &invocation] { FinishSstable(invocation, RunDump(*options)); });
}

}  // namespace orochi::cli
