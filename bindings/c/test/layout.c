/* Goal: structs and numbers of the interface stay what compiled callers have in them.
 * Method: their sizes and places on 64-bit systems, and the values of all constants that go into
 * calls, compared while compiling. */
#include <stddef.h>

#include "orochi_sstable.h"

#define PLACE(type, field, offset) \
  _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#define VALUE(name, value) _Static_assert((name) == (value), #name " has changed")

#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(orochi_sst_text) == 16, "");
_Static_assert(sizeof(orochi_sst_value) == 24, "");
_Static_assert(sizeof(orochi_sst_open_options) == 88, "");
_Static_assert(sizeof(orochi_sst_cursor_options) == 32, "");
_Static_assert(sizeof(orochi_sst_row) == 72, "");
_Static_assert(sizeof(orochi_sst_cell) == 64, "");
_Static_assert(sizeof(orochi_sst_writer_options) == 64, "");
PLACE(orochi_sst_value, size, 8);
PLACE(orochi_sst_value, is_set, 16);
PLACE(orochi_sst_open_options, schema_files, 8);
PLACE(orochi_sst_open_options, schema, 24);
PLACE(orochi_sst_open_options, table, 40);
PLACE(orochi_sst_open_options, keyspace, 56);
PLACE(orochi_sst_open_options, now_s, 72);
PLACE(orochi_sst_open_options, row_size_bytes_max, 80);
PLACE(orochi_sst_cursor_options, now_s, 8);
PLACE(orochi_sst_cursor_options, token_upto, 24);
PLACE(orochi_sst_row, timestamp_us, 8);
PLACE(orochi_sst_row, ttl_s, 24);
PLACE(orochi_sst_row, deleted_timestamp_us, 32);
PLACE(orochi_sst_row, closed_s, 56);
PLACE(orochi_sst_row, clustering_count, 64);
PLACE(orochi_sst_cell, path, 8);
PLACE(orochi_sst_cell, value, 24);
PLACE(orochi_sst_cell, timestamp_us, 40);
PLACE(orochi_sst_cell, ttl_s, 56);
PLACE(orochi_sst_writer_options, chunk_size_bytes, 12);
PLACE(orochi_sst_writer_options, table, 16);
PLACE(orochi_sst_writer_options, now_us, 48);
PLACE(orochi_sst_writer_options, partitioner, 56);
#endif

VALUE(OROCHI_SST_INVALID_ARGUMENT, -1);
VALUE(OROCHI_SST_NOT_FOUND, -2);
VALUE(OROCHI_SST_ALREADY_EXISTS, -3);
VALUE(OROCHI_SST_FAILED_PRECONDITION, -4);
VALUE(OROCHI_SST_OUT_OF_RANGE, -5);
VALUE(OROCHI_SST_RESOURCE_EXHAUSTED, -6);
VALUE(OROCHI_SST_CORRUPTION, -7);
VALUE(OROCHI_SST_IO_ERROR, -8);
VALUE(OROCHI_SST_UNSUPPORTED, -9);
VALUE(OROCHI_SST_PERMISSION_DENIED, -10);
VALUE(OROCHI_SST_INTERNAL, -11);
VALUE(OROCHI_SST_OUT_OF_MEMORY, -12);
VALUE(OROCHI_SST_TYPE_ASCII, 1);
VALUE(OROCHI_SST_TYPE_VARINT, 20);
VALUE(OROCHI_SST_TYPE_LIST, 32);
VALUE(OROCHI_SST_TYPE_VECTOR, 37);
VALUE(OROCHI_SST_TYPE_OTHER, 64);
VALUE(OROCHI_SST_OPEN_NO_CHECKSUMS, 1);
VALUE(OROCHI_SST_CURSOR_TOKENS, 1);
VALUE(OROCHI_SST_CURSOR_ALL, 2);
VALUE(OROCHI_SST_STEP_ROW, 1);
VALUE(OROCHI_SST_STEP_RANGE, 4);
VALUE(OROCHI_SST_BOUND_AFTER, 4);
VALUE(OROCHI_SST_CELL_EXPIRING, 2);
VALUE(OROCHI_SST_FORMAT_TEXT, 0);
VALUE(OROCHI_SST_FORMAT_CQL, 2);
VALUE(OROCHI_SST_VERSION_OA, 0);
VALUE(OROCHI_SST_VERSION_DA, 2);
VALUE(OROCHI_SST_COMPRESSION_SCHEMA, 0);
VALUE(OROCHI_SST_COMPRESSION_ZSTD, 5);
VALUE(OROCHI_SST_PARTITIONER_BYTE_ORDERED, 2);
