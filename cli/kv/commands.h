#pragma once

#include "cli/command.h"

namespace orochi::cli {

// One function per group of subcommands of `orochi kv`, each in its own file. `invocation` outlives
// the parse.
void AddKvServe(CLI::App& kv, Invocation& invocation);    // serve.cc: serve, join
void AddKvStatus(CLI::App& kv, Invocation& invocation);   // status.cc: status, members, partitions
void AddKvInspect(CLI::App& kv, Invocation& invocation);  // inspect.cc
void AddKvCollections(CLI::App& kv, Invocation& invocation);  // collections.cc: collection, schema
void AddKvRecords(CLI::App& kv, Invocation& invocation);      // records.cc: get, put, delete
void AddKvScan(CLI::App& kv, Invocation& invocation);         // scan.cc
void AddKvTxn(CLI::App& kv, Invocation& invocation);          // txn.cc
void AddKvChanges(CLI::App& kv, Invocation& invocation);      // changes.cc: split, move, drain, ...
void AddKvBench(CLI::App& kv, Invocation& invocation);        // bench.cc

}  // namespace orochi::cli
