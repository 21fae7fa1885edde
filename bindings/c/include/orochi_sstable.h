/* Reads, queries, checks and writes SSTables of Apache Cassandra: the C interface, made to be
 * called from other languages. Plain C11; compiles as C++.
 *
 * Results   Functions that can fail return an int32_t: 0 or more is success (what more than 0 means
 *           is said there), less than 0 one of the codes below. Those that end in `error` put an
 *           orochi_sst_error there on failure and NULL on success; the argument may be NULL. What
 *           `*error` held before is overwritten, not freed.
 * Text      Always pointer and size in bytes, UTF-8 where it is text. What is passed in needs no
 *           final NUL and may be NULL where the size is 0; what comes back as `const char *` has a
 *           final NUL beside its size, and the size argument may be NULL.
 * Handles   Opaque. What a function hands out through a double pointer is the caller's, to be freed
 *           with the `_free` of its type; freeing NULL does nothing. A cursor keeps what it needs
 * of its table, so handles may be freed in any order. A handle must not be used after it was freed.
 * NULL      A NULL handle, or a NULL where a result would go, is OROCHI_SST_INVALID_ARGUMENT;
 *           functions that cannot fail answer 0, NULL or an empty text for it.
 * Threads   The library has no global state. A table, its types and its texts never change: any
 *           number of threads may use them. Cursors, writers, parts, reports and errors belong to
 *           one thread at a time.
 * Borrowed  Pointers that come out of a handle are valid as long as the handle, those of a cursor's
 *           row until the next call of orochi_sst_cursor_next or its `_free`.
 * Values    As Cassandra serialises them: big-endian numbers, UTF-8; collections, tuples and user
 *           types in their frozen form. orochi_sst_value_* takes them apart and makes them.
 * Structs   Begin with their size, which the caller sets: struct_size = sizeof(the struct). Later
 *           versions only add fields at the end, where 0 means what was meant before.
 * Callbacks There are none, no variable arguments, no errno, no locale, nothing printed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define OROCHI_SST_API __attribute__((visibility("default")))
#else
#define OROCHI_SST_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- version --------------------------------------------------------------------------------- */

/* Raised by one when functions or fields are added. What does not fit changes the SONAME. */
#define OROCHI_SST_ABI_VERSION 2

/* OROCHI_SST_ABI_VERSION of the library that runs, which may be later than the header's. */
OROCHI_SST_API uint32_t orochi_sst_abi_version(void);
/* "0.1": of the release. */
OROCHI_SST_API const char* orochi_sst_version(void);

/* ---- codes and errors ------------------------------------------------------------------------ */

#define OROCHI_SST_OK 0
#define OROCHI_SST_INVALID_ARGUMENT (-1)    /* can never work: bad CQL, NULL, a wrong type */
#define OROCHI_SST_NOT_FOUND (-2)           /* no such file, table or column */
#define OROCHI_SST_ALREADY_EXISTS (-3)      /* would overwrite */
#define OROCHI_SST_FAILED_PRECONDITION (-4) /* files do not fit the schema; called out of order */
#define OROCHI_SST_OUT_OF_RANGE (-5)        /* index, or a number that does not fit its target */
#define OROCHI_SST_RESOURCE_EXHAUSTED (-6)  /* disk full, row or result above its bound */
#define OROCHI_SST_CORRUPTION (-7)          /* damaged file; see file and offset of the error */
#define OROCHI_SST_IO_ERROR (-8)            /* the system failed a read or write */
#define OROCHI_SST_UNSUPPORTED (-9)         /* well-formed, but not known here */
#define OROCHI_SST_PERMISSION_DENIED (-10)
#define OROCHI_SST_INTERNAL (-11) /* a bug of the library */
#define OROCHI_SST_OUT_OF_MEMORY (-12)

typedef struct orochi_sst_error orochi_sst_error;

