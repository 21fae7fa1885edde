// Any bytes as a response of HTTP and as MessagePack: they are taken or refused, the same whether
// they come at once or one by one; what is taken as MessagePack is written and reads the same.
#include <string>

#include "codec/testing/fuzz_input.h"
#include "kv/client/http_message.h"
#include "kv/client/message_pack.h"

namespace {

using orochi::codec::testing::Require;
using orochi::kv::client::HttpResponse;
using orochi::kv::client::ResponseReader;

struct Read {
  bool refused = false;
  bool done = false;
  HttpResponse response = {};
};

Read ReadInSteps(const std::string& bytes, size_t step_bytes) {
  ResponseReader reader;
  Read read;
  for (size_t at = 0; at < bytes.size() && !reader.done();) {
    auto const used = reader.Take(std::string_view(bytes).substr(at, step_bytes));
    if (!used.ok()) {
      read.refused = true;
      return read;
    }
    Require(*used > 0, "each step takes some bytes");
    at += *used;
  }
  read.done = reader.End().ok();
  if (read.done) {
    read.response = reader.TakeResponse();
  }
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::kv::client;
  std::string const bytes(reinterpret_cast<const char*>(data), size_bytes);
  Read const whole = ReadInSteps(bytes, bytes.size());
  Read const slow = ReadInSteps(bytes, 1);
  Require(whole.refused == slow.refused && whole.done == slow.done &&
              whole.response.body == slow.response.body &&
              whole.response.status == slow.response.status,
          "a response is the same however it comes");
  auto const value = ReadMessagePack(bytes);
  if (value.ok()) {
    std::string const written = WriteMessagePack(*value);
    auto const again = ReadMessagePack(written);
    Require(again.ok() && WriteMessagePack(*again) == written, "MessagePack survives");
  }
  return 0;
}
