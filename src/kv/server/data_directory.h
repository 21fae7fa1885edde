#pragma once

#include <string>

#include "base/result.h"
#include "io/file.h"
#include "kv/meta/types.h"

namespace orochi::kv {

/// Whose a data directory is. True: this node of this cluster has been here. False: nobody has, and
/// the directory is there and empty. kFailedPrecondition: another has, or a first start did not
/// come to its end.
Result<bool> EnterDataDirectory(io::FileSystem& files, const std::string& directory,
                                const std::string& cluster, NodeNumber number);
/// Says that it is this node's from now on; durable when it returns.
Status ClaimDataDirectory(io::FileSystem& files, const std::string& directory,
                          const std::string& cluster, NodeNumber number);

}  // namespace orochi::kv
