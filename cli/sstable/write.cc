// `orochi sstable write`: SSTables from CQL statements, CSV and JSON lines.
#include <filesystem>
#include <iostream>
#include <iterator>

#include "base/str_cat.h"
#include "cli/sstable/commands.h"
#include "cli/sstable/output_options.h"
#include "cli/sstable/row_input.h"
#include "cli/text_file.h"
#include "io/posix/posix_file_system.h"
#include "io/posix/system_clock.h"
#include "sstable/change/cql_changes.h"
#include "sstable/change/table_loader.h"
#include "sstable/cql/parser.h"

namespace orochi::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter =
    R"(CQL: INSERT (also JSON), UPDATE, DELETE and BATCH in any order; the rows that they make are
written as Cassandra would. CREATE and ALTER are read from --schema and passed over elsewhere.
Not possible without a cluster: IF, counters, changing list elements by index or value.

CSV (*.csv): the header names the columns. Text stands as it is, other values as query --format
csv prints them, collections and user types as CQL literals. A field that is empty, or --null,
and not in quotes leaves its column out.

JSON lines (*.jsonl, *.ndjson, *.json): an object a line, as INSERT JSON takes it. null deletes,
a column that is not named is left out (--absent-null: becomes null).

  orochi sstable write -o out/ks/users/ --schema cluster.cql inserts.cql
  orochi sstable write -o out/ --schema cluster.cql --table users --timestamp 1700000000000000 users.csv
  generate | orochi sstable write -o out/ --schema cluster.cql --table users --input jsonl -
  nodetool import ks users out/ks/users/        lets a node have them

Errors name file, line and column, and leave no SSTable behind.)";

struct WriteRequest {
  std::vector<std::string> scripts;
  std::vector<std::string> schema_files;
  std::string table;
  std::string partitioner = "Murmur3Partitioner";
  OutputOptions output;
  uint64_t memory_mb = 256;
  std::string input;  // cql, csv or jsonl; empty: by the file's name
  RowInputOptions rows;
  std::string delimiter = ",";
};

std::string InputOf(const WriteRequest& request, const std::string& name) {
  if (!request.input.empty()) {
    return request.input;
  }
  std::string const extension = fs::path(name).extension().string();
  if (extension == ".csv") {
    return "csv";
  }
  return extension == ".jsonl" || extension == ".ndjson" || extension == ".json" ? "jsonl" : "cql";
}

Result<std::string> ReadScript(const std::string& name) {
  if (name != "-") {
    return ReadTextFile(name);
  }
  return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
}

Result<sstable::TableSchema> ReadSchema(const WriteRequest& request) {
  std::string script;
  for (const std::string& file : request.schema_files) {
    ASSIGN_OR_RETURN(std::string const text, ReadTextFile(file));
    script += StrCat(text, "\n;\n");
  }
  Result<std::vector<sstable::TableSchema>> const tables = sstable::TablesFromCql(script, "");
  if (!tables.ok()) {
    return Status(tables.status()).WithContext(request.schema_files.front());
  }
  ASSIGN_OR_RETURN(const sstable::TableSchema* const table,
                   sstable::PickTable(*tables, request.table));
  return *table;
}

Status AddStatements(const std::string& name, sstable::CqlChanges& changes,
                     sstable::TableLoader& loader) {
  ASSIGN_OR_RETURN(std::string const text, ReadScript(name));
  ASSIGN_OR_RETURN(std::vector<sstable::cql::Statement> const statements,
                   sstable::cql::ParseScript(text));
  for (const sstable::cql::Statement& statement : statements) {
    ASSIGN_OR_RETURN(std::vector<sstable::RowChange> bound, changes.Bind(statement));
    for (sstable::RowChange& change : bound) {
      RETURN_IF_ERROR(loader.Add(std::move(change)));
    }
  }
  return Status::Ok();
}

