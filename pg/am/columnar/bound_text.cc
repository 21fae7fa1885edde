#include "pg/am/columnar/bound_text.h"

extern "C" {
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"
}

namespace orochi::pg {

text* BoundText(const ColumnType& type, const columnar::ChunkStatistics& statistics,
                bool is_max) noexcept {
  if (!statistics.has_range) {
    return nullptr;
  }
  if (type.ordered_as_stored) {
    Oid output;
    bool is_varlena;
    getTypeOutputInfo(type.type_id, &output, &is_varlena);
    Datum const value = DatumOfWord(type, is_max ? statistics.max_word : statistics.min_word);
    return cstring_to_text(OidOutputFunctionCall(output, value));
  }
  bool const is_text =
      type.type_id == TEXTOID || type.type_id == VARCHAROID || type.type_id == BPCHAROID;
  const std::string& bound = is_max ? statistics.max_bytes : statistics.min_bytes;
  if (!is_text || (is_max ? statistics.max_truncated : statistics.min_truncated)) {
    return nullptr;
  }
  // From disk: never assume it is valid text.
  auto const size = static_cast<int>(bound.size());
  if (!pg_verifymbstr(bound.data(), size, true)) {
    return nullptr;
  }
  return cstring_to_text_with_len(bound.data(), size);
}

}  // namespace orochi::pg