/* "corruption", ...; "unknown code" for other numbers. */
OROCHI_SST_API const char* orochi_sst_code_name(int32_t code);
OROCHI_SST_API int32_t orochi_sst_error_code(const orochi_sst_error* error);
/* One line, for people; it names the object, what was found and what was expected. */
OROCHI_SST_API const char* orochi_sst_error_text(const orochi_sst_error* error, size_t* size);
/* What to do about it; often empty. */
OROCHI_SST_API const char* orochi_sst_error_hint(const orochi_sst_error* error, size_t* size);
/* The file of an SSTable that it is about; empty where it is about none. */
OROCHI_SST_API const char* orochi_sst_error_file(const orochi_sst_error* error, size_t* size);
/* Where in that file, -1 where that is not known. */
OROCHI_SST_API int64_t orochi_sst_error_offset(const orochi_sst_error* error);
/* Where in CQL text: line from 1 and character in it from 0; 0 and -1 where it is not about any. */
OROCHI_SST_API int32_t orochi_sst_error_line(const orochi_sst_error* error);
OROCHI_SST_API int32_t orochi_sst_error_column(const orochi_sst_error* error);
OROCHI_SST_API void orochi_sst_error_free(orochi_sst_error* error);

/* ---- shapes ---------------------------------------------------------------------------------- */

/* Text passed in, where there are several. */
typedef struct orochi_sst_text {
  const char* data;
  size_t size;
} orochi_sst_text;

/* A value. Null has is_set 0; a value of no bytes has is_set 1 and size 0. */
typedef struct orochi_sst_value {
  const void* data;
  size_t size;
  int32_t is_set;
  int32_t reserved; /* 0 */
} orochi_sst_value;

/* Text or bytes made for the caller. */
typedef struct orochi_sst_string orochi_sst_string;
OROCHI_SST_API const char* orochi_sst_string_data(const orochi_sst_string* string, size_t* size);
OROCHI_SST_API void orochi_sst_string_free(orochi_sst_string* string);

/* ---- types ----------------------------------------------------------------------------------- */

#define OROCHI_SST_TYPE_ASCII 1
#define OROCHI_SST_TYPE_BIGINT 2
#define OROCHI_SST_TYPE_BLOB 3
#define OROCHI_SST_TYPE_BOOLEAN 4
#define OROCHI_SST_TYPE_COUNTER 5
#define OROCHI_SST_TYPE_DATE 6
#define OROCHI_SST_TYPE_DECIMAL 7
#define OROCHI_SST_TYPE_DOUBLE 8
#define OROCHI_SST_TYPE_DURATION 9
#define OROCHI_SST_TYPE_FLOAT 10
#define OROCHI_SST_TYPE_INET 11
#define OROCHI_SST_TYPE_INT 12
#define OROCHI_SST_TYPE_SMALLINT 13
#define OROCHI_SST_TYPE_TEXT 14
#define OROCHI_SST_TYPE_TIME 15
#define OROCHI_SST_TYPE_TIMESTAMP 16
#define OROCHI_SST_TYPE_TIMEUUID 17
#define OROCHI_SST_TYPE_TINYINT 18
#define OROCHI_SST_TYPE_UUID 19
#define OROCHI_SST_TYPE_VARINT 20
#define OROCHI_SST_TYPE_LIST 32   /* parameters: the element */
#define OROCHI_SST_TYPE_SET 33    /* the element */
#define OROCHI_SST_TYPE_MAP 34    /* key and value */
#define OROCHI_SST_TYPE_TUPLE 35  /* the parts */
#define OROCHI_SST_TYPE_UDT 36    /* the fields */
#define OROCHI_SST_TYPE_VECTOR 37 /* the element */
#define OROCHI_SST_TYPE_OTHER 64  /* of old tables, without a name in CQL: bytes */

typedef struct orochi_sst_type orochi_sst_type;

