// `orochi demo`: the tour. Loads, looks at chunks, compresses, compares, explains.

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "base/str_cat.h"
#include "cli/chunk_table.h"
#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/copy_text.h"
#include "cli/demo_compression.h"
#include "cli/demo_data.h"
#include "cli/demo_queries.h"
#include "cli/load.h"
#include "cli/number_format.h"
#include "cli/progress.h"

namespace orochi::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter =
    R"(A tour in a schema of its own, orochi_demo: loads real series where it finds them and
a generated set of metrics, shows the chunks, compresses all but the newest, asks
five questions of heap and of columnar chunks with the same rows, and shows what
the scans left out. Removes the schema at the end.

  orochi demo
  orochi demo --keep             leave the tables: orochi_demo.metrics and others
  orochi demo --replace          once more, dropping the tables that --keep left
  orochi demo --rows 500000      fewer generated rows
  orochi demo --data my_files    your own CSV files for the first part)";

constexpr const char* kSchema = "orochi_demo";
// The schema's comment tells an unfinished tour, which the next one clears away, from tables that
// the user asked to keep.
constexpr const char* kCommentUnfinished = "made by orochi demo, which removes it";
constexpr const char* kCommentKept = "kept by orochi demo --keep";
constexpr const char* kMetrics = "orochi_demo.metrics";
constexpr const char* kMetricsHeap = "orochi_demo.metrics_heap";
constexpr const char* kSeries = "orochi_demo.series";
constexpr size_t kCopyBlockSizeBytes = 64 * 1024;

struct DemoOptions {
  ClusterOptions cluster;
  int64_t rows = 2'000'000;
  std::string data_directory;
  std::string time_column = "timestamp";
  bool keep = false;
  bool replace = false;
};

/// The tour. Life: made, Run once.
class Demo {
 public:
  Demo(const DemoOptions& options, Connection& connection, const Terminal& terminal)
      : options_(options), connection_(connection), terminal_(terminal) {}

  Status Run();

 private:
  Status PrepareSchema();
  Status CheckSchemaIsFree();
  Status CommentOnSchema(const char* comment);
  Status DropSchema();
  Status LoadSeries();
  Status MakeMetrics();
  Status CopyMetrics();
  Status MakeHeapTwin();
  Status Compress();
  Status Compare();
  const DemoOptions& options_;
  Connection& connection_;
  const Terminal& terminal_;
  bool has_series_ = false;
};

double SecondsSince(std::chrono::steady_clock::time_point started) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

/// Drops what an earlier demo left where nobody can miss it, or where --replace says so.
Status Demo::CheckSchemaIsFree() {
  ASSIGN_OR_RETURN(QueryResult const found,
                   connection_.Query("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace"
                                     " WHERE nspname = $1",
                                     {kSchema}));
  if (found.row_count() == 0) {
    return Status::Ok();
  }
  std::string_view const comment = found.Text(0, 0);
  if (comment == kCommentKept && !options_.replace) {
    return Status::AlreadyExists(
               StrCat("the tables of an earlier `orochi demo --keep` are in the schema ", kSchema))
        .WithHint(StrCat(
            "`orochi demo --replace` drops that schema with all that is in it and runs again; to "
            "keep it:\norochi sql -c 'ALTER SCHEMA ",
            kSchema, " RENAME TO my_demo'"));
  }
  if (comment != kCommentKept && comment != kCommentUnfinished) {
    return Status::AlreadyExists(
               StrCat("the schema ", kSchema, " exists, and this demo did not make it"))
        .WithHint("rename or drop it; the demo needs the name");
  }
  return DropSchema();
}

Status Demo::PrepareSchema() {
  RETURN_IF_ERROR(connection_.Execute("SET client_min_messages = error; SET timezone = 'UTC'"));
  // A second demo would take the schema of the first for a leftover. Freed with the session.
  ASSIGN_OR_RETURN(
      QueryResult const alone,
      connection_.Query("SELECT pg_try_advisory_lock(hashtext($1)::bigint)", {kSchema}));
  if (alone.Text(0, 0) != "t") {
    return Status::FailedPrecondition("another `orochi demo` is running on this server")
        .WithHint("wait for its end");
  }
  RETURN_IF_ERROR(CheckSchemaIsFree());
  RETURN_IF_ERROR(connection_.Execute(StrCat("CREATE SCHEMA ", kSchema)));
  // So that chunks are shown by their short names.
  RETURN_IF_ERROR(connection_.Execute(StrCat("SET search_path = ", kSchema, ", public, orochi")));
  return CommentOnSchema(kCommentUnfinished);
}

