-- Goal: a move keeps every row, index, constraint and catalog entry of a table, in the wanted
-- order, and refuses what it cannot do by saying so. Method: move heap tables to heap, which
-- exercises every step but the other storage, and compare with a twin.
CREATE SCHEMA move_heap;
SET search_path = move_heap;
CREATE TABLE metrics (
  id int PRIMARY KEY,
  gone int,
  host int,
  at timestamptz NOT NULL,
  note text,
  twice int GENERATED ALWAYS AS (host * 2) STORED,
  period int4range,
  EXCLUDE USING gist (period WITH &&));
CREATE UNIQUE INDEX metrics_host_at ON metrics (host, at DESC) INCLUDE (twice);
CREATE INDEX metrics_partial ON metrics (at) WHERE host > 5;
CREATE INDEX metrics_expression ON metrics (lower(left(note, 10)) text_pattern_ops) WITH (fillfactor = 70);
CREATE INDEX metrics_hash ON metrics USING hash (host);
CREATE INDEX metrics_brin ON metrics USING brin (at);
CREATE INDEX metrics_gin ON metrics USING gin (to_tsvector('simple', left(note, 20)));
INSERT INTO metrics (id, gone, host, at, note, period)
SELECT i, i, i % 10, '2024-01-01'::timestamptz + i * interval '1 minute',
       CASE WHEN i % 50 = 0 THEN (SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 200) j)
            WHEN i % 3 = 0 THEN 'row ' || i END,
       int4range(i, i + 1)
FROM generate_series(1, 2000) i;
DELETE FROM metrics WHERE id % 7 = 0;
UPDATE metrics SET note = 'updated ' || id WHERE id % 11 = 0;
ALTER TABLE metrics ADD COLUMN added int DEFAULT 42;  -- a value no stored row has
CREATE INDEX metrics_added ON metrics (added);
ALTER TABLE metrics DROP COLUMN gone;
ALTER TABLE metrics ALTER COLUMN host SET STATISTICS 500;
GRANT SELECT ON metrics TO PUBLIC;
COMMENT ON TABLE metrics IS 'kept';
ANALYZE metrics;
CREATE TABLE twin AS SELECT * FROM metrics;

CREATE VIEW difference AS
(TABLE metrics EXCEPT ALL TABLE twin) UNION ALL (TABLE twin EXCEPT ALL TABLE metrics);
CREATE FUNCTION files() RETURNS int[] LANGUAGE sql AS $$
  SELECT array_agg(pg_relation_filenode(c.oid)::int ORDER BY c.oid) FROM pg_class c
  LEFT JOIN pg_index x ON x.indexrelid = c.oid
  WHERE 'metrics'::regclass IN (c.oid, x.indrelid) $$;
SELECT files() AS before \gset
SELECT count(*) AS statistics_before FROM pg_statistic WHERE starelid = 'metrics'::regclass \gset

SELECT orochi.move_chunk('metrics', 'heap', 'at DESC');
SELECT count(*) AS differences FROM difference;
-- Each file is new, and nothing of the copy is left.
SELECT bool_and(b <> a) AS all_new, count(*) FROM unnest(:'before'::int[], files()) AS f(b, a);
SELECT count(*) AS left_over FROM pg_class WHERE relname ~ '^(pg_temp_|orochi_move)' OR relrewrite <> 0;
SELECT id FROM metrics LIMIT 3;  -- in the order asked for
SELECT relpages > 0 AS pages, reltuples, relallvisible = relpages AS all_visible,
       age(relfrozenxid) < 100 AS frozen
FROM pg_class WHERE oid = 'metrics'::regclass;
SELECT count(*) = :statistics_before AS statistics_kept FROM pg_statistic WHERE starelid = 'metrics'::regclass;
SELECT t.relname = 'pg_toast_' || 'metrics'::regclass::oid AS toast_name,
       i.indexrelid::regclass::text = 'pg_toast.pg_toast_' || 'metrics'::regclass::oid || '_index' AS toast_index,
       d.deptype AS toast_dependency
FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid JOIN pg_index i ON i.indrelid = t.oid
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = t.oid AND d.refobjid = c.oid
WHERE c.oid = 'metrics'::regclass;
\d+ metrics
\dp metrics
SELECT obj_description('metrics'::regclass);

-- Every index finds the rows, old and new.
SET enable_seqscan = off;
SELECT id, note, twice FROM metrics WHERE id = 33;
SELECT count(*) FROM metrics WHERE host = 7;
SELECT count(*) FROM metrics WHERE added = 42;
SELECT count(*) FROM metrics WHERE lower(left(note, 10)) LIKE 'updated%';
SELECT count(*) FROM metrics WHERE to_tsvector('simple', left(note, 20)) @@ 'row';
SELECT count(*) FROM metrics WHERE at < '2024-01-01 01:00+00' AND host > 5;
SELECT id FROM metrics WHERE period @> 100;
RESET enable_seqscan;
INSERT INTO metrics (id, host, at) VALUES (33, 1, now());
INSERT INTO metrics (id, host, at, period) VALUES (9000, 1, '2024-06-01', int4range(100, 102));
UPDATE metrics SET host = 3 WHERE id = 33;
SELECT id, host, added FROM metrics WHERE id = 33;
VACUUM metrics;
REINDEX TABLE metrics;
UPDATE metrics SET host = 33 % 10 WHERE id = 33;
SELECT count(*) AS differences FROM difference;

-- Rolled back, the table is as it was; so is a savepoint.
SELECT files() AS before \gset
BEGIN;
SELECT orochi.move_chunk('metrics', 'heap');
SELECT count(*) FROM metrics;
ROLLBACK;
BEGIN;
SAVEPOINT a;
SELECT orochi.move_chunk('metrics', 'heap');
SELECT orochi.move_chunk('metrics', 'heap', 'host, id');
ROLLBACK TO a;
SELECT count(*) FROM metrics;
COMMIT;
SELECT files() = :'before'::int[] AS unchanged;
SELECT count(*) AS differences FROM difference;