OROCHI_SST_API int32_t orochi_sst_type_kind(const orochi_sst_type* type);
/* As CQL writes it: "frozen<map<text, int>>"; of user types the name. */
OROCHI_SST_API const char* orochi_sst_type_name(const orochi_sst_type* type, size_t* size);
OROCHI_SST_API size_t orochi_sst_type_parameter_count(const orochi_sst_type* type);
/* NULL where there is none of that index. */
OROCHI_SST_API const orochi_sst_type* orochi_sst_type_parameter(const orochi_sst_type* type,
                                                                size_t index);
/* Of user types; "" for others. */
OROCHI_SST_API const char* orochi_sst_type_field_name(const orochi_sst_type* type, size_t index,
                                                      size_t* size);
/* Of vectors; 0 for others. */
OROCHI_SST_API uint32_t orochi_sst_type_dimension(const orochi_sst_type* type);
/* 0 for collections and user types that are stored as one cell per element. */
OROCHI_SST_API int32_t orochi_sst_type_frozen(const orochi_sst_type* type);

/* ---- tables ---------------------------------------------------------------------------------- */

#define OROCHI_SST_OPEN_NO_CHECKSUMS 1u /* do not compare the checksums of Data.db */

typedef struct orochi_sst_open_options {
  uint32_t struct_size;
  uint32_t flags; /* OROCHI_SST_OPEN_... */
  /* CQL with CREATE TYPE, CREATE TABLE, ALTER TABLE: files, and text that follows them. With
   * neither the files' own headers are used, which do not hold the names of key columns. */
  const orochi_sst_text* schema_files;
  size_t schema_file_count;
  orochi_sst_text schema;
  orochi_sst_text table;    /* which one of the schema, "t" or "ks.t"; empty: by the directory */
  orochi_sst_text keyspace; /* of names written without one; empty: by the directory */
  int64_t now_s; /* by which TTLs expire, seconds since 1970; 0: when a cursor is opened */
  uint64_t row_size_bytes_max; /* longer rows are refused; 0: 256 MiB */
} orochi_sst_open_options;

typedef struct orochi_sst_table orochi_sst_table;

/* Opens the SSTables of one table. Each path is a directory that holds some, or any file of one.
 * Files are only ever read. `options` may be NULL. */
OROCHI_SST_API int32_t orochi_sst_table_open(const orochi_sst_text* paths, size_t path_count,
                                             const orochi_sst_open_options* options,
                                             orochi_sst_table** table, orochi_sst_error** error);
OROCHI_SST_API void orochi_sst_table_free(orochi_sst_table* table);

OROCHI_SST_API const char* orochi_sst_table_keyspace(const orochi_sst_table* table, size_t* size);
OROCHI_SST_API const char* orochi_sst_table_name(const orochi_sst_table* table, size_t* size);
/* The CREATE TYPE and CREATE TABLE statements that make it. */
OROCHI_SST_API const char* orochi_sst_table_cql(const orochi_sst_table* table, size_t* size);
/* 1 where no schema was given: key columns are called key (key0, ...) and ck0, ck1, ... */
OROCHI_SST_API int32_t orochi_sst_table_names_are_generated(const orochi_sst_table* table);

/* Its SSTables: "DIRECTORY/nb-1-big". */
OROCHI_SST_API size_t orochi_sst_table_sstable_count(const orochi_sst_table* table);
OROCHI_SST_API const char* orochi_sst_table_sstable_name(const orochi_sst_table* table,
                                                         size_t index, size_t* size);

#define OROCHI_SST_ROLE_PARTITION_KEY 1
#define OROCHI_SST_ROLE_CLUSTERING 2
#define OROCHI_SST_ROLE_STATIC 3
#define OROCHI_SST_ROLE_REGULAR 4

/* Its columns: partition key, clustering, static, regular, each in the table's order. */
OROCHI_SST_API size_t orochi_sst_table_column_count(const orochi_sst_table* table);
OROCHI_SST_API const char* orochi_sst_table_column_name(const orochi_sst_table* table,
                                                        size_t column, size_t* size);
/* 0 where there is no such column. */
OROCHI_SST_API int32_t orochi_sst_table_column_role(const orochi_sst_table* table, size_t column);
OROCHI_SST_API const orochi_sst_type* orochi_sst_table_column_type(const orochi_sst_table* table,
                                                                   size_t column);
