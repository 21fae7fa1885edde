// Any bytes read as what a partition's state is made of: batches, intents, records. What was read
// is written and read again, and is the same bytes.
#include "codec/testing/fuzz_input.h"
#include "kv/engine/write_batch.h"
#include "kv/mvcc/intent.h"
#include "kv/txn/record.h"

namespace {

void RequireSame(std::string_view written, const std::string& again) {
  orochi::codec::testing::Require(written.size() >= again.size(), "no encoding grows");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::kv;
  using orochi::codec::testing::Require;
  std::string_view const bytes(reinterpret_cast<const char*>(data), size_bytes);
  if (auto const batch = WriteBatch::Decode(bytes); batch.ok()) {
    std::string const again = batch->Encode();
    RequireSame(bytes, again);
    Require(WriteBatch::Decode(again)->Encode() == again, "a batch survives");
  }
  if (auto const intent = Intent::Decode("key", bytes); intent.ok()) {
    std::string const again = intent->Encode();
    RequireSame(bytes, again);
    Require(Intent::Decode("key", again)->Encode() == again, "an intent survives");
  }
  if (auto const record = TransactionRecord::Decode(bytes); record.ok()) {
    std::string const again = record->Encode();
    RequireSame(bytes, again);
    Require(TransactionRecord::Decode(again)->Encode() == again, "a record survives");
  }
  return 0;
}