Status Demo::CommentOnSchema(const char* comment) {
  return connection_.Execute(StrCat("COMMENT ON SCHEMA ", kSchema, " IS '", comment, "'"));
}

Status Demo::DropSchema() {
  return connection_.Execute(StrCat("DROP SCHEMA ", kSchema, " CASCADE"));
}

Status Demo::LoadSeries() {
  std::string directory = options_.data_directory;
  if (directory.empty()) {
    for (const char* candidate : {"../shared/data/nab", "data/nab"}) {
      if (std::error_code error; directory.empty() && fs::is_directory(candidate, error)) {
        directory = candidate;
      }
    }
  }
  if (directory.empty()) {
    terminal_.Line("No real series here (../shared/data/nab); --data names CSV files of yours.");
    return Status::Ok();
  }
  terminal_.Heading(StrCat("Real series: orochi load ", directory, " --series-from-path"));
  LoadRequest request;
  request.inputs = {directory};
  request.table = kSeries;
  request.time_column = options_.time_column;
  request.series_column = "series";
  request.chunk_interval = "3 months";
  ASSIGN_OR_RETURN(LoadReport const report, LoadFiles(request, connection_, terminal_));
  has_series_ = true;
  terminal_.Line("");
  RETURN_IF_ERROR(PrintChunkTable(kSeries, connection_, terminal_));
  terminal_.Line(fmt::format("{} from {} in {}", FormatQuantity(report.row_count, "row"),
                             FormatQuantity(static_cast<int64_t>(report.file_count), "file"),
                             FormatDuration(report.load_seconds)));
  return Status::Ok();
}

Status Demo::CopyMetrics() {
  RETURN_IF_ERROR(connection_.CopyBegin(StrCat("COPY ", kMetrics, " FROM STDIN")));
  CopyTextWriter writer;
  AddDemoRow(0, writer);
  // All rows have nearly the size of the first.
  uint64_t const bytes_total = writer.text().size() * static_cast<uint64_t>(options_.rows);
  writer.Clear();
  Progress progress("loading", bytes_total);
  auto const started = std::chrono::steady_clock::now();
  uint64_t bytes = 0;
  for (int64_t index = 0; index < options_.rows; ++index) {
    AddDemoRow(index, writer);
    if (writer.text().size() < kCopyBlockSizeBytes && index + 1 < options_.rows) {
      continue;
    }
    bytes += writer.text().size();
    if (Status status = connection_.CopyPut(writer.text()); !status.ok()) {
      progress.Finish();
      return connection_.CopyAbort(status);
    }
    writer.Clear();
    progress.Update(index + 1, bytes);
  }
  ASSIGN_OR_RETURN(int64_t const copied, connection_.CopyFinish());
  progress.Finish();
  double const seconds = SecondsSince(started);
  terminal_.Line(
      fmt::format("{} rows, {} of text, in {}: {} rows/s, {}/s", FormatCount(copied),
                  FormatBytes(bytes), FormatDuration(seconds),
                  FormatCount(static_cast<int64_t>(static_cast<double>(copied) / seconds)),
                  FormatBytes(static_cast<uint64_t>(static_cast<double>(bytes) / seconds))));
  return Status::Ok();
}

Status Demo::MakeMetrics() {
  terminal_.Heading(fmt::format("Generated metrics: {} hosts, one row each a minute, a chunk a day",
                                kDemoHostCount));
  RETURN_IF_ERROR(
      connection_.Execute(StrCat("CREATE TABLE ", kMetrics, " (", kDemoColumnsSql, ")")));
  RETURN_IF_ERROR(connection_.Execute(StrCat("CREATE INDEX ON ", kMetrics, " (host, time)")));
  RETURN_IF_ERROR(connection_.Execute(
      StrCat("SELECT orochi.create_hypertable('", kMetrics, "', 'time', interval '1 day')")));
  RETURN_IF_ERROR(CopyMetrics());
  RETURN_IF_ERROR(connection_.Execute(StrCat("ANALYZE ", kMetrics)));
  terminal_.Line("");
  return PrintChunkTable(kMetrics, connection_, terminal_);
}

