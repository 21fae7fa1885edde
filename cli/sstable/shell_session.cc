#include "cli/sstable/shell_session.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <ctime>
#include <map>

#include <termios.h>
#include <unistd.h>

#include "base/str_cat.h"
#include "cli/number_format.h"
#include "cli/sstable/output.h"
#include "cli/sstable/pager.h"
#include "cli/sstable/select.h"
#include "cli/sstable/statement_buffer.h"
#include "cli/text_file.h"
#include "sstable/cql/parser.h"

namespace orochi::cli {

namespace {

constexpr int kSourceDepthMax = 16;

constexpr const char* kHelp =
    R"(SELECT and EXPLAIN SELECT end with a semicolon and may take several lines.

  \d                  tables            DESCRIBE TABLES;
  \d TABLE            its columns       DESCRIBE TABLE t;
  \x [on|off]         a value a line    EXPAND ON;
  \format [FORMAT]    table, expanded, json, lines or csv
  \timing [on|off]    how long statements take
  \pager [on|off]     long results page by page      PAGING ON;
  \now [SECONDS|clock]  since 1970: by which TTLs expire
  \i FILE             run the statements of a file   SOURCE 'f';
  \q                  leave             EXIT, Ctrl-D

Tab completes keywords, tables, columns and files; Ctrl-R searches what was typed before.
Ctrl-C gives up a line, or ends a query that runs.
)";

std::string_view Trim(std::string_view text) {
  size_t const begin = text.find_first_not_of(" \t\r\n");
  size_t const end = text.find_last_not_of(" \t\r\n;");
  return begin == std::string_view::npos || end == std::string_view::npos || end < begin
             ? std::string_view()
             : text.substr(begin, end - begin + 1);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

/// The first word in lower case, and the rest.
std::pair<std::string, std::string_view> SplitWord(std::string_view text) {
  text = Trim(text);
  size_t const end = text.find_first_of(" \t\r\n");
  return {Lower(text.substr(0, end)),
          end == std::string_view::npos ? std::string_view() : Trim(text.substr(end))};
}

std::string_view Unquoted(std::string_view text) {
  return text.size() >= 2 && (text.front() == '\'' || text.front() == '"') &&
                 text.back() == text.front()
             ? text.substr(1, text.size() - 2)
             : text;
}

// A signal handler reaches only globals.
std::atomic<bool> interrupted = false;

/// While alive, Ctrl-C sets `interrupted` instead of ending the program; also at a terminal where
/// it is a key otherwise.
class CatchInterrupts {
 public:
  CatchInterrupts() {
    interrupted = false;
    struct sigaction action = {};
    action.sa_handler = [](int) { interrupted = true; };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &previous_);
    has_terminal_ = isatty(STDIN_FILENO) != 0 && tcgetattr(STDIN_FILENO, &terminal_) == 0;
    if (has_terminal_) {
      struct termios with_signals = terminal_;
      with_signals.c_lflag |= ISIG | NOFLSH;  // what is shown or typed already stays
      tcsetattr(STDIN_FILENO, TCSANOW, &with_signals);
    }
  }
  ~CatchInterrupts() {
    if (has_terminal_) {
      tcsetattr(STDIN_FILENO, TCSANOW, &terminal_);
    }
    sigaction(SIGINT, &previous_, nullptr);
  }
  CatchInterrupts(const CatchInterrupts&) = delete;
  CatchInterrupts& operator=(const CatchInterrupts&) = delete;

 private:
  struct sigaction previous_ = {};
  struct termios terminal_ = {};
  bool has_terminal_ = false;
};

const std::map<std::string, ResultFormat, std::less<>> kFormats = {
    {"table", ResultFormat::kTable},
    {"expanded", ResultFormat::kExpanded},
    {"json", ResultFormat::kJson},
    {"lines", ResultFormat::kLines},
    {"csv", ResultFormat::kCsv}};

}  // namespace

