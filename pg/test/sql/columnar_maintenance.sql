-- Goal: VACUUM, ANALYZE, VACUUM FULL, CLUSTER, TABLESAMPLE, COPY and the views tell and keep the
-- truth about columnar tables.
CREATE SCHEMA columnar_maintenance;
SET search_path = columnar_maintenance;
SET orochi.columnar_row_page_rows = 0;  -- what is shown here are stripes
SELECT count(*) AS stripes_before FROM orochi.columnar_stripe \gset
CREATE TABLE m (id int, v float8, t text) USING columnar;
INSERT INTO m SELECT i, i / 4.0, 'row ' || i FROM generate_series(1, 20000) i;
ANALYZE m;
SELECT reltuples, relpages > 1 AS has_pages FROM pg_class WHERE oid = 'm'::regclass;
SELECT attname, n_distinct, correlation FROM pg_stats WHERE tablename = 'm' AND attname = 'id';
SELECT most_common_vals IS NULL AS no_common, null_frac FROM pg_stats WHERE tablename = 'm' AND attname = 't';
-- The tail that an aborted writer left is cut, its row numbers stay used.
SELECT pg_relation_size('m') AS size_before \gset
BEGIN;
INSERT INTO m SELECT i, random(), md5(i::text) FROM generate_series(1, 20000) i;
SELECT count(*) FROM m;
ROLLBACK;
SELECT pg_relation_size('m') > :size_before AS grew;
VACUUM m;
SELECT pg_relation_size('m') = :size_before AS cut;
SELECT reltuples FROM pg_class WHERE oid = 'm'::regclass;
SELECT age(relfrozenxid) < 100 AS frozen FROM pg_class WHERE oid = 'm'::regclass;
SELECT count(*) FROM orochi.columnar_stripe WHERE size_bytes = 0 AND storage_id = orochi.columnar_storage_id('m');
INSERT INTO m VALUES (20001, 0, 'after');
SELECT count(*), sum(id) FROM m;
SELECT ctid > '(156,0)' AS past_the_aborted FROM m WHERE id = 20001;
VACUUM (TRUNCATE off, ANALYZE) m;
-- Many small stripes become few.
CREATE TABLE small (id int, t text) USING columnar;
SELECT format('INSERT INTO small VALUES (%s, md5(%L))', i, i) FROM generate_series(1, 30) i \gexec
SELECT count(*) FROM orochi.columnar_stripes('small');
SELECT orochi.columnar_storage_id('small') AS storage_id \gset
VACUUM FULL small;
SELECT count(*) FROM orochi.columnar_stripes('small');
SELECT count(*), sum(id) FROM small;
SELECT orochi.columnar_storage_id('small') <> :storage_id AS new_storage;
SELECT count(*) AS old_stripes FROM orochi.columnar_stripe WHERE storage_id = :storage_id;
CREATE INDEX small_t ON small (t);
CLUSTER small USING small_t;
SELECT bool_and(t >= before) AS sorted FROM (SELECT t, lag(t, 1, '') OVER () AS before FROM small) q;
-- Samples.
SELECT count(*) BETWEEN 9000 AND 11000 AS half FROM m TABLESAMPLE bernoulli (50) REPEATABLE (1);
SELECT count(*) BETWEEN 5000 AND 15000 AS about_half FROM m TABLESAMPLE system (50) REPEATABLE (1);
SELECT count(*) FROM m TABLESAMPLE bernoulli (100);
SELECT count(*) FROM m TABLESAMPLE system (0);
-- Views.
SELECT stripe, rows, row_groups FROM orochi.columnar_stripes('small');
SELECT column_name, rows, nulls, bytes > 0 AS bytes, min, max
FROM orochi.columnar_chunks('m') WHERE stripe = 1 AND row_group = 1 ORDER BY column_name;
SELECT DISTINCT relation FROM orochi.columnar_chunks WHERE relation::text IN ('m', 'small', 'on_heap') ORDER BY 1;
CREATE TABLE on_heap (a int);
SELECT * FROM orochi.columnar_chunks('on_heap');
SELECT orochi.columnar_storage_id('pg_class');
-- COPY.
CREATE TABLE copied (LIKE m) USING columnar;
COPY copied FROM stdin WITH (FORMAT csv);
1,1.5,one
2,,
3,NaN,"three, quoted"
\.
COPY copied TO stdout;
BEGIN;
TRUNCATE copied;
COPY copied FROM stdin WITH (FORMAT csv, FREEZE);
4,0,frozen
\.
COMMIT;
TABLE copied;
COPY copied FROM stdin;
5	not a number	x
\.
TABLE copied;
DROP TABLE m, small, on_heap, copied;
SELECT count(*) - :stripes_before AS stripes_left FROM orochi.columnar_stripe;
DROP SCHEMA columnar_maintenance;