/* 1 for clustering columns in descending order. */
OROCHI_SST_API int32_t orochi_sst_table_column_descending(const orochi_sst_table* table,
                                                          size_t column);
/* The column of that name, in the case it has; -1 where there is none. */
OROCHI_SST_API int64_t orochi_sst_table_find_column(const orochi_sst_table* table, const char* name,
                                                    size_t size);

/* ---- cursors: opening ------------------------------------------------------------------------ */

/* Only partitions with token_after < token <= token_upto, of Murmur3Partitioner. Ranges that follow
 * each other split a table between threads, each with a cursor of its own. */
#define OROCHI_SST_CURSOR_TOKENS 1u
/* Everything that is stored after merging: a step for each partition, static row, row and range
 * tombstone, deleted and expired ones included. Not for SELECT. */
#define OROCHI_SST_CURSOR_ALL 2u

typedef struct orochi_sst_cursor_options {
  uint32_t struct_size;
  uint32_t flags; /* OROCHI_SST_CURSOR_... */
  int64_t now_s;  /* by which TTLs expire; 0: as the table was opened with */
  int64_t token_after;
  int64_t token_upto;
} orochi_sst_cursor_options;

typedef struct orochi_sst_cursor orochi_sst_cursor;

/* Rows of all the table's SSTables merged by Cassandra's rules, in token order: only what is alive,
 * with the columns of the table. `options` may be NULL. */
OROCHI_SST_API int32_t orochi_sst_scan(const orochi_sst_table* table,
                                       const orochi_sst_cursor_options* options,
                                       orochi_sst_cursor** cursor, orochi_sst_error** error);
/* The rows of one partition, found through the indexes. One value for each column of the partition
 * key, serialised, or as text: 'b2c4..' for a uuid is b2c4.., no quotes. */
OROCHI_SST_API int32_t orochi_sst_lookup(const orochi_sst_table* table, const orochi_sst_value* key,
                                         size_t key_count, const orochi_sst_cursor_options* options,
                                         orochi_sst_cursor** cursor, orochi_sst_error** error);
OROCHI_SST_API int32_t orochi_sst_lookup_text(const orochi_sst_table* table,
                                              const orochi_sst_text* key, size_t key_count,
                                              const orochi_sst_cursor_options* options,
                                              orochi_sst_cursor** cursor, orochi_sst_error** error);
/* A CQL SELECT with the columns of its result. */
OROCHI_SST_API int32_t orochi_sst_select(const orochi_sst_table* table, const char* cql,
                                         size_t size, const orochi_sst_cursor_options* options,
                                         orochi_sst_cursor** cursor, orochi_sst_error** error);
OROCHI_SST_API void orochi_sst_cursor_free(orochi_sst_cursor* cursor);

/* ---- cursors: rows --------------------------------------------------------------------------- */

OROCHI_SST_API size_t orochi_sst_cursor_column_count(const orochi_sst_cursor* cursor);
OROCHI_SST_API const char* orochi_sst_cursor_column_name(const orochi_sst_cursor* cursor,
                                                         size_t column, size_t* size);
/* Of the values, which are always whole: collections are frozen, counters bigint. */
OROCHI_SST_API const orochi_sst_type* orochi_sst_cursor_column_type(const orochi_sst_cursor* cursor,
                                                                    size_t column);

/* 1: moved to the next row; 0: there is none. After an error or the end it stays there. */
OROCHI_SST_API int32_t orochi_sst_cursor_next(orochi_sst_cursor* cursor, orochi_sst_error** error);

/* All values of the row at once. `count` is the cursor's column count. */
OROCHI_SST_API int32_t orochi_sst_cursor_values(orochi_sst_cursor* cursor, orochi_sst_value* values,
                                                size_t count, orochi_sst_error** error);

