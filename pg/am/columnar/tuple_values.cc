#include "pg/am/columnar/tuple_values.h"

extern "C" {
#include "utils/rel.h"
}

namespace orochi::pg {
namespace tuple_values {
namespace {

uint16_t AlignmentBytes(char alignment) noexcept {
  switch (alignment) {
    case TYPALIGN_CHAR:
      return 1;
    case TYPALIGN_SHORT:
      return ALIGNOF_SHORT;
    case TYPALIGN_INT:
      return ALIGNOF_INT;
    default:
      return ALIGNOF_DOUBLE;
  }
}

}  // namespace

Layout LayoutOf(const FormData_pg_attribute& attribute) noexcept {
  return {.length = attribute.attlen, .alignment_bytes = AlignmentBytes(attribute.attalign)};
}

uint32_t SizeBytes(int16_t type_length, const char* value, uint32_t limit_bytes) noexcept {
  if (limit_bytes == 0) {
    return 1;
  }
  if (type_length == -2) {
    return static_cast<uint32_t>(strnlen(value, limit_bytes)) + 1;
  }
  if (VARATT_IS_EXTERNAL(value)) {  // other kinds than a TOAST pointer are never stored
    bool const is_toast = limit_bytes >= TOAST_POINTER_SIZE && VARATT_IS_EXTERNAL_ONDISK(value);
    return is_toast ? static_cast<uint32_t>(TOAST_POINTER_SIZE) : limit_bytes + 1;
  }
  if (VARATT_IS_1B(value)) {
    return VARSIZE_1B(value);
  }
  bool const is_compressed = VARATT_IS_4B_C(value);
  uint32_t const header_bytes = is_compressed ? VARHDRSZ_COMPRESSED : VARHDRSZ;
  if (limit_bytes < header_bytes || VARSIZE_4B(value) < header_bytes) {
    return limit_bytes + 1;
  }
  return VARSIZE_4B(value);
}

AttrNumber FindDamage(TupleDesc descriptor, const HeapTupleData& tuple) noexcept {
  uint32_t offset = tuple.t_data->t_hoff;
  return Walk(
      tuple.t_data, tuple.t_len, 1, static_cast<AttrNumber>(descriptor->natts),
      [descriptor](AttrNumber attribute) {
        return LayoutOf(*TupleDescAttr(descriptor, attribute - 1));
      },
      &offset, [](AttrNumber, uint32_t) {}, [](AttrNumber, Absence) {});
}

}  // namespace tuple_values

void StoreTuple(Relation relation, HeapTuple tuple, TupleTableSlot* slot) noexcept {
  AttrNumber const damaged = tuple_values::FindDamage(slot->tts_tupleDescriptor, *tuple);
  if (damaged != 0) [[unlikely]] {
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                    errmsg("columnar table \"%s\", block %u, item %d, column \"%s\": a value that "
                           "ends in the tuple of %u bytes expected, found one that does not",
                           RelationGetRelationName(relation),
                           ItemPointerGetBlockNumberNoCheck(&tuple->t_self),
                           static_cast<int>(ItemPointerGetOffsetNumberNoCheck(&tuple->t_self)),
                           NameStr(TupleDescAttr(slot->tts_tupleDescriptor, damaged - 1)->attname),
                           tuple->t_len)));
  }
  ExecForceStoreHeapTuple(tuple, slot, false);
  slot->tts_tid = tuple->t_self;
  slot->tts_tableOid = RelationGetRelid(relation);
}

}  // namespace orochi::pg
