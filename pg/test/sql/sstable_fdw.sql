-- Goal: foreign tables over SSTables give the rows that Cassandra would, read no more than the
-- conditions need, say so in EXPLAIN, and leave no file open after an error.
-- Method: SSTables made by export and by Cassandra (testdata), every kind of condition compared with
-- the same rows in a heap table, errors of each kind.
\getenv builddir PG_ABS_BUILDDIR
\getenv srcdir PG_ABS_SRCDIR
\set dir :builddir '/sstable_fdw'
\set gold :srcdir '/../../src/sstable/write/testdata/gold'
\set file :dir '/schema.cql'
\! rm -rf "$PG_ABS_BUILDDIR/sstable_fdw"; mkdir "$PG_ABS_BUILDDIR/sstable_fdw"
CREATE SCHEMA sst;
SET search_path = sst, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- Paths and checksums differ from machine to machine: errors are shown without them.
CREATE FUNCTION caught(statement text) RETURNS TABLE (sqlstate_ text, message text, detail text, hint text) LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    EXECUTE statement;
    sqlstate_ := '00000';
  EXCEPTION WHEN OTHERS OR query_canceled THEN
    GET STACKED DIAGNOSTICS sqlstate_ = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
                            hint = PG_EXCEPTION_HINT;
  END;
  message := regexp_replace(regexp_replace(message, '/[^ :,]*/', '/.../', 'g'), '\d{5,10}', 'N', 'g');
  hint := regexp_replace(hint, '/[^ :,]*/', '/.../', 'g');
  RETURN NEXT;
