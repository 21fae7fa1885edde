-- Goal: orochi.export_sstable writes what the query gives, sorted and by Cassandra's rules, and after an
-- error nothing is left of it.
-- Method: read exports back as foreign tables; provoke each error and list the directory.
\getenv builddir PG_ABS_BUILDDIR
\set dir :builddir '/sstable_export'
\set file :dir '/schema.cql'
\! rm -rf "$PG_ABS_BUILDDIR/sstable_export"; mkdir "$PG_ABS_BUILDDIR/sstable_export"
CREATE SCHEMA exp;
SET search_path = exp, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE FUNCTION left_in(dir text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  RETURN (SELECT string_agg(f, ' ' ORDER BY f) FROM pg_ls_dir(dir, true, false) f);
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;
CREATE FUNCTION tried(query text, cql text, dir text, format text DEFAULT 'oa', compression text DEFAULT NULL)
RETURNS TABLE (sqlstate_ text, message text, hint text, left_over text) LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    PERFORM orochi.export_sstable(query, dir, cql, format, compression);
    sqlstate_ := '00000';
  EXCEPTION WHEN OTHERS OR query_canceled THEN
    GET STACKED DIAGNOSTICS sqlstate_ = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    left_over := left_in(dir);
  END;
  message := regexp_replace(message, '/[^ :,]*/', '/.../', 'g');
  RETURN NEXT;
END $$;

-- Statics, rows without order, rows of statics alone, nulls, a column left out, columns in any order.
\set cql 'CREATE TABLE ks.t (a int, b text, s text static, v int, l list<text>, "Mixed Case" int, PRIMARY KEY (a, b)) WITH CLUSTERING ORDER BY (b DESC);'
COPY (SELECT :'cql') TO :'file';
SELECT rows, partitions, sstables, bytes > 0 AS has_bytes FROM orochi.export_sstable($$
  SELECT * FROM (VALUES (10, 'x', 3, 'static 3', ARRAY['a', 'b']), (11, NULL, 7, 'alone', NULL), (NULL, 'y', 3, NULL, '{}'), (12, 'w', 1, NULL, '{c}'), (13, 'z', 3, NULL, NULL)) t (v, b, a, s, l)
  WHERE v IS DISTINCT FROM 11 $$, :'dir' || '/ks/t', :'cql', write_time => '2024-01-01');
SELECT rows FROM orochi.export_sstable($$SELECT 7 AS a, NULL::text AS b, 'alone' AS s, 5 AS "Mixed Case" WHERE false UNION ALL SELECT 7, NULL, 'alone', NULL$$,
  :'dir' || '/statics', :'cql');
\! cd "$PG_ABS_BUILDDIR/sstable_export" && for f in statics/oa-1-*; do mv $f ks/t/oa-2-${f#statics/oa-1-}; done; sed -i s/oa-1/oa-2/ ks/t/oa-2-big-TOC.txt; ls ks/t | wc -l
CREATE SERVER exported FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir :'dir', schema_file :'file');
IMPORT FOREIGN SCHEMA ks FROM SERVER exported INTO exp;
SELECT a, b, s, v, l, "Mixed Case" FROM t ORDER BY a, b;
SELECT a, b FROM t WHERE a = 3;

-- The later row of a key wins by value where the write time is the same, as between Cassandra's nodes.
SELECT rows, partitions FROM orochi.export_sstable($$SELECT 1 AS a, 'k' AS b, v FROM unnest(ARRAY[5, 9, 7]) v$$, :'dir' || '/same', :'cql');
CREATE FOREIGN TABLE same (a int, b text, v int) SERVER exported OPTIONS (keyspace 'ks', "table" 't');
CREATE FUNCTION run(statement text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; END $$;
SELECT run(format('ALTER FOREIGN TABLE same OPTIONS (ADD directory %L)', :'dir' || '/same'));
SELECT * FROM same;

-- The table's default TTL counts from now; of a TTL nothing is left at its end.
SELECT rows FROM orochi.export_sstable($$SELECT 1 AS a, 'k' AS b, 5 AS v$$, :'dir' || '/ttl',
  'CREATE TABLE ks.t (a int, b text, v int, PRIMARY KEY (a, b)) WITH CLUSTERING ORDER BY (b DESC) AND default_time_to_live = 1000 AND compression = {''enabled'': false}');
CREATE FOREIGN TABLE ttl (a int, b text, v int, expires int OPTIONS (ttl 'v')) SERVER exported OPTIONS (keyspace 'ks', "table" 't');
SELECT run(format('ALTER FOREIGN TABLE ttl OPTIONS (ADD directory %L)', :'dir' || '/ttl'));
SELECT a, b, v, expires BETWEEN 900 AND 1000 AS expires FROM ttl;
SELECT run(format('ALTER FOREIGN TABLE ttl OPTIONS (ADD now %L)', now() + interval '1001 seconds'));
SELECT count(*) FROM ttl;

-- More rows than memory, through sorted runs.
SET maintenance_work_mem = '1MB';
SELECT rows, partitions, sstables FROM orochi.export_sstable($$
  SELECT (i * 7919) % 1000 AS a, 'row ' || i AS b, i AS v, ARRAY[repeat('x', 200)] AS l FROM generate_series(1, 9000) i$$, :'dir' || '/large', :'cql', 'da', 'snappy');
RESET maintenance_work_mem;
CREATE FOREIGN TABLE large (a int, b text, v bigint, l text[]) SERVER exported OPTIONS (keyspace 'ks', "table" 't');
SELECT run(format('ALTER FOREIGN TABLE large OPTIONS (ADD directory %L)', :'dir' || '/large'));
SELECT count(*), count(DISTINCT a), sum(v), min(length(l[1])) FROM large;
SELECT pg_ls_dir(:'dir' || '/large') ORDER BY 1;
-- Cassandra runs as another user.
\! stat -c '%A' "$PG_ABS_BUILDDIR/sstable_export/large" "$PG_ABS_BUILDDIR/sstable_export/large/da-1-bti-Data.db"

-- No rows: no SSTable.
SELECT * FROM orochi.export_sstable('SELECT 1 AS a, ''b'' AS b WHERE false', :'dir' || '/none', :'cql');
SELECT count(*) FROM pg_ls_dir(:'dir' || '/none');

-- Other partitioners: the same rows, in the order of each; partitions are found by key.
SELECT partitioner, rows, partitions FROM unnest(ARRAY['RandomPartitioner', 'org.apache.cassandra.dht.ByteOrderedPartitioner']) partitioner,
  LATERAL orochi.export_sstable($$SELECT i AS a, 'x' AS b, i * i AS v FROM generate_series(1, 300) i$$, :'dir' || '/' || partitioner, :'cql', partitioner => partitioner);
CREATE FOREIGN TABLE random_order (a int, b text, v int) SERVER exported OPTIONS (keyspace 'ks', "table" 't');
SELECT run(format('ALTER FOREIGN TABLE random_order OPTIONS (ADD directory %L)', :'dir' || '/RandomPartitioner'));
CREATE FOREIGN TABLE byte_order (a int, b text, v int) SERVER exported OPTIONS (keyspace 'ks', "table" 't');
SELECT run(format('ALTER FOREIGN TABLE byte_order OPTIONS (ADD directory %L)', :'dir' || '/org.apache.cassandra.dht.ByteOrderedPartitioner'));
SELECT count(*), sum(v) FROM random_order;
SELECT count(*), sum(v), array_agg(a) = array_agg(a ORDER BY a) AS in_order FROM byte_order;
SELECT r.v, b.v FROM random_order r, byte_order b WHERE r.a = 17 AND b.a = 17;
SELECT orochi.export_sstable('SELECT 1 AS a', :'dir' || '/failed', 'CREATE TABLE ks.t (a int PRIMARY KEY)', partitioner => 'LocalPartitioner');
SELECT orochi.export_sstable('SELECT 1 AS a', :'dir' || '/failed', 'CREATE TABLE ks.t (a int PRIMARY KEY)', partitioner => NULL);

-- Errors, and what is left of the export.
SELECT t.* FROM unnest(ARRAY[
  'SELECT 1 AS a',
  'SELECT 1 AS a, ''x'' AS b, 2 AS nope',
  'SELECT 1 AS a, ''x'' AS b, 2 AS v, 3 AS v',
  'SELECT 1 AS a, ''x'' AS b, point(1, 2) AS v',
  'SELECT NULL::int AS a, ''x'' AS b',
  'SELECT 1 AS a, NULL::text AS b, 5 AS v',
  'SELECT 1 AS a, ''x'' AS b, 3000000000 AS v',
  'SELECT 1 AS a, ''x'' AS b, ARRAY[''a'', NULL] AS l',
  'SELECT 1 AS a, ''x'' AS b, ARRAY[ARRAY[''a''], ARRAY[''b'']] AS l',
  'SELECT 1 AS a, repeat(''x'', 70000) AS b',
  'SELECT i AS a, ''x'' AS b, 1 / (5000 - i) AS v FROM generate_series(1, 9000) i',
  'CREATE TABLE exp.never (a int)',
  'DELETE FROM pg_class RETURNING 1 AS a, ''x'' AS b',
  'SELECT 1; SELECT 2',
  'SELEC 1']) query, LATERAL tried(query, :'cql', :'dir' || '/failed') t;
SELECT t.* FROM unnest(ARRAY[
  'CREATE TABLE t (a int PRIMARY KEY', 'SELECT 1', 'CREATE TABLE ks.a (a int PRIMARY KEY); CREATE TABLE ks.b (a int PRIMARY KEY)',
  'CREATE TABLE ks.t (a int PRIMARY KEY, c counter)', 'CREATE TABLE ks.t (a nothing PRIMARY KEY)',
  'CREATE TABLE ks.t (a int PRIMARY KEY) WITH compression = {''class'': ''BestCompressor''}']) cql,
  LATERAL tried('SELECT 1 AS a', cql, :'dir' || '/failed') t;
SELECT t.* FROM tried('SELECT 1 AS a, ''x'' AS b', :'cql', :'dir' || '/failed', 'ma') t;
SELECT t.* FROM tried('SELECT 1 AS a, ''x'' AS b', :'cql', :'dir' || '/failed', 'nb', 'rar') t;
SELECT t.sqlstate_, t.message, t.hint FROM tried('SELECT 1 AS a, ''x'' AS b', :'cql', :'dir' || '/ks/t') t;
SELECT t.sqlstate_, t.message FROM tried('SELECT 1 AS a, ''x'' AS b', :'cql', :'file') t;
SELECT t.sqlstate_, t.message FROM tried('SELECT 1 AS a, ''x'' AS b', :'cql', '/proc/nothing/here') t;
SELECT t.sqlstate_, t.message FROM tried('SELECT 1 AS a, ''x'' AS b', :'cql', 'relative') t;
SELECT t.sqlstate_, t.message FROM tried(NULL, :'cql', '/x') t;
-- Cancelled while sorted runs are written; a directory that was there stays, empty.
\! mkdir "$PG_ABS_BUILDDIR/sstable_export/was_there"
SET maintenance_work_mem = '1MB';
SET statement_timeout = '500ms';
SELECT t.sqlstate_, t.message FROM tried($$SELECT i AS a, 'x' AS b, ARRAY[repeat('x', 1000)] AS l FROM generate_series(1, 100000000) i$$, :'cql', :'dir' || '/was_there') t;
RESET statement_timeout;
RESET maintenance_work_mem;
SELECT count(*) FROM pg_ls_dir(:'dir' || '/was_there');
SELECT count(*) FROM pg_ls_dir(:'dir') d WHERE d = 'failed';

CREATE ROLE exp_writer;
GRANT USAGE ON SCHEMA exp TO exp_writer;
SET ROLE exp_writer;
SELECT t.sqlstate_, t.message FROM tried('SELECT 1 AS a, ''x'' AS b', 'CREATE TABLE ks.t (a int PRIMARY KEY)', '/x') t;
RESET ROLE;
GRANT pg_write_server_files TO exp_writer;
SET ROLE exp_writer;
SELECT rows FROM orochi.export_sstable('SELECT 1 AS a', :'dir' || '/by_role', 'CREATE TABLE ks.t (a int PRIMARY KEY)');
SELECT rows FROM orochi.export_sstable('SELECT oid::int AS a FROM pg_authid', :'dir' || '/by_role', 'CREATE TABLE ks.t (a int PRIMARY KEY)');
RESET ROLE;
RESET search_path;
SET client_min_messages = warning;
DROP OWNED BY exp_writer;
DROP ROLE exp_writer;
DROP SERVER exported CASCADE;
DROP SCHEMA exp CASCADE;
