// `orochi kv split, move, lead, drain, undrain, remove, leave`: changes of the cluster.
#include <poll.h>

#include <charconv>
#include <chrono>

#include "base/str_cat.h"
#include "cli/kv/commands.h"
#include "cli/kv/result_list.h"
#include "cli/kv/session.h"
#include "cli/kv/value_json.h"
#include "cli/number_format.h"

namespace orochi::cli {

using kv::client::Client;
using kv::client::Value;

namespace {

constexpr const char* kSplitFooter =
    R"(Makes two partitions of one: in its middle, or at a key in hexadecimal as
`orochi kv partitions -o json` shows bounds.

  orochi kv split 7
  orochi kv split 7 --at 00000002ff)";
constexpr const char* kMoveFooter =
    R"(Says where the replicas of a partition are to be. They are copied before the old ones
go; `orochi kv partitions` shows when it is settled.

  orochi kv move 7 1 2 4)";
constexpr const char* kLeadFooter = R"(Hands the lead of a partition to one of its replicas.

  orochi kv lead 7 2)";
constexpr const char* kDrainFooter =
    R"(Moves all replicas away from a node, which stays a member; undrain lets them come back.

  orochi kv drain 3
  orochi kv undrain 3)";
constexpr const char* kRemoveFooter =
    R"(A removed node is gone for good, and its number with it. One that holds replicas is
refused: drain it first. --force is for a node that is lost; what only it had is lost with it.

  orochi kv remove 3
  orochi kv remove 3 --force)";
constexpr const char* kLeaveFooter =
    R"(Drains a node, waits until it holds no replica, and removes it. Interrupted, it can be
given again.

  orochi kv leave 3
  orochi kv leave 3 --wait 600)";

struct ChangeOptions {
  KvOptions kv;
  uint64_t number = 0;
  std::vector<uint64_t> nodes;
  std::string at;
  bool force = false;
  double wait_s = 300;
};

constexpr const char* kPurpose = "change the cluster";

Status PrintAnswer(const Value& answer, const KvOptions& options) {
  return PrintOne(answer, options.output());
}

Status ChangePartition(const ChangeOptions& options, const char* what, const std::string& body) {
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  ASSIGN_OR_RETURN(
      Value const answer,
      AskRoute(*client, "POST", StrCat("/v1/cluster/partitions/", options.number, "/", what), body,
               kPurpose));
  return PrintAnswer(answer, options.kv);
}

Result<Value> ChangeNode(Client& client, uint64_t node, std::string_view what) {
  return AskRoute(client, "POST", StrCat("/v1/cluster/nodes/", node, "/", what), "", kPurpose);
}

Status ChangeNodeAndPrint(const ChangeOptions& options, std::string_view what) {
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  ASSIGN_OR_RETURN(Value const answer, ChangeNode(*client, options.number, what));
  return PrintAnswer(answer, options.kv);
}

Result<uint64_t> ReplicasOf(Client& client, uint64_t node) {
  ASSIGN_OR_RETURN(Value const cluster, AskRoute(client, "GET", "/v1/cluster", "", kPurpose));
  const Value* const nodes = cluster.Find("nodes");
  for (const Value& one :
       nodes != nullptr && nodes->AsArray() != nullptr ? *nodes->AsArray() : Value::Array()) {
    const Value* const number = one.Find("number");
    const Value* const replicas = one.Find("replicas");
    if (number != nullptr && number->AsUint64() == node && replicas != nullptr) {
      return replicas->AsUint64().value_or(0);
    }
  }
  return Status::NotFound(StrCat("there is no node ", node));
}

Status Leave(const ChangeOptions& options) {
  using Clock = std::chrono::steady_clock;
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  ASSIGN_OR_RETURN(Value const draining, ChangeNode(*client, options.number, "drain"));
  static_cast<void>(draining);
  auto const until = Clock::now() + std::chrono::duration<double>(options.wait_s);
  uint64_t shown = UINT64_MAX;
  while (true) {
    ASSIGN_OR_RETURN(uint64_t const replicas, ReplicasOf(*client, options.number));
    if (replicas == 0) {
      break;
    }
    if (replicas != shown) {
      fprintf(stderr, "node %s holds %s\n", StrCat(options.number).c_str(),
              FormatQuantity(static_cast<int64_t>(replicas), "replica").c_str());
      shown = replicas;
    }
    if (Clock::now() >= until) {
      return Status::Timeout(StrCat("node ", options.number, " still holds ", replicas,
                                    " replicas after ", options.wait_s, " s"))
          .WithHint("it is being drained; give the command again to go on waiting");
    }
    poll(nullptr, 0, 200);
  }
  ASSIGN_OR_RETURN(Value const gone, ChangeNode(*client, options.number, "remove"));
  return PrintAnswer(gone, options.kv);
}

