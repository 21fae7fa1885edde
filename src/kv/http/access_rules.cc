// What requests need, and how tokens are written down.

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <utility>

#include "base/str_cat.h"
#include "kv/http/access.h"
#include "kv/http/body.h"
#include "kv/wire/json.h"
#include "kv/wire/message_pack.h"
#include "kv/wire/place.h"

namespace orochi::kv::http {
namespace {

constexpr std::string_view kKeysCollection = "keys";
constexpr size_t kTokenCountMax = 10'000;
constexpr size_t kGrantCountMax = 1'000;

// Of a member or an item that is a name; whatever else it is, the request will fail.
void AddNamed(const Document* name, Right right, std::vector<Need>& needs) {
  if (name != nullptr &&
      (name->kind == Document::Kind::kString || name->kind == Document::Kind::kBytes) &&
      !name->text.empty()) {
    needs.push_back({.right = right, .collection = name->text});
  }
}

const Document* ItemOf(const Document& document, size_t index) {
  return document.kind == Document::Kind::kArray && index < document.items.size()
             ? &document.items[index]
             : nullptr;
}

const Document* MemberOf(const Document& document, std::string_view name) {
  return document.kind == Document::Kind::kObject ? document.Find(name) : nullptr;
}

// Of the operation itself, and of those in its list.
void AddOperations(const Document& body, Right own, std::vector<Need>& needs) {
  AddNamed(MemberOf(body, "collection"), own, needs);
  for (auto const& [list, right] :
       {std::pair("reads", Right::kRead), std::pair("writes", Right::kWrite)}) {
    const Document* const items = MemberOf(body, list);
    for (size_t index = 0; items != nullptr && index < items->items.size(); ++index) {
      AddNamed(MemberOf(items->items[index], "collection"), right, needs);
    }
  }
}

// By position, as the dialect has them.
std::vector<Need> DialectNeeds(const Call& call) {
  std::vector<Need> needs;
  auto const body = ParseMessagePack(call.raw, {});
  if (call.segments.size() != 2 || !body.ok()) {
    return needs;
  }
  const std::string& verb = call.segments[1];
  if (verb == "CreateCollection") {
    const Document* const metadata = ItemOf(*body, 0);
    AddNamed(metadata == nullptr ? nullptr : ItemOf(*metadata, 0), Right::kAdmin, needs);
  } else if (verb == "DropCollection" || verb == "CreateSchema") {
    AddNamed(ItemOf(*body, 0), Right::kAdmin, needs);
  } else if (verb == "GetSchema") {
    AddNamed(ItemOf(*body, 0), Right::kRead, needs);
  } else if (verb == "Read" || verb == "CreateQuery") {
    AddNamed(ItemOf(*body, 1), Right::kRead, needs);
  } else if (verb == "Write") {
    AddNamed(ItemOf(*body, 1), Right::kWrite, needs);
  }
  return needs;
}

std::vector<Need> CollectionNeeds(const Call& call) {
  bool const reads = call.method == "GET";
  Right const right = reads ? Right::kRead : Right::kAdmin;
  if (call.segments.size() >= 3) {
    return {{.right = right, .collection = call.segments[2]}};
  }
  if (reads) {
    return {{.right = Right::kRead}};
  }
  std::vector<Need> needs;
  AddNamed(MemberOf(call.body, "name"), Right::kAdmin, needs);
  return needs;
}

// "2027-01-01T00:00:00Z"
Result<int64_t> TimeFrom(const Place& place) {
  ASSIGN_OR_RETURN(std::string const text, place.Text());
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int length = 0;
  bool const read = std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2dZ%n", &year, &month, &day,
                                &hour, &minute, &second, &length) == 6;
  std::chrono::year_month_day const date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  bool const right = read && static_cast<size_t>(length) == text.size() && text.size() == 20 &&
                     date.ok() && hour >= 0 && hour < 24 && minute >= 0 && minute < 60 &&
                     second >= 0 && second < 60;
  if (!right) {
    return place.Fail(StrCat("found '", text, "', expected a time as in 2027-01-01T00:00:00Z"));
  }
  int64_t const days = std::chrono::sys_days(date).time_since_epoch().count();
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1'000'000;
}

Result<Digest> DigestFrom(const Place& place) {
  ASSIGN_OR_RETURN(std::string const text, place.Text());
  Digest digest;
  bool right = text.size() == 2 * digest.size();
  for (size_t index = 0; right && index < digest.size(); ++index) {
    const char* const begin = text.data() + 2 * index;
    auto const [end, error] = std::from_chars(begin, begin + 2, digest[index], 16);
    right = error == std::errc() && end == begin + 2;
  }
  return right ? Result<Digest>(digest)
               : place.Fail("expected the SHA-256 of the token, in 64 hexadecimal digits");
}

Result<Right> RightFrom(const Place& place) {
  ASSIGN_OR_RETURN(std::string const text, place.Text());
  for (Right const right : {Right::kRead, Right::kWrite, Right::kAdmin}) {
    if (text == RightName(right)) {
      return right;
    }
  }
  return place.Fail(StrCat("found '", text, "', expected read, write or admin"));
}

Result<Token> TokenFrom(const Place& place) {
  RETURN_IF_ERROR(place.CheckObject({"name", "sha256", "expires", "rights"}));
  Token token;
  ASSIGN_OR_RETURN(Place const name, place.Member("name"));
  ASSIGN_OR_RETURN(token.name, name.Text());
  if (token.name.empty()) {
    return name.Fail("found an empty name");
  }
  ASSIGN_OR_RETURN(Place const digest, place.Member("sha256"));
  ASSIGN_OR_RETURN(token.digest, DigestFrom(digest));
  if (place.Has("expires")) {
    ASSIGN_OR_RETURN(Place const expires, place.Member("expires"));
    ASSIGN_OR_RETURN(token.expires_us, TimeFrom(expires));
  }
  ASSIGN_OR_RETURN(Place const rights, place.Member("rights"));
  if (rights.kind() != Document::Kind::kObject) {
    return rights.FailKind("an object");
  }
  if (rights.item_count() > kGrantCountMax) {
    return rights.Fail(StrCat("found ", rights.item_count(), " rights, at most ", kGrantCountMax));
  }
  for (size_t index = 0; index < rights.item_count(); ++index) {
    ASSIGN_OR_RETURN(Right const right, RightFrom(rights.Item(index)));
    token.grants.push_back({.collections = rights.document().names[index], .right = right});
    if (token.grants.back().collections.empty()) {
      return rights.Item(index).Fail("found an empty pattern of collections");
    }
  }
  return token;
}

}  // namespace

