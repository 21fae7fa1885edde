-- Goal: a ColumnarScan gives what a scan of a heap twin gives, for every operator and type whose
-- comparison it does itself and for those it leaves to PostgreSQL, and it skips what it can.
-- Method: the same rows in a heap and in a columnar table with tiny row groups; every query runs on
-- both and the answers are compared; EXPLAIN ANALYZE shows what was read.
SET orochi.columnar_row_page_rows = 0;
SET orochi.columnar_stripe_rows = 1000;
SET orochi.columnar_row_group_rows = 100;
SET max_parallel_workers_per_gather = 0;

CREATE COLLATION case_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE scan_heap (
  id int, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, b bool, d date, t time,
  ts timestamp, tz timestamptz, m money, o oid, txt text, vc varchar(20), blind text COLLATE case_blind,
  n numeric, by bytea, u uuid, iv interval, nm name, ch "char", arr int[], bp char(5));
CREATE TABLE scan_columnar (LIKE scan_heap) USING columnar;

INSERT INTO scan_heap
SELECT g,
  CASE g % 11 WHEN 0 THEN NULL WHEN 1 THEN -32768 WHEN 2 THEN 32767 ELSE g % 50 - 25 END,
  CASE g % 13 WHEN 0 THEN NULL WHEN 1 THEN -2147483648 WHEN 2 THEN 2147483647 ELSE g END,
  CASE g % 17 WHEN 0 THEN NULL WHEN 1 THEN -9223372036854775808 WHEN 2 THEN 9223372036854775807
    ELSE g::int8 * 3000000000 END,
  CASE g % 19 WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-Infinity'
    WHEN 4 THEN '-0' WHEN 5 THEN 0 ELSE (g / 10.0)::float4 END,
  CASE WHEN g BETWEEN 500 AND 620 THEN 'NaN' WHEN g % 23 = 0 THEN NULL WHEN g % 23 = 1 THEN 'Infinity'
    WHEN g % 23 = 2 THEN '-Infinity' WHEN g % 23 = 3 THEN '-0' WHEN g % 23 = 4 THEN 0
    ELSE g / 10.0 END,
  CASE WHEN g < 1000 THEN g % 3 = 0 WHEN g < 1500 THEN true WHEN g < 2000 THEN NULL ELSE false END,
  CASE g % 29 WHEN 0 THEN NULL WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity'
    ELSE date '2024-01-01' + g / 10 END,
  CASE g % 7 WHEN 0 THEN NULL WHEN 1 THEN '24:00' ELSE time '00:00' + g * interval '20 s' END,
  CASE g % 31 WHEN 0 THEN NULL WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity'
    ELSE timestamp '2024-01-01' + g * interval '1 hour' END,
  timestamptz '2024-01-01 00:00+00' + g * interval '1 hour',
  (g - 1000)::numeric::money,
  CASE g % 5 WHEN 0 THEN 4294967295 WHEN 1 THEN 2147483648 ELSE g END::oid,
  CASE g % 37 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'ÄÖ' || g
    WHEN 3 THEN repeat('long', 20) || g ELSE 'k' || lpad(g::text, 5, '0') END,
  'v' || g % 40, CASE g % 2 WHEN 0 THEN 'Abc' ELSE 'aBC' END || g % 10,
  CASE g % 3 WHEN 0 THEN NULL ELSE g * 1.50 END, decode(lpad(to_hex(g), 8, '0'), 'hex'),
  lpad(to_hex(g), 32, '0')::uuid, g * interval '1 min', 'n' || g % 30, chr(65 + g % 26)::"char",
  ARRAY[g, g + 1], 'b' || g % 9
FROM generate_series(1, 3000) g;
INSERT INTO scan_columnar SELECT * FROM scan_heap ORDER BY id;
ANALYZE scan_heap, scan_columnar;

-- Runs a condition on both tables; the columnar side must (or must not) filter batches with it.
CREATE FUNCTION differs(condition text, filters_batches bool DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE heap text; columnar text; plan text := ''; line text;
BEGIN
  EXECUTE 'SELECT string_agg(id::text, '','' ORDER BY id) FROM scan_heap s WHERE '
    || condition INTO heap;
  EXECUTE 'SELECT string_agg(id::text, '','' ORDER BY id) FROM scan_columnar s WHERE '
    || condition INTO columnar;
  IF heap IS DISTINCT FROM columnar THEN
    RETURN format('%s: heap has %s, columnar %s', condition, left(heap, 100), left(columnar, 100));
  END IF;
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) SELECT id FROM scan_columnar s WHERE ' || condition LOOP
    plan := plan || line;
  END LOOP;
  IF plan !~ 'ColumnarScan' OR (plan ~ 'Skip Filter') <> filters_batches THEN
    RETURN format('%s: unexpected plan %s', condition, plan);
  END IF;
  RETURN NULL;