/* One value. Each answers 1 for a value, 0 for null, which leaves the result NULL or 0. */
OROCHI_SST_API int32_t orochi_sst_cursor_is_set(orochi_sst_cursor* cursor, size_t column,
                                                orochi_sst_error** error);
/* As it is serialised. Where the row holds it in that form nothing is copied. */
OROCHI_SST_API int32_t orochi_sst_cursor_bytes(orochi_sst_cursor* cursor, size_t column,
                                               const void** data, size_t* size,
                                               orochi_sst_error** error);
/* As orochi_sst_value_int64 and orochi_sst_value_double. */
OROCHI_SST_API int32_t orochi_sst_cursor_int64(orochi_sst_cursor* cursor, size_t column,
                                               int64_t* number, orochi_sst_error** error);
OROCHI_SST_API int32_t orochi_sst_cursor_double(orochi_sst_cursor* cursor, size_t column,
                                                double* number, orochi_sst_error** error);
/* Of text and ascii, not copied (and without a final NUL). */
OROCHI_SST_API int32_t orochi_sst_cursor_text(orochi_sst_cursor* cursor, size_t column,
                                              const char** data, size_t* size,
                                              orochi_sst_error** error);
/* Of any type, in one of the formats below. */
OROCHI_SST_API int32_t orochi_sst_cursor_format(orochi_sst_cursor* cursor, size_t column,
                                                int32_t format, const char** data, size_t* size,
                                                orochi_sst_error** error);

/* How the rows are found and what that took so far, a line each. */
OROCHI_SST_API int32_t orochi_sst_cursor_explain(orochi_sst_cursor* cursor, const char** data,
                                                 size_t* size, orochi_sst_error** error);

/* ---- cursors: what is stored beside the values ----------------------------------------------- */

/* Not for cursors of SELECT, which has writetime() and ttl(). */

#define OROCHI_SST_STEP_ROW 1
/* Of OROCHI_SST_CURSOR_ALL: */
#define OROCHI_SST_STEP_PARTITION 2 /* only the key has values */
#define OROCHI_SST_STEP_STATIC 3    /* key and static columns */
#define OROCHI_SST_STEP_RANGE 4     /* a range of rows deleted from or up to here */

/* Where a range begins or ends, as the bits of bound: */
#define OROCHI_SST_BOUND_CLOSES 1 /* a deletion ends here */
#define OROCHI_SST_BOUND_OPENS 2  /* a deletion begins here */
#define OROCHI_SST_BOUND_AFTER 4  /* after the rows of that clustering, otherwise before them */

#define OROCHI_SST_NO_TIMESTAMP INT64_MIN
#define OROCHI_SST_NO_TIME (-1)

typedef struct orochi_sst_row {
  uint32_t struct_size;
  int32_t step;                 /* OROCHI_SST_STEP_... */
  int64_t timestamp_us;         /* of the INSERT; OROCHI_SST_NO_TIMESTAMP: made by UPDATE */
  int64_t expires_s;            /* of an INSERT with TTL; OROCHI_SST_NO_TIME */
  int32_t ttl_s;                /* 0: none */
  int32_t bound;                /* of ranges: OROCHI_SST_BOUND_... */
  int64_t deleted_timestamp_us; /* of the partition, row or range that begins */
  int64_t deleted_s;            /* when */
  int64_t closed_timestamp_us;  /* of the range that ends */
  int64_t closed_s;             /* when it was deleted */
  uint64_t clustering_count;    /* how many clustering columns have values */
} orochi_sst_row;

OROCHI_SST_API int32_t orochi_sst_cursor_row(orochi_sst_cursor* cursor, orochi_sst_row* row,
                                             orochi_sst_error** error);

#define OROCHI_SST_CELL_DELETED 1u  /* a tombstone: no value */
#define OROCHI_SST_CELL_EXPIRING 2u /* has a TTL */