-- A table made in the same transaction.
BEGIN;
CREATE TABLE made_here (a int PRIMARY KEY, b text);
INSERT INTO made_here SELECT i, repeat('x', i) FROM generate_series(1, 100) i;
SELECT orochi.move_chunk('made_here', 'heap', 'a DESC');
SELECT count(*), max(a), sum(length(b)) FROM made_here;
COMMIT;
SELECT count(*), max(a), sum(length(b)) FROM made_here;
SELECT count(*) FROM (TABLE made_here LIMIT 1) r WHERE a = 100;

-- Empty, temporary, unlogged.
CREATE TABLE empty_one (a int);
SELECT orochi.move_chunk('empty_one', 'heap');
CREATE TEMP TABLE mine AS SELECT generate_series(1, 10) a;
SELECT orochi.move_chunk('mine', 'heap', 'a DESC');
SELECT count(*) FROM mine;
CREATE UNLOGGED TABLE unlogged (a int PRIMARY KEY);
INSERT INTO unlogged SELECT generate_series(1, 10);
SELECT orochi.move_chunk('unlogged', 'heap');
SELECT count(*), min(relpersistence) FROM unlogged, pg_class WHERE oid = 'unlogged'::regclass GROUP BY relpersistence;

-- Partitions: the default order is the index that ends with the time, else the time.
CREATE TABLE parent (at timestamptz NOT NULL, host text, v float8) PARTITION BY RANGE (at);
CREATE TABLE child (v float8, dropped int, host text, at timestamptz NOT NULL);
ALTER TABLE child DROP COLUMN dropped;
ALTER TABLE parent ATTACH PARTITION child FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
INSERT INTO parent SELECT '2024-01-01'::timestamptz + i * interval '1 hour', 'h' || i % 3, i FROM generate_series(1, 300) i;
SELECT orochi.move_chunk('child', 'heap', 'host COLLATE "C" DESC NULLS LAST, at');
SELECT host, v FROM child LIMIT 2;
SELECT count(*), sum(v) FROM parent;

-- Refused, each with its reason.
SELECT orochi.move_chunk('metrics', 'heap', 'count(*)');
SELECT orochi.move_chunk('metrics', 'heap', 'id LIMIT 1');
SELECT orochi.move_chunk('metrics', 'heap', 'id; DROP TABLE twin');
SELECT orochi.move_chunk('metrics', 'heap', 'ctid');
SELECT orochi.move_chunk('metrics', 'heap', 'nope');
SELECT orochi.move_chunk('metrics', 'heap', '');
SELECT orochi.move_chunk('metrics', 'heap', '1');
SELECT orochi.move_chunk('metrics', 'no_such_method');
SELECT orochi.move_chunk('parent', 'heap');
SELECT orochi.decompress_chunk('parent');
SELECT orochi.move_chunk('difference', 'heap');
SELECT orochi.move_chunk('metrics_pkey', 'heap');
SELECT orochi.move_chunk('pg_class', 'heap');
SELECT orochi.move_chunk('orochi.hypertable', 'heap');
SELECT orochi.move_chunk(0, 'heap');
SELECT orochi.move_chunk(NULL, 'heap') IS NULL AS nothing;
SELECT orochi.move_chunk(tableoid, 'heap') FROM metrics LIMIT 1;
SELECT orochi.decompress_chunk('metrics');
SELECT orochi.decompress_chunk('metrics', if_compressed => false);

CREATE ROLE move_stranger;
GRANT USAGE ON SCHEMA move_heap TO move_stranger;
SET ROLE move_stranger;
SELECT orochi.move_chunk('metrics', 'heap');
RESET ROLE;

BEGIN;
INSERT INTO metrics (id, host, at) VALUES (9001, 1, now());
SELECT orochi.move_chunk('metrics', 'heap');
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM metrics;
SELECT orochi.move_chunk('metrics', 'heap');
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT orochi.move_chunk('metrics', 'heap');
ROLLBACK;
BEGIN READ ONLY;
SELECT orochi.move_chunk('metrics', 'heap');
ROLLBACK;
CREATE TABLE referencing (metric int REFERENCES metrics DEFERRABLE INITIALLY DEFERRED);
BEGIN;
CREATE TABLE here (id int PRIMARY KEY, parent int REFERENCES here DEFERRABLE INITIALLY DEFERRED);
INSERT INTO here VALUES (1, 2);
SELECT orochi.move_chunk('here', 'heap');  -- a check is still to come
ROLLBACK;
CREATE TABLE doubled (a int);
INSERT INTO doubled VALUES (1), (1);
CREATE UNIQUE INDEX CONCURRENTLY doubled_a ON doubled (a);
SELECT orochi.move_chunk('doubled', 'heap');

-- An owner that is no superuser, whose index runs the owner's function.
ALTER TABLE twin OWNER TO move_stranger;
GRANT CREATE ON SCHEMA move_heap TO move_stranger;
SET ROLE move_stranger;
CREATE FUNCTION who(int) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN current_user; END $$;
CREATE INDEX twin_who ON twin (who(id));
RESET ROLE;
SELECT orochi.move_chunk('twin', 'heap', 'id');
SET enable_seqscan = off;
SELECT count(*) > 0 AS all_of_the_owner FROM twin WHERE who(id) = 'move_stranger';
SELECT current_user = session_user AS is_me_again;
RESET enable_seqscan;

SET client_min_messages = warning;
DROP SCHEMA move_heap CASCADE;
DROP ROLE move_stranger;
