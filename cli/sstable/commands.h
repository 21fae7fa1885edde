#pragma once

#include "cli/command.h"
#include "cli/sstable/inputs.h"

namespace orochi::cli {

/// The options by which subcommands of `orochi sstable` find a table.
void AddTableOptions(CLI::App& command, TableRequest& request);

/// Ends a subcommand: reports `status`, but not that the reader of a pipe is gone.
void FinishSstable(Invocation& invocation, const Status& status);

// One function per subcommand, each in its own file.
void AddSstableCompact(CLI::App& sstable, Invocation& invocation);
void AddSstableDiff(CLI::App& sstable, Invocation& invocation);
void AddSstableDump(CLI::App& sstable, Invocation& invocation);
void AddSstableInfo(CLI::App& sstable, Invocation& invocation);
void AddSstableQuery(CLI::App& sstable, Invocation& invocation);
void AddSstableScrub(CLI::App& sstable, Invocation& invocation);
void AddSstableSchema(CLI::App& sstable, Invocation& invocation);
void AddSstableShell(CLI::App& sstable, Invocation& invocation);
void AddSstableVerify(CLI::App& sstable, Invocation& invocation);
void AddSstableSplit(CLI::App& sstable, Invocation& invocation);
void AddSstableUpgrade(CLI::App& sstable, Invocation& invocation);
void AddSstableWrite(CLI::App& sstable, Invocation& invocation);

}  // namespace orochi::cli