Status Demo::MakeHeapTwin() {
  terminal_.Line("");
  terminal_.Line("Copying the same rows into a twin that stays heap, to compare with below ...");
  RETURN_IF_ERROR(
      connection_.Execute(StrCat("CREATE TABLE ", kMetricsHeap, " (", kDemoColumnsSql, ")")));
  RETURN_IF_ERROR(connection_.Execute(StrCat("CREATE INDEX ON ", kMetricsHeap, " (host, time)")));
  RETURN_IF_ERROR(connection_.Execute(
      StrCat("SELECT orochi.create_hypertable('", kMetricsHeap, "', 'time', interval '1 day')")));
  RETURN_IF_ERROR(
      connection_.Execute(StrCat("INSERT INTO ", kMetricsHeap, " SELECT * FROM ", kMetrics)));
  // Also sets the visibility map, which heap's index-only scans need.
  return connection_.Execute(StrCat("VACUUM ANALYZE ", kMetricsHeap));
}

Status Demo::Compress() {
  terminal_.Heading("compress_chunk on all chunks but the newest");
  RETURN_IF_ERROR(CompressAllButTheNewest(kMetrics, connection_, terminal_));
  return connection_.Execute(StrCat("ANALYZE ", kMetrics));
}

Status Demo::Compare() {
  ASSIGN_OR_RETURN(QueryResult const last,
                   connection_.Query(StrCat("SELECT max(time)::date::text FROM ", kMetrics)));
  std::vector<DemoQuery> const queries = DemoQueries(std::string(last.Text(0, 0)));
  terminal_.Heading("Five questions, the same rows on heap and on columnar chunks");
  RETURN_IF_ERROR(CompareQueries(queries, {.heap = kMetricsHeap, .columnar = kMetrics}, connection_,
                                 terminal_));
  terminal_.Line(terminal_.Paint(
      Ink::kDim,
      "Medians of five runs in turn; answers equal; both have an index on (host, time)."));
  for (size_t const index : {size_t{0}, size_t{4}}) {
    terminal_.Heading(StrCat("What EXPLAIN ANALYZE shows: ", queries[index].title));
    RETURN_IF_ERROR(ShowPruning(queries[index], kMetrics, connection_, terminal_));
  }
  return Status::Ok();
}

Status Demo::Run() {
  RETURN_IF_ERROR(PrepareSchema());
  Status status = LoadSeries();
  for (auto const step :
       {&Demo::MakeMetrics, &Demo::MakeHeapTwin, &Demo::Compress, &Demo::Compare}) {
    if (status.ok()) {
      status = (this->*step)();
    }
  }
  if (options_.keep && status.ok()) {
    RETURN_IF_ERROR(CommentOnSchema(kCommentKept));
    terminal_.Heading("Go on");
    terminal_.Line(fmt::format("The tables stay: {}, {}{}", kMetrics, kMetricsHeap,
                               has_series_ ? StrCat(", ", kSeries) : ""));
    terminal_.Line("  orochi sql -c 'SELECT * FROM orochi.chunks'");
    return status;
  }
  Status const dropped = DropSchema();
  if (status.ok() && dropped.ok()) {
    terminal_.Heading("Go on");
    terminal_.Line(StrCat("The demo's tables are gone again; `orochi demo --keep` leaves them."));
    terminal_.Line(StrCat("Open a session:  ", terminal_.Paint(Ink::kBold, "orochi sql")));
  }
  return status.ok() ? dropped : status;
}

Status RunDemo(const DemoOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(Cluster const cluster, Cluster::At(options.cluster.directory));
  ASSIGN_OR_RETURN(Connection connection, cluster.Connect());
  return Demo(options, connection, terminal).Run();
}

}  // namespace

void AddDemoCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* command = AddCommand(app, "demo", "Take the tour, on real and generated data", kFooter);
  auto options = std::make_shared<DemoOptions>();
  command->add_option("--rows", options->rows, "Generated rows. Default: 2000000")
      ->check(CLI::Range(int64_t{1000}, int64_t{1'000'000'000}).description(""))
      ->type_name("N");
  command
      ->add_option("--data", options->data_directory,
                   "CSV files for the first part.\nDefault: ../shared/data/nab, where it exists")
      ->type_name("DIR");
  command
      ->add_option("--time-column", options->time_column,
                   "Their column with the time. Default: timestamp")
      ->type_name("NAME");
  command->add_flag("--keep", options->keep, "Leave the tables for looking around");
  command->add_flag("--replace", options->replace, "Drop the tables that an earlier --keep left");
  options->cluster.AddTo(*command);
  command->callback(
      [options, &invocation] { invocation.Finish(RunDemo(*options, invocation.terminal)); });
}

}  // namespace orochi::cli
