-- Which partitioned tables are hypertables. The time column is the partition key and is not stored.
-- Dumped with its rows, so that a restored hypertable goes on making chunks.
CREATE TABLE orochi.hypertable (
  relation regclass PRIMARY KEY,
  chunk_interval interval,
  chunk_interval_integer bigint,
  CONSTRAINT hypertable_one_interval CHECK ((chunk_interval IS NULL) <> (chunk_interval_integer IS NULL))
);
COMMENT ON TABLE orochi.hypertable IS 'hypertables and the length of their chunks; written by create_hypertable and set_chunk_time_interval';
GRANT SELECT ON orochi.hypertable TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('orochi.hypertable', '');

-- Rows also arrive by restoring a dump: every change makes all sessions look again.
CREATE FUNCTION orochi.hypertable_changed() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'orochi_hypertable_changed';
COMMENT ON FUNCTION orochi.hypertable_changed() IS 'makes every session forget what it knew about a hypertable';
CREATE TRIGGER hypertable_changed AFTER INSERT OR UPDATE OR DELETE ON orochi.hypertable
  FOR EACH ROW EXECUTE FUNCTION orochi.hypertable_changed();