END $$;

-- All values come back as they were.
SELECT count(*), count(*) FILTER (WHERE h::text = c::text) AS equal FROM scan_heap h JOIN scan_columnar c USING (id);

-- Every comparison done on batches, with literals inside, outside and at the edges.
CREATE TABLE literals (col text, value text);
INSERT INTO literals VALUES
  ('i2', '7::int2'), ('i2', '-32768::int4'), ('i2', '40000'), ('i2', '-40000'), ('i2', '(SELECT NULL::int2)'),
  ('i4', '1500'), ('i4', '2147483647'), ('i4', '3000000000'), ('i4', '(-3000000000)'), ('i4', '12::int2'),
  ('i8', '3000000000000'), ('i8', '9223372036854775807'), ('i8', '0::int2'), ('i8', '(-1)'),
  ('f4', '100.1::float4'), ('f4', '100.1::float8'), ('f4', '''NaN''::float4'), ('f4', '0::float8'),
  ('f4', '''-0''::float8'), ('f4', '''Infinity''::float8'), ('f4', '1e300::float8'),
  ('f8', '100.1::float8'), ('f8', '100.1::float4'), ('f8', '''NaN''::float8'), ('f8', '0::float8'),
  ('f8', '''-Infinity''::float8'), ('f8', '55'),
  ('b', 'true'), ('b', 'false'), ('b', '(now() > ''2000-01-01'')'),
  ('d', '''2024-03-01''::date'), ('d', '''infinity''::date'), ('d', '''-infinity''::date'),
  ('t', '''12:00''::time'), ('t', '''24:00''::time'),
  ('ts', '''2024-02-01''::timestamp'), ('ts', '''infinity''::timestamp'),
  ('tz', '''2024-02-01 12:00+02''::timestamptz'), ('tz', '''-infinity''::timestamptz'),
  ('ts', '''2024-02-01''::date'), ('ts', '''infinity''::date'), ('ts', '''5874897-12-31''::date'), ('tz', '''2024-02-01''::date'),
  ('tz', '''-infinity''::date'), ('tz', '''5874897-12-31''::date'), ('tz', '''2024-02-01 12:00''::timestamp'),
  ('tz', '''infinity''::timestamp'), ('tz', '''294276-12-31 23:59:59''::timestamp'), ('m', '0::money'), ('m', '500::money'),
  ('txt', '''k01000'''), ('txt', ''''''), ('txt', '''ÄÖ2'''), ('txt', 'repeat(''long'', 20) || 40'),
  ('vc', '''v7'''), ('vc', '''v7''::varchar'), ('by', '''\x00000400''::bytea'),
  ('u', '''00000000-0000-0000-0000-000000000400''::uuid');
SELECT count(*) AS compared, string_agg(differs(format('%s %s %s', col, op, value), true), E'\n')
FROM literals, unnest(ARRAY['=', '<>', '<', '<=', '>', '>=']) op;
-- The same with the column on the right.
SELECT count(*) AS compared, string_agg(differs(format('%s %s %s', value, op, col), true), E'\n')
FROM literals, unnest(ARRAY['=', '<']) op;
-- NULL tests on every column, also those whose order is unknown.
SELECT count(*) AS compared, string_agg(differs(attname || ' IS ' || test, true), E'\n')
FROM pg_attribute, unnest(ARRAY['NULL', 'NOT NULL']) test
WHERE attrelid = 'scan_columnar'::regclass AND attnum > 0;
-- Lists, ranges, booleans.
SELECT condition, differs(condition, true) FROM unnest(ARRAY[
  'i4 IN (5, 1500, NULL, 2999)', 'i4 = ANY (NULL::int[])', 'i4 = ANY (''{}'')', 'i8 IN (0, 3000000000000)',
  'txt IN (''k00010'', ''k02000'', '''')', 'vc = ANY (ARRAY[''v1'', ''v2'']::varchar[])',
  'vc = ANY (ARRAY[''v1'', ''v2'']::text[])', 'f8 IN (''NaN'', 12.5, 0)', 'd IN (''infinity'', ''2024-02-02'')',
  'i4 = ANY (ARRAY(SELECT generate_series(100, 130)))', 'i4 BETWEEN 700 AND 720',
  'tz >= ''2024-01-05'' AND tz < ''2024-01-06''', 'b', 'NOT b', 'b IS TRUE', 'b IS FALSE',
  'b IS UNKNOWN', 'b IS NOT UNKNOWN', 'o = 4294967295', 'o <> 2147483648',
  'txt LIKE ''k01%'' AND i4 > 1100', 'i4 > 100 AND i4 < 50']) condition;
-- Left to PostgreSQL, with the same answer.
SELECT condition, differs(condition, false) FROM unnest(ARRAY[
  'n > 2000', 'n = 3.0', 'iv < ''10:00''', 'nm = ''n7''', 'ch = ''C''', 'bp = ''b3''', 'o > 3000',
  'blind = ''ABC3''', 'blind < ''abc5''', 'i4 % 7 = 3', 'i4 > i2', 'b IS NOT TRUE', 'i4 NOT IN (5, 6)',
  'i4 = 7 OR i4 = 9', 'i4 > random() * 0', 'arr = ''{5,6}''', 'i4 = ALL (''{5}'')', '5 = ANY (arr)',
  'd > ''2024-02-01''::timestamp', 'ts > ''2024-02-01 00:00+05''::timestamptz', 'ts = ANY (''{2024-02-01}''::date[])', 's.* IS NULL', 'txt || ''x'' = ''k00010x''',
  'txt COLLATE "en_US.utf8" < ''k01000''']) condition
WHERE condition NOT LIKE '%en_US%' OR EXISTS (SELECT FROM pg_collation WHERE collname = 'en_US.utf8');

-- What was read and what was skipped.
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
SELECT id, f8 FROM scan_columnar WHERE tz >= '2024-02-01' AND tz < '2024-02-03' AND n IS NULL;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT i4 FROM scan_columnar WHERE u < '00000000-0000-0000-0000-000000000060';
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT 1 FROM scan_columnar WHERE b IS UNKNOWN;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM scan_columnar WHERE id = 77 AND i4 % 2 = 1;

-- Parameters: generic plans, nested loops, initplans, rescans.
SET plan_cache_mode = force_generic_plan;
PREPARE by_id(int, int[]) AS SELECT id, txt FROM scan_columnar WHERE id >= $1 AND id < $1 + 3 AND id <> ALL ($2);
EXECUTE by_id(1000, '{1001}');
EXECUTE by_id(2999, '{}');
EXECUTE by_id(NULL, '{}');
EXPLAIN (COSTS OFF) EXECUTE by_id(7, '{}');
RESET plan_cache_mode;
SELECT x, (SELECT count(*) FROM scan_columnar s WHERE s.id BETWEEN x AND x * 2) FROM generate_series(1, 3) x;
SELECT x, y.id FROM generate_series(998, 1001) x, LATERAL (SELECT id FROM scan_columnar s WHERE s.id > x ORDER BY id LIMIT 1) y;
SELECT count(*) FROM scan_columnar WHERE id > (SELECT avg(i4)::int FROM scan_heap WHERE i4 BETWEEN 0 AND 3000);
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; SET enable_memoize = off;
SELECT a.id, b.id FROM scan_columnar a JOIN scan_columnar b ON a.id = b.id - 1 WHERE a.id < 4 AND b.id < 10 ORDER BY 1;
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material; RESET enable_memoize;
-- An expression that fails is not evaluated for a table without rows.
CREATE TABLE scan_empty (a int) USING columnar;
PREPARE div(int) AS SELECT * FROM scan_empty WHERE a > 1 / $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE div(0);
RESET plan_cache_mode;

-- System columns, whole rows, dropped and added columns.
SELECT tableoid::regclass, ctid IS NOT NULL AS has_ctid, id FROM scan_columnar WHERE id = 3;
SELECT count(DISTINCT ctid) FROM scan_columnar;
SELECT s FROM (SELECT s.* FROM scan_columnar s WHERE id = 12) s;
ALTER TABLE scan_columnar DROP COLUMN i8, ADD COLUMN late int DEFAULT 42, ADD COLUMN later text;
INSERT INTO scan_columnar (id, late, later) VALUES (3001, 43, 'x'), (3002, NULL, NULL);
SELECT id, late, later FROM scan_columnar WHERE late <> 42 OR later IS NOT NULL;
SELECT count(*), count(late), count(later) FROM scan_columnar WHERE late = 42;
SELECT id, late FROM scan_columnar WHERE late IS NULL;
SELECT id FROM scan_columnar WHERE later = 'x';
SELECT to_jsonb(s) ->> 'late' FROM scan_columnar s WHERE id = 3000;

-- Cursors: no backward scan without materialisation, positions kept across rescans.
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id FROM scan_columnar WHERE id % 1000 = 1;
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
FETCH 3 FROM c;
INSERT INTO scan_columnar (id) VALUES (4001);
MOVE FIRST IN c;
FETCH ALL FROM c;
COMMIT;

-- Row security and barriers: a filter on batches leaks nothing, a leaky function waits its turn.
CREATE ROLE scan_reader;
CREATE FUNCTION leak(int) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS $$BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END$$;
ALTER TABLE scan_columnar ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON scan_columnar USING (id % 1500 = 7);
GRANT SELECT ON scan_columnar TO scan_reader;
SET ROLE scan_reader;
SELECT id FROM scan_columnar WHERE leak(id) AND i4 < 2000;
-- Nor does EXPLAIN: one count of removed rows over all filters and skipped row groups.
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM scan_columnar WHERE id < 100;
RESET ROLE;
ALTER TABLE scan_columnar DISABLE ROW LEVEL SECURITY;

-- Locking rows of another table rechecks this one's filters.
SELECT h.id FROM scan_heap h, scan_columnar c WHERE h.id = c.id AND c.id BETWEEN 10 AND 12 ORDER BY 1 FOR UPDATE OF h;

-- Partitions of any place, pruned and skipped.
CREATE TABLE parted (at int, v float8) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (1000) USING columnar;
CREATE TABLE parted_2 (v float8, extra int, at int) USING columnar;
ALTER TABLE parted_2 DROP COLUMN extra;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (1000) TO (2000);
CREATE TABLE parted_3 PARTITION OF parted FOR VALUES FROM (2000) TO (3000);
INSERT INTO parted SELECT g, g / 2.0 FROM generate_series(0, 2999) g;
ANALYZE parted;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT v FROM parted WHERE at BETWEEN 950 AND 1049;
SELECT tableoid::regclass, count(*), sum(at) FROM parted WHERE at >= 500 AND v < 1100 GROUP BY 1 ORDER BY 1;

-- Off means off.
SET orochi.enable_columnar_scan = off;
EXPLAIN (COSTS OFF) SELECT id FROM scan_columnar WHERE id = 5;
RESET orochi.enable_columnar_scan;

-- Parallel workers share the stripes.
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SET orochi.enable_vectorized_execution = off;
EXPLAIN (COSTS OFF) SELECT count(*), sum(id) FROM scan_columnar WHERE id > 500;
SELECT count(*), sum(id) FROM scan_columnar WHERE id > 500 AND id <= 3000;
RESET max_parallel_workers_per_gather; RESET parallel_setup_cost; RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size; RESET orochi.enable_vectorized_execution;

-- Random conjunctions against the heap twin. The seed makes them repeatable.
ALTER TABLE scan_heap DROP COLUMN i8;
DELETE FROM scan_heap WHERE id > 3000;
CREATE FUNCTION random_conditions(seed float8, rounds int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE condition text; heap text; columnar text; pieces int;
BEGIN
  PERFORM setseed(seed);
  FOR round IN 1 .. rounds LOOP
    condition := 'id <= 3000';
    pieces := 1 + floor(random() * 3);
    FOR piece IN 1 .. pieces LOOP
      SELECT condition || ' AND ' || CASE WHEN random() < 0.2 THEN 'NOT ' ELSE '' END || '(' ||
             format('%s %s %s', col, (ARRAY['=', '<>', '<', '<=', '>', '>='])[1 + floor(random() * 6)], value)
             || CASE WHEN random() < 0.3 THEN ' OR id % 3 = 1' ELSE '' END || ')'
        INTO condition FROM literals WHERE col <> 'i8' ORDER BY random() LIMIT 1;
    END LOOP;
    EXECUTE 'SELECT md5(string_agg((id, f8, txt, d, by)::text, '','' ORDER BY id)) FROM scan_heap WHERE ' || condition INTO heap;
    EXECUTE 'SELECT md5(string_agg((id, f8, txt, d, by)::text, '','' ORDER BY id)) FROM scan_columnar WHERE ' || condition INTO columnar;
    IF heap IS DISTINCT FROM columnar THEN
      RETURN format('seed %s, round %s: %s', seed, round, condition);
    END IF;
  END LOOP;
  RETURN 'equal';
END $$;
SELECT random_conditions(0.4711, 100);

DROP TABLE scan_heap, scan_columnar, scan_empty, literals, parted;
DROP FUNCTION differs, leak, random_conditions;
DROP ROLE scan_reader;
DROP COLLATION case_blind;