Result<std::vector<sstable::WrittenSstable>> RunWrite(const WriteRequest& request) {
  ASSIGN_OR_RETURN(sstable::TableSchema const schema, ReadSchema(request));
  ASSIGN_OR_RETURN(sstable::WriterOptions writer_options, WriterOptionsOf(schema));
  RETURN_IF_ERROR(request.output.Apply(writer_options));
  io::PosixFileSystem files;
  ASSIGN_OR_RETURN(auto const output, request.output.Open());
  sstable::LoadOptions options = {.writer = std::move(writer_options),
                                  .size_bytes_max = request.output.size_bytes_max(),
                                  .memory_bytes_max = request.memory_mb << 20,
                                  .scratch_directory = output.scratch()};
  ASSIGN_OR_RETURN(auto const partitioner, sstable::ParsePartitioner(request.partitioner));
  sstable::TableLoader loader(files, request.output.directory,
                              sstable::LayoutOf(schema, partitioner), std::move(options));
  io::SystemClock clock;
  sstable::CqlChanges changes(schema, clock.NowMicros());
  RowInputOptions rows = request.rows;
  rows.delimiter = request.delimiter == "\\t" ? '\t' : request.delimiter.front();
  for (const std::string& script : request.scripts) {
    std::string const input = InputOf(request, script);
    if (input == "csv") {
      RETURN_IF_ERROR(AddCsvRows(script, schema, rows, changes, loader));
      continue;
    }
    if (input == "jsonl") {
      RETURN_IF_ERROR(AddJsonRows(script, rows, changes, loader));
      continue;
    }
    Status const status = AddStatements(script, changes, loader);
    if (!status.ok()) {
      return Status(status).WithContext(script == "-" ? "standard input" : script);
    }
  }
  return loader.Finish();
}

void AddRowOptions(CLI::App& command, WriteRequest& request) {
  command
      .add_option(
          "--partitioner", request.partitioner,
          "The cluster's, as nodetool describecluster shows it.\nDefault: Murmur3Partitioner")
      ->check(CLI::IsMember({"Murmur3Partitioner", "RandomPartitioner", "ByteOrderedPartitioner"}))
      ->type_name("NAME");
  command
      .add_option("--input", request.input,
                  "cql, csv or jsonl. Default: by the file's name, else cql")
      ->check(CLI::IsMember({"cql", "csv", "jsonl"}))
      ->type_name("KIND");
  command
      .add_option("--null", request.rows.null_text,
                  "What stands for no value in CSV. Default: nothing")
      ->type_name("TEXT");
  command
      .add_option("--delimiter", request.delimiter,
                  "What is between the fields of CSV; \\t is a tab. Default: ,")
      ->check([](const std::string& text) {
        return text.size() == 1 || text == "\\t" ? "" : "one character is expected";
      })
      ->type_name("CHAR");
  command.add_flag("--absent-null", request.rows.absent_is_null,
                   "JSON: columns that an object does not name become null");
  command
      .add_option("--timestamp", request.rows.times.timestamp_us,
                  "Of rows of CSV and JSON, in microseconds. Default: now")
      ->type_name("MICROS");
  command
      .add_option("--ttl", request.rows.times.ttl_s,
                  "Of rows of CSV and JSON, from now. Default: the table's")
      ->type_name("SECONDS");
  command
      .add_option("--timestamp-column", request.rows.timestamp_column,
                  "A column of the input that is the row's timestamp")
      ->type_name("NAME");
  command
      .add_option("--ttl-column", request.rows.ttl_column,
                  "A column of the input that is the row's TTL")
      ->type_name("NAME");
}

}  // namespace

void AddSstableWrite(CLI::App& sstable, Invocation& invocation) {
  CLI::App* command = AddCommand(sstable, "write", "Make SSTables from CQL, CSV or JSON", kFooter);
  auto request = std::make_shared<WriteRequest>();
  command
      ->add_option("scripts", request->scripts,
                   "Files of CQL statements, CSV or JSON lines; - for standard\ninput")
      ->required()
      ->type_name("FILES");
  command->add_option("--schema", request->schema_files, "CQL with CREATE TYPE and CREATE TABLE")
      ->required()
      ->type_name("FILE")
      ->allow_extra_args(false);  // FILES may follow
  command->add_option("--table", request->table, "Which table of the schema, where it has several")
      ->type_name("NAME");
  request->output.AddTo(*command, "oa", "the schema's");
  command
      ->add_option("--memory-mb", request->memory_mb,
                   "Sort this much in memory, more through files beside the\noutput. Default: 256")
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("MIB");
  AddRowOptions(*command, *request);
  command->callback([request, &invocation] {
    Result<std::vector<sstable::WrittenSstable>> const written = RunWrite(*request);
    FinishSstable(invocation, written.ok() ? ReportWritten(request->output.directory, *written)
                                           : written.status());
  });
}

}  // namespace orochi::cli
