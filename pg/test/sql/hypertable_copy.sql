-- Goal:   COPY FROM into a hypertable does what PostgreSQL's COPY does, and makes the chunks.
-- Method: every input is loaded twice, into the hypertable and into a plainly partitioned twin that
--         PostgreSQL's own COPY fills; row counts and contents must agree. Errors are shown in full,
--         so that line numbers and contexts are compared as well.
\getenv build_dir PG_ABS_BUILDDIR
\set file :build_dir '/hypertable_copy.data'
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';

CREATE SCHEMA copy_test;
SET search_path = copy_test, public;
CREATE SEQUENCE serial_number;
CREATE TABLE twin (
  time timestamptz NOT NULL,
  host int NOT NULL CONSTRAINT host_is_known CHECK (host >= 0),
  tag text DEFAULT 'none',
  value float8,
  doubled float8 GENERATED ALWAYS AS (value * 2) STORED,
  number numeric DEFAULT 7
) PARTITION BY RANGE (time);
CREATE TABLE twin_rows PARTITION OF twin FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
CREATE TABLE metrics (LIKE twin INCLUDING ALL) PARTITION BY RANGE (time);
INSERT INTO orochi.hypertable VALUES ('metrics', '1 day');
CREATE INDEX ON twin (host, time);
CREATE INDEX ON metrics (host, time);
CREATE UNIQUE INDEX ON twin (time, host);
CREATE UNIQUE INDEX ON metrics (time, host);

-- Rows that one table has and the other has not, and whether an index says the same as the table.
CREATE VIEW difference AS
  SELECT 'metrics' AS only_in, * FROM (TABLE metrics EXCEPT ALL TABLE twin) m
  UNION ALL SELECT 'twin', * FROM (TABLE twin EXCEPT ALL TABLE metrics) t;
CREATE VIEW chunk_count AS SELECT count(*) FROM pg_inherits WHERE inhparent = 'metrics'::regclass;

CREATE TABLE input AS
  SELECT timestamptz '2024-01-01 00:00+00' + i * interval '17 minutes' AS time, i % 11 AS host,
         CASE WHEN i % 5 = 0 THEN NULL WHEN i % 7 = 0 THEN E'tab\tquote" comma, back\\slash' ELSE 'tag ' || i END AS tag,
         CASE WHEN i % 13 = 0 THEN NULL ELSE i / 3.0::float8 END AS value
  FROM generate_series(0, 4999) AS i;

-- Text, in time order: more rows than one batch, 60 chunks.
COPY input TO :'file';
COPY metrics (time, host, tag, value) FROM :'file';
\echo :ROW_COUNT
COPY twin (time, host, tag, value) FROM :'file';
\echo :ROW_COUNT
TABLE difference;
TABLE chunk_count;
SET enable_seqscan = off;
SELECT count(*), sum(value) FROM metrics WHERE host = 3 AND time > '2024-01-20 00:00+00';
SELECT count(*), sum(value) FROM twin WHERE host = 3 AND time > '2024-01-20 00:00+00';
RESET enable_seqscan;

-- The same rows again violate the unique index: the error names the line, nothing changes.
COPY metrics (time, host, tag, value) FROM :'file';
COPY twin (time, host, tag, value) FROM :'file';
TABLE difference;
TRUNCATE metrics, twin;

-- Out of time order, and into chunks that exist and chunks that do not.
COPY (SELECT * FROM input ORDER BY md5(time::text)) TO :'file' (FORMAT csv);
COPY metrics (time, host, tag, value) FROM :'file' (FORMAT csv);
\echo :ROW_COUNT
COPY twin (time, host, tag, value) FROM :'file' (FORMAT csv);
TABLE difference;
TRUNCATE metrics, twin;
SELECT format('DROP TABLE %s', inhrelid::regclass) FROM pg_inherits
WHERE inhparent = 'metrics'::regclass ORDER BY inhrelid LIMIT 20
\gexec
COPY metrics (time, host, tag, value) FROM :'file' (FORMAT csv);
\echo :ROW_COUNT
COPY twin (time, host, tag, value) FROM :'file' (FORMAT csv);
TABLE difference;
TABLE chunk_count;
TRUNCATE metrics, twin;

