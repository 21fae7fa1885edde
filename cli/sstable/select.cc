#include "cli/sstable/select.h"

#include "cli/sstable/output.h"
#include "sstable/query/query.h"

namespace orochi::cli {

Status PrintSelect(const sstable::cql::Select& select, OpenTable& table, int64_t now_s,
                   ResultFormat format, const std::function<bool()>& interrupted) {
  if (table.schema.key_names_are_generated) {
    table.schema.table = select.from.table;  // files do not hold their table's name
  }
  sstable::MergedSource source(table.readers, table.schema, now_s);
  ASSIGN_OR_RETURN(auto const query,
                   sstable::Query::Plan(select, table.schema, source,
                                        {.now_s = now_s, .interrupted = interrupted}));
  std::unique_ptr<ResultWriter> const writer = MakeResultWriter(format);
  if (!select.explain) {
    RETURN_IF_ERROR(writer->Begin(query->columns()));
  }
  std::vector<sstable::Value> row;
  while (true) {
    ASSIGN_OR_RETURN(bool const found, query->Next(row));
    if (!found) {
      return select.explain ? WriteToStdout(query->Explain()) : writer->End();
    }
    if (!select.explain) {
      RETURN_IF_ERROR(writer->Row(row));
    }
  }
}

}  // namespace orochi::cli
