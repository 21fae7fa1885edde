#pragma once

#include <string>

#include "base/random.h"
#include "base/result.h"
#include "io/file.h"
#include "swim/types.h"

namespace orochi::swim {

struct NodeIdentity {
  ClusterId cluster;
  NodeId id;
  Generation generation{};
};

/// What a node is, from the file `node` in its data directory, with its generation counted up; when
/// this returns, that survives a power cut. A directory without the file gets a new id from
/// `random`, the operating system's, and generation 1. The caller holds the directory's lock.
///
/// kFailedPrecondition for a directory of another cluster, kCorruption for a file that is not what
/// was written: then nothing is changed. docs/formats/node-identity.md
Result<NodeIdentity> OpenNodeIdentity(io::FileSystem& files, const std::string& directory,
                                      ClusterId cluster, Random& random);

}  // namespace orochi::swim