bool IsOpenToAll(std::string_view method, std::string_view path) {
  return method == "GET" &&
         (path == "/healthz" || path == "/readyz" || path == "/v1/api/readiness");
}

std::vector<Need> NeedsOf(const Call& call) {
  if (call.kind == BodyKind::kDialect) {
    return DialectNeeds(call);
  }
  if (call.kind == BodyKind::kRaw) {
    return {{.right = call.method == "GET" ? Right::kRead : Right::kWrite,
             .collection = std::string(kKeysCollection)}};
  }
  const std::vector<std::string>& segments = call.segments;
  bool const has_area = segments.size() >= 2 && segments[0] == "v1";
  std::string_view const area = has_area ? std::string_view(segments[1]) : std::string_view();
  std::vector<Need> needs;
  if (area == "collections") {
    return CollectionNeeds(call);
  }
  if (area == "read" || area == "query") {
    AddOperations(call.body, Right::kRead, needs);
    return needs;
  }
  if (area == "write") {
    AddOperations(call.body, Right::kWrite, needs);
    return needs;
  }
  if (area == "txn") {
    bool const writes = segments.size() == 4 && segments[3] == "write";
    AddOperations(call.body, writes ? Right::kWrite : Right::kRead, needs);
    return needs;
  }
  if (call.method == "GET" && (area == "status" || call.path == "/metrics")) {
    return needs;
  }
  // Of the cluster, and whatever comes later.
  return {{.right = call.method == "GET" ? Right::kRead : Right::kAdmin}};
}

Result<std::vector<Token>> ParseTokens(std::string_view json) {
  ASSIGN_OR_RETURN(Document const document, ParseJson(json, {}));
  Place const place(document);
  if (place.kind() != Document::Kind::kObject) {
    return place.FailKind("an object");
  }
  RETURN_IF_ERROR(place.CheckObject({"tokens"}));
  ASSIGN_OR_RETURN(Place const list, place.Member("tokens"));
  RETURN_IF_ERROR(list.CheckArray());
  if (list.item_count() > kTokenCountMax) {
    return list.Fail(StrCat("found ", list.item_count(), " tokens, at most ", kTokenCountMax));
  }
  std::vector<Token> tokens;
  for (size_t index = 0; index < list.item_count(); ++index) {
    ASSIGN_OR_RETURN(Token token, TokenFrom(list.Item(index)));
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace orochi::kv::http