typedef struct orochi_sst_cell {
  uint32_t struct_size;
  uint32_t flags; /* OROCHI_SST_CELL_... */
  /* Of columns that are not frozen which element: the key of a map, the element of a set, the
   * time-UUID of a list's element, the index of a field (2 bytes). Empty for others. */
  const void* path;
  size_t path_size;
  const void* value; /* of counters the state of all nodes */
  size_t value_size;
  int64_t timestamp_us;
  int64_t time_s; /* deleted: when; expiring: when it does; else OROCHI_SST_NO_TIME */
  int32_t ttl_s;
  int32_t reserved; /* 0 */
} orochi_sst_cell;

/* How many cells the column has in this row: of columns that are not frozen one per element, of
 * others one or none; of key columns none. */
OROCHI_SST_API int32_t orochi_sst_cursor_cell_count(orochi_sst_cursor* cursor, size_t column,
                                                    size_t* count, orochi_sst_error** error);
OROCHI_SST_API int32_t orochi_sst_cursor_cell(orochi_sst_cursor* cursor, size_t column,
                                              size_t index, orochi_sst_cell* cell,
                                              orochi_sst_error** error);
/* 1 where the whole of a column that is not frozen was deleted, with when; 0 where it was not. */
OROCHI_SST_API int32_t orochi_sst_cursor_column_deletion(orochi_sst_cursor* cursor, size_t column,
                                                         int64_t* timestamp_us, int64_t* deleted_s,
                                                         orochi_sst_error** error);

/* ---- values ---------------------------------------------------------------------------------- */

#define OROCHI_SST_FORMAT_TEXT 0 /* as cqlsh shows it; text is itself */
#define OROCHI_SST_FORMAT_JSON 1 /* as SELECT JSON and sstabledump print it */
#define OROCHI_SST_FORMAT_CQL 2  /* a literal that CQL reads back: 'it''s', 0xcafe, {'a': 1} */

OROCHI_SST_API int32_t orochi_sst_value_format(const orochi_sst_type* type, const void* data,
                                               size_t size, int32_t format,
                                               orochi_sst_string** string,
                                               orochi_sst_error** error);
/* The value that text of a format stands for: OROCHI_SST_FORMAT_TEXT for types without parameters
 * ("12", "2024-02-29", b2c4..), OROCHI_SST_FORMAT_CQL for all. */
OROCHI_SST_API int32_t orochi_sst_value_parse(const orochi_sst_type* type, const char* text,
                                              size_t size, int32_t format,
                                              orochi_sst_string** value, orochi_sst_error** error);
/* Whole numbers of any size that fit; boolean 0 and 1; timestamp in milliseconds since 1970, date
 * in days since 1970, time in nanoseconds. The empty value is OROCHI_SST_OUT_OF_RANGE. */
OROCHI_SST_API int32_t orochi_sst_value_int64(const orochi_sst_type* type, const void* data,
                                              size_t size, int64_t* number,
                                              orochi_sst_error** error);
/* double and float as they are, decimal and whole numbers as the nearest. */
OROCHI_SST_API int32_t orochi_sst_value_double(const orochi_sst_type* type, const void* data,
                                               size_t size, double* number,
                                               orochi_sst_error** error);

/* The parts of a collection, tuple, user type or vector, one after the other; keys and values of
 * maps take turns. Borrows the value's bytes and the type. */
typedef struct orochi_sst_parts orochi_sst_parts;
OROCHI_SST_API int32_t orochi_sst_parts_open(const orochi_sst_type* type, const void* data,
                                             size_t size, orochi_sst_parts** parts,
                                             orochi_sst_error** error);
/* 1: a part, with its type; 0: no more. Fields missing from the end of a tuple come as null. */
OROCHI_SST_API int32_t orochi_sst_parts_next(orochi_sst_parts* parts, orochi_sst_value* value,
                                             const orochi_sst_type** type,
                                             orochi_sst_error** error);
OROCHI_SST_API void orochi_sst_parts_free(orochi_sst_parts* parts);

/* ---- writing --------------------------------------------------------------------------------- */

#define OROCHI_SST_VERSION_OA 0 /* Cassandra 5 */
#define OROCHI_SST_VERSION_NB 1 /* Cassandra 4 and 5 */
#define OROCHI_SST_VERSION_DA 2 /* Cassandra 5, trie index */

