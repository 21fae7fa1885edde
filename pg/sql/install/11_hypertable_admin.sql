-- Making hypertables. An untyped literal as chunk_time_interval picks the text form, which reads it
-- as the time column needs it.

CREATE FUNCTION orochi.create_hypertable(
  relation regclass, time_column_name name DEFAULT NULL, chunk_time_interval interval DEFAULT interval '7 days',
  if_not_exists bool DEFAULT false, migrate_data bool DEFAULT false) RETURNS regclass
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'create_hypertable_interval';
COMMENT ON FUNCTION orochi.create_hypertable(regclass, name, interval, bool, bool) IS
  'makes a table a hypertable with chunks of the given length of time';

CREATE FUNCTION orochi.create_hypertable(
  relation regclass, time_column_name name, chunk_time_interval bigint,
  if_not_exists bool DEFAULT false, migrate_data bool DEFAULT false) RETURNS regclass
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'create_hypertable_integer';
COMMENT ON FUNCTION orochi.create_hypertable(regclass, name, bigint, bool, bool) IS
  'makes a table with an integer time column a hypertable with chunks of the given number of values';

CREATE FUNCTION orochi.create_hypertable(
  relation regclass, time_column_name name, chunk_time_interval text,
  if_not_exists bool DEFAULT false, migrate_data bool DEFAULT false) RETURNS regclass
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'create_hypertable_text';
COMMENT ON FUNCTION orochi.create_hypertable(regclass, name, text, bool, bool) IS
  'makes a table a hypertable, reading the interval as the time column needs it';
