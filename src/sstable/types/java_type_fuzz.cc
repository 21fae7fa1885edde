// Any text read as a class string: it is refused, or its own spelling is a fixed point; values of
// the type, whatever their bytes, compare equal to themselves.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "sstable/types/compare.h"
#include "sstable/types/java_type.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/value_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi;
  using namespace orochi::sstable;
  std::string_view const input(reinterpret_cast<const char*>(data), size_bytes);
  size_t const newline = input.find('\n');
  Result<TypeRef> const type = ParseJavaType(input.substr(0, newline));
  if (!type.ok()) {
    return 0;
  }
  std::string const name = JavaTypeName(**type);
  Result<TypeRef> const again = ParseJavaType(name);
  ASSERT(again.ok());
  ASSERT(JavaTypeName(**again) == name);
  ASSERT(SameType(**type, **again));
  if (newline != std::string_view::npos) {
    std::string_view const value = input.substr(newline + 1);
    std::string text;
    for (auto* const append : {AppendJson, AppendKeyText, AppendCqlshText, AppendCqlLiteral}) {
      Status const status = append(**type, AsBytes(value), text);
      ASSERT(status.ok() || status.code() == StatusCode::kCorruption);
    }
    ValidateValue(**type, AsBytes(value)).IgnoreError("most bytes are no value");
    std::string_view const other = value.substr(value.size() / 2);
    ASSERT(CompareValues(**type, AsBytes(value), AsBytes(value)) == 0);
    int const order = CompareValues(**type, AsBytes(value), AsBytes(other));
    int const back = CompareValues(**type, AsBytes(other), AsBytes(value));
    ASSERT((order < 0) == (back > 0) && (order == 0) == (back == 0));
  }
  return 0;
}
