// `orochi kv`: the replicated key-value store.
#include <csignal>

#include "cli/kv/commands.h"

namespace orochi::cli {

namespace {

constexpr const char* kFooter =
    R"(Asks the nodes of a cluster of orochi-kvd, over HTTP. Where they are, --nodes says, or
the environment:

  export OROCHI_KV=127.0.0.1:8001,127.0.0.1:8002,127.0.0.1:8003
  orochi kv status
  orochi kv put greeting hello
  orochi kv get greeting
  orochi kv collection create shop
  orochi kv schema create shop item shelf:text place:int64 count:int64 --key shelf --range place
  orochi kv put --in shop/item shelf=a place=1 count=5
  orochi kv get --in shop/item a 1
  orochi kv scan --in shop/item a

A request that certainly did not happen is tried at another node; one whose outcome
is not known is never repeated.
Results go to standard output, everything else to standard error.
Exit codes: those of orochi, and 7: it may or may not have happened.)";

}  // namespace

void AddKvCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* kv = AddCommand(app, "kv", "Use and run the replicated key-value store", kFooter);
  kv->require_subcommand(1);
  // `orochi kv scan | head` ends quietly: writing fails instead of killing the program.
  kv->preparse_callback([](size_t) { signal(SIGPIPE, SIG_IGN); });
  AddKvServe(*kv, invocation);
  AddKvStatus(*kv, invocation);
  AddKvInspect(*kv, invocation);
  AddKvCollections(*kv, invocation);
  AddKvRecords(*kv, invocation);
  AddKvScan(*kv, invocation);
  AddKvTxn(*kv, invocation);
  AddKvChanges(*kv, invocation);
  AddKvBench(*kv, invocation);
}

}  // namespace orochi::cli
