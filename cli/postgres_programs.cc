#include "cli/postgres_programs.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "base/str_cat.h"
#include "cli/run_process.h"

namespace orochi::cli {

namespace {

namespace fs = std::filesystem;

/// Which PostgreSQL this build's extension is for, and where it was when we were built.
constexpr int kMajor = OROCHI_PG_MAJOR;
constexpr const char* kBuildBindir = OROCHI_PG_BUILD_BINDIR;

std::string InstallHint() {
  return StrCat("install PostgreSQL ", kMajor, " (on Debian: `apt install postgresql-", kMajor,
                "`), or say where its programs are with --pg-bindir or OROCHI_PG_BINDIR");
}

std::string FirstLine(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

Result<std::string> AskPgConfig(const fs::path& pg_config, const char* option) {
  ASSIGN_OR_RETURN(ProcessResult answer, RunProcess({.program = pg_config, .arguments = {option}}));
  if (answer.exit_code != 0) {
    return Status::IoError(StrCat(pg_config.string(), " ", option, " failed: ", answer.output));
  }
  return FirstLine(answer.output);
}

/// The first `pg_config` on PATH, or an empty path.
fs::path PgConfigOnPath() {
  const char* path = getenv("PATH");
  std::string_view rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    size_t const colon = rest.find(':');
    fs::path const candidate = fs::path(rest.substr(0, colon)) / "pg_config";
    if (access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
    rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  }
  return {};
}

Result<fs::path> FindBindir(const std::string& bindir_option) {
  if (!bindir_option.empty()) {
    return fs::absolute(bindir_option);
  }
  const char* from_environment = getenv("OROCHI_PG_BINDIR");
  if (from_environment != nullptr && *from_environment != '\0') {
    return fs::absolute(from_environment);
  }
  if (fs::exists(fs::path(kBuildBindir) / "postgres")) {
    return fs::path(kBuildBindir);
  }
  if (fs::path const pg_config = PgConfigOnPath(); !pg_config.empty()) {
    ASSIGN_OR_RETURN(std::string bindir, AskPgConfig(pg_config, "--bindir"));
    if (fs::exists(fs::path(bindir) / "postgres")) {
      return fs::path(bindir);
    }
  }
  fs::path const debian = StrCat("/usr/lib/postgresql/", kMajor, "/bin");
  if (fs::exists(debian / "postgres")) {
    return debian;
  }
  return Status::NotFound(
             StrCat("PostgreSQL ", kMajor, "'s server programs are not on this machine"))
      .WithHint(InstallHint());
}

}  // namespace

std::string VersionNumberIn(const std::string& program_output) {
  std::string const line = FirstLine(program_output);
  size_t const mark = line.find("(PostgreSQL) ");
  if (mark == std::string::npos) {
    return {};
  }
  size_t const begin = mark + std::string_view("(PostgreSQL) ").size();
  return line.substr(begin, line.find(' ', begin) - begin);
}

Result<PostgresPrograms> FindPostgresPrograms(const std::string& bindir_option) {
  PostgresPrograms programs;
  ASSIGN_OR_RETURN(programs.bindir, FindBindir(bindir_option));
  for (const char* name : {"postgres", "initdb", "pg_ctl", "psql"}) {
    if (access(programs.Program(name).c_str(), X_OK) != 0) {
      return Status::NotFound(StrCat("there is no program ", programs.Program(name).string()))
          .WithHint(InstallHint());
    }
  }
  ASSIGN_OR_RETURN(ProcessResult answer, RunProcess({.program = programs.Program("postgres"),
                                                     .arguments = {"--version"}}));
  programs.version = VersionNumberIn(answer.output);
  auto const [end, error] = std::from_chars(
      programs.version.data(), programs.version.data() + programs.version.size(), programs.major);
  if (error != std::errc() || answer.exit_code != 0) {
    return Status::Unsupported(StrCat(programs.Program("postgres").string(),
                                      " --version: expected a PostgreSQL version, found \"",
                                      FirstLine(answer.output), "\""))
        .WithHint(InstallHint());
  }
  if (programs.major != kMajor) {
    return Status::Unsupported(StrCat("PostgreSQL in ", programs.bindir.string(), " is version ",
                                      programs.version, "; this build of orochi is for ", kMajor))
        .WithHint(InstallHint());
  }
  return programs;
}

Status CheckExtensionInstalled(const PostgresPrograms& programs) {
  fs::path const pg_config = programs.Program("pg_config");
  if (access(pg_config.c_str(), X_OK) != 0) {
    // Without pg_config the places are unknown; CREATE EXTENSION itself will tell.
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(std::string sharedir, AskPgConfig(pg_config, "--sharedir"));
  ASSIGN_OR_RETURN(std::string libdir, AskPgConfig(pg_config, "--pkglibdir"));
  for (const fs::path& file :
       {fs::path(sharedir) / "extension" / "orochi.control", fs::path(libdir) / "orochi.so"}) {
    if (!fs::exists(file)) {
      return Status::NotFound(StrCat("the extension is not installed in the PostgreSQL of ",
                                     programs.bindir.string(), ": there is no ", file.string()))
          .WithHint(
              "run `make install` in the checkout, or name the PostgreSQL that has it with "
              "--pg-bindir");
    }
  }
  return Status::Ok();
}

}  // namespace orochi::cli
