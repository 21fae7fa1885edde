// Any text as a script of CREATE and ALTER statements: refused with a reason, or tables whose
// description makes the same tables again.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "sstable/schema/table_schema.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi;
  using namespace orochi::sstable;
  std::string_view const text(reinterpret_cast<const char*>(data), size_bytes);
  auto const tables = TablesFromCql(text, "ks");
  if (!tables.ok()) {
    ASSERT(tables.status().code() == StatusCode::kInvalidArgument);
    return 0;
  }
  for (const TableSchema& table : *tables) {
    std::string const described = DescribeTable(table);
    auto const again = TablesFromCql(described, table.keyspace);
    ASSERT(again.ok() && again->size() == 1);
    ASSERT(DescribeTable(again->front()) == described);
    ASSERT(CheckLayout(again->front(), LayoutOf(table, Partitioner::kMurmur3), "files").ok());
  }
  return 0;
}
