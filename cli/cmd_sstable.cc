// `orochi sstable`: Cassandra's SSTables without Cassandra.
#include <csignal>

#include "cli/sstable/commands.h"
#include "cli/sstable/output.h"

namespace orochi::cli {

namespace {

constexpr const char* kFooter =
    R"(Reads the files of Apache Cassandra 3.0 to 5.0 (versions ma to me, na, nb, oa, da)
and never changes them; writes new ones as nb, oa and da. FILES are directories of
SSTables, or files of one:

  orochi sstable info data/ks/users-*/
  orochi sstable dump data/ks/users-*/nb-1-big-Data.db | less
  orochi sstable query "SELECT * FROM users LIMIT 10" data/ks/users-*/
  orochi sstable schema data/ks/users-*/
  orochi sstable verify data/ks/users-*/
  orochi sstable write -o new/ --schema users.cql inserts.cql

Results go to standard output, everything else to standard error.
Exit code 6: a file is damaged, with its name and the place in it.)";

}  // namespace

void AddTableOptions(CLI::App& command, TableRequest& request) {
  command.add_option("files", request.paths, "Directories of SSTables, or files of single ones")
      ->required()
      ->type_name("FILES");
  command
      .add_option("--schema", request.schema_files,
                  "CQL with CREATE TYPE and CREATE TABLE; may be repeated.\n"
                  "Without it the files' headers are used, which have no\n"
                  "names of key columns: these are key, ck0, ck1, ...")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      .add_option("--table", request.table,
                  "Which table of the schema. Default: the one of the\n"
                  "directory's name")
      ->type_name("NAME");
}

void FinishSstable(Invocation& invocation, const Status& status) {
  Status const flushed = FlushStdout();
  if (IsBrokenPipe(status) || (status.ok() && IsBrokenPipe(flushed))) {
    invocation.exit_code = static_cast<int>(ExitCode::kSuccess);
    return;
  }
  invocation.Finish(status.ok() ? flushed : status);
}

void AddSstableCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* sstable = AddCommand(app, "sstable", "Read and write Cassandra's SSTables", kFooter);
  sstable->require_subcommand(1);
  // `orochi sstable dump | head` ends quietly: writing fails instead of killing the program.
  sstable->preparse_callback([](size_t) { signal(SIGPIPE, SIG_IGN); });
  AddSstableInfo(*sstable, invocation);
  AddSstableDump(*sstable, invocation);
  AddSstableQuery(*sstable, invocation);
  AddSstableShell(*sstable, invocation);
  AddSstableSchema(*sstable, invocation);
  AddSstableVerify(*sstable, invocation);
  AddSstableDiff(*sstable, invocation);
  AddSstableWrite(*sstable, invocation);
  AddSstableCompact(*sstable, invocation);
  AddSstableUpgrade(*sstable, invocation);
  AddSstableSplit(*sstable, invocation);
  AddSstableScrub(*sstable, invocation);
}

}  // namespace orochi::cli
