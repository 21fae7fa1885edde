// `orochi sstable info`: what the metadata of SSTables says, without reading their rows.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/str_cat.h"
#include "cli/number_format.h"
#include "cli/sstable/commands.h"
#include "cli/sstable/output.h"
#include "io/posix/posix_file_system.h"
#include "sstable/dump/json_writer.h"
#include "sstable/types/civil_time.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_text.h"

namespace orochi::cli {

namespace {

using sstable::Column;
using sstable::EstimatedHistogram;
using sstable::SstableReader;
using sstable::StatsMetadata;

constexpr const char* kFooter =
    R"(Reads Statistics.db and CompressionInfo.db; counts are those that the writer kept,
sizes of partitions are estimates from its histograms.

  orochi sstable info nb-1-big-Data.db
  orochi sstable info --json data/ks/users-*/ | jq '{id, rows, cells}')";

/// One line of the report: text for people, JSON for programs.
struct Fact {
  std::string name;
  std::string text;
  std::string json;
};

std::string JsonText(std::string_view text) {
  std::string out;
  return sstable::AppendJsonString(text, out).ok() ? out : "null";
}

Fact TextFact(std::string name, std::string text) {
  return {.name = std::move(name), .text = text, .json = JsonText(text)};
}
Fact CountFact(std::string name, int64_t count) {
  return {.name = std::move(name), .text = FormatCount(count), .json = StrCat(count)};
}
Fact BytesFact(std::string name, uint64_t bytes) {
  return {.name = std::move(name),
          .text = StrCat(FormatBytes(bytes), " (", FormatCount(static_cast<int64_t>(bytes)), ")"),
          .json = StrCat(bytes)};
}
Fact NumberFact(std::string name, double number) {
  bool const finite = std::isfinite(number);
  std::string const text = finite ? sstable::JavaDoubleText(number) : "unknown";
  return {.name = std::move(name), .text = text, .json = finite ? text : "null"};
}
Fact MicrosFact(std::string name, int64_t micros) {
  return {.name = std::move(name),
          .text = StrCat(sstable::InstantTextOfMicros(micros), " (", micros, ")"),
          .json = StrCat(micros)};
}
Fact SecondsFact(std::string name, uint32_t seconds) {
  bool const none = seconds == sstable::kNoDeletionTime;
  return {
      .name = std::move(name),
      .text = none ? "none" : StrCat(sstable::InstantTextOfSeconds(seconds), " (", seconds, ")"),
      .json = none ? "null" : StrCat(seconds)};
}

int64_t TotalOf(const EstimatedHistogram& histogram) {
  int64_t total = 0;
  for (int64_t const count : histogram.counts) {
    total += count;
  }
  return total;
}

/// The smallest bucket bound that at least `share` of the values are at or below.
int64_t QuantileOf(const EstimatedHistogram& histogram, double share) {
  auto const wanted =
      static_cast<int64_t>(std::ceil(share * static_cast<double>(TotalOf(histogram))));
  int64_t seen = 0;
  for (size_t index = 0; index < histogram.offsets.size(); ++index) {
    seen += histogram.counts[index];
    if (seen >= wanted) {
      return histogram.offsets[index];
    }
  }
  return histogram.offsets.empty() ? 0 : histogram.offsets.back();
}

Fact HistogramFact(const std::string& name, const EstimatedHistogram& histogram) {
  if (TotalOf(histogram) == 0) {
    return {.name = name, .text = "none", .json = "null"};
  }
  int64_t const median = QuantileOf(histogram, 0.5);
  int64_t const high = QuantileOf(histogram, 0.99);
  int64_t const max = QuantileOf(histogram, 1);
  return {.name = name,
          .text = StrCat("median <= ", FormatCount(median), ", 99% <= ", FormatCount(high),
                         ", largest <= ", FormatCount(max)),
          .json = StrCat("{\"p50\": ", median, ", \"p99\": ", high, ", \"max\": ", max, "}")};
}

Fact ColumnsFact(std::string name, const std::vector<Column>& columns) {
  std::string text;
  std::string json;
  for (const Column& column : columns) {
    text += StrCat(text.empty() ? "" : ", ", sstable::QuoteIdentifier(column.name), " ",
                   CqlName(*column.type));
    json += StrCat(json.empty() ? "" : ", ", "{\"name\": ", JsonText(column.name),
                   ", \"type\": ", JsonText(CqlName(*column.type)), "}");
  }
  return {.name = std::move(name),
          .text = text.empty() ? "none" : text,
          .json = StrCat("[", json, "]")};
}

Fact KeyFact(std::string name, const SstableReader& reader, const std::vector<std::byte>& key) {
  const sstable::Type& type = *reader.layout().key_type;
  size_t const count = type.kind == sstable::TypeKind::kComposite ? type.parameters.size() : 1;
  auto const values = sstable::SplitPartitionKey(key, count);
  std::string text;
  for (size_t index = 0; values.ok() && index < count; ++index) {
    text += index == 0 ? "" : ":";
    const sstable::Type& part = count == 1 ? type : *type.parameters[index];
    if (!AppendKeyText(part, (*values)[index], text).ok()) {
      text = StrCat("0x", sstable::HexText(key));
      break;
    }
  }
  return TextFact(std::move(name), text);
}

std::string ClusteringText(const sstable::Layout& layout) {
  std::string out;
  for (const sstable::TypeRef& type : layout.clustering.types()) {
    out += StrCat(out.empty() ? "" : ", ", CqlName(*type), type->reversed ? " DESC" : "");
  }
  return out.empty() ? "none" : out;
}

void AddStats(const SstableReader& reader, std::vector<Fact>& facts) {
  const StatsMetadata& stats = reader.statistics().stats;
  facts.push_back(CountFact("partitions", TotalOf(stats.partition_sizes_bytes)));
  facts.push_back(CountFact("rows", stats.row_count));
  facts.push_back(CountFact("cells", stats.cell_count));
  facts.push_back(HistogramFact("partition_size", stats.partition_sizes_bytes));
  facts.push_back(HistogramFact("cells_per_partition", stats.cells_per_partition));
  facts.push_back(MicrosFact("timestamp_min", stats.timestamp_min));
  facts.push_back(MicrosFact("timestamp_max", stats.timestamp_max));
  facts.push_back(SecondsFact("deletion_time_min", stats.local_deletion_time_min));
  facts.push_back(SecondsFact("deletion_time_max", stats.local_deletion_time_max));
  facts.push_back(CountFact("ttl_min", stats.ttl_min));
  facts.push_back(CountFact("ttl_max", stats.ttl_max));
  int64_t tombstones = 0;
  for (const auto& bin : stats.tombstone_drop_times.bins) {
    tombstones += bin.count;
  }
  facts.push_back(CountFact("droppable_tombstones", tombstones));
  facts.push_back(CountFact("level", stats.level));
  facts.push_back(stats.repaired_at_ms == 0
                      ? Fact{.name = "repaired", .text = "no", .json = "null"}
                      : TextFact("repaired", sstable::TimestampText(stats.repaired_at_ms, {})));
  if (stats.originating_host_id.has_value()) {
    facts.push_back(TextFact("host", sstable::UuidText(*stats.originating_host_id)));
  }
  if (!stats.first_key.empty()) {
    facts.push_back(KeyFact("first_key", reader, stats.first_key));
    facts.push_back(KeyFact("last_key", reader, stats.last_key));
  }
}

std::vector<Fact> FactsOf(const SstableInput& input, const SstableReader& reader) {
  const sstable::Statistics& statistics = reader.statistics();
  const sstable::Layout& layout = reader.layout();
  const auto& compression = reader.data().compression();
  TableDirectory const directory = TableOfDirectory(input.directory);
  std::vector<Fact> facts;
  facts.push_back(TextFact("sstable", input.Name()));
  facts.push_back(TextFact("id", input.descriptor.id));
  facts.push_back(
      TextFact("format", StrCat(input.descriptor.version.letters(), " (",
                                IndexFormatName(input.descriptor.version.format()), ")")));
  facts.push_back(TextFact("table", directory.keyspace.empty()
                                        ? directory.table
                                        : StrCat(directory.keyspace, ".", directory.table)));
  facts.push_back(BytesFact("size_on_disk", reader.data().stored_size_bytes()));
  facts.push_back(BytesFact("size_uncompressed", reader.data().size_bytes()));
  facts.push_back(compression.has_value()
                      ? TextFact("compressor", compression->compressor)
                      : Fact{.name = "compressor", .text = "none", .json = "null"});
  if (compression.has_value()) {
    facts.push_back(BytesFact("chunk_size", compression->chunk_size_bytes));
    facts.push_back(NumberFact("compression_ratio", statistics.stats.compression_ratio));
  }
  facts.push_back(TextFact("partitioner", std::string(PartitionerClass(layout.partitioner))));
  facts.push_back(NumberFact("bloom_fp_chance", statistics.validation.bloom_fp_chance));
  AddStats(reader, facts);
  facts.push_back(TextFact("partition_key", CqlName(*layout.key_type)));
  facts.push_back(TextFact("clustering", ClusteringText(layout)));
  facts.push_back(ColumnsFact("static_columns", layout.statics));
  facts.push_back(ColumnsFact("columns", layout.regulars));
  return facts;
}

std::string ForPeople(const std::vector<Fact>& facts) {
  std::string out;
  for (const Fact& fact : facts) {
    std::string name = fact.name;
    std::replace(name.begin(), name.end(), '_', ' ');
    out += fmt::format("{:<22}{}\n", name, fact.text);
  }
  return out;
}

std::string ForPrograms(const std::vector<Fact>& facts) {
  std::string out;
  for (const Fact& fact : facts) {
    out += StrCat(out.empty() ? "{" : ", ", "\"", fact.name, "\": ", fact.json);
  }
  return out + "}\n";
}

Status RunInfo(const std::vector<std::string>& paths, bool as_json) {
  io::PosixFileSystem files;
  ASSIGN_OR_RETURN(std::vector<SstableInput> const inputs, FindSstables(files, paths));
  for (size_t index = 0; index < inputs.size(); ++index) {
    const SstableInput& input = inputs[index];
    ASSIGN_OR_RETURN(auto const reader,
                     SstableReader::Open(files, input.directory, input.descriptor));
    std::vector<Fact> const facts = FactsOf(input, *reader);
    RETURN_IF_ERROR(WriteToStdout(StrCat(index > 0 && !as_json ? "\n" : "",
                                         as_json ? ForPrograms(facts) : ForPeople(facts))));
  }
  return Status::Ok();
}

}  // namespace

void AddSstableInfo(CLI::App& sstable, Invocation& invocation) {
  struct Options {
    std::vector<std::string> paths;
    bool as_json = false;
  };
  CLI::App* command =
      AddCommand(sstable, "info", "Show what the metadata says, without reading rows", kFooter);
  auto options = std::make_shared<Options>();
  command->add_option("files", options->paths, "Directories of SSTables, or files of single ones")
      ->required()
      ->type_name("FILES");
  command->add_flag("--json", options->as_json, "One JSON object per SSTable instead of text");
  command->callback([options, &invocation] {
    FinishSstable(invocation, RunInfo(options->paths, options->as_json));
  });
}

}  // namespace orochi::cli
