-- What does not fit in the file of a columnar table.

CREATE FUNCTION orochi.columnar_check(
  relation regclass, indexes boolean DEFAULT false,
  OUT block_number bigint, OUT tuple_id tid, OUT problem text
) RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'orochi_columnar_check';
COMMENT ON FUNCTION orochi.columnar_check(regclass, boolean) IS
  'reads all of a columnar table, and its btree indexes if wanted, and tells what is damaged; no rows: nothing is. For its owner; waits for VACUUM';
