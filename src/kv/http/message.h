#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kv/wire/document.h"
#include "kv/wire/value_document.h"

namespace orochi::kv::http {

/// What came over HTTP, before anything is made of it.
struct Request {
  std::string method;
  std::string path;  // percent-decoded, without parameters
  std::map<std::string, std::string> parameters = {};
  std::string content_type = {};
  std::string accept = {};
  bool has_origin = false;  // a browser's page sent it
  std::string body = {};
};

struct Response {
  int status = 200;
  std::string content_type = {};
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
};

enum class BodyKind : uint8_t { kDocument, kDialect, kRaw };

/// A request read: what the loop that owns the gateway works with.
struct Call {
  std::string method = {};
  std::string path = {};
  std::vector<std::string> segments = {};  // of the path
  std::map<std::string, std::string> parameters = {};
  BodyKind kind = BodyKind::kDocument;
  WireForm form = WireForm::kJson;        // of the body
  WireForm reply_form = WireForm::kJson;  // asked for
  Document body = {};                     // kNull when there is none
  std::string raw = {};                   // kRaw
  std::string user = {};                  // whom the request's token names; empty: nobody
};

/// What is answered, before it is made bytes. `status` is HTTP's.
struct Reply {
  int status = 200;
  Document document = {};
  std::string raw = {};  // instead of the document, when raw_type is not empty
  std::string raw_type = {};
  int retry_after_s = 0;  // 0: nothing is said about it
  std::vector<std::pair<std::string, std::string>> headers = {};
  int dialect_status = 0;  // of the dialect: the code within the answer
  std::string dialect_message = {};
  /// Makes `raw` on the connection's thread, of what was gathered on the loop.
  std::function<std::string()> make_raw = {};
};
using Done = std::function<void(Reply)>;

/// A request as it was answered: for metrics and logs.
struct Served {
  std::string method = {};
  std::string path = {};
  std::string_view route = {};  // one of RouteNames()
  int status = 0;               // of the dialect the one within the answer
  std::string code = {};        // of the error; empty: none
  std::string message = {};     // likewise
  std::string request_id = {};
  std::string trace_id = {};  // empty: the client has none
  std::string client = {};    // its address; empty over a Unix socket
  std::string user = {};      // its token's name; empty without one
  int64_t duration_ns = 0;
  size_t request_size_bytes = 0;
  size_t reply_size_bytes = 0;
};

}  // namespace orochi::kv::http
