// Any bytes as the body of any request of /v1, in JSON and MessagePack: it is answered once, with a
// status that is documented and a code where it failed, in the form that was asked for; and asking
// what rights it needs survives, too.
#include <array>
#include <string>

#include "codec/testing/fuzz_input.h"
#include "kv/http/access.h"
#include "kv/http/testing/event_service.h"

namespace {

using namespace orochi::kv::http;

struct Target {
  const char* method;
  const char* path;
};
constexpr std::array kTargets = {
    Target{"POST", "/v1/read"},
    Target{"POST", "/v1/write"},
    Target{"POST", "/v1/query"},
    Target{"POST", "/v1/txn"},
    Target{"POST", "/v1/txn/begin"},
    Target{"POST", "/v1/collections"},
    Target{"POST", "/v1/collections/shop/schemas"},
    Target{"POST", "/v1/txn/00112233445566778899aabbccddeeff-0000000000000001/write"},
    Target{"DELETE", "/v1/collections/nothing"},
    Target{"GET", "/v1/collections/shop/schemas/item"},
};

bool IsDocumented(int status) {
  constexpr std::array kStatuses = {200, 201, 400, 403, 404, 405, 409, 410,
                                    412, 413, 414, 415, 429, 503, 504};
  return std::find(kStatuses.begin(), kStatuses.end(), status) != kStatuses.end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using orochi::codec::testing::Require;
  if (size_bytes < 2) {
    return 0;
  }
  const Target& target = kTargets[data[0] % kTargets.size()];
  bool const packed = data[1] % 2 == 1;
  Request const request{
      .method = target.method,
      .path = target.path,
      .parameters = data[1] % 8 >= 6 ? std::map<std::string, std::string>{{"version", "1"}}
                                     : std::map<std::string, std::string>(),
      .content_type = packed ? "application/x-msgpack" : "application/json",
      .body = std::string(reinterpret_cast<const char*>(data) + 2, size_bytes - 2)};
  if (auto const call = ReadCall(request); call.ok()) {
    for (const Need& need : NeedsOf(*call)) {
      Require(need.collection.size() <= size_bytes + 8, "a name is one of the request's");
    }
  }
  testing::EventService service;
  Reply const reply = service.Ask(request);
  Require(IsDocumented(reply.status), "a documented status");
  if (reply.status >= 400) {
    auto const* const code = reply.document.Find("code");
    Require(code != nullptr && !code->text.empty(), "an error has a code");
  }
  for (auto const form : {orochi::kv::WireForm::kJson, orochi::kv::WireForm::kMessagePack}) {
    if (form == ReplyForm(request)) {
      Require(!WriteReply(reply, form).body.empty(), "it is written");
    }
  }
  return 0;
}
