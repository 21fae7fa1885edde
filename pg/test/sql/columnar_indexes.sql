-- Goal: indexes over columnar tables find exactly the rows that a sequential scan finds. Method:
-- every index kind built over old and new stripes, queries run with sequential scans off, against a
-- heap twin.
CREATE SCHEMA columnar_indexes;
SET search_path = columnar_indexes;
SET orochi.columnar_row_page_rows = 0;  -- stripes are what this is about
CREATE FUNCTION same(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE by_index text; by_heap text;
BEGIN
  SET LOCAL jit = off;
  SET LOCAL enable_seqscan = off;
  SET LOCAL orochi.enable_columnar_scan = off;
  SET LOCAL orochi.enable_vectorized_execution = off;
  EXECUTE format('SELECT string_agg(q::text, '','' ORDER BY q::text) FROM (%s) q', query) INTO by_index;
  EXECUTE format('SELECT string_agg(q::text, '','' ORDER BY q::text) FROM (%s) q',
                 regexp_replace(query, '\mix\M', 'ix_heap', 'g')) INTO by_heap;
  IF by_index IS DISTINCT FROM by_heap THEN
    RETURN format('%s: columnar %s, heap %s', query, left(by_index, 100), left(by_heap, 100));
  END IF;
  RETURN format('%s: %s bytes', query, coalesce(length(by_heap), 0));
END $$;
SET orochi.columnar_stripe_rows = 2000;
SET orochi.columnar_row_group_rows = 500;
CREATE TABLE ix_heap AS
  SELECT i AS id, md5(i::text) AS t, int4range(i, i + 10) AS r, array[i, i % 10] AS a, point(i, i) AS p
  FROM generate_series(1, 5000) i;
CREATE TABLE ix USING columnar AS TABLE ix_heap;
CREATE INDEX ON ix USING hash (t);
CREATE INDEX ON ix USING gin (a);
CREATE INDEX ON ix USING gist (r);
CREATE INDEX ON ix USING spgist (p);
CREATE INDEX ON ix (lower(t)) WHERE id % 2 = 0;
CREATE INDEX CONCURRENTLY ON ix (id DESC) INCLUDE (t);
CREATE UNIQUE INDEX CONCURRENTLY ix_id ON ix (id);
CREATE INDEX ON ix USING brin (id);
ALTER TABLE ix ADD EXCLUDE USING gist (r WITH &&);
INSERT INTO ix_heap
  SELECT i, md5(i::text), int4range(i, i + 10), array[i, i % 10], point(i, i)
  FROM generate_series(5001, 6000) i;
INSERT INTO ix SELECT * FROM ix_heap WHERE id > 5000;
BEGIN;
INSERT INTO ix SELECT id + 100000, t, r, a, p FROM ix_heap;
ROLLBACK;  -- their index entries stay and must find nothing
CREATE TABLE queries (query text);
INSERT INTO queries VALUES
  ('SELECT id FROM ix WHERE t = md5(''77'')'),
  ('SELECT * FROM ix WHERE a @> array[3]'),
  ('SELECT * FROM ix WHERE r @> 100'),
  ('SELECT id FROM ix WHERE p <@ box(point(5,5), point(70,70))'),
  ('SELECT * FROM ix WHERE id = 5500'),
  ('SELECT * FROM ix WHERE id BETWEEN 1990 AND 2010'),
  ('SELECT id FROM ix WHERE id > 5990'),
  ('SELECT id FROM ix WHERE lower(t) = md5(''88'') AND id % 2 = 0'),
  ('SELECT id, t FROM ix ORDER BY id DESC LIMIT 3'),
  ('SELECT id FROM ix ORDER BY p <-> point(50, 50) LIMIT 3'),
  ('SELECT * FROM ix WHERE id IN (1, 501, 2001, 4999, 6000, 7000)'),
  ('SELECT * FROM ix WHERE id < 700 OR t = md5(''5999'')'),
  ('SELECT x.id, y.t FROM ix x JOIN ix y ON y.id = x.id + 1 WHERE x.id % 1000 = 0');
SELECT same(query) FROM queries;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SELECT same(query) FROM queries WHERE query NOT LIKE '%<->%';
RESET enable_indexscan;
RESET enable_indexonlyscan;
SET work_mem = '64kB';  -- lossy bitmap pages, and a cache of row groups that holds next to none
SET enable_indexscan = off;
SELECT same('SELECT id FROM ix WHERE id > 10 AND id < 5800');
RESET enable_indexscan;
SELECT same('SELECT x.id, y.t FROM ix x JOIN ix y ON y.id = 6001 - x.id WHERE x.id % 20 = 0');
RESET work_mem;
REINDEX TABLE ix;
REINDEX TABLE CONCURRENTLY ix;
SELECT same(query) FROM queries WHERE query LIKE '%5500%' OR query LIKE '%@>%';
CLUSTER ix USING ix_id;
SELECT same(query) FROM queries WHERE query LIKE '%5500%' OR query LIKE '%@>%';
VACUUM FULL ix;
SELECT same(query) FROM queries;
-- Row numbers whose tuple ids are far past the end of the file, as tables of many millions of rows
-- have them. Bulk writers that fail use up a stripe's worth each.
CREATE TABLE far (id int, t text) USING columnar;
CREATE INDEX ON far (id);
SET orochi.columnar_stripe_rows = 1048576;
DO $$
BEGIN
  FOR i IN 1..35 LOOP
    BEGIN
      COPY far (id) FROM PROGRAM 'seq 1 1500; echo broken';
    EXCEPTION WHEN invalid_text_representation THEN
      NULL;
    END;
  END LOOP;
END $$;
RESET orochi.columnar_stripe_rows;
INSERT INTO far SELECT i, 'far ' || i FROM generate_series(1, 3000) i;
SELECT (ctid::text::point)[0] > 131072 AS past_the_first_segment, id FROM far WHERE id = 1;
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_indexscan = off;
SET LOCAL orochi.enable_columnar_scan = off;
SET LOCAL effective_io_concurrency = 10;
SET LOCAL jit = off;
EXPLAIN (COSTS OFF) SELECT t FROM far WHERE id > 5;
SELECT count(t) FROM far WHERE id > 5;
COMMIT;
DROP TABLE far;
-- Unique index over duplicates.
CREATE UNIQUE INDEX ON ix ((id / 2));
-- Tuple ids.
SELECT id FROM ix WHERE ctid = '(2147483648,5)';
SELECT id FROM ix WHERE ctid IN ('(2147483649,1)', '(2147493647,1)', '(2147483648,300)', '(2147483648,0)', '(4294967294,5)', '(1,1)', '(9999,1)');
SELECT id FROM ix WHERE ctid > '(2147483671,100)' ORDER BY ctid LIMIT 2;
-- An index made in the transaction of the rows, and one on rows still on their way.
BEGIN;
INSERT INTO ix (id, t) VALUES (7001, 'on its way');
CREATE INDEX on_the_way ON ix (t);
INSERT INTO ix (id, t) VALUES (7002, 'on its way');
SET LOCAL enable_seqscan = off;
SELECT id FROM ix WHERE t = 'on its way' ORDER BY id;
ROLLBACK;
-- Parallel plans and a parallel index build.
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET min_parallel_index_scan_size = 0;
SET max_parallel_maintenance_workers = 2;
SET orochi.enable_columnar_scan = off;
SET orochi.enable_vectorized_execution = off;
EXPLAIN (COSTS OFF) SELECT count(*), sum(id) FROM ix;
SELECT count(*), sum(id) FROM ix;
BEGIN;
INSERT INTO ix (id) VALUES (100001);
SELECT count(*), sum(id) FROM ix;
ROLLBACK;
CREATE INDEX by_parallel ON ix (t);
SELECT same('SELECT id FROM ix WHERE t = md5(''4321'')');
CREATE TABLE from_parallel USING columnar AS SELECT id, t FROM ix WHERE id > 10;
SELECT count(*), sum(id) FROM from_parallel;
DROP TABLE ix, ix_heap, queries, from_parallel;
DROP FUNCTION same;
DROP SCHEMA columnar_indexes;
