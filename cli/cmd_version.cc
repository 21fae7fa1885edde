// `orochi version`.

#include "base/str_cat.h"
#include "cli/command.h"
#include "cli/postgres_programs.h"

namespace orochi::cli {

void AddVersionCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* command =
      AddCommand(app, "version", "Show the versions of orochi and PostgreSQL", "  orochi version");
  auto pg_bindir = std::make_shared<std::string>();
  command->add_option("--pg-bindir", *pg_bindir, "Where PostgreSQL's programs are")
      ->type_name("DIR");
  command->callback([pg_bindir, &invocation] {
    const Terminal& terminal = invocation.terminal;
    terminal.Line(StrCat("orochi ", OROCHI_VERSION));
    // Without PostgreSQL the version of orochi is still an answer.
    Result<PostgresPrograms> const programs = FindPostgresPrograms(*pg_bindir);
    if (programs.ok()) {
      terminal.Line(StrCat("PostgreSQL ", programs->version, " in ", programs->bindir.string()));
    } else {
      terminal.Line(StrCat("PostgreSQL: ", programs.status().message()));
    }
    invocation.Finish(Status::Ok());
  });
}

}  // namespace orochi::cli
