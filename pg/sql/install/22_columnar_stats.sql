-- What is stored of a columnar table, or of all columnar chunks of a hypertable.

CREATE FUNCTION orochi.columnar_stats(
  relation regclass,
  OUT column_name name, OUT encodings text, OUT compression text, OUT rows bigint, OUT nulls bigint,
  OUT bytes bigint, OUT bytes_per_value double precision, OUT heap_bytes bigint, OUT ratio double precision,
  OUT min text, OUT max text
) RETURNS SETOF record
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED ROWS 20
AS 'MODULE_PATHNAME', 'orochi_columnar_stats';
COMMENT ON FUNCTION orochi.columnar_stats(regclass) IS
  'columns of the stripes of a columnar table or hypertable: encodings, sizes, ranges; heap_bytes is an estimate';

CREATE FUNCTION orochi.columnar_table_stats(
  relation regclass,
  OUT tables bigint, OUT stripes bigint, OUT row_groups bigint, OUT stripe_rows bigint, OUT hidden_rows bigint,
  OUT row_page_rows bigint, OUT bytes bigint, OUT stripe_bytes bigint, OUT row_page_bytes bigint,
  OUT stub_bytes bigint, OUT free_bytes bigint
) RETURNS SETOF record
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED ROWS 1
AS 'MODULE_PATHNAME', 'orochi_columnar_table_stats';
COMMENT ON FUNCTION orochi.columnar_table_stats(regclass) IS
  'where the rows and bytes of a columnar table or hypertable are: stripes, row pages, stubs, free pages';
