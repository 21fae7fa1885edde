#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "kv/client/client.h"

namespace orochi::cli {

/// How results are printed. Tables are for people, and shortened to the terminal's width.
enum class KvForm { kTable, kJson, kLines };

/// What every `orochi kv` command that asks nodes takes.
struct KvOptions {
  std::vector<std::string> nodes;
  std::string token_file;
  std::string form = "table";
  double timeout_s = 10;

  void AddTo(CLI::App& command);
  KvForm output() const;
  /// Where the nodes are: --nodes, else $OROCHI_KV, else the node of this machine.
  std::vector<std::string> Addresses() const;
  Result<kv::client::ClientOptions> ForClient() const;
  /// Reaches nobody yet.
  Result<std::unique_ptr<kv::client::Client>> Connect() const;
};

/// The document at a route, or what the route says. A route that the node lacks is kUnsupported,
/// with a message that names `purpose`.
Result<kv::client::Value> AskRoute(kv::client::Client& client, const std::string& method,
                                   const std::string& target, const std::string& json_body,
                                   const std::string& purpose);

/// Also flushes stdout; a reader that has gone is no error.
void FinishKv(Invocation& invocation, const Status& status);

}  // namespace orochi::cli
