// `orochi sstable query`: SELECT over files.
#include <ctime>
#include <map>

#include "cli/sstable/commands.h"
#include "cli/sstable/select.h"
#include "io/posix/posix_file_system.h"
#include "sstable/cql/parser.h"

namespace orochi::cli {

namespace {

constexpr const char* kFooter =
    R"(CQL as Cassandra 5 has it: WHERE on keys, clustering ranges, token(), IN, CONTAINS, other
columns with ALLOW FILTERING; ORDER BY, GROUP BY, LIMIT, PER PARTITION LIMIT, DISTINCT;
count, min, max, sum, avg, writetime, ttl, token, cast, tojson, floor, now and its kin;
+ - * / %; m['key'], user.field.
All SSTables named are merged, and only what is alive now is seen.

  orochi sstable query "SELECT * FROM users WHERE id = 42" --schema ks.cql data/ks/users-*/
  orochi sstable query "SELECT key, count(*) FROM t GROUP BY key" --format csv data/ks/t-*/
  orochi sstable query "EXPLAIN SELECT * FROM t WHERE key = 1" data/ks/t-*/

Without --schema key columns are called key (key0, key1, ...) and ck0, ck1, ...;
`orochi sstable schema` shows them.)";

struct QueryRequest {
  std::string cql;
  TableRequest table;
  ResultFormat format = ResultFormat::kTable;
  int64_t now_s = 0;  // 0: the clock's
};

Status RunQuery(const QueryRequest& request) {
  ASSIGN_OR_RETURN(sstable::cql::Statement const statement,
                   sstable::cql::ParseStatement(request.cql));
  const auto* const select = std::get_if<sstable::cql::Select>(&statement);
  if (select == nullptr) {
    return Status::InvalidArgument("only SELECT and EXPLAIN SELECT can be run on files");
  }
  TableRequest table_request = request.table;
  if (table_request.table.empty()) {
    table_request.table = select->from.keyspace.empty()
                              ? select->from.table
                              : select->from.keyspace + "." + select->from.table;
  }
  io::PosixFileSystem files;
  ASSIGN_OR_RETURN(OpenTable table, OpenTableOf(files, table_request));
  return PrintSelect(*select, table, request.now_s != 0 ? request.now_s : time(nullptr),
                     request.format);
}

}  // namespace

void AddSstableQuery(CLI::App& sstable, Invocation& invocation) {
  CLI::App* command = AddCommand(sstable, "query", "Run a CQL SELECT over files", kFooter);
  auto request = std::make_shared<QueryRequest>();
  command->add_option("cql", request->cql, "The statement")->required()->type_name("CQL");
  AddTableOptions(*command, request->table);
  static const std::map<std::string, ResultFormat> kFormats = {
      {"table", ResultFormat::kTable},
      {"expanded", ResultFormat::kExpanded},
      {"json", ResultFormat::kJson},
      {"lines", ResultFormat::kLines},
      {"csv", ResultFormat::kCsv}};
  command
      ->add_option("--format", request->format,
                   "table as in cqlsh, expanded: a value a line, json: an\narray, lines: a JSON "
                   "object a line, csv. Default: table")
      ->type_name("FORMAT")
      ->transform(CLI::CheckedTransformer(kFormats, CLI::ignore_case).description(""));
  command
      ->add_option("--now", request->now_s, "Seconds since 1970 by which TTLs expire. Default: now")
      ->type_name("SECONDS");
  command->callback([request, &invocation] { FinishSstable(invocation, RunQuery(*request)); });
}

}  // namespace orochi::cli
