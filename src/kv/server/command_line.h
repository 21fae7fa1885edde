#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kv/server/node_server.h"

namespace orochi::kv {

/// What orochi-kvd was asked to do.
struct CommandLine {
  NodeServerOptions node{};
  bool checks_only = false;  // --check-config
};

struct ParsedCommandLine {
  std::optional<CommandLine> run{};  // else `text` is to be said
  int exit_code = 0;                 // 0: `text` is for stdout, else for stderr
  std::string text{};
};

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

/// The value of a variable of the environment; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Options come from the command line, else from OROCHI_KVD_NAME of the environment, else from the
/// file of --config (TOML, names without the dashes); in the first two several values of an option
/// are given by repeating it, or separated by commas. What no option has is refused, with its name.
/// Reads that file, that of --gossip-keys, and nothing else; the arguments are without the
/// program's name.
ParsedCommandLine ParseCommandLine(const std::vector<std::string>& arguments,
                                   const Environment& environment);

}  // namespace orochi::kv
