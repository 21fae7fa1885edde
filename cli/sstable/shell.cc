// `orochi sstable shell`: SELECTs over files, one after the other.
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>

#include <unistd.h>

#include "base/str_cat.h"
#include "cli/sstable/commands.h"
#include "cli/sstable/completion.h"
#include "cli/sstable/line_editor.h"
#include "cli/sstable/output.h"
#include "cli/sstable/shell_session.h"
#include "cli/sstable/statement_buffer.h"
#include "cli/terminal.h"
#include "io/posix/posix_file_system.h"

namespace orochi::cli {

namespace {

constexpr const char* kFooter =
    R"(FILES are directories of SSTables, files of single ones, or a node's data directory with all
its tables. Statements end with a semicolon; \? lists the shell's commands. History is kept in
~/.orochi_sstable_history, or where OROCHI_SSTABLE_HISTORY says; nowhere when that is empty.

  orochi sstable shell data/ks/users-*/
  orochi sstable shell --schema cluster.cql /var/lib/cassandra/data
  echo "SELECT count(*) FROM users;" | orochi sstable shell data/ks/users-*/

Without a terminal there is no prompt, and the first error ends the shell with its exit code;
at a terminal an error is shown and the exit code is 0.)";

struct ShellRequest {
  TableRequest table;
  ShellSession::Settings settings;
};

std::string HistoryPath() {
  if (const char* const chosen = getenv("OROCHI_SSTABLE_HISTORY"); chosen != nullptr) {
    return chosen;
  }
  const char* const home = getenv("HOME");
  return home == nullptr ? "" : std::string(home) + "/.orochi_sstable_history";
}

// Without a terminal: a script.
Status RunPiped(ShellSession& session) {
  StatementBuffer buffer;
  std::string line;
  while (!session.ended() && std::getline(std::cin, line)) {
    if (buffer.empty() && ShellSession::IsCommand(line)) {
      RETURN_IF_ERROR(session.RunCommand(line));
      continue;
    }
    buffer.AddLine(line);
    while (std::optional<std::string> const statement = buffer.Take()) {
      RETURN_IF_ERROR(session.RunStatement(*statement));
    }
  }
  std::string const rest = session.ended() ? "" : buffer.TakeRest();
  return rest.empty() ? Status::Ok() : session.RunStatement(rest);
}

void Show(const Status& status) {
  FlushStdout().IgnoreError("a terminal that is gone ends the input as well");
  if (!status.ok()) {
    PrintError(status);
  }
}

void RunInteractive(ShellSession& session, ShellTables& tables) {
  LineEditor editor(HistoryPath(), [&tables](std::string_view text) {
    return LineEditor::Completions{.word_start = WordStart(text),
                                   .words = Complete(text, tables.Names())};
  });
  signal(SIGINT, SIG_IGN);  // one from elsewhere than the terminal ends no shell
  StatementBuffer buffer;
  std::string entry;  // what the history keeps as one
  while (!session.ended()) {
    bool const fresh = buffer.empty();
    char const open = buffer.open();
    std::string const prompt = fresh          ? "sstable> "
                               : open != '\0' ? StrCat("      ", std::string(1, open), "> ")
                                              : "     -> ";
    std::string line;
    LineEditor::Outcome const outcome = editor.Read(prompt, line);
    if (outcome == LineEditor::Outcome::kEnd) {
      fputs("\n", stdout);
      return;
    }
    if (outcome == LineEditor::Outcome::kInterrupted) {
      fputs("^C\n", stdout);
      buffer.Clear();
      entry.clear();
      continue;
    }
    if (fresh && ShellSession::IsCommand(line)) {
      editor.AddHistory(line);
      Show(session.RunCommand(line));
      continue;
    }
    buffer.AddLine(line);
    entry += (entry.empty() ? "" : " ") + line;
    bool any = false;
    while (std::optional<std::string> const statement = buffer.Take()) {
      any = true;
      Show(session.RunStatement(*statement));
    }
    if (any) {
      editor.AddHistory(entry);
    }
    if (buffer.empty()) {
      entry.clear();
    }
  }
}

Status RunShell(const ShellRequest& request) {
  io::PosixFileSystem files;
  ASSIGN_OR_RETURN(ShellTables tables,
                   ShellTables::Find(files, request.table.paths, request.table.schema_files,
                                     request.table.table));
  ShellSession session(tables, request.settings);
  if (isatty(STDIN_FILENO) == 0) {
    return RunPiped(session);
  }
  RETURN_IF_ERROR(WriteToStdout(
      StrCat(tables.tables().size() == 1 ? "One table" : StrCat(tables.tables().size(), " tables"),
             "; \\d lists them, \\? what can be done.\n")));
  RETURN_IF_ERROR(FlushStdout());
  RunInteractive(session, tables);
  return Status::Ok();
}

}  // namespace

void AddSstableShell(CLI::App& sstable, Invocation& invocation) {
  CLI::App* command = AddCommand(sstable, "shell", "Ask files interactively", kFooter);
  auto request = std::make_shared<ShellRequest>();
  AddTableOptions(*command, request->table);
  static const std::map<std::string, ResultFormat> kFormats = {
      {"table", ResultFormat::kTable},
      {"expanded", ResultFormat::kExpanded},
      {"json", ResultFormat::kJson},
      {"lines", ResultFormat::kLines},
      {"csv", ResultFormat::kCsv}};
  command
      ->add_option("--format", request->settings.format,
                   "table, expanded, json, lines or csv. Default: table")
      ->type_name("FORMAT")
      ->transform(CLI::CheckedTransformer(kFormats, CLI::ignore_case).description(""));
  command
      ->add_option("--now", request->settings.now_s,
                   "Seconds since 1970 by which TTLs expire. Default: the\nclock's")
      ->type_name("SECONDS");
  command->callback([request, &invocation] { FinishSstable(invocation, RunShell(*request)); });
}

}  // namespace orochi::cli