bool ShellSession::IsCommand(std::string_view line) {
  line = Trim(line);
  std::string const word = Lower(line);
  return line.starts_with('\\') || word == "help" || word == "exit" || word == "quit";
}

Status ShellSession::RunCommand(std::string_view line) {
  auto const [word, argument] = SplitWord(line);
  if (word == "\\q" || word == "exit" || word == "quit") {
    ended_ = true;
    return Status::Ok();
  }
  if (word == "\\?" || word == "\\h" || word == "help") {
    return WriteToStdout(kHelp);
  }
  if (word == "\\d" || word == "\\dt") {
    return argument.empty() ? DescribeAll() : DescribeOne(argument);
  }
  if (word == "\\x") {
    return SwitchExpand(argument);
  }
  if (word == "\\format") {
    return SetFormat(argument);
  }
  if (word == "\\timing") {
    return Switch(argument, settings_.timing, "Timing");
  }
  if (word == "\\pager") {
    return Switch(argument, settings_.pager, "The pager");
  }
  if (word == "\\now") {
    return SetNow(argument);
  }
  if (word == "\\i") {
    return RunFile(std::string(Unquoted(argument)));
  }
  return Status::InvalidArgument(StrCat("there is no command ", word))
      .WithHint("\\? lists the commands");
}

Status ShellSession::RunStatement(std::string_view statement) {
  bool known = false;
  Status const status = RunWords(statement, known);
  return known ? status : RunSelect(statement);
}

// cqlsh's words for what commands do.
Status ShellSession::RunWords(std::string_view words, bool& known) {
  auto const [word, argument] = SplitWord(words);
  known = true;
  if (word == "exit" || word == "quit" || word == "help") {
    return RunCommand(word);
  }
  if (word == "describe" || word == "desc") {
    auto const [what, name] = SplitWord(argument);
    if (what == "tables" || what == "schema" || what.empty()) {
      return DescribeAll();
    }
    return DescribeOne(what == "table" || what == "columnfamily" ? name : argument);
  }
  if (word == "expand") {
    return SwitchExpand(argument);
  }
  if (word == "paging") {
    return Switch(argument, settings_.pager, "The pager");
  }
  if (word == "source") {
    return RunFile(std::string(Unquoted(argument)));
  }
  if (word == "use") {
    return Status::Ok();  // tables of one name in two keyspaces need the keyspace with each
  }
  known = false;
  return Status::Ok();
}

Status ShellSession::RunSelect(std::string_view statement) {
  ASSIGN_OR_RETURN(sstable::cql::Statement const parsed, sstable::cql::ParseStatement(statement));
  const auto* const select = std::get_if<sstable::cql::Select>(&parsed);
  if (select == nullptr) {
    return Status::InvalidArgument("only SELECT and EXPLAIN SELECT can be run on files")
        .WithHint("orochi sstable write makes SSTables from INSERT, UPDATE and DELETE");
  }
  CatchInterrupts const interrupts;
  ASSIGN_OR_RETURN(ShellTables::Table* const table, tables_.Pick(select->from));
  auto const started = std::chrono::steady_clock::now();
  Status status;
  {
    PagerScope const pager(settings_.pager);
    status =
        PrintSelect(*select, *table->open, settings_.now_s != 0 ? settings_.now_s : time(nullptr),
                    settings_.format, [] { return interrupted.load(); });
    Status const flushed = FlushStdout();
    status = status.ok() ? flushed : status;
  }
  if (IsBrokenPipe(status)) {
    return settings_.pager ? Status::Ok() : status;  // the user has left the pager
  }
  if (status.ok() && settings_.timing) {
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - started;
    return WriteToStdout(StrCat("Time: ", FormatDuration(took.count()), "\n"));
  }
  return status;
}

