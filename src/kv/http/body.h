#pragma once

#include "base/result.h"
#include "kv/http/message.h"

namespace orochi::kv::http {

/// Reads a request's target and body. Threads: any. kUnsupported for a content type that is not
/// known, kPermissionDenied for pages in browsers, kInvalidArgument with the path for a body that
/// is none. Of the dialect nothing is refused: its errors are answers.
Result<Call> ReadCall(Request request);

/// Threads: any.
Response WriteReply(const Reply& reply, WireForm form);

/// Which form the answer to a request is to have, also to one that cannot be read.
WireForm ReplyForm(const Request& request);

inline constexpr std::string_view kDialectPath = "/api";
inline constexpr std::string_view kKeysPath = "/v1/api/keys/";

}  // namespace orochi::kv::http
