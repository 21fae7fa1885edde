#include "pg/am/columnar/table_options.h"

#include "pg/am/columnar/option_catalog.h"
#include "pg/settings.h"

extern "C" {
#include "catalog/partition.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace orochi::pg {
namespace {

const char* JoinOrder(Datum order_by) {
  int count = 0;
  char** const elements = option_catalog::OrderElements(order_by, &count);
  StringInfoData text;
  initStringInfo(&text);
  for (int index = 0; index < count; ++index) {
    appendStringInfo(&text, "%s%s", index == 0 ? "" : ", ", elements[index]);
  }
  return text.data;
}

int CompressionNumber(Oid relation_id, Datum name) {
  const char* const found = TextDatumGetCString(name);
  for (int number = 0; number <= static_cast<int>(codec::Compression::kZstd); ++number) {
    if (codec::CompressionName(static_cast<codec::Compression>(number)) == found) {
      return number;
    }
  }
  ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                  errmsg("orochi.columnar_option has compression \"%s\" for table \"%s\"", found,
                         get_rel_name(relation_id)),
                  errdetail("Expected none, lz4 or zstd."),
                  errhint("Repair it with set_columnar_options.")));
  return 0;
}

// What `relation_id` chose and nothing nearer did.
void AddChoices(Oid relation_id, TableOptions* out) {
  option_catalog::Row const row = option_catalog::Read(relation_id);
  for (int index = 0; index < kColumnarOptionCount; ++index) {
    if (row.nulls[index] || OidIsValid(out->chosen_for[index])) {
      continue;
    }
    out->chosen_for[index] = relation_id;
    Datum const value = row.values[index];
    switch (static_cast<ColumnarOption>(index)) {
      case ColumnarOption::kOrderBy:
        out->order_by = JoinOrder(value);
        break;
      case ColumnarOption::kCompression:
        out->compression = CompressionNumber(relation_id, value);
        break;
      case ColumnarOption::kLevel:
        out->level = DatumGetInt32(value);
        break;
      case ColumnarOption::kRowGroupRows:
        out->row_group_rows = DatumGetInt32(value);
        break;
      case ColumnarOption::kStripeRows:
        out->stripe_rows = DatumGetInt32(value);
        break;
    }
  }
}

}  // namespace

TableOptions OptionsOf(Relation relation) noexcept {
  Oid const rewritten = relation->rd_rel->relrewrite;
  Oid const relation_id = OidIsValid(rewritten) ? rewritten : RelationGetRelid(relation);
  TableOptions options = {};
  AddChoices(relation_id, &options);
  bool const is_partition = OidIsValid(rewritten) ? get_rel_relispartition(relation_id)
                                                  : relation->rd_rel->relispartition;
  if (is_partition) {
    ListCell* cell = nullptr;
    foreach (cell, get_partition_ancestors(relation_id)) {  // nearest first
      AddChoices(lfirst_oid(cell), &options);
    }
  }
  return options;
}

columnar::StripeOptions StripeOptionsOf(Relation relation) noexcept {
  TableOptions const chosen = OptionsOf(relation);
  auto const pick = [&](ColumnarOption option, int value, int setting) {
    return OidIsValid(chosen.chosen(option)) ? value : setting;
  };
  columnar::StripeOptions options;
  options.stripe_rows = static_cast<uint32_t>(
      pick(ColumnarOption::kStripeRows, chosen.stripe_rows, settings.columnar_stripe_rows));
  options.row_group_rows =
      std::min(static_cast<uint32_t>(pick(ColumnarOption::kRowGroupRows, chosen.row_group_rows,
                                          settings.columnar_row_group_rows)),
               options.stripe_rows);
  options.compression = static_cast<codec::Compression>(
      pick(ColumnarOption::kCompression, chosen.compression, settings.columnar_compression));
  options.compression_level =
      pick(ColumnarOption::kLevel, chosen.level, settings.columnar_compression_level);
  return options;
}

}  // namespace orochi::pg
