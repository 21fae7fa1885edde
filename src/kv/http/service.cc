#include "kv/http/service.h"

#include <utility>

#include "base/str_cat.h"
#include "kv/http/body.h"
#include "kv/http/dialect.h"
#include "kv/http/keys.h"
#include "kv/http/status_table.h"

namespace orochi::kv::http {

Service::Service(Gateway& gateway, ServiceOptions options)
    : gateway_(gateway),
      options_(std::move(options)),
      dialect_(std::make_unique<Dialect>(gateway, options_.dialect_query_count_max)),
      keys_(std::make_unique<Keys>(gateway)) {}

Service::~Service() = default;

const std::vector<Service::Route>& Service::Routes() {
  static const std::vector<Route> routes = {
      {"GET", {"healthz"}, &Service::Health},
      {"GET", {"readyz"}, &Service::Readiness},
      {"GET", {"v1", "api", "readiness"}, &Service::Readiness},
      {"GET", {"metrics"}, &Service::Metrics},
      {"GET", {"v1", "status"}, &Service::NodeStatus},
      {"GET", {"v1", "cluster"}, &Service::ShowCluster},
      {"GET", {"v1", "cluster", "partitions"}, &Service::ShowPartitions},
      {"POST", {"v1", "cluster", "nodes", "*", "drain"}, &Service::ChangeNode},
      {"POST", {"v1", "cluster", "nodes", "*", "undrain"}, &Service::ChangeNode},
      {"POST", {"v1", "cluster", "nodes", "*", "remove"}, &Service::ChangeNode},
      {"POST", {"v1", "cluster", "partitions", "*", "move"}, &Service::MovePartition},
      {"POST", {"v1", "cluster", "partitions", "*", "lead"}, &Service::LeadPartition},
      {"POST", {"v1", "collections"}, &Service::CreateCollection},
      {"GET", {"v1", "collections"}, &Service::ListCollections},
      {"GET", {"v1", "collections", "*"}, &Service::ShowCollection},
      {"DELETE", {"v1", "collections", "*"}, &Service::DropCollection},
      {"POST", {"v1", "collections", "*", "schemas"}, &Service::CreateSchema},
      {"GET", {"v1", "collections", "*", "schemas"}, &Service::ListSchemas},
      {"GET", {"v1", "collections", "*", "schemas", "*"}, &Service::ShowSchema},
      {"POST", {"v1", "read"}, &Service::Read},
      {"POST", {"v1", "write"}, &Service::Write},
      {"POST", {"v1", "query"}, &Service::RunQuery},
      {"POST", {"v1", "txn"}, &Service::RunBatch},
      {"POST", {"v1", "txn", "begin"}, &Service::Begin},
      {"GET", {"v1", "txn", "*"}, &Service::Inquire},
      {"POST", {"v1", "txn", "*", "read"}, &Service::Read},
      {"POST", {"v1", "txn", "*", "write"}, &Service::Write},
      {"POST", {"v1", "txn", "*", "query"}, &Service::RunQuery},
      {"POST", {"v1", "txn", "*", "commit"}, &Service::Commit},
      {"POST", {"v1", "txn", "*", "abort"}, &Service::Abort},
      {"POST", {"v1", "txn", "*", "heartbeat"}, &Service::Heartbeat},
  };
  return routes;
}

std::vector<Service::RoutePattern> Service::RoutePatterns() {
  std::vector<RoutePattern> patterns;
  for (const Route& route : Routes()) {
    patterns.push_back({.method = route.method, .segments = route.pattern});
  }
  return patterns;
}

void Service::Handle(Call call, Done done) {
  if (call.kind == BodyKind::kDialect) {
    dialect_->Handle(std::move(call), std::move(done));
    return;
  }
  if (call.kind == BodyKind::kRaw) {
    keys_->Handle(std::move(call), std::move(done));
    return;
  }
  auto const fits = [&](const Route& route) {
    bool same = route.pattern.size() == call.segments.size();
    for (size_t index = 0; same && index < route.pattern.size(); ++index) {
      same = route.pattern[index] == "*" || route.pattern[index] == call.segments[index];
    }
    return same;
  };
  std::string methods;
  for (const Route& route : Routes()) {
    if (!fits(route)) {
      continue;
    }
    if (route.method == call.method) {
      (this->*route.handler)(std::make_shared<const Call>(std::move(call)), std::move(done));
      return;
    }
    methods += StrCat(methods.empty() ? "" : " or ", route.method);
  }
  if (methods.empty()) {
    done(ErrorReply(404, "no_such_route", StrCat("there is nothing at ", call.path), ""));
  } else {
    done(ErrorReply(405, "method_not_allowed",
                    StrCat(call.path, " takes ", methods, ", not ", call.method), ""));
  }
}

void Service::Health(const CallPointer&, Done done) {
  done({.raw = "ok\n", .raw_type = "text/plain"});
}

void Service::Readiness(const CallPointer&, Done done) {
  Status const ready = options_.ready();
  if (ready.ok()) {
    done({.raw = "ready\n", .raw_type = "text/plain"});
  } else {
    done(ErrorReply(Status::Unavailable(ready.message())));
  }
}

void Service::Metrics(const CallPointer&, Done done) {
  done({.raw_type = "text/plain; version=0.0.4; charset=utf-8", .make_raw = options_.metrics()});
}

void Service::NodeStatus(const CallPointer&, Done done) {
  Document status = Document::Object();
  Status const ready = options_.ready();
  status.Add("ready", Document::Bool(ready.ok()));
  if (!ready.ok()) {
    status.Add("missing", Document::String(ready.message()));
  }
  status.Add("collections", Document::Unsigned(gateway_.catalog().List().size()));
  status.Add("open_transactions", Document::Unsigned(gateway_.open_transaction_count()));
  done({.document = std::move(status)});
}

}  // namespace orochi::kv::http
