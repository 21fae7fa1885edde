#include "kv/http/route_names.h"

#include <algorithm>
#include <string>

#include "base/str_cat.h"
#include "kv/http/body.h"
#include "kv/http/dialect.h"
#include "kv/http/service.h"

namespace orochi::kv::http {
namespace {

struct NamedRoute {
  Service::RoutePattern pattern;
  std::string name;
};

struct Names {
  std::vector<NamedRoute> routes;
  std::string keys = StrCat(kKeysPath, "{}");
  std::string dialect{kDialectPath};
  std::vector<std::string> verbs;

  Names() {
    for (Service::RoutePattern& pattern : Service::RoutePatterns()) {
      std::string name;
      for (std::string_view const segment : pattern.segments) {
        name += StrCat("/", segment == "*" ? "{}" : segment);
      }
      routes.push_back({.pattern = std::move(pattern), .name = std::move(name)});
    }
    for (std::string_view const verb : Dialect::VerbNames()) {
      verbs.push_back(StrCat(kDialectPath, "/", verb));
    }
  }
};

const Names& AllNames() {
  static const Names names;
  return names;
}

bool Fits(const Service::RoutePattern& pattern, std::string_view path) {
  for (std::string_view const segment : pattern.segments) {
    if (!path.starts_with('/')) {
      return false;
    }
    path.remove_prefix(1);
    size_t const end = std::min(path.find('/'), path.size());
    if (segment != "*" && path.substr(0, end) != segment) {
      return false;
    }
    path.remove_prefix(end);
  }
  return path.empty();
}

}  // namespace

std::string_view RouteOf(std::string_view method, std::string_view path) {
  const Names& names = AllNames();
  if (path.starts_with(kKeysPath)) {
    return names.keys;
  }
  if (path == kDialectPath) {
    return names.dialect;
  }
  for (const std::string& verb : names.verbs) {
    if (path == verb) {
      return verb;
    }
  }
  for (const NamedRoute& route : names.routes) {
    if (route.pattern.method == method && Fits(route.pattern, path)) {
      return route.name;
    }
  }
  return kNoRoute;
}

std::vector<std::string_view> RouteNames() {
  const Names& names = AllNames();
  std::vector<std::string_view> all = {kNoRoute, names.keys, names.dialect};
  for (const NamedRoute& route : names.routes) {
    all.emplace_back(route.name);
  }
  all.insert(all.end(), names.verbs.begin(), names.verbs.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void TakeOutcome(const Reply& reply, Served& served) {
  served.status = reply.dialect_status > 0 ? reply.dialect_status : reply.status;
  if (served.status < 400) {
    return;
  }
  served.message = reply.dialect_message;
  if (reply.document.kind != Document::Kind::kObject) {
    return;
  }
  if (const Document* const code = reply.document.Find("code"); code != nullptr) {
    served.code = code->text;
  }
  if (const Document* const message = reply.document.Find("message"); message != nullptr) {
    served.message = message->text;
  }
}

}  // namespace orochi::kv::http
