// `orochi kv status, members, partitions`: what the nodes say of themselves and of the cluster.
#include <algorithm>

#include "base/str_cat.h"
#include "cli/kv/commands.h"
#include "cli/kv/result_list.h"
#include "cli/kv/session.h"
#include "cli/kv/value_json.h"
#include "cli/number_format.h"
#include "cli/sstable/output.h"

namespace orochi::cli {

using kv::client::Client;
using kv::client::ClientOptions;
using kv::client::Object;
using kv::client::Value;

namespace {

constexpr const char* kStatusFooter =
    R"(Asks each node of --nodes whether it is ready.

  orochi kv status
  orochi kv status -n 127.0.0.1:8001,127.0.0.1:8002 -o lines

Exit code 0 when one is ready, 3 when none is.)";

constexpr const char* kMembersFooter =
    R"(The nodes of the cluster as its map has them: members, nodes that are being drained,
and those that are gone.

  orochi kv members)";

constexpr const char* kPartitionsFooter =
    R"(Every partition in the order of keys: its group, where its replicas are and which leads.
The first is the meta group, which decides about the cluster.

  orochi kv partitions
  orochi kv partitions -o lines | jq 'select(.leader == null)')";

Value StatusOf(const std::string& address, const ClientOptions& all) {
  ClientOptions options = all;
  options.nodes = {address};
  auto const client = Client::Create(options);
  if (!client.ok()) {
    return Object{{"node", address}, {"ready", false}, {"missing", client.status().message()}};
  }
  auto const reply =
      (*client)->Call({.target = "/v1/status", .only_reads = true, .only_node = size_t{0}});
  if (!reply.status.ok()) {
    return Object{{"node", address}, {"ready", false}, {"missing", reply.status.message()}};
  }
  Object status{{"node", address}};
  for (const auto& [name, value] : *reply.document.AsObject()) {
    status.emplace_back(name, value);
  }
  return status;
}

Status ShowStatus(const KvOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(ClientOptions client_options, options.ForClient());
  std::vector<Value> nodes;
  bool any = false;
  for (const std::string& address : options.Addresses()) {
    RETURN_IF_ERROR(kv::client::ParseNodeAddress(address).status());
    nodes.push_back(StatusOf(address, client_options));
    const Value* const ready = nodes.back().Find("ready");
    any = any || (ready != nullptr && ready->AsBool() != nullptr && *ready->AsBool());
  }
  RETURN_IF_ERROR(PrintList(nodes,
                            {{"node", "node"},
                             {"ready", "ready"},
                             {"collections", "collections", true},
                             {"open transactions", "open_transactions", true},
                             {"missing", "missing"}},
                            options.output(), terminal));
  return any ? Status::Ok() : Status::Unavailable("no node is ready");
}

Result<std::vector<Value>> ListAt(Client& client, const char* target, const char* member,
                                  const char* purpose) {
  ASSIGN_OR_RETURN(Value const document, AskRoute(client, "GET", target, "", purpose));
  const Value* const list = document.Find(member);
  if (list == nullptr || list->AsArray() == nullptr) {
    return Status::Corruption(StrCat("GET ", target, ": the answer has no '", member, "'"));
  }
  return *list->AsArray();
}

Status ShowMembers(const KvOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(auto const client, options.Connect());
  ASSIGN_OR_RETURN(auto const nodes, ListAt(*client, "/v1/cluster", "nodes", "list its members"));
  return PrintList(nodes,
                   {{"node", "number", true},
                    {"state", "state"},
                    {"alive", "alive"},
                    {"replicas", "replicas", true},
                    {"leads", "leads", true},
                    {"address", "address"},
                    {"http", "http"}},
                   options.output(), terminal);
}

// Bounds are bytes in hexadecimal; a table has no room for all of them.
std::string Ellipsed(const std::string& hex) {
  constexpr size_t kShown = 16;
  return hex.size() <= kShown ? hex : hex.substr(0, kShown) + "..";
}

Value ForTable(const Value& partition) {
  Object shown;
  if (partition.AsObject() == nullptr) {
    return shown;
  }
  for (const auto& [name, value] : *partition.AsObject()) {
    if ((name == "begin" || name == "end") && value.AsText() != nullptr) {
      shown.emplace_back(name, Ellipsed(*value.AsText()));
    } else if (name == "replicas") {
      std::string const list = JsonOf(value);
      shown.emplace_back(name, list.size() > 2 ? list.substr(1, list.size() - 2) : "");
    } else if (name == "size_bytes" && value.AsUint64()) {
      shown.emplace_back(name, FormatBytes(*value.AsUint64()));
    } else {
      shown.emplace_back(name, value);
    }
  }
  return shown;
}

Status ShowPartitions(const KvOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(auto const client, options.Connect());
  ASSIGN_OR_RETURN(auto partitions,
                   ListAt(*client, "/v1/cluster/partitions", "partitions", "list its partitions"));
  if (options.output() == KvForm::kTable) {
    std::transform(partitions.begin(), partitions.end(), partitions.begin(), ForTable);
  }
  return PrintList(partitions,
                   {{"group", "group", true},
                    {"collection", "collection"},
                    {"begin", "begin"},
                    {"end", "end"},
                    {"replicas", "replicas"},
                    {"leader", "leader", true},
                    {"settled", "settled"},
                    {"size", "size_bytes", true}},
                   options.output(), terminal);
}

void Add(CLI::App& kv, Invocation& invocation, const char* name, const char* summary,
         const char* footer, Status (*run)(const KvOptions&, const Terminal&)) {
  auto const options = std::make_shared<KvOptions>();
  CLI::App* command = AddCommand(kv, name, summary, footer);
  options->AddTo(*command);
  command->callback(
      [options, run, &invocation] { FinishKv(invocation, run(*options, invocation.terminal)); });
}

}  // namespace

void AddKvStatus(CLI::App& kv, Invocation& invocation) {
  Add(kv, invocation, "status", "Which nodes are ready", kStatusFooter, ShowStatus);
  Add(kv, invocation, "members", "The nodes of the cluster", kMembersFooter, ShowMembers);
  Add(kv, invocation, "partitions", "Where partitions are, and who leads them", kPartitionsFooter,
      ShowPartitions);
}

}  // namespace orochi::cli
