#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kv/gateway/gateway.h"
#include "kv/http/cluster_control.h"
#include "kv/http/message.h"

namespace orochi::kv::http {

class Dialect;
class Keys;

struct ServiceOptions {
  /// Whether this node can serve now; what is missing. Called on the loop.
  std::function<Status()> ready = [] { return Status::Ok(); };
  /// Gathers metrics, on the loop; what it gives writes them, on a connection's thread, in the form
  /// that Prometheus reads.
  std::function<std::function<std::string()>()> metrics = [] { return nullptr; };
  ClusterControl* cluster = nullptr;        // borrowed; null: there is none to show
  size_t dialect_query_count_max = 10'000;  // made and not destroyed
};

/// The routes of the store (docs/guide/kv-http.md): calls in, replies out.
///
/// Threads: the loop's that owns the gateway.    Borrows: gateway.
class Service {
 public:
  Service(Gateway& gateway, ServiceOptions options);
  ~Service();

  /// `done` is called once, perhaps from within.
  void Handle(Call call, Done done);

  struct RoutePattern {
    std::string_view method;
    std::vector<std::string_view> segments;  // "*": any one
  };
  static std::vector<RoutePattern> RoutePatterns();

 private:
  using CallPointer = std::shared_ptr<const Call>;  // of the calls it leads to
  using Handler = void (Service::*)(const CallPointer& call, Done done);
  struct Route {
    std::string_view method;
    std::vector<std::string_view> pattern;  // "*": any one segment
    Handler handler;
  };
  static const std::vector<Route>& Routes();

  // service.cc
  void Health(const CallPointer& call, Done done);
  void Readiness(const CallPointer& call, Done done);
  void Metrics(const CallPointer& call, Done done);
  void NodeStatus(const CallPointer& call, Done done);

  // catalog_routes.cc
  void CreateCollection(const CallPointer& call, Done done);
  void ListCollections(const CallPointer& call, Done done);
  void ShowCollection(const CallPointer& call, Done done);
  void DropCollection(const CallPointer& call, Done done);
  void CreateSchema(const CallPointer& call, Done done);
  void ListSchemas(const CallPointer& call, Done done);
  void ShowSchema(const CallPointer& call, Done done);

  // cluster_routes.cc
  ClusterControl* Cluster(const Done& done);
  void ShowCluster(const CallPointer& call, Done done);
  void ShowPartitions(const CallPointer& call, Done done);
  void ChangeNode(const CallPointer& call, Done done);
  void MovePartition(const CallPointer& call, Done done);
  void LeadPartition(const CallPointer& call, Done done);

  // data_routes.cc: alone, or within the transaction of the path
  void Read(const CallPointer& call, Done done);
  void Write(const CallPointer& call, Done done);
  void RunQuery(const CallPointer& call, Done done);
  void RunBatch(const CallPointer& call, Done done);

  // transaction_routes.cc
  void Begin(const CallPointer& call, Done done);
  void Commit(const CallPointer& call, Done done);
  void Abort(const CallPointer& call, Done done);
  void Heartbeat(const CallPointer& call, Done done);
  void Inquire(const CallPointer& call, Done done);

  Gateway& gateway_;
  ServiceOptions options_;
  std::unique_ptr<Dialect> dialect_;
  std::unique_ptr<Keys> keys_;
};

}  // namespace orochi::kv::http
