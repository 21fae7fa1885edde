-- Goal: a ColumnarAggregate answers, bit for bit, what PostgreSQL's own aggregates answer over the
-- same rows in the same order, over columnar tables and over partitions of which some are columnar.
-- Method: the same query with the node and without it (orochi.enable_vectorized_execution); float
-- results compared through their binary form; EXPLAIN shows who did the work.
-- A worker's snapshot would keep rows from being visible to everybody, and so from being counted unread.
ALTER SYSTEM SET autovacuum = off;
SELECT pg_reload_conf();
SET orochi.columnar_row_page_rows = 0;
SET orochi.columnar_stripe_rows = 1000;
SET orochi.columnar_row_group_rows = 100;
SET max_parallel_workers_per_gather = 0;

CREATE COLLATION agg_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE agg_rows (
  id int, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, wild float8, zero float8, d date, t time,
  ts timestamp, tz timestamptz, m money, txt text, vc varchar(20), n numeric, b bool, only_null float8)
  USING columnar;
INSERT INTO agg_rows
SELECT g, CASE WHEN g % 5 > 0 THEN g % 100 - 50 END, CASE WHEN g % 7 > 0 THEN g * 700000 END,
  CASE WHEN g % 3 > 0 THEN 9223372036854775000 + g % 500 END, CASE WHEN g % 9 > 0 THEN (g / 7.0)::float4 END,
  CASE WHEN g % 4 > 0 THEN sin(g) * 1e6 END,
  CASE g % 50 WHEN 3 THEN 'NaN'::float8 WHEN 7 THEN 'Infinity' WHEN 9 THEN '-Infinity' ELSE g END,
  CASE g % 3 WHEN 0 THEN '-0'::float8 WHEN 1 THEN 0 END,
  CASE WHEN g = 700 THEN 'infinity' WHEN g = 800 THEN '-infinity' ELSE date '2024-01-01' + g END,
  time '00:00' + g * interval '7 s', timestamp '2024-01-01' + g * interval '1 h',
  timestamptz '2024-01-01 00:00+00' + g * interval '1 h', g::numeric::money,
  CASE WHEN g % 6 > 0 THEN 'k' || (g * 7919) % 3000 END, 'v' || g % 77, g / 3.0, g % 2 = 0, NULL
FROM generate_series(1, 3000) g;
ANALYZE agg_rows;
SELECT count(*) FROM agg_rows;

