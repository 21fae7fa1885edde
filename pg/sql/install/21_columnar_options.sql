-- How columnar tables are written: what their owners chose.

-- One row for each table whose owner chose something; NULL is left to the table above, then to the
-- settings. Dumped with its rows, but for temporary tables and those that are gone.
CREATE TABLE orochi.columnar_option (
  relation regclass PRIMARY KEY,
  order_by text[],
  compression text CHECK (compression IN ('none', 'lz4', 'zstd')),
  level integer CHECK (level BETWEEN 1 AND 19),
  row_group_rows integer CHECK (row_group_rows BETWEEN 64 AND 65536),
  stripe_rows integer CHECK (stripe_rows BETWEEN 1000 AND 1048576)
);
-- A logical subscriber has options of its own.
ALTER TABLE orochi.columnar_option REPLICA IDENTITY NOTHING;
COMMENT ON TABLE orochi.columnar_option IS
  'options of columnar tables and hypertables; written by set_columnar_options';
GRANT SELECT ON orochi.columnar_option TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('orochi.columnar_option',
  $$WHERE relation IN (SELECT oid FROM pg_catalog.pg_class WHERE relpersistence <> 't')$$);

CREATE FUNCTION orochi.set_columnar_options(
  relation regclass, order_by text[] DEFAULT NULL, compression text DEFAULT NULL, level integer DEFAULT NULL,
  row_group_rows integer DEFAULT NULL, stripe_rows integer DEFAULT NULL) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'orochi_set_columnar_options';
COMMENT ON FUNCTION orochi.set_columnar_options(regclass, text[], text, integer, integer, integer) IS
  'chooses how a columnar table, or the chunks of a hypertable, are written; NULL leaves an option as it is';

CREATE FUNCTION orochi.reset_columnar_options(relation regclass, VARIADIC options text[] DEFAULT '{}') RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'orochi_reset_columnar_options';
COMMENT ON FUNCTION orochi.reset_columnar_options(regclass, text[]) IS
  'forgets the options named, without names all that were chosen for the table';

CREATE FUNCTION orochi.columnar_options(
  relation regclass, OUT option text, OUT value text, OUT source text, OUT chosen_for regclass) RETURNS SETOF record
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED ROWS 5
AS 'MODULE_PATHNAME', 'orochi_columnar_options';
COMMENT ON FUNCTION orochi.columnar_options(regclass) IS
  'options in force for a table: chosen, inherited from a table above, settings or derived';

CREATE VIEW orochi.columnar_options AS
  SELECT c.oid::regclass AS relation, o.*
  FROM pg_class c
  LEFT JOIN pg_am a ON a.oid = c.relam,
  LATERAL orochi.columnar_options(c.oid) o
  WHERE c.relkind IN ('r', 'm', 'p') AND NOT pg_is_other_temp_schema(c.relnamespace)
    AND (a.amname = 'columnar'
         OR EXISTS (SELECT FROM orochi.columnar_option WHERE relation = c.oid)
         OR EXISTS (SELECT FROM orochi.hypertable WHERE relation = c.oid))
    AND has_table_privilege(c.oid, 'SELECT');
GRANT SELECT ON orochi.columnar_options TO PUBLIC;
COMMENT ON VIEW orochi.columnar_options IS
  'options in force for all columnar tables and hypertables the user may read';