#define OROCHI_SST_COMPRESSION_SCHEMA 0 /* what CREATE TABLE ... WITH says */
#define OROCHI_SST_COMPRESSION_NONE 1
#define OROCHI_SST_COMPRESSION_LZ4 2
#define OROCHI_SST_COMPRESSION_SNAPPY 3
#define OROCHI_SST_COMPRESSION_DEFLATE 4
#define OROCHI_SST_COMPRESSION_ZSTD 5

/* What places partitions on the ring: `partitioner` in the cluster's cassandra.yaml. */
#define OROCHI_SST_PARTITIONER_MURMUR3 0
#define OROCHI_SST_PARTITIONER_RANDOM 1
#define OROCHI_SST_PARTITIONER_BYTE_ORDERED 2

typedef struct orochi_sst_writer_options {
  uint32_t struct_size;
  int32_t version;           /* OROCHI_SST_VERSION_... */
  int32_t compression;       /* OROCHI_SST_COMPRESSION_... */
  uint32_t chunk_size_bytes; /* of compressed chunks, a power of two; 0: the schema's */
  orochi_sst_text table;     /* which one of the schema; empty: the only one */
  uint64_t memory_bytes_max; /* sorts this much in memory, more through files; 0: 256 MiB */
  uint64_t size_bytes_max;   /* begins another SSTable after this much data; 0: never */
  int64_t now_us;            /* of changes without a timestamp, from which TTLs count; 0: now */
  int32_t partitioner;       /* OROCHI_SST_PARTITIONER_...; since version 2 */
  int32_t reserved;          /* 0 */
} orochi_sst_writer_options;

typedef struct orochi_sst_writer orochi_sst_writer;

/* Makes SSTables in `directory`, which is made if missing, of the table that `schema`, CQL text,
 * creates. Rows come in any order; nothing is named as an SSTable before orochi_sst_writer_finish.
 * One writer at a time is in a directory, of all processes: OROCHI_SST_FAILED_PRECONDITION while
 * another one has not been freed; what writers left there that were killed is removed. `options`
 * may be NULL. */
OROCHI_SST_API int32_t orochi_sst_writer_open(const char* directory, size_t directory_size,
                                              const char* schema, size_t schema_size,
                                              const orochi_sst_writer_options* options,
                                              orochi_sst_writer** writer, orochi_sst_error** error);
/* Without orochi_sst_writer_finish before it, all that was added is dropped. */
OROCHI_SST_API void orochi_sst_writer_free(orochi_sst_writer* writer);

/* INSERT, UPDATE, DELETE and BATCH statements, with semicolons between them: all or, where one of
 * them is wrong, none. */
OROCHI_SST_API int32_t orochi_sst_writer_cql(orochi_sst_writer* writer, const char* cql,
                                             size_t size, orochi_sst_error** error);

/* The columns of the table, as orochi_sst_table_column_*. */
OROCHI_SST_API size_t orochi_sst_writer_column_count(const orochi_sst_writer* writer);
OROCHI_SST_API const char* orochi_sst_writer_column_name(const orochi_sst_writer* writer,
                                                         size_t column, size_t* size);
OROCHI_SST_API const orochi_sst_type* orochi_sst_writer_column_type(const orochi_sst_writer* writer,
                                                                    size_t column);
OROCHI_SST_API int64_t orochi_sst_writer_find_column(const orochi_sst_writer* writer,
                                                     const char* name, size_t size);

/* Values of the row to come; what is not bound stays unset. Null deletes, as in INSERT. A wrong
 * value leaves the column as it was. */
OROCHI_SST_API int32_t orochi_sst_writer_bind_bytes(orochi_sst_writer* writer, size_t column,
                                                    const void* data, size_t size,
                                                    orochi_sst_error** error);