-- Options of text and CSV.
COPY (SELECT host, time, tag FROM input WHERE host < 4) TO :'file' (DELIMITER '|', NULL 'nothing');
COPY metrics (host, time, tag) FROM :'file' (DELIMITER '|', NULL 'nothing');
\echo :ROW_COUNT
COPY twin (host, time, tag) FROM :'file' (DELIMITER '|', NULL 'nothing');
TABLE difference;
TRUNCATE metrics, twin;
COPY (SELECT time, host, tag, value FROM input LIMIT 300) TO :'file' (FORMAT csv, HEADER, QUOTE '''', ESCAPE '\', FORCE_QUOTE (tag), NULL 'NIL');
COPY metrics (time, host, tag, value) FROM :'file' (FORMAT csv, HEADER MATCH, QUOTE '''', ESCAPE '\', NULL 'NIL', FORCE_NULL (tag));
\echo :ROW_COUNT
COPY twin (time, host, tag, value) FROM :'file' (FORMAT csv, HEADER MATCH, QUOTE '''', ESCAPE '\', NULL 'NIL', FORCE_NULL (tag));
TABLE difference;
COPY metrics (host, time, tag, value) FROM :'file' (FORMAT csv, HEADER MATCH, QUOTE '''', ESCAPE '\', NULL 'NIL');
TRUNCATE metrics, twin;
COPY metrics (time, host, tag, number) FROM stdin (FORMAT csv, FORCE_NOT_NULL (tag), NULL '');
2024-03-01 00:00+00,1,,5
2024-03-02 00:00+00,2,"",
\.
COPY twin (time, host, tag, number) FROM stdin (FORMAT csv, FORCE_NOT_NULL (tag), NULL '');
2024-03-01 00:00+00,1,,5
2024-03-02 00:00+00,2,"",
\.
TABLE difference;
TABLE metrics ORDER BY time;
TRUNCATE metrics, twin;

-- Binary, and another encoding.
COPY (SELECT time, host, tag, value FROM input) TO :'file' (FORMAT binary);
COPY metrics (time, host, tag, value) FROM :'file' (FORMAT binary);
\echo :ROW_COUNT
COPY twin (time, host, tag, value) FROM :'file' (FORMAT binary);
TABLE difference;
TRUNCATE metrics, twin;
COPY (SELECT '2024-03-01 00:00+00', 1, U&'gr\00FC\00DFe') TO :'file' (ENCODING latin1);
COPY metrics (time, host, tag) FROM :'file' (ENCODING latin1);
COPY twin (time, host, tag) FROM :'file' (ENCODING latin1);
TABLE difference;
SELECT tag, octet_length(tag) FROM metrics;
COPY metrics (time, host, tag) FROM :'file' (ENCODING utf8);
TRUNCATE metrics, twin;

-- WHERE: columns, an immutable and a volatile condition, the table's OID; a program as the source.
COPY (SELECT time, host, tag, value FROM input) TO :'file';
COPY metrics (time, host, tag, value) FROM :'file' WHERE host IN (1, 2) AND tag IS NOT NULL AND tableoid = 'metrics'::regclass;
\echo :ROW_COUNT
COPY twin (time, host, tag, value) FROM :'file' WHERE host IN (1, 2) AND tag IS NOT NULL AND tableoid = 'twin'::regclass;
\echo :ROW_COUNT
TABLE difference;
TRUNCATE metrics, twin;
\set program 'head -n 2500 ' :file
COPY metrics (time, host, tag, value) FROM PROGRAM :'program' WHERE random() >= 0 AND host <> 5;
\echo :ROW_COUNT
COPY twin (time, host, tag, value) FROM PROGRAM :'program' WHERE random() >= 0 AND host <> 5;
TABLE difference;
TRUNCATE metrics, twin;
COPY metrics (time, host) FROM PROGRAM 'exit 3';
COPY metrics (time, host) FROM '/dev/null' WHERE sum(host) > 3;
COPY metrics (time, host) FROM '/dev/null' WHERE nobody = 3;

-- Defaults that count: each row sees the rows before it.
CREATE FUNCTION rows_so_far(of regclass) RETURNS numeric LANGUAGE plpgsql VOLATILE AS $$
DECLARE n numeric;
BEGIN
  EXECUTE format('SELECT count(*) FROM %s', of) INTO n;
  RETURN n;
END $$;
ALTER TABLE metrics ALTER number SET DEFAULT rows_so_far('metrics');
ALTER TABLE twin ALTER number SET DEFAULT rows_so_far('twin');
COPY (SELECT time, host FROM input LIMIT 200) TO :'file';
COPY metrics (time, host) FROM :'file';
COPY twin (time, host) FROM :'file';
TABLE difference;
SELECT min(number), max(number), count(DISTINCT number) FROM metrics;
ALTER TABLE metrics ALTER number SET DEFAULT nextval('serial_number');
ALTER TABLE twin ALTER number SET DEFAULT 7;
TRUNCATE metrics, twin;

-- Errors name the line and leave no row.
COPY metrics (time, host, value) FROM stdin;
2024-05-01 00:00+00	1	1
2024-05-02 00:00+00	1	one
\.
COPY metrics (time, host, value) FROM stdin;
2024-05-01 00:00+00	1	1
2024-05-02 00:00+00	-1	1
2024-05-03 00:00+00	1	bad
\.
COPY metrics (time, host, value) FROM stdin;
2024-05-01 00:00+00	1	1
\N	1	1
\.
COPY metrics (time, host, value) FROM stdin;
2024-05-01 00:00+00	1	1
infinity	1	1
\.
COPY metrics (time, host, value) FROM stdin;
-infinity	1	1
\.
COPY metrics (host) FROM stdin;
1
\.
COPY metrics (time, host) FROM stdin;
2024-05-01 00:00+00	1	1
\.
COPY metrics (time, host) FROM stdin;
2024-05-01 00:00+00
\.
COPY metrics (time, host, value) FROM stdin;
2024-05-01 00:00+00	1	1
2024-05-03 00:00+00	1	1
2024-05-01 00:00+00	1	1
\.
COPY metrics (time, host, doubled) FROM stdin;
\.
COPY metrics (time, time) FROM stdin;
\.
COPY metrics (nothing) FROM stdin;
\.
COPY metrics FROM '/nonexistent/file';
COPY metrics FROM stdin (FREEZE);
\.
COPY metrics FROM stdin (FORMAT csv, FORMAT text);
\.
COPY metrics FROM stdin (DELIMITER 'ab');
\.
COPY absent FROM stdin;
\.
TABLE metrics;

-- Roles: files, programs, tables, single columns, row security; read-only transactions.
CREATE ROLE copy_user;
GRANT USAGE ON SCHEMA copy_test TO copy_user;
GRANT SELECT ON ALL TABLES IN SCHEMA copy_test TO copy_user;
GRANT USAGE ON SEQUENCE serial_number TO copy_user;
SET ROLE copy_user;
COPY metrics FROM '/etc/passwd';
COPY metrics FROM PROGRAM 'true';
COPY metrics (time, host) FROM stdin;
\.
RESET ROLE;
GRANT INSERT (time, host) ON metrics TO copy_user;
SET ROLE copy_user;
COPY metrics (time, host) FROM stdin;
2024-06-01 00:00+00	1
2024-06-02 00:00+00	2
\.
COPY metrics (time, host, tag) FROM stdin;
\.
COPY metrics FROM stdin;
\.
RESET ROLE;
-- The chunks belong to the table's owner, not to whoever brought the row.
SELECT DISTINCT relowner = (SELECT relowner FROM pg_class WHERE oid = 'metrics'::regclass) AS owners_agree
FROM pg_class JOIN pg_inherits ON inhrelid = oid WHERE inhparent = 'metrics'::regclass;
GRANT INSERT ON metrics TO copy_user;
ALTER TABLE metrics ENABLE ROW LEVEL SECURITY;
SET ROLE copy_user;
COPY metrics (time, host) FROM stdin;
\.
RESET ROLE;
ALTER TABLE metrics DISABLE ROW LEVEL SECURITY;
BEGIN READ ONLY;
COPY metrics (time, host) FROM stdin;
\.
ROLLBACK;
SELECT count(*) FROM metrics;
TRUNCATE metrics;
REVOKE ALL ON metrics, twin, input, difference, chunk_count FROM copy_user;

-- Statement triggers, once each; row triggers before and after; transition tables.
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE WARNING '% % %, the table has % rows', TG_WHEN, TG_OP, TG_LEVEL,
    (SELECT count(*) FROM metrics);
  RETURN NEW;
END $$;
CREATE FUNCTION tell_new_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE WARNING '% new rows, hosts %', (SELECT count(*) FROM new_rows),
    (SELECT array_agg(DISTINCT host ORDER BY host) FROM new_rows);
  RETURN NULL;
END $$;
CREATE TRIGGER before_statement BEFORE INSERT ON metrics EXECUTE FUNCTION tell();
CREATE TRIGGER after_statement AFTER INSERT ON metrics EXECUTE FUNCTION tell();
CREATE TRIGGER after_row AFTER INSERT ON metrics FOR EACH ROW WHEN (NEW.host = 3) EXECUTE FUNCTION tell();
COPY metrics (time, host) FROM stdin;
2024-06-01 00:00+00	1
2024-07-02 00:00+00	3
2024-08-02 00:00+00	2
\.
CREATE TRIGGER new_rows AFTER INSERT ON metrics REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION tell_new_rows();
DROP TRIGGER after_row ON metrics;
COPY metrics (time, host) FROM stdin;
2024-06-01 00:00+00	11
2024-09-02 00:00+00	13
2024-10-02 00:00+00	12
\.
DROP TRIGGER new_rows ON metrics;
DROP TRIGGER before_statement ON metrics;
DROP TRIGGER after_statement ON metrics;
CREATE FUNCTION change_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.host = 1 THEN RETURN NULL; END IF;
  IF NEW.host = 2 THEN NEW.time := NEW.time + interval '1 minute'; END IF;
  IF NEW.host = 4 THEN NEW.time := NEW.time + interval '10 days'; END IF;
  NEW.number := (SELECT count(*) FROM metrics);
  NEW.value := 1.5;
  RETURN NEW;
END $$;
TRUNCATE metrics;
CREATE TRIGGER change_row BEFORE INSERT ON metrics FOR EACH ROW EXECUTE FUNCTION change_row();
COPY metrics (time, host) FROM stdin;
2024-06-01 00:00+00	0
2024-06-02 00:00+00	1
2024-07-02 00:00+00	2
2024-11-02 00:00+00	3
\.
\echo :ROW_COUNT
TABLE metrics ORDER BY time;
-- PostgreSQL cannot move a row to another partition in such a trigger.
COPY metrics (time, host) FROM stdin;
2024-06-03 00:00+00	3
2024-06-04 00:00+00	4
\.
DROP TRIGGER change_row ON metrics;
TRUNCATE metrics;

-- A trigger on one chunk only: its rows go one by one, after those that came before them.
COPY metrics (time, host) FROM stdin;
2024-06-02 00:00+00	0
\.
SELECT tableoid::regclass AS chunk FROM metrics \gset
CREATE TRIGGER change_row BEFORE INSERT ON :chunk FOR EACH ROW EXECUTE FUNCTION change_row();
COPY metrics (time, host) FROM stdin;
2024-06-01 00:00+00	7
2024-06-03 00:00+00	7
2024-06-02 00:00+00	7
2024-06-03 00:00+00	8
2024-06-02 00:00+00	8
\.
SELECT time, host, value, number FROM metrics WHERE value = 1.5 ORDER BY time, host;
DROP TRIGGER change_row ON :chunk;
TRUNCATE metrics;

-- A foreign key out of the hypertable.
CREATE TABLE hosts (host int PRIMARY KEY);
INSERT INTO hosts VALUES (1), (2);
ALTER TABLE metrics ADD FOREIGN KEY (host) REFERENCES hosts;
COPY metrics (time, host) FROM stdin;
2025-01-01 00:00+00	1
2025-01-02 00:00+00	2
\.
COPY metrics (time, host) FROM stdin;
2025-01-03 00:00+00	1
2025-01-04 00:00+00	9
\.
SELECT count(*) FROM metrics;
ALTER TABLE metrics DROP CONSTRAINT metrics_host_fkey;
TRUNCATE metrics;

-- Chunks of another shape: columns in another order, dropped columns, partitioned by hash below.
CREATE TABLE odd (number numeric, gone int, value float8, tag text, host int NOT NULL,
  doubled float8 GENERATED ALWAYS AS (value * 2) STORED, time timestamptz NOT NULL);
ALTER TABLE odd DROP gone;
ALTER TABLE odd ADD CONSTRAINT host_is_known CHECK (host >= 0);
ALTER TABLE metrics ATTACH PARTITION odd FOR VALUES FROM ('2030-01-01') TO ('2030-01-02');
CREATE TABLE spread (LIKE metrics INCLUDING ALL EXCLUDING INDEXES) PARTITION BY HASH (host);
CREATE TABLE spread_0 PARTITION OF spread FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE spread_1 PARTITION OF spread FOR VALUES WITH (MODULUS 2, REMAINDER 1);
ALTER TABLE metrics ATTACH PARTITION spread FOR VALUES FROM ('2030-01-02') TO ('2030-01-03');
COPY (SELECT timestamptz '2030-01-01 00:00+00' + i * interval '50 seconds' AS time, i % 10 AS host, 'tag ' || i, i, i
      FROM generate_series(0, 4999) AS i) TO :'file';
COPY metrics (time, host, tag, value, number) FROM :'file';
COPY twin (time, host, tag, value, number) FROM :'file';
TABLE difference;
SELECT tableoid::regclass, count(*), min(time), max(doubled) FROM metrics GROUP BY 1 ORDER BY 3, 1;
TRUNCATE metrics, twin;
ALTER TABLE metrics DROP value CASCADE;
ALTER TABLE metrics ADD late int DEFAULT 5;
COPY metrics (time, host, tag, late) FROM stdin;
2030-01-01 00:00+00	1	old	1
2031-01-01 00:00+00	2	new	2
\.
COPY metrics (time, host, tag) FROM stdin;
2031-02-01 00:00+00	3	new
\.
SELECT time, host, tag, late FROM metrics ORDER BY time;

-- Chunks in other places: columnar, and a table of another server (this one).
CREATE TABLE places (time timestamptz NOT NULL, host int, tag text) PARTITION BY RANGE (time);
INSERT INTO orochi.hypertable VALUES ('places', '1 day');
CREATE TABLE places_columnar (LIKE places) USING columnar;
ALTER TABLE places ATTACH PARTITION places_columnar FOR VALUES FROM ('2024-01-01') TO ('2024-01-20');
CREATE INDEX ON places (host, time);
COPY (SELECT time, host, tag FROM input) TO :'file';
COPY places FROM :'file';
SELECT count(*) FROM (TABLE places EXCEPT ALL SELECT time, host, tag FROM input) AS wrong;
SELECT count(*) FROM (SELECT time, host, tag FROM input EXCEPT ALL TABLE places) AS lost;
BEGIN;
COPY places FROM :'file';
ROLLBACK;
SELECT tableoid::regclass, count(*) FROM places GROUP BY 1 ORDER BY 1 LIMIT 2;
SET enable_seqscan = off;
SELECT count(*) FROM places WHERE host = 3 AND time < '2024-01-10';
RESET enable_seqscan;
DROP INDEX places_host_time_idx;
CREATE EXTENSION postgres_fdw SCHEMA copy_test;
DO $$ BEGIN
  EXECUTE format('CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)',
    current_setting('unix_socket_directories'), current_setting('port'), current_database());
END $$;
CREATE USER MAPPING FOR CURRENT_USER SERVER here;
CREATE TABLE elsewhere (time timestamptz NOT NULL, host int, tag text);
CREATE FOREIGN TABLE places_foreign PARTITION OF places FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')
  SERVER here OPTIONS (schema_name 'copy_test', table_name 'elsewhere');
COPY places FROM stdin;
2020-01-01 00:00+00	1	foreign
2020-01-02 00:00+00	2	here
2020-01-01 01:00+00	3	foreign
\.
\echo :ROW_COUNT
SELECT tableoid::regclass, * FROM places WHERE time < '2021-01-01' ORDER BY time;
DROP FOREIGN TABLE places_foreign;

-- In the transaction that makes the table, in a subtransaction, in a function.
BEGIN;
CREATE TABLE fresh (time date NOT NULL, value int) PARTITION BY RANGE (time);
INSERT INTO orochi.hypertable VALUES ('fresh', '7 days');
COPY fresh FROM stdin;
2024-01-01	1
2024-02-01	2
\.
SAVEPOINT before_error;
COPY fresh FROM stdin;
2024-03-01	3
2024-04-01	four
\.
ROLLBACK TO before_error;
COPY fresh FROM stdin;
2024-03-01	3
2024-05-01	5
\.
COMMIT;
SELECT * FROM fresh ORDER BY time;
CREATE FUNCTION load_fresh(source text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  EXECUTE format('COPY fresh FROM %L', source);
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;
COPY (SELECT date '2025-01-01' + i, i FROM generate_series(1, 100) AS i) TO :'file';
SELECT load_fresh(:'file');
SELECT count(*), min(time), max(time) FROM fresh;

-- Integer time, negative and at the type's ends; a table in use by a cursor of this session.
CREATE TABLE numbers (n smallint NOT NULL, v int) PARTITION BY RANGE (n);
INSERT INTO orochi.hypertable VALUES ('numbers', NULL, 1000);
COPY numbers FROM stdin;
-32768	1
-1	2
0	3
32767	4
\.
SELECT * FROM numbers ORDER BY n;
BEGIN;
DECLARE open_cursor CURSOR FOR SELECT * FROM numbers ORDER BY n;
FETCH 1 FROM open_cursor;
COPY numbers FROM stdin;
5000	5
\.
FETCH 1 FROM open_cursor;
COMMIT;
SELECT count(*) FROM numbers;

-- Progress is reported for the hypertable.
CREATE FUNCTION tell_progress() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE WARNING '%', (SELECT row(command, type, relid::regclass, tuples_processed, tuples_excluded)
                      FROM pg_stat_progress_copy WHERE pid = pg_backend_pid());
  RETURN NULL;
END $$;
CREATE TRIGGER progress AFTER INSERT ON numbers EXECUTE FUNCTION tell_progress();
COPY numbers FROM stdin WHERE n <> 2;
1	1
2	2
3	3
20000	3
\.

-- COPY TO, and COPY into one chunk, are PostgreSQL's.
COPY numbers TO stdout;
SELECT inhrelid::regclass AS chunk FROM pg_inherits WHERE inhparent = 'numbers'::regclass ORDER BY 1 LIMIT 1 \gset
COPY :chunk FROM stdin;
31000	31000
\.

SET client_min_messages = error;
DROP OWNED BY copy_user;
DROP ROLE copy_user;
DROP SERVER here CASCADE;
DROP SCHEMA copy_test CASCADE;
