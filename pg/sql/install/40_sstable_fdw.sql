-- Cassandra's SSTables as foreign tables.

CREATE FUNCTION orochi.orochi_sstable_handler() RETURNS fdw_handler
LANGUAGE c STRICT VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'orochi_sstable_handler';
COMMENT ON FUNCTION orochi.orochi_sstable_handler() IS 'handler of the foreign data wrapper orochi_sstable';

CREATE FUNCTION orochi.orochi_sstable_validator(text[], oid) RETURNS void
LANGUAGE c STRICT VOLATILE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'orochi_sstable_validator';
COMMENT ON FUNCTION orochi.orochi_sstable_validator(text[], oid) IS
  'checks options of the foreign data wrapper orochi_sstable';

CREATE FOREIGN DATA WRAPPER orochi_sstable
  HANDLER orochi.orochi_sstable_handler VALIDATOR orochi.orochi_sstable_validator;
COMMENT ON FOREIGN DATA WRAPPER orochi_sstable IS 'SSTables of Apache Cassandra, read without Cassandra';

CREATE FUNCTION orochi.export_sstable(
  query text, dir text, create_table_cql text, format text DEFAULT 'oa', compression text DEFAULT NULL,
  write_time timestamptz DEFAULT NULL, partitioner text DEFAULT 'Murmur3Partitioner',
  OUT rows bigint, OUT partitions bigint, OUT sstables integer, OUT bytes bigint
) RETURNS record
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'orochi_export_sstable';
COMMENT ON FUNCTION orochi.export_sstable(text, text, text, text, text, timestamptz, text) IS
  'writes the result of a query as SSTables of a Cassandra table into a directory on the server';
