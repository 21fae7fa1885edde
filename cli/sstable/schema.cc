// `orochi sstable schema`: CREATE TABLE from the files.
#include "cli/sstable/commands.h"
#include "cli/sstable/output.h"
#include "io/posix/posix_file_system.h"

namespace orochi::cli {

namespace {

constexpr const char* kFooter =
    R"(The files hold all types and the names of all but the key columns. Columns that were
never written may be missing. With --schema the files are checked against it and the
schema is printed as it is understood.

  orochi sstable schema data/ks/users-*/
  orochi sstable schema --schema cluster.cql data/ks/users-*/)";

}  // namespace

void AddSstableSchema(CLI::App& sstable, Invocation& invocation) {
  CLI::App* command =
      AddCommand(sstable, "schema", "Print the CREATE TABLE that the files stand for", kFooter);
  auto request = std::make_shared<TableRequest>();
  AddTableOptions(*command, *request);
  command->callback([request, &invocation] {
    io::PosixFileSystem files;
    Result<OpenTable> const table = OpenTableOf(files, *request);
    FinishSstable(invocation,
                  table.ok() ? WriteToStdout(DescribeTable(table->schema)) : table.status());
  });
}

}  // namespace orochi::cli
