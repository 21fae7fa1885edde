#include "kv/http/body.h"

#include "base/str_cat.h"
#include "kv/wire/json.h"
#include "kv/wire/message_pack.h"

namespace orochi::kv::http {
namespace {

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kMessagePackType = "application/x-msgpack";

std::string_view MediaType(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (!content_type.empty() && content_type.back() == ' ') {
    content_type.remove_suffix(1);
  }
  return content_type;
}

bool IsMessagePack(std::string_view type) {
  return type == kMessagePackType || type == "application/msgpack" ||
         type == "application/vnd.msgpack";
}

std::vector<std::string> SegmentsOf(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // a slash
    size_t const end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

BodyKind KindOf(std::string_view path) {
  if (path == kDialectPath || path.starts_with(StrCat(kDialectPath, "/"))) {
    return BodyKind::kDialect;
  }
  return path.starts_with(kKeysPath) ? BodyKind::kRaw : BodyKind::kDocument;
}

}  // namespace

WireForm ReplyForm(const Request& request) {
  if (request.accept.find("msgpack") != std::string::npos) {
    return WireForm::kMessagePack;
  }
  bool const says = request.accept.find("json") != std::string::npos;
  if (!says && IsMessagePack(MediaType(request.content_type))) {
    return WireForm::kMessagePack;
  }
  auto const integers = request.parameters.find("integers");
  return integers != request.parameters.end() && integers->second == "strings"
             ? WireForm::kJsonIntegersAsStrings
             : WireForm::kJson;
}

Result<Call> ReadCall(Request request) {
  Call call{.method = std::move(request.method),
            .path = std::move(request.path),
            .parameters = request.parameters,
            .reply_form = ReplyForm(request)};
  if (call.path.empty() || call.path[0] != '/') {
    return Status::InvalidArgument("the path does not begin with a slash");
  }
  call.segments = SegmentsOf(call.path);
  call.kind = KindOf(call.path);
  if (request.has_origin && call.method != "GET") {
    return Status::PermissionDenied("requests with an Origin header may only read");
  }
  std::string_view const type = MediaType(request.content_type);
  if (call.kind == BodyKind::kRaw) {
    call.raw = std::move(request.body);
    return call;
  }
  if (call.kind == BodyKind::kDialect) {  // its own rules about types and damage
    call.form = IsMessagePack(type) ? WireForm::kMessagePack : WireForm::kJson;
    call.raw = std::move(request.body);
    return call;
  }
  if (request.body.empty()) {
    return call;
  }
  if (type == kJsonType) {
    ASSIGN_OR_RETURN(call.body, ParseJson(request.body, {}));
  } else if (IsMessagePack(type)) {
    call.form = WireForm::kMessagePack;
    ASSIGN_OR_RETURN(call.body, ParseMessagePack(request.body, {}));
  } else {
    return Status::Unsupported(StrCat("found a body of type '", type, "', expected ", kJsonType,
                                      " or ", kMessagePackType))
        .WithHint("curl says it with -H 'Content-Type: application/json'");
  }
  return call;
}

Response WriteReply(const Reply& reply, WireForm form) {
  Response response{.status = reply.status};
  response.headers = reply.headers;
  if (!reply.raw_type.empty()) {
    response.content_type = reply.raw_type;
    response.body = reply.raw;
  } else if (form == WireForm::kMessagePack) {
    response.content_type = kMessagePackType;
    response.body = WriteMessagePack(reply.document);
  } else {
    response.content_type = kJsonType;
    response.body = WriteJson(reply.document);
    response.body.push_back('\n');
  }
  if (reply.retry_after_s > 0) {
    response.headers.emplace_back("Retry-After", std::to_string(reply.retry_after_s));
  }
  return response;
}

}  // namespace orochi::kv::http