/* Text for text and ascii; for other types without parameters what it stands for: "12". */
OROCHI_SST_API int32_t orochi_sst_writer_bind_text(orochi_sst_writer* writer, size_t column,
                                                   const char* text, size_t size,
                                                   orochi_sst_error** error);
/* A CQL literal: {'a': 1}, null. */
OROCHI_SST_API int32_t orochi_sst_writer_bind_cql(orochi_sst_writer* writer, size_t column,
                                                  const char* literal, size_t size,
                                                  orochi_sst_error** error);
/* For the types of orochi_sst_value_int64, in the same units. */
OROCHI_SST_API int32_t orochi_sst_writer_bind_int64(orochi_sst_writer* writer, size_t column,
                                                    int64_t number, orochi_sst_error** error);
/* For double and float. */
OROCHI_SST_API int32_t orochi_sst_writer_bind_double(orochi_sst_writer* writer, size_t column,
                                                     double number, orochi_sst_error** error);
OROCHI_SST_API int32_t orochi_sst_writer_bind_null(orochi_sst_writer* writer, size_t column,
                                                   orochi_sst_error** error);
/* USING TIMESTAMP and TTL of the row to come. */
OROCHI_SST_API int32_t orochi_sst_writer_bind_timestamp(orochi_sst_writer* writer,
                                                        int64_t timestamp_us,
                                                        orochi_sst_error** error);
OROCHI_SST_API int32_t orochi_sst_writer_bind_ttl(orochi_sst_writer* writer, int32_t ttl_s,
                                                  orochi_sst_error** error);
/* Forgets what was bound. */
OROCHI_SST_API int32_t orochi_sst_writer_clear(orochi_sst_writer* writer, orochi_sst_error** error);
/* INSERTs what was bound and forgets it. After an error it is kept, to be corrected or cleared. */
OROCHI_SST_API int32_t orochi_sst_writer_insert(orochi_sst_writer* writer,
                                                orochi_sst_error** error);

/* Writes and names the SSTables; nothing can be added after it. */
OROCHI_SST_API int32_t orochi_sst_writer_finish(orochi_sst_writer* writer,
                                                orochi_sst_error** error);
/* After finish: what was written, none where nothing was added. */
OROCHI_SST_API size_t orochi_sst_writer_sstable_count(const orochi_sst_writer* writer);
OROCHI_SST_API const char* orochi_sst_writer_sstable_name(const orochi_sst_writer* writer,
                                                          size_t index, size_t* size);
OROCHI_SST_API uint64_t orochi_sst_writer_partition_count(const orochi_sst_writer* writer);
OROCHI_SST_API uint64_t orochi_sst_writer_row_count(const orochi_sst_writer* writer);

/* ---- checking -------------------------------------------------------------------------------- */

typedef struct orochi_sst_report orochi_sst_report;

/* Compares everything of the SSTables that stands in two places, reading every byte. 1: all is
 * well; 0: something is wrong, see the findings. An error is only for what could not be looked at.
 * Paths as for orochi_sst_table_open. */
OROCHI_SST_API int32_t orochi_sst_verify(const orochi_sst_text* paths, size_t path_count,
                                         orochi_sst_report** report, orochi_sst_error** error);
OROCHI_SST_API void orochi_sst_report_free(orochi_sst_report* report);
OROCHI_SST_API size_t orochi_sst_report_sstable_count(const orochi_sst_report* report);
OROCHI_SST_API uint64_t orochi_sst_report_partition_count(const orochi_sst_report* report);
OROCHI_SST_API uint64_t orochi_sst_report_row_count(const orochi_sst_report* report);
OROCHI_SST_API uint64_t orochi_sst_report_cell_count(const orochi_sst_report* report);
/* How many there are; the text of the first 100 of each SSTable is kept. */
OROCHI_SST_API uint64_t orochi_sst_report_finding_count(const orochi_sst_report* report);
/* One that is kept; "" where there is none of that index. */
OROCHI_SST_API const char* orochi_sst_report_finding(const orochi_sst_report* report, size_t index,
                                                     size_t* size);

#ifdef __cplusplus
}
#endif
