// Any bytes as a call of the chogori dialect, with a transaction open: it is answered once, with
// HTTP 200 and [[code, message], response] in MessagePack, where the code is one of the dialect's.
#include <algorithm>
#include <array>
#include <string>

#include "codec/testing/fuzz_input.h"
#include "kv/http/access.h"
#include "kv/http/dialect.h"
#include "kv/http/testing/event_service.h"
#include "kv/wire/message_pack.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::kv;
  namespace http = orochi::kv::http;
  using orochi::codec::testing::Require;
  if (size_bytes < 1) {
    return 0;
  }
  http::testing::EventService service;
  // Its timestamp is the same each time, so that the corpus knows it.
  http::Request begin{.method = "POST",
                      .path = "/api/TxnBegin",
                      .content_type = "application/x-msgpack",
                      .body = std::string("\x91\x93\x01\x01\xc2", 5)};
  Require(service.Ask(std::move(begin)).dialect_status == 201, "a transaction is open");
  std::vector<std::string_view> const verbs = http::Dialect::VerbNames();
  http::Request request{
      .method = "POST",
      .path = "/api/" + std::string(verbs[data[0] % verbs.size()]),
      .content_type = "application/x-msgpack",
      .body = std::string(reinterpret_cast<const char*>(data) + 1, size_bytes - 1)};
  if (auto const call = http::ReadCall(request); call.ok()) {
    static_cast<void>(http::NeedsOf(*call));
  }
  http::Reply const reply = service.Ask(std::move(request));
  constexpr std::array kCodes = {200, 201, 400, 403, 404, 409, 410, 412, 422, 500, 503};
  Require(reply.status == 200, "HTTP says 200");
  Require(std::find(kCodes.begin(), kCodes.end(), reply.dialect_status) != kCodes.end(),
          "the code is one of the dialect's");
  auto const answer = ParseMessagePack(reply.raw, {});
  Require(answer.ok() && answer->kind == Document::Kind::kArray && answer->items.size() == 2 &&
              answer->items[0].items.size() == 2,
          "[[code, message], response]");
  return 0;
}