Status ShellSession::RunFile(const std::string& path) {
  if (depth_ == kSourceDepthMax) {
    return Status::InvalidArgument(StrCat(path, ": files read each other ", depth_, " deep"));
  }
  ASSIGN_OR_RETURN(std::string const text, ReadTextFile(path));
  StatementBuffer buffer;
  buffer.AddLine(text);
  ++depth_;
  Status status;
  while (status.ok() && !ended_) {
    std::optional<std::string> const statement = buffer.Take();
    if (!statement.has_value()) {
      break;
    }
    status = RunStatement(*statement);
  }
  --depth_;
  if (status.ok() && !ended_) {
    std::string const rest = buffer.TakeRest();
    status = rest.empty() ? Status::Ok() : RunStatement(rest);
  }
  return status.ok() ? status : std::move(status).WithContext(path);
}

Status ShellSession::DescribeAll() {
  std::string text;
  for (ShellTables::Table& table : tables_.tables()) {
    Result<OpenTable*> const open = tables_.Open(table);
    std::string const name = StrCat(table.keyspace, table.keyspace.empty() ? "" : ".", table.name);
    text += open.ok()
                ? StrCat(name, "  ",
                         FormatQuantity(static_cast<int64_t>((*open)->readers.size()), "SSTable"),
                         " in ", table.directory, "\n")
                : StrCat(name, "  ", open.status().message(), "\n");
  }
  return WriteToStdout(text);
}

Status ShellSession::DescribeOne(std::string_view name) {
  std::string_view const bare = Trim(name);
  size_t const dot = bare.find('.');
  sstable::cql::TableName wanted;
  wanted.keyspace = dot == std::string_view::npos ? "" : Unquoted(bare.substr(0, dot));
  wanted.table = Unquoted(dot == std::string_view::npos ? bare : bare.substr(dot + 1));
  ASSIGN_OR_RETURN(ShellTables::Table* const table, tables_.Pick(wanted));
  return WriteToStdout(DescribeTable(table->open->schema));
}

Status ShellSession::SetFormat(std::string_view name) {
  if (!name.empty()) {
    auto const found = kFormats.find(Lower(name));
    if (found == kFormats.end()) {
      return Status::InvalidArgument(
          StrCat("no format is called ", name, ": table, expanded, json, lines and csv are"));
    }
    settings_.format = found->second;
  }
  for (auto const& [known, format] : kFormats) {
    if (format == settings_.format) {
      return WriteToStdout(StrCat("Results come as ", known, ".\n"));
    }
  }
  return Status::Ok();
}

Status ShellSession::SetNow(std::string_view text) {
  std::string const word = Lower(text);
  if (word == "clock") {
    settings_.now_s = 0;
  } else if (!word.empty()) {
    int64_t seconds = 0;
    auto const [end, error] = std::from_chars(word.data(), word.data() + word.size(), seconds);
    if (error != std::errc() || end != word.data() + word.size() || seconds <= 0) {
      return Status::InvalidArgument(
          StrCat("'", text, "' is no moment: expected seconds since 1970, or clock"));
    }
    settings_.now_s = seconds;
  }
  return WriteToStdout(settings_.now_s == 0
                           ? std::string("Now is what the clock says.\n")
                           : StrCat("Now is ", settings_.now_s, " seconds since 1970.\n"));
}

Status ShellSession::Switch(std::string_view text, bool& setting, std::string_view name) {
  std::string const word = Lower(text);
  if (word != "on" && word != "off" && !word.empty()) {
    return Status::InvalidArgument(StrCat("'", text, "': expected on or off"));
  }
  setting = word.empty() ? !setting : word == "on";
  return WriteToStdout(StrCat(name, " is ", setting ? "on" : "off", ".\n"));
}

Status ShellSession::SwitchExpand(std::string_view text) {
  bool expanded = settings_.format == ResultFormat::kExpanded;
  RETURN_IF_ERROR(Switch(text, expanded, "Expanded output"));
  if (expanded && settings_.format != ResultFormat::kExpanded) {
    format_before_expand_ = settings_.format;
    settings_.format = ResultFormat::kExpanded;
  } else if (!expanded && settings_.format == ResultFormat::kExpanded) {
    settings_.format = format_before_expand_;
  }
  return Status::Ok();
}

}  // namespace orochi::cli
