// Any bytes as an operation on a record, or its result: what decodes is written and reads the same,
// and evaluates to a row or a reason, or says what is wrong.
#include <string>

#include "codec/testing/fuzz_input.h"
#include "kv/operation/operation.h"
#include "kv/operation/record_rules.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::kv;
  using orochi::codec::testing::Require;
  std::string_view const bytes(reinterpret_cast<const char*>(data), size_bytes);
  RecordRules const rules;
  static_cast<void>(rules.Reads(bytes));
  if (auto const operation = DecodeOperation(bytes); operation.ok()) {
    auto const written = EncodeOperation(*operation);
    Require(written.ok() && written->size() <= bytes.size(), "what decodes is written, no longer");
    auto const again = DecodeOperation(*written);
    Require(again.ok() && *EncodeOperation(*again) == *written, "and reads the same");
    Require(rules.Reads(*written) == rules.Reads(bytes), "and looks at what it finds as before");
    // As a found record its own row, under a key that may be of its schema or not.
    std::optional<std::string> const found = operation->row;
    std::string const key("\0\0\0\1\0\0\0\2\2\1", 10);
    auto const evaluation = rules.Evaluate(bytes, {.key = key, .value = found});
    if (evaluation.ok()) {
      Require(DecodeOperationResult(evaluation->result).ok(), "its result is one");
    }
  }
  if (auto const result = DecodeOperationResult(bytes); result.ok()) {
    auto const again = DecodeOperationResult(EncodeOperationResult(*result));
    Require(again.ok() && *again == *result, "a result survives");
  }
  return 0;
}