std::string SplitBody(const ChangeOptions& options) {
  return options.at.empty() ? "{}" : StrCat("{\"at\":", JsonString(options.at), "}");
}

std::string MoveBody(const ChangeOptions& options) {
  std::string nodes;
  for (uint64_t const node : options.nodes) {
    nodes += StrCat(nodes.empty() ? "" : ",", node);
  }
  return StrCat("{\"nodes\":[", nodes, "]}");
}

using Run = Status (*)(const ChangeOptions&);

CLI::App* Add(CLI::App& kv, Invocation& invocation, const std::string& name,
              const std::string& summary, const char* footer,
              const std::shared_ptr<ChangeOptions>& options, Run run) {
  CLI::App* command = AddCommand(kv, name, summary, footer);
  options->kv.AddTo(*command);
  command->callback([options, run, &invocation] { FinishKv(invocation, run(*options)); });
  return command;
}

void AddPartitionChanges(CLI::App& kv, Invocation& invocation) {
  auto const of_split = std::make_shared<ChangeOptions>();
  CLI::App* split = Add(kv, invocation, "split", "Make two partitions of one", kSplitFooter,
                        of_split, [](const ChangeOptions& options) {
                          return ChangePartition(options, "split", SplitBody(options));
                        });
  split->add_option("group", of_split->number, "The partition's group")->required();
  split->add_option("--at", of_split->at, "Where, in hexadecimal")->type_name("KEY");

  auto const of_move = std::make_shared<ChangeOptions>();
  CLI::App* move = Add(kv, invocation, "move", "Say where a partition's replicas are to be",
                       kMoveFooter, of_move, [](const ChangeOptions& options) {
                         return ChangePartition(options, "move", MoveBody(options));
                       });
  move->add_option("group", of_move->number, "The partition's group")->required();
  move->add_option("nodes", of_move->nodes, "Numbers of nodes")->required();

  auto const of_lead = std::make_shared<ChangeOptions>();
  CLI::App* lead =
      Add(kv, invocation, "lead", "Hand over the lead of a partition", kLeadFooter, of_lead,
          [](const ChangeOptions& options) {
            return ChangePartition(options, "lead", StrCat("{\"node\":", options.nodes[0], "}"));
          });
  lead->add_option("group", of_lead->number, "The partition's group")->required();
  lead->add_option("node", of_lead->nodes, "The number of the node")->required()->expected(1);
}

}  // namespace

void AddKvChanges(CLI::App& kv, Invocation& invocation) {
  AddPartitionChanges(kv, invocation);
  auto const of_drain = std::make_shared<ChangeOptions>();
  Add(kv, invocation, "drain", "Move all replicas away from a node", kDrainFooter, of_drain,
      [](const ChangeOptions& options) { return ChangeNodeAndPrint(options, "drain"); })
      ->add_option("node", of_drain->number, "Its number")
      ->required();
  auto const of_undrain = std::make_shared<ChangeOptions>();
  Add(kv, invocation, "undrain", "Let replicas come to a node again", kDrainFooter, of_undrain,
      [](const ChangeOptions& options) { return ChangeNodeAndPrint(options, "undrain"); })
      ->add_option("node", of_undrain->number, "Its number")
      ->required();
  auto const of_remove = std::make_shared<ChangeOptions>();
  CLI::App* remove =
      Add(kv, invocation, "remove", "A node is gone for good", kRemoveFooter, of_remove,
          [](const ChangeOptions& options) {
            return ChangeNodeAndPrint(options, options.force ? "remove?force=true" : "remove");
          });
  remove->add_option("node", of_remove->number, "Its number")->required();
  remove->add_flag("--force", of_remove->force, "Even if it holds replicas");
  auto const of_leave = std::make_shared<ChangeOptions>();
  CLI::App* leave = Add(kv, invocation, "leave", "Drain a node, then remove it", kLeaveFooter,
                        of_leave, [](const ChangeOptions& options) { return Leave(options); });
  leave->add_option("node", of_leave->number, "Its number")->required();
  leave->add_option("--wait", of_leave->wait_s, "At most so many seconds")->capture_default_str();
}

}  // namespace orochi::cli