-- Runs a query with and without the node. Answers what differs, or whether the node was used.
CREATE FUNCTION compare(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE with_node text; without text; plan text := ''; line text;
BEGIN
  SET LOCAL orochi.enable_vectorized_execution = on;
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP plan := plan || line; END LOOP;
  BEGIN
    EXECUTE 'SELECT (q)::text FROM (' || query || ') q' INTO with_node;
  EXCEPTION WHEN OTHERS THEN with_node := SQLSTATE || ' ' || SQLERRM;
  END;
  SET LOCAL orochi.enable_vectorized_execution = off;
  BEGIN
    EXECUTE 'SELECT (q)::text FROM (' || query || ') q' INTO without;
  EXCEPTION WHEN OTHERS THEN without := SQLSTATE || ' ' || SQLERRM;
  END;
  IF with_node IS DISTINCT FROM without THEN
    RETURN format('DIFFERS: %s instead of %s', with_node, without);
  END IF;
  RETURN CASE WHEN plan ~ 'ColumnarAggregate' THEN 'vectorized' ELSE 'by PostgreSQL' END;
END $$;

-- Every aggregate over every column, plain and under conditions.
SELECT verdict, count(*), string_agg(DISTINCT call, ' ' ORDER BY call) FILTER (WHERE verdict <> 'vectorized') AS calls FROM (
  SELECT format('%s(%s)', f, c) AS call,
         compare(format('SELECT %1$s(%2$s), %3$s FROM agg_rows %4$s', f, c, binary_form, w)) AS verdict
  FROM unnest(ARRAY['id', 'i2', 'i4', 'i8', 'f4', 'f8', 'wild', 'zero', 'd', 't', 'ts', 'tz', 'm', 'txt', 'vc', 'n', 'only_null']) c,
       unnest(ARRAY['count', 'sum', 'avg', 'min', 'max']) f,
       LATERAL (SELECT CASE WHEN c IN ('f8', 'wild', 'zero', 'only_null') THEN format('float8send(%s(%s))', f, c)
                            WHEN c = 'f4' AND f IN ('sum', 'min', 'max') THEN format('float4send(%s(%s))', f, c)
                            ELSE '0' END AS binary_form) x,
       unnest(ARRAY['', 'WHERE id > 1234', 'WHERE id BETWEEN 150 AND 160 AND f8 > 0', 'WHERE id < 0', 'WHERE txt = ''k7''', 'WHERE b']) w
  WHERE NOT (f IN ('sum', 'avg') AND c IN ('d', 't', 'ts', 'tz', 'txt', 'vc')) AND NOT (f = 'avg' AND c = 'm')
    AND NOT (binary_form LIKE 'float8send(count%')
) calls GROUP BY verdict ORDER BY verdict;

-- Mixes, expressions over aggregates, counts.
SELECT compare('SELECT count(*), count(1), count(f8), avg(f8) * 2 + sum(i4), max(tz) - min(tz), avg(f8)::text || ''x'' FROM agg_rows');
SELECT compare('SELECT count(*) FROM agg_rows');
SELECT compare('SELECT count(*) FROM agg_rows WHERE f8 > 0 AND i2 < 20 AND txt IS NOT NULL');
SELECT compare('SELECT count(b), count(n), count(only_null) FROM agg_rows WHERE id > 17');
SELECT compare('SELECT count(*) FROM agg_rows WHERE id = (SELECT 5)');
SELECT compare('SELECT sum(i4) FROM agg_rows HAVING count(*) > 2000');
SELECT compare('SELECT 1 FROM agg_rows HAVING max(id) < 0');
SELECT compare('SELECT sum(x), count(*) FROM (SELECT f8 AS x FROM agg_rows WHERE id < 900) s');
SELECT g, (SELECT sum(i2) FROM agg_rows WHERE id <= g) FROM generate_series(0, 300, 75) g;
SELECT g, (SELECT sum(i2) + g FROM agg_rows WHERE id <= 75) FROM generate_series(0, 300, 100) g;
-- Left to PostgreSQL.
SELECT query, compare(query) FROM unnest(ARRAY[
  'SELECT sum(f8) FILTER (WHERE id > 5) FROM agg_rows', 'SELECT count(DISTINCT i2) FROM agg_rows',
  'SELECT sum(f8 ORDER BY id DESC) FROM agg_rows', 'SELECT sum(f8 + 1) FROM agg_rows',
  'SELECT sum(i4), stddev(i4) FROM agg_rows', 'SELECT sum(i4) FROM agg_rows GROUP BY f8 ORDER BY 1 LIMIT 1', 'SELECT sum(i4) FROM agg_rows GROUP BY n ORDER BY 1 LIMIT 1',
  'SELECT sum(i4) FROM agg_rows GROUP BY GROUPING SETS ((b), (i2)) ORDER BY 1 LIMIT 1', 'SELECT sum(i4) FROM agg_rows GROUP BY floor(random()) LIMIT 1',
  'SELECT max(txt COLLATE agg_blind) FROM agg_rows', 'SELECT count(*) FROM agg_rows GROUP BY txt COLLATE agg_blind ORDER BY 1 LIMIT 1',
  'SELECT sum(i4) FROM agg_rows WHERE i4 % 3 = 0', 'SELECT count(null) FROM agg_rows',
  'SELECT max(n) FROM agg_rows', 'SELECT sum(i4) OVER () FROM agg_rows LIMIT 1',
  'SELECT sum(a.i4) FROM agg_rows a JOIN agg_rows b USING (id)', 'SELECT count(a) FROM agg_rows a',
  'SELECT bool_and(b) FROM agg_rows']) query;

-- Groups. Whole results are compared, hashed aggregation being PostgreSQL's side of it.
CREATE FUNCTION compare_groups(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN compare(format('SELECT count(*), md5(string_agg(g::text, ''|'' ORDER BY g::text)) FROM (%s) g', query));
END $$;
SET enable_sort = off;
SELECT query, compare_groups('SELECT ' || query) FROM unnest(ARRAY[
  'b, count(*), sum(i4), float8send(sum(f8)), float8send(avg(wild)), min(zero), max(txt) FROM agg_rows GROUP BY b',
  'i2, count(f8), avg(i8), float4send(sum(f4)), min(d), max(tz) FROM agg_rows GROUP BY i2',
  'txt, count(*), sum(f8) FROM agg_rows WHERE id > 100 GROUP BY txt',
  'vc, i2, max(id) - min(id) FROM agg_rows GROUP BY vc, i2',
  'd, ts, t, count(only_null) FROM agg_rows GROUP BY d, ts, t',
  'i8 FROM agg_rows GROUP BY i8', 'i4 / 1000 AS k, count(*), sum(f8) FROM agg_rows GROUP BY 1',
  'date_trunc(''day'', ts) AS day, vc || ''x'', avg(f8) FROM agg_rows GROUP BY 1, vc',
  'upper(vc) AS u, count(*) + 1 FROM agg_rows GROUP BY upper(vc) HAVING count(*) > 38',
  'i2 % 3, b, sum(f8) / count(*) FROM agg_rows WHERE f8 > 0 GROUP BY b, i2 % 3',
  'b, sum(f8) FROM agg_rows WHERE id < 0 GROUP BY b']) query;
RESET enable_sort;
SELECT b, i2 / 30 AS k, count(*), round(avg(f8)::numeric, 3) FROM agg_rows WHERE i2 > 20 GROUP BY 1, 2 ORDER BY 1, 2;
SELECT g, (SELECT string_agg(vc || n, ',' ORDER BY vc) FROM (SELECT vc, count(*) AS n FROM agg_rows WHERE id % 2 = 0 AND id <= g GROUP BY vc) s)
FROM generate_series(0, 6, 3) g;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
SELECT b, count(*), avg(f8) FROM agg_rows WHERE id > 2500 GROUP BY b HAVING count(*) > 0 ORDER BY b;
EXPLAIN (VERBOSE, COSTS OFF) SELECT date_trunc('day', ts), max(f8) - min(f8) FROM agg_rows GROUP BY 1;
-- More groups than memory, where statistics promised few: several passes, the same answer.
CREATE TABLE agg_many (k int, t text, v float8) USING columnar;
INSERT INTO agg_many SELECT 1, 'x', g FROM generate_series(1, 1000) g;
ANALYZE agg_many;
ALTER TABLE agg_many SET (autovacuum_enabled = off);
INSERT INTO agg_many SELECT g % 3000, 'text ' || g % 3000, g FROM generate_series(1, 6000) g;
SET work_mem = '128kB'; SET hash_mem_multiplier = 1;
SELECT count(*), sum(n), sum(k), sum(s), count(DISTINCT t) FROM (SELECT k, t, count(*) n, sum(v) s FROM agg_many GROUP BY k, t) g;
CREATE FUNCTION passes(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    IF line ~ 'Passes' THEN RETURN CASE WHEN substring(line from '[0-9]+')::int > 4 THEN 'several passes' END; END IF;
  END LOOP;
  RETURN 'one pass';
END $$;
SELECT passes('SELECT k, t, count(*) n, sum(v) s FROM agg_many GROUP BY k, t');
SELECT passes('SELECT t, count(*) n FROM agg_many WHERE k < 5 GROUP BY t');
RESET work_mem; RESET hash_mem_multiplier;

-- Overflow is PostgreSQL's error; integers that PostgreSQL widens do not overflow.
CREATE TABLE agg_large (f8 float8, f4 float4, i8 int8) USING columnar;
INSERT INTO agg_large VALUES (1e308, 3e38, 9223372036854775807), (1e308, 3e38, 9223372036854775807);
SELECT sum(f8) FROM agg_large;
SELECT sum(f4) FROM agg_large;
SELECT avg(f8) FROM agg_large;
SELECT avg(f4), sum(i8), avg(i8) FROM agg_large;
SELECT call, compare('SELECT ' || call || ' FROM agg_large') FROM unnest(ARRAY['sum(f8)', 'sum(f4)', 'avg(f8)', 'avg(f4)', 'sum(i8)', 'avg(i8)']) call;

-- No rows; rows of this transaction; rolled back rows.
CREATE TABLE agg_empty (a int, f float8) USING columnar;
SELECT count(*), count(a), sum(a), avg(f), min(a), max(f) FROM agg_empty;
BEGIN;
INSERT INTO agg_empty VALUES (1, 2.5), (2, NULL);
SELECT count(*), count(f), sum(a), avg(f) FROM agg_empty;
SAVEPOINT s;
INSERT INTO agg_empty VALUES (10, 1);
SELECT count(*), sum(a) FROM agg_empty;
ROLLBACK TO s;
SELECT count(*), sum(a) FROM agg_empty;
ROLLBACK;
SELECT count(*), sum(a) FROM agg_empty;

-- Partitions: columnar, heap and mixed; the order of float sums is Append's.
CREATE TABLE agg_parted (at int, f float8, txt text, b bool) PARTITION BY RANGE (at);
CREATE TABLE agg_parted_1 PARTITION OF agg_parted FOR VALUES FROM (0) TO (1000) USING columnar;
CREATE TABLE agg_parted_2 (b bool, f float8, gone int, txt text, at int) USING columnar;
ALTER TABLE agg_parted_2 DROP COLUMN gone;
ALTER TABLE agg_parted ATTACH PARTITION agg_parted_2 FOR VALUES FROM (1000) TO (2000);
CREATE TABLE agg_parted_3 PARTITION OF agg_parted FOR VALUES FROM (2000) TO (5000);
INSERT INTO agg_parted SELECT g, sin(g) * 1e9, CASE WHEN g % 10 > 0 THEN 't' || g * 13 % 5000 END, g % 3 = 0
FROM generate_series(0, 4999) g;
INSERT INTO agg_parted VALUES (4500, 'NaN', repeat('long', 5000), NULL);
ANALYZE agg_parted;
SELECT compare('SELECT count(*), count(txt), sum(f), float8send(sum(f)), float8send(avg(f)), min(txt), md5(max(txt)), min(at), max(f) FROM agg_parted');
SELECT compare('SELECT count(*), float8send(sum(f)), float8send(avg(f)), min(txt), max(at) FROM agg_parted WHERE at BETWEEN 500 AND 2499 AND f > -1e8');
SELECT compare('SELECT count(*), sum(at) FROM agg_parted WHERE at < 1500 AND b');
SET enable_sort = off;
SELECT compare_groups('SELECT b, at / 1000 AS k, count(txt), float8send(sum(f)), min(txt) FROM agg_parted GROUP BY b, at / 1000');
SELECT compare_groups('SELECT txt, count(*), float8send(avg(f)) FROM agg_parted WHERE at < 4000 GROUP BY txt');
RESET enable_sort;
SELECT compare('SELECT count(*), sum(at) FROM agg_parted WHERE at > 3000');
SELECT compare('SELECT count(*), sum(at) FROM agg_parted WHERE at % 7 = 2');
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
SELECT count(*), avg(f), max(txt) FROM agg_parted WHERE at >= 1250 AND at < 2100;
EXPLAIN (VERBOSE, COSTS OFF) SELECT count(*) + 1, avg(f) FROM agg_rows, LATERAL (SELECT f8 AS f) x WHERE id = 3;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*) FROM agg_rows;
-- Pruned at run time.
SET plan_cache_mode = force_generic_plan;
PREPARE recent(int) AS SELECT count(*), sum(at) FROM agg_parted WHERE at >= $1;
EXPLAIN (COSTS OFF) EXECUTE recent(1900);
EXECUTE recent(1900);
EXECUTE recent(NULL);
RESET plan_cache_mode;

-- The right to call an aggregate is checked.
CREATE ROLE agg_reader;
GRANT SELECT ON agg_rows TO agg_reader;
REVOKE EXECUTE ON FUNCTION sum(int4) FROM PUBLIC;
SET ROLE agg_reader;
SELECT sum(i4) FROM agg_rows;
RESET ROLE;
GRANT EXECUTE ON FUNCTION sum(int4) TO PUBLIC;

DROP TABLE agg_rows, agg_large, agg_empty, agg_parted, agg_many;
DROP FUNCTION compare, compare_groups, passes;
DROP COLLATION agg_blind;
DROP ROLE agg_reader;
ALTER SYSTEM RESET autovacuum;
SELECT pg_reload_conf();
