-- The planner puts this around the time of every row on its way into a hypertable.
CREATE FUNCTION orochi.ensure_chunk(value anyelement, hypertable regclass) RETURNS anyelement
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1 AS 'MODULE_PATHNAME', 'orochi_ensure_chunk';
COMMENT ON FUNCTION orochi.ensure_chunk(anyelement, regclass) IS
  'returns its first argument, after making sure that the hypertable has a chunk for it; used by the planner';
GRANT EXECUTE ON FUNCTION orochi.ensure_chunk(anyelement, regclass) TO PUBLIC;  -- whatever the default
