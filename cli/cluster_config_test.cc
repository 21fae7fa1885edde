// Goal: the settings fit machines of any size, and no path can break out of its quotes. Method:
// renderings for chosen machines, searched for the lines that matter.

#include "cli/cluster_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/postgres_programs.h"

namespace orochi::cli {
namespace {

using testing::HasSubstr;

constexpr uint64_t kGiB = uint64_t{1} << 30;

std::string ConfigFor(uint64_t memory_bytes) {
  return RenderClusterConfig({.port = 5433,
                              .socket_directory = "/srv/it's here/run",
                              .log_directory = "/srv/log",
                              .memory_bytes = memory_bytes,
                              .cpu_count = 4});
}

TEST(ClusterConfig, NamesPortLibraryAndPlaces) {
  std::string const config = ConfigFor(16 * kGiB);
  EXPECT_THAT(config, HasSubstr("\nport = 5433\n"));
  EXPECT_THAT(config, HasSubstr("\nshared_preload_libraries = 'orochi'\n"));
  EXPECT_THAT(config, HasSubstr("\nunix_socket_directories = '/srv/it''s here/run'\n"));
  EXPECT_THAT(config, HasSubstr("\nlisten_addresses = '127.0.0.1'\n"));
}

TEST(ClusterConfig, MemoryFollowsTheMachineWithinBounds) {
  EXPECT_THAT(ConfigFor(16 * kGiB), HasSubstr("\nshared_buffers = '4096MB'\n"));
  EXPECT_THAT(ConfigFor(256 * kGiB), HasSubstr("\nshared_buffers = '8192MB'\n"));
  EXPECT_THAT(ConfigFor(64 << 20), HasSubstr("\nshared_buffers = '32MB'\n"));
  EXPECT_THAT(ConfigFor(64 << 20), HasSubstr("\nwork_mem = '4MB'\n"));
}

TEST(ClusterConfig, QuotesDoubleQuotesAndBackslashes) {
  EXPECT_EQ(QuoteConfigValue("a'b\\c"), "'a''b\\\\c'");
}

TEST(PostgresPrograms, FindsTheVersionInWhatProgramsPrint) {
  EXPECT_EQ(VersionNumberIn("postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n"), "15.8");
  EXPECT_EQ(VersionNumberIn("postgres (PostgreSQL) 16beta1\n"), "16beta1");
  EXPECT_EQ(VersionNumberIn("postgres 15\n"), "");
}

}  // namespace
}  // namespace orochi::cli