END $$;
CREATE FUNCTION run(statement text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; END $$;
-- Files of the tables that this backend has open.
SELECT pg_backend_pid() AS backend \gset
\setenv BACKEND :backend

-- Readings of 20 devices, in two SSTables that overlap: the later one has newer values.
CREATE TABLE readings AS
  SELECT 'dev' || d AS device, date '2024-01-01' + i / 50 AS day, timestamptz '2024-01-01' + i * interval '20 minutes' AS at,
         i AS seq, (d * 1000 + i)::float8 AS value, CASE WHEN i % 3 = 0 THEN NULL ELSE 'note ' || i END AS note
  FROM generate_series(1, 20) d, generate_series(0, 199) i;
\set cql 'CREATE TABLE ks.readings (device text, day date, at timestamp, seq int, value double, note text, PRIMARY KEY ((device, day), at, seq)) WITH CLUSTERING ORDER BY (at DESC, seq ASC);'
COPY (SELECT :'cql') TO :'file';
SELECT rows, partitions, sstables FROM orochi.export_sstable('SELECT device, day, at, seq, -1::float8 AS value, note FROM readings WHERE seq < 150',
  :'dir' || '/new', :'cql', 'nb', write_time => '2024-01-01');
SELECT rows, partitions, sstables FROM orochi.export_sstable('SELECT * FROM readings WHERE seq >= 100',
  :'dir' || '/newer', :'cql', 'da', write_time => '2024-01-02');
SELECT rows, partitions, sstables FROM orochi.export_sstable('SELECT device, day, at, seq, value FROM readings WHERE seq < 100',
  :'dir' || '/newest', :'cql', 'oa', write_time => '2024-01-03');
\! cd "$PG_ABS_BUILDDIR/sstable_fdw" && mkdir -p node/ks/readings-0123456789abcdef0123456789abcdef/snapshots/first && mv new/* newer/* newest/* node/ks/readings-0123456789abcdef0123456789abcdef/ && cp node/ks/readings-0123456789abcdef0123456789abcdef/nb* node/ks/readings-0123456789abcdef0123456789abcdef/snapshots/first/

-- Options.
SELECT c.* FROM unnest(ARRAY[
  $$CREATE SERVER bad FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir 'relative')$$,
  $$CREATE SERVER bad FOREIGN DATA WRAPPER orochi_sstable OPTIONS (directory '/x')$$,
  $$CREATE SERVER bad FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '/x', now 'some day')$$,
  $$CREATE SERVER bad FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '/x', now 'infinity')$$,
  $$CREATE SERVER bad FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '/x', out_of_range 'never')$$,
  $$CREATE SERVER bad FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '/x', empty_values '')$$,
  $$CREATE USER MAPPING FOR public SERVER nowhere OPTIONS (name 'x')$$,
  $$ALTER FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '/x')$$]) s, LATERAL caught(s) c;
CREATE SERVER node FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '/nowhere', schema_file :'file', now '2024-06-01');
SELECT run(format('ALTER SERVER node OPTIONS (SET data_dir %L)', :'dir' || '/node'));
SELECT c.* FROM unnest(ARRAY[
  $$CREATE FOREIGN TABLE bad (a int) SERVER node OPTIONS (keyspace '../etc')$$,
  $$CREATE FOREIGN TABLE bad (a int) SERVER node OPTIONS ("table" '..')$$,
  $$CREATE FOREIGN TABLE bad (a int) SERVER node OPTIONS (snapshot '')$$,
  $$CREATE FOREIGN TABLE bad (a int OPTIONS (ttl 'b', writetime 'b')) SERVER node$$,
  $$CREATE FOREIGN TABLE bad (a int OPTIONS (token 'maybe')) SERVER node$$,
  $$CREATE FOREIGN TABLE bad (a int OPTIONS (key 'x')) SERVER node$$]) s, LATERAL caught(s) c;

-- IMPORT: from the schema file.
SELECT c.* FROM unnest(ARRAY[
  $$IMPORT FOREIGN SCHEMA nowhere FROM SERVER node INTO sst$$,
  $$IMPORT FOREIGN SCHEMA ks FROM SERVER node INTO sst OPTIONS (import_user_types 'hstore')$$,
  $$IMPORT FOREIGN SCHEMA ks FROM SERVER node INTO sst OPTIONS (token 'x')$$]) s, LATERAL caught(s) c;
CREATE SCHEMA f;
IMPORT FOREIGN SCHEMA ks EXCEPT (readings) FROM SERVER node INTO f;
\det f.*
IMPORT FOREIGN SCHEMA ks LIMIT TO (readings, nothing) FROM SERVER node INTO f OPTIONS (token_column 'token');
\d f.readings
ALTER FOREIGN TABLE f.readings ADD COLUMN written timestamptz OPTIONS (writetime 'value');

-- Merged by Cassandra's rules: the latest write of each cell wins.
SELECT written, count(*), min(value), max(value), count(note) FROM f.readings GROUP BY 1 ORDER BY 1;
CREATE TABLE expected AS SELECT device, day, at, seq, value, note FROM readings;
SELECT count(*) FROM (SELECT device, day, at, seq, value, note FROM f.readings EXCEPT ALL TABLE expected) d;
SELECT count(*), count(DISTINCT (device, day)) FROM f.readings;

-- The same answers as a heap table, whatever is read.
CREATE FUNCTION same(condition text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE rows bigint; wrong bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM expected WHERE %s', condition) INTO rows;
  EXECUTE format('SELECT count(*) FROM ((SELECT device, day, at, seq, value, note FROM f.readings WHERE %1$s EXCEPT ALL SELECT * FROM expected WHERE %1$s)
    UNION ALL (SELECT * FROM expected WHERE %1$s EXCEPT ALL SELECT device, day, at, seq, value, note FROM f.readings WHERE %1$s)) d', condition) INTO wrong;
  IF wrong <> 0 THEN RAISE EXCEPTION '% rows differ for %', wrong, condition; END IF;
  RETURN rows;
END $$;
SELECT condition, same(condition) FROM unnest(ARRAY[
  $$device = 'dev1'$$,
  $$device = 'dev1' AND day = '2024-01-02'$$,
  $$device = 'dev1' AND day = '2024-01-02' AND at >= '2024-01-02 00:00' AND at < '2024-01-02 12:00'$$,
  $$device = 'dev1' AND day = '2024-01-02' AND at >= '2024-01-02 00:00:00.0000001' AND at < '2024-01-02 12:00:00.0000001'$$,
  $$device = 'dev1' AND day = '2024-01-02' AND at > '2024-01-01 23:59:59.9995' AND at <= '2024-01-02 11:59:59.9999'$$,
  $$device = 'dev1' AND day = '2024-01-02' AND at < '2024-01-02 00:00:00.0005'$$,
  $$device = 'dev1' AND day = '2024-01-02' AND at = '2024-01-02 00:00'$$,
  $$device = 'dev1' AND day = '2024-01-02' AND at = '2024-01-02 00:00:00.0005'$$,
  $$device = 'dev1' AND day = '2024-01-02' AND at > 'infinity'$$,
  $$device = 'dev1' AND day = '2024-01-02' AND at < 'infinity' AND at > '-infinity'$$,
  $$device = 'dev1' AND day = '2024-01-02' AND at = '2024-01-02 00:00' AND seq > 71$$,
  $$device = 'dev1' AND day = '2024-01-02' AND seq = 72$$,
  $$device = 'dev1' AND day = '2024-01-02' AND at IN ('2024-01-02 00:00', '2024-01-02 01:00', '2030-01-01')$$,
  $$device = 'dev1' AND day = '2024-01-02' AND at = '2024-01-02 00:00' AND at = '2024-01-02 01:00'$$,
  $$device = 'dev1' AND day = '2024-01-02' AND at > '2024-01-02' AND at > '2024-01-02 03:00' AND at < '2024-01-02 09:00' AND at <= '2024-01-02 08:00'$$,
  $$device IN ('dev1', 'dev2', 'dev1', 'nope', NULL) AND day IN ('2024-01-01', '2024-01-04')$$,
  $$device = ANY ('{}'::text[]) AND day = '2024-01-01'$$,
  $$device = NULL AND day = '2024-01-01'$$,
  $$'dev3' = device AND '2024-01-03' = day AND '2024-01-02' < at$$,
  $$device > 'dev1' AND day = '2024-01-01'$$,
  $$device = 'dev5' AND day > '2024-01-02'$$,
  $$device = 'dev5' OR day = '2024-01-02'$$,
  $$at > '2024-01-03' AND seq < 190$$,
  $$seq = 5000000000$$,
  $$device = 'dev1' AND day = '2024-01-01' AND at > '2023-12-31' AND seq = 5000000000$$,
  $$note IS NULL AND value > 1500$$,
  $$note LIKE 'note 1%' AND device = 'dev20' AND day = '2024-01-01'$$]) condition;
SELECT count(*) FROM f.readings WHERE token >= 0;
SELECT (SELECT count(*) FROM f.readings WHERE token < 0) + (SELECT count(*) FROM f.readings WHERE 0 <= token);
SELECT count(*) FROM f.readings WHERE token > 9223372036854775807 OR token < (-9223372036854775808);
SELECT count(*) FROM f.readings r WHERE token = (SELECT token FROM f.readings WHERE device = 'dev7' AND day = '2024-01-01' LIMIT 1);

-- What EXPLAIN says: key, token and clustering conditions, which components, how much was read.
CREATE FUNCTION plan(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || statement LOOP
    IF line !~ 'Filter: |Buckets|Memory' THEN RETURN NEXT line; END IF;
  END LOOP;
END $$;
SELECT plan($$SELECT * FROM f.readings WHERE device = 'dev1' AND day = '2024-01-02'$$);
SELECT plan($$SELECT * FROM f.readings WHERE device = 'dev1' AND day = '2024-01-02' AND at >= '2024-01-02' AND at < '2024-01-02 04:00' AND seq > 3$$);
SELECT plan($$SELECT count(*) FROM f.readings WHERE device IN ('dev1', 'nope') AND day = '2024-01-02' AND at = '2024-01-02' AND seq <= 72$$);
SELECT plan($$SELECT count(*) FROM f.readings WHERE token > 0 AND device = 'dev1'$$);
SELECT plan($$SELECT count(*) FROM f.readings WHERE device = 'dev1' AND at > '2024-01-03'$$);
SELECT plan($$SELECT count(*) FROM f.readings$$);
EXPLAIN (COSTS OFF, FORMAT YAML) SELECT value FROM f.readings WHERE device = 'dev1' AND day = '2024-01-02';

-- Text is compared by bytes in Cassandra: other orders and equalities are not pushed down.
CREATE COLLATION ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT plan($$SELECT count(*) FROM f.readings WHERE device = 'DEV1' COLLATE ignore_case AND day = '2024-01-02'$$);

-- Joins look partitions up by key, and each lookup starts over.
CREATE TABLE wanted (device text, day date);
INSERT INTO wanted VALUES ('dev1', '2024-01-01'), ('nope', '2024-01-01'), ('dev2', '2024-01-03'), (NULL, NULL), ('dev1', '2024-01-01');
ANALYZE wanted;
SELECT plan($$SELECT * FROM wanted w JOIN f.readings r ON r.device = w.device AND r.day = w.day$$);
SELECT w.device, w.day, count(*), sum(seq) FROM wanted w JOIN f.readings r USING (device, day) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT w.device, l.* FROM wanted w, LATERAL (SELECT at, seq FROM f.readings r WHERE r.device = w.device AND r.day = w.day ORDER BY at DESC LIMIT 1) l ORDER BY 1, 2;
PREPARE one(text, date) AS SELECT count(*) FROM f.readings WHERE device = $1 AND day = $2;
SET plan_cache_mode = force_generic_plan;
EXECUTE one('dev1', '2024-01-01');
EXECUTE one('dev2', '2024-01-04');
EXECUTE one('dev2', NULL);
EXPLAIN (COSTS OFF) EXECUTE one('dev2', '2024-01-04');
RESET plan_cache_mode;

-- A snapshot; ANALYZE; the whole row; a cursor; SELECT FOR UPDATE; writing is refused.
CREATE FOREIGN TABLE first (device text, day date, at timestamptz, seq int, value float8) SERVER node OPTIONS (keyspace 'ks', "table" 'readings', snapshot 'first');
SELECT count(*), min(value), max(seq) FROM first;
ANALYZE f.readings;
SELECT reltuples, relpages > 0 AS has_pages FROM pg_class WHERE oid = 'f.readings'::regclass;
SELECT attname, n_distinct FROM pg_stats WHERE schemaname = 'f' AND tablename = 'readings' AND attname IN ('device', 'day') ORDER BY 1;
SELECT f FROM first f WHERE device = 'dev1' AND day = '2024-01-01' ORDER BY at LIMIT 1;
BEGIN;
DECLARE c CURSOR FOR SELECT seq FROM first WHERE device = 'dev1' AND day = '2024-01-01';
FETCH 2 FROM c;
FETCH 2 FROM c;
CLOSE c;
SELECT seq FROM first WHERE device = 'dev1' AND day = '2024-01-01' AND seq < 2 ORDER BY seq FOR UPDATE;
COMMIT;
INSERT INTO first VALUES ('x');
DELETE FROM first;

-- Files that Cassandra wrote, without a schema: statics, user types, range tombstones, wide partitions.
CREATE SERVER gold FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir :'gold');
CREATE SCHEMA da;
IMPORT FOREIGN SCHEMA da FROM SERVER gold INTO da OPTIONS (import_user_types 'jsonb');
CREATE SCHEMA nb;
IMPORT FOREIGN SCHEMA nb EXCEPT (columns_70) FROM SERVER gold INTO nb;
\det nb.*
\d nb.udts
SELECT * FROM da.statics ORDER BY 1, 2 LIMIT 5;
SELECT * FROM nb.udts ORDER BY 1 LIMIT 3;
SELECT * FROM da.udts ORDER BY 1 LIMIT 3;
SELECT count(*) FROM da.range_deletes;
SELECT key, count(*), min(ck0), max(ck0) FROM da.wide_desc_static GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM ((TABLE da.wide_ranges EXCEPT ALL TABLE nb.wide_ranges) UNION ALL (TABLE nb.wide_ranges EXCEPT ALL TABLE da.wide_ranges)) d;

-- Errors while reading leave no file open; nor do cancelled statements.
SELECT count(*) >= 0 FROM f.readings;
\! cd "$PG_ABS_BUILDDIR/sstable_fdw" && for k in no_toc cut flipped gone version; do mkdir -p bad/ks/$k && cp node/ks/readings-0123456789abcdef0123456789abcdef/nb* bad/ks/$k/; done && rm bad/ks/gone/*-Statistics.db && truncate -s 100 bad/ks/cut/*-Data.db && printf X | dd of=$(echo bad/ks/flipped/*-Data.db) bs=1 seek=2000 conv=notrunc status=none && rm bad/ks/no_toc/*-TOC.txt && for f in bad/ks/version/*; do mv $f $(echo $f | sed s/nb-/zz-/); done && mkdir -p bad/ks/empty bad/ks/twice-00000000000000000000000000000000 bad/ks/twice-11111111111111111111111111111111 && cp node/ks/readings-0123456789abcdef0123456789abcdef/nb* bad/ks/twice-0*/ && cp node/ks/readings-0123456789abcdef0123456789abcdef/nb* bad/ks/twice-1*/
CREATE SERVER bad FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '/nowhere');
CREATE FOREIGN TABLE damaged (key0 text, key1 date, ck1 int, value float8) SERVER bad OPTIONS (keyspace 'ks');
SELECT c.* FROM caught('SELECT count(*) FROM damaged') c;
SELECT run(format('ALTER SERVER bad OPTIONS (SET data_dir %L)', :'dir' || '/bad'));
ALTER FOREIGN TABLE damaged OPTIONS (ADD "table" 'flipped');
SELECT c.* FROM caught('SELECT sum(value) FROM damaged') c;
SELECT c.* FROM caught('SELECT sum(value) FROM damaged d, generate_series(1, 3)') c;
CREATE FUNCTION reading(name text) RETURNS TABLE (sqlstate_ text, message text, detail text, hint text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER FOREIGN TABLE damaged OPTIONS (SET "table" %L)', name);
  RETURN QUERY SELECT * FROM caught('SELECT sum(value) FROM damaged');
END $$;
SELECT name, c.* FROM unnest(ARRAY['cut', 'gone', 'empty', 'twice', 'version', 'no_toc', 'missing']) name, LATERAL reading(name) c;
SELECT c.* FROM caught('IMPORT FOREIGN SCHEMA ks LIMIT TO (gone) FROM SERVER bad INTO sst') c;
SELECT c.* FROM caught('IMPORT FOREIGN SCHEMA ks LIMIT TO (flipped) FROM SERVER bad INTO sst') c;
\det sst.f*
SELECT c.* FROM caught('IMPORT FOREIGN SCHEMA other FROM SERVER bad INTO sst') c;
SELECT c.* FROM caught('SELECT 1 / (seq - seq) FROM f.readings') c;
SELECT c.* FROM caught($$SELECT 1 / (seq - seq) FROM f.readings WHERE device = 'dev1' AND day = '2024-01-01'$$) c;
SET statement_timeout = '50ms';
SELECT c.message FROM caught('SELECT count(*) FROM f.readings a, f.readings b, f.readings c WHERE a.value + b.value + c.value = 0') c;
RESET statement_timeout;
\! ls -l /proc/$BACKEND/fd | grep -cE -- "-(big|bti)-[A-Z]"

-- What planning opens is what the scan reads; what no scan takes is closed with the transaction. A file
-- that comes in between is seen.
BEGIN;
SELECT count(*) FROM f.readings;
\! ls -l /proc/$BACKEND/fd | grep -cE -- "-(big|bti)-[A-Z]"
SELECT run('EXPLAIN SELECT count(*) FROM f.readings');
\! ls -l /proc/$BACKEND/fd | grep -cE -- "-(big|bti)-[A-Z]"
COMMIT;
\! ls -l /proc/$BACKEND/fd | grep -cE -- "-(big|bti)-[A-Z]"
\! cd "$PG_ABS_BUILDDIR/sstable_fdw" && mkdir two && cp node/ks/readings-0123456789abcdef0123456789abcdef/[nd][ba]-* two/
CREATE FOREIGN TABLE two (device text, seq int) SERVER node OPTIONS (keyspace 'ks', "table" 'readings');
SELECT run(format('ALTER FOREIGN TABLE two OPTIONS (ADD directory %L)', :'dir' || '/two'));
CREATE FUNCTION counted_after(change text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE counted bigint;
BEGIN
  EXECUTE 'EXPLAIN SELECT count(*) FROM two';  -- opened, and taken by no scan
  EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'cat > /dev/null; ' || change);  -- it reads, or COPY may fail
  SELECT count(*) FROM two INTO counted;  -- planned by the first call alone
  RETURN counted;
END $$;
SELECT counted_after('true');
SELECT counted_after(format('rm %s/da-*', :'dir' || '/two'));

-- Who may read: superusers and members of pg_read_server_files name files; their tables are read by
-- whom they grant it, as long as the owner may.
CREATE ROLE sst_reader;
CREATE ROLE sst_admin;
GRANT pg_read_server_files TO sst_admin;
GRANT ALL ON SCHEMA sst TO sst_reader, sst_admin;
GRANT USAGE ON FOREIGN DATA WRAPPER orochi_sstable TO sst_reader, sst_admin;
GRANT USAGE ON FOREIGN SERVER node TO sst_reader;
GRANT USAGE ON SCHEMA f TO sst_reader;
SET ROLE sst_reader;
CREATE SERVER mine FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '/x');
CREATE SERVER mine FOREIGN DATA WRAPPER orochi_sstable;
CREATE FOREIGN TABLE by_name (device text, seq int) SERVER node OPTIONS (keyspace 'ks', "table" 'readings');
SELECT count(*) FROM by_name;
CREATE FOREIGN TABLE by_path (device text, seq int) SERVER node OPTIONS (directory '/x');
ALTER FOREIGN TABLE by_name OPTIONS (ADD directory '/x');
ALTER SERVER mine OPTIONS (ADD data_dir '/x');
SELECT count(*) FROM f.readings;
RESET ROLE;
SET ROLE sst_admin;
CREATE SERVER admins FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '/x');
CREATE FOREIGN TABLE admins_table (device text OPTIONS (column_name 'key0'), seq int OPTIONS (column_name 'ck1')) SERVER admins OPTIONS (directory '/x');
RESET ROLE;
SELECT run(format('ALTER FOREIGN TABLE admins_table OPTIONS (SET directory %L)', :'dir' || '/node/ks/readings-0123456789abcdef0123456789abcdef/snapshots/first'));
GRANT SELECT ON admins_table TO sst_reader;
SET ROLE sst_reader;
SELECT count(*) FROM admins_table;
RESET ROLE;
REVOKE pg_read_server_files FROM sst_admin;
SELECT count(*) FROM admins_table;
DROP OWNED BY sst_reader, sst_admin;
DROP ROLE sst_reader, sst_admin;
RESET search_path;
SET client_min_messages = warning;
DROP SERVER node, gold, bad CASCADE;
DROP SCHEMA sst, f, da, nb CASCADE;
