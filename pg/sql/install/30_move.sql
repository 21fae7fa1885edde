-- Moving a table between places: heap and columnar.

CREATE FUNCTION orochi.compress_chunk(chunk regclass, if_not_compressed boolean DEFAULT true, order_by text DEFAULT NULL)
RETURNS regclass
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'orochi_compress_chunk';
COMMENT ON FUNCTION orochi.compress_chunk(regclass, boolean, text) IS
  'makes a chunk columnar while it is being read; order_by is the order of its rows';

CREATE FUNCTION orochi.decompress_chunk(chunk regclass, if_compressed boolean DEFAULT true)
RETURNS regclass
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'orochi_decompress_chunk';
COMMENT ON FUNCTION orochi.decompress_chunk(regclass, boolean) IS
  'makes a chunk heap again while it is being read';

CREATE FUNCTION orochi.move_chunk(chunk regclass, access_method name, order_by text DEFAULT NULL)
RETURNS regclass
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'orochi_move_chunk';
COMMENT ON FUNCTION orochi.move_chunk(regclass, name, text) IS
  'rewrites a chunk in an access method (heap or columnar), the one it has included, while it is being read';
