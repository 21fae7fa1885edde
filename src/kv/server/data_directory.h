#pragma once

#include <optional>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "io/file.h"
#include "kv/meta/types.h"

namespace orochi::kv {

/// Whose a data directory is: of one node of one cluster, and no other.
struct DirectoryClaim {
  std::string cluster{};
  NodeNumber number;
  std::string identity{};  // 16 bytes
};

/// Makes the directory when it is missing. Nothing: nobody has been here, and what an interrupted
/// first start has left is removed.
/// kFailedPrecondition: there is a log or a state, and the claim is lost; kCorruption: the claim
/// cannot be read. docs/formats/kv-node.md has the bytes.
Result<std::optional<DirectoryClaim>> EnterDataDirectory(io::FileSystem& files,
                                                         const std::string& directory);
/// Whose it is from now on; durable when it returns. What was drawn for joining goes.
Status ClaimDataDirectory(io::FileSystem& files, const std::string& directory,
                          const DirectoryClaim& claim);

/// What a node is known by that has no number yet: drawn once and durable when it returns, so that
/// who is interrupted while joining is not let in twice.
Result<std::string> JoiningIdentity(io::FileSystem& files, const std::string& directory,
                                    Random& random);

}  // namespace orochi::kv
