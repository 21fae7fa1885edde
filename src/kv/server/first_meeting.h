#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "kv/meta/types.h"
#include "kv/peer/tls_files.h"

namespace orochi::kv {

/// The first nodes of a cluster meet before it begins: each has drawn an identity, and the cluster
/// is made of those. So a node that has lost its directory, and with it its votes, is not taken for
/// who it was: whoever has begun knows another identity under its number.
///
/// A node begins when all others have told theirs, or when one that has begun knows this one's.
///
/// Life:    made -> `met` is called once, by a thread of its own -> Stop.
class FirstMeeting {
 public:
  struct Options {
    std::string cluster;
    NodeNumber number;
    std::string identity;
    std::vector<NodeRecord> nodes;  // all first ones, this one too, without identities
    std::optional<peer::TlsFiles> tls;
  };
  /// All first nodes with their identities. kFailedPrecondition: this one is not who the cluster
  /// knows under its number.
  using Met = std::function<void(Result<std::vector<NodeRecord>>)>;

  FirstMeeting(Options options, Met met);
  ~FirstMeeting() { Stop(); }

  /// `met` is not called any more.
  void Stop();

 private:
  void Run();
  Result<bool> Ask(NodeRecord& node);

  Options options_;
  const Met met_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace orochi::kv
