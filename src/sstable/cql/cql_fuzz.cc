// Any text read as a script, a statement, a type and a value: it is refused with a position or
// read, and what reads as one statement reads as a script of one.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "sstable/cql/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi;
  std::string_view const text(reinterpret_cast<const char*>(data), size_bytes);
  auto const script = sstable::cql::ParseScript(text);
  auto const statement = sstable::cql::ParseStatement(text);
  if (statement.ok()) {
    ASSERT(script.ok() && script->size() == 1);
  }
  for (const Status& status :
       {script.status(), statement.status(), sstable::cql::ParseType(text).status(),
        sstable::cql::ParseTerm(text).status()}) {
    ASSERT(status.ok() || status.code() == StatusCode::kInvalidArgument);
  }
  return 0;
}
