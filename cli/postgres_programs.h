#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "base/status.h"

namespace orochi::cli {

/// PostgreSQL's server programs on this machine, of the major version this build is for.
struct PostgresPrograms {
  std::filesystem::path bindir;
  std::string version;  // "15.8"
  int major = 0;

  std::filesystem::path Program(const char* name) const { return bindir / name; }
};

/// Finds them; the first of these that is given or exists, and no other, is used:
/// `bindir_option` (--pg-bindir), $OROCHI_PG_BINDIR, the directory this build was configured with,
/// pg_config on PATH, /usr/lib/postgresql/<major>/bin.
/// kNotFound where nothing is, kUnsupported when the version found is another major.
Result<PostgresPrograms> FindPostgresPrograms(const std::string& bindir_option);

/// Checks that CREATE EXTENSION orochi can work there. kNotFound names the missing file.
Status CheckExtensionInstalled(const PostgresPrograms& programs);

/// "postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)" gives "15.8"; empty when there is none.
std::string VersionNumberIn(const std::string& program_output);

}  // namespace orochi::cli
