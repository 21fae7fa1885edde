// `orochi load`: CSV files into a hypertable.

#include <fmt/format.h>

#include "base/str_cat.h"
#include "cli/chunk_table.h"
#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/load.h"
#include "cli/number_format.h"

namespace orochi::cli {

namespace {

constexpr const char* kFooter =
    R"(Reads all CSV files, infers a type for every column from all values, creates a
hypertable and loads the rows, in one transaction: on an error, a kill or Ctrl-C
there is no table.

  orochi load data/ --table metrics --time-column timestamp
  orochi load data/ --table metrics --time-column timestamp --series-from-path
      adds a text column "series": data/eu/cpu_1.csv gives eu/cpu_1
  orochi load more.csv --table metrics --append
  orochi load log.csv --table log --time-column at --timezone Europe/Berlin
      reads times without a zone as Berlin's, into timestamptz

Types: bigint, numeric (whole numbers beyond bigint), double precision, date,
timestamp, timestamptz, and text for all else; whole numbers with leading zeros
are text. Empty is NULL; "" in quotes is the empty string in text columns.)";

struct LoadOptions {
  ClusterOptions cluster;
  LoadRequest request;
  std::string database = kDatabase;
  std::string series_column;
  std::string delimiter = ",";
  bool columnar = false;
  bool has_interval = false;  // given, not the default
};

/// A rate over a time too short to measure is none.
std::string PerSecond(double amount, double seconds) {
  return seconds < 0.001 ? "-" : FormatCount(static_cast<int64_t>(amount / seconds));
}

void PrintRates(const LoadReport& report, const Terminal& terminal) {
  double const rows = static_cast<double>(report.row_count);
  double const bytes = static_cast<double>(report.schema.size_bytes);
  terminal.Heading("Loaded");
  terminal.Line(fmt::format("{} from {}, {}", FormatQuantity(report.row_count, "row"),
                            FormatQuantity(static_cast<int64_t>(report.file_count), "file"),
                            FormatBytes(report.schema.size_bytes)));
  terminal.Line(fmt::format(
      "{} into {}: {} rows/s, {:.1f} MB/s", FormatDuration(report.load_seconds), report.table,
      PerSecond(rows, report.load_seconds), bytes / 1e6 / std::max(report.load_seconds, 0.001)));
  if (report.schema.seconds > 0) {
    terminal.Line(fmt::format("{} before that to read types, {} after it to gather statistics",
                              FormatDuration(report.schema.seconds),
                              FormatDuration(report.analyze_seconds)));
  }
}

Status CompressAllChunks(const std::string& table, Connection& connection,
                         const Terminal& terminal) {
  ASSIGN_OR_RETURN(
      QueryResult const chunks,
      connection.Query("SELECT c::text FROM orochi.show_chunks($1::regclass) AS c", {table}));
  for (int row = 0; row < chunks.row_count(); ++row) {
    std::string const chunk(chunks.Text(row, 0));
    if (Status status =
            connection.Query("SELECT orochi.compress_chunk($1::regclass)", {chunk}).status();
        !status.ok()) {
      return std::move(status).WithContext(StrCat("all rows are loaded; ", row, " of ",
                                                  chunks.row_count(),
                                                  " chunks are columnar; compressing ", chunk));
    }
  }
  terminal.Line(StrCat(FormatQuantity(chunks.row_count(), "chunk"), " made columnar"));
  return Status::Ok();
}

Status RunLoad(LoadOptions options, const Terminal& terminal) {
  LoadRequest& request = options.request;
  if (!options.series_column.empty()) {
    request.series_column = options.series_column;
  }
  if (!request.append && request.time_column.empty()) {
    return Status::InvalidArgument("a new table needs --time-column")
        .WithHint("name the column that holds the time, or --append to a table that exists");
  }
  if (request.append && options.has_interval) {
    return Status::InvalidArgument("--chunk-interval is for a new table, and --append makes none")
        .WithHint("orochi.set_chunk_time_interval changes the interval of a table that exists");
  }
  request.delimiter = options.delimiter == "\\t" ? '\t' : options.delimiter[0];
  if ((options.delimiter.size() != 1 && options.delimiter != "\\t") || request.delimiter == '"' ||
      request.delimiter == '\n' || request.delimiter == '\r') {
    return Status::InvalidArgument(
        StrCat("--delimiter: expected one character, found \"", options.delimiter, "\""));
  }
  ASSIGN_OR_RETURN(Cluster const cluster, Cluster::At(options.cluster.directory));
  ASSIGN_OR_RETURN(Connection connection, cluster.Connect(options.database));
  Result<LoadReport> const loaded = LoadFiles(request, connection, terminal);
  if (!loaded.ok()) {
    bool const needs_hint =
        loaded.status().code() == StatusCode::kCorruption && loaded.status().hint().empty();
    return needs_hint ? Status(loaded.status())
                            .WithHint("nothing was loaded; correct the file and load again")
                      : loaded.status();
  }
  const LoadReport& report = *loaded;
  if (options.columnar) {
    RETURN_IF_ERROR(CompressAllChunks(report.table, connection, terminal));
  }
  terminal.Heading(StrCat("Chunks of ", report.table));
  RETURN_IF_ERROR(PrintChunkTable(report.table, connection, terminal));
  PrintRates(report, terminal);
  return Status::Ok();
}

}  // namespace

void AddLoadCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* command = AddCommand(app, "load", "Load CSV files into a hypertable", kFooter);
  auto options = std::make_shared<LoadOptions>();
  options->request.chunk_interval = "7 days";
  LoadRequest& request = options->request;
  command->add_option("files", request.inputs, "Files, or directories with .csv files in them")
      ->required()
      ->type_name("FILE_OR_DIR");
  command->add_option("--table", request.table, "The table to create")
      ->required()
      ->type_name("NAME");
  command->add_option("--time-column", request.time_column, "The column to make chunks by")
      ->type_name("NAME");
  command->add_flag("--series-from-path{series}", options->series_column,
                    "Add a text column with each file's path, without .csv;\n"
                    "--series-from-path=NAME names it, else \"series\"");
  CLI::Option* const interval = command
                                    ->add_option("--chunk-interval", request.chunk_interval,
                                                 "How much time a chunk holds. Default: 7 days")
                                    ->type_name("INTERVAL");
  command
      ->add_option("--timezone", request.timezone,
                   "Zone of times without one; makes them timestamptz")
      ->type_name("ZONE");
  command->add_flag("--append", request.append, "Add to a table that exists, with its types");
  command->add_flag("--columnar", options->columnar, "Make the chunks columnar after the load");
  command
      ->add_option("--delimiter", options->delimiter,
                   "Between fields. Default: a comma; \\t is a tab")
      ->type_name("CHAR");
  command->add_option("--database", options->database, "The database. Default: orochi")
      ->type_name("NAME");
  options->cluster.AddTo(*command);
  command->callback([options, interval, &invocation] {
    options->has_interval = interval->count() > 0;
    invocation.Finish(RunLoad(*options, invocation.terminal));
  });
}

}  // namespace orochi::cli
