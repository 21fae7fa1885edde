-- Goal: batch scans and vectorised aggregates see a columnar table that was changed as a heap with
-- the same changes is seen: rows hidden in stripes, rows on row pages, their newest versions only.
-- Method: every statement runs on a heap and on a columnar twin with tiny row groups; queries are
-- compared with and without parallel workers and vectorised aggregates; EXPLAIN ANALYZE shows what
-- was read.
SET orochi.columnar_stripe_rows = 1000;
SET orochi.columnar_row_group_rows = 100;
SET max_parallel_workers_per_gather = 0;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;

CREATE TABLE dml_heap (
  id int, k int2, b bool, f float8, f4 float4, ch "char", i8 int8, d date, tz timestamptz, o oid,
  t text, n numeric, u uuid, nm name, arr int[]) WITH (autovacuum_enabled = off);
CREATE TABLE dml_columnar (LIKE dml_heap) USING columnar WITH (autovacuum_enabled = off);

-- Runs a statement on both tables.
CREATE PROCEDURE twice(statement text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE replace(statement, 'TWIN', 'dml_heap');
  EXECUTE replace(statement, 'TWIN', 'dml_columnar');
END $$;
-- Runs a query on the heap, and on the columnar table in every way we have. Answers what differs.
CREATE FUNCTION differs(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE heap text; columnar text; setting text; plan text; line text;
BEGIN
  EXECUTE replace(query, 'TWIN', 'dml_heap') INTO heap;
  FOREACH setting IN ARRAY ARRAY['0 on', '0 off', '2 off'] LOOP
    PERFORM set_config('max_parallel_workers_per_gather', split_part(setting, ' ', 1), true),
            set_config('orochi.enable_vectorized_execution', split_part(setting, ' ', 2), true);
    EXECUTE replace(query, 'TWIN', 'dml_columnar') INTO columnar;
    IF heap IS DISTINCT FROM columnar THEN
      RETURN format('%s (workers and vectorized %s): heap has %s, columnar %s', query, setting,
                    left(heap, 200), left(columnar, 200));
    END IF;
  END LOOP;
  plan := '';
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || replace(query, 'TWIN', 'dml_columnar') LOOP
    plan := plan || line;
  END LOOP;
  RETURN CASE WHEN plan !~ 'ColumnarScan' THEN format('%s: unexpected plan %s', query, plan) END;
END $$;
-- Whole rows, aggregates, and groups of the rows under a condition. Sums of f are exact in any order.
CREATE FUNCTION checks(condition text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT answer FROM unnest(ARRAY[
    'SELECT md5(string_agg(r::text, '','' ORDER BY id, r::text)) FROM TWIN r WHERE ',
    'SELECT row(count(*), count(t), sum(k), sum(f), min(f), max(f4), sum(i8), min(d), max(tz), max(t), min(id), avg(k))::text FROM TWIN WHERE ',
    'SELECT row(count(*))::text FROM TWIN WHERE '
    ]) query, differs(query || condition) answer WHERE answer IS NOT NULL
  UNION ALL
  SELECT answer FROM differs(
    'SELECT md5(string_agg(g::text, '','' ORDER BY g::text)) FROM (SELECT b, k, count(*), sum(f), min(id), max(t) FROM TWIN WHERE '
    || condition || ' GROUP BY b, k) g') answer WHERE answer IS NOT NULL
$$;
CREATE FUNCTION rows_sql(first int, last int) RETURNS text LANGUAGE sql AS $$
  SELECT format($f$
    SELECT g, CASE WHEN g %% 11 > 0 THEN g %% 7 END, CASE g %% 3 WHEN 0 THEN true WHEN 1 THEN false END,
      CASE WHEN g %% 5 > 0 THEN g * 0.25 END, CASE WHEN g %% 6 > 0 THEN (g - 500) * 0.5 END,
      chr(65 + g %% 26)::"char", g * 3000000000::int8, CASE WHEN g %% 9 > 0 THEN date '2024-01-01' + g END,
      timestamptz '2024-01-01 00:00+00' + g * interval '1 h', (4294967295 - g)::oid,
      CASE WHEN g %% 13 > 0 THEN repeat('t' || g, g %% 20) END, g * 1.50, lpad(to_hex(g), 32, '0')::uuid,
      'n' || g %% 30, ARRAY[g, NULL, g + 1]
    FROM generate_series(%s, %s) g$f$, first, last)
$$;

-- Stripes only, changed step by step.
SET orochi.columnar_row_page_rows = 0;
CALL twice('INSERT INTO TWIN ' || rows_sql(1, 3000));
ANALYZE dml_heap, dml_columnar;
RESET orochi.columnar_row_page_rows;
SELECT checks('true');
CALL twice('DELETE FROM TWIN WHERE id IN (1, 100, 101, 555, 3000)');
SELECT checks('true');
-- The least and the greatest are gone: statistics must not answer.
SELECT min(id), max(id), count(id), count(*) FROM dml_columnar;
-- A row group of deleted rows, one with a single row left.
CALL twice('DELETE FROM TWIN WHERE id BETWEEN 201 AND 300 OR id BETWEEN 301 AND 399');
SELECT checks(c) FROM unnest(ARRAY['true', 'id BETWEEN 150 AND 420', 'id BETWEEN 210 AND 290', 'id >= 399 AND id < 401']) c;
CALL twice('UPDATE TWIN SET t = ''new '' || id, f = -f, b = NOT b WHERE id % 10 = 4');
CALL twice('INSERT INTO TWIN ' || rows_sql(3001, 3010));
SELECT checks(c) FROM unnest(ARRAY['true', 'f < 0', 't LIKE ''new%''', 't >= ''new'' AND t < ''o''', 'id > 2990', 'ch = ''C''', 'o > 4294967000', 'b IS NULL', 'n > 4000', 'u IS NOT NULL AND id = 2994', 'i8 = 9030000000000']) c;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM dml_columnar WHERE f < -700;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*), max(id) FROM dml_columnar;

-- Versions on one page: only the newest counts.
CALL twice('UPDATE TWIN SET f = f + 1 WHERE id > 3000');
CALL twice('UPDATE TWIN SET f = f + 1, t = NULL WHERE id > 3000');
CALL twice('UPDATE TWIN SET k = 100 WHERE id > 3005');
CALL twice('DELETE FROM TWIN WHERE id = 3007');
SELECT checks(c) FROM unnest(ARRAY['id > 3000', 'k = 100']) c;

-- Own changes that nobody else sees, and those rolled back.
BEGIN;
CALL twice('UPDATE TWIN SET k = 55 WHERE id BETWEEN 500 AND 620');
CALL twice('INSERT INTO TWIN ' || rows_sql(4001, 4005));
SELECT checks(c) FROM unnest(ARRAY['true', 'k = 55']) c;
SAVEPOINT one;
CALL twice('DELETE FROM TWIN WHERE k = 55 AND id < 600');
CALL twice('UPDATE TWIN SET k = 56 WHERE k = 55');
SELECT checks(c) FROM unnest(ARRAY['true', 'k >= 55']) c;
ROLLBACK TO one;
SELECT checks(c) FROM unnest(ARRAY['true', 'k >= 55']) c;
DECLARE before CURSOR FOR SELECT count(*), sum(k), max(id) FROM dml_columnar WHERE k >= 55;
CALL twice('UPDATE TWIN SET k = 57 WHERE k = 55');
CALL twice('DELETE FROM TWIN WHERE k = 57 AND id > 600');
FETCH ALL FROM before;
SELECT checks(c) FROM unnest(ARRAY['true', 'k >= 55']) c;
ROLLBACK;
SELECT checks(c) FROM unnest(ARRAY['true', 'k >= 55', 'id > 4000']) c;

-- Tuple ids of both kinds lead back to their rows.
SELECT count(*) FROM dml_columnar a JOIN dml_columnar b ON a.ctid = b.ctid AND a.id = b.id;
CREATE TABLE dml_picked AS SELECT id, ctid AS place FROM dml_columnar WHERE f < -10 OR id BETWEEN 700 AND 703 OR id > 3008;
SET enable_hashjoin = off; SET enable_mergejoin = off;
SELECT count(*), count(*) FILTER (WHERE c.id = p.id) AS same FROM dml_picked p JOIN dml_columnar c ON c.ctid = p.place;
RESET enable_hashjoin; RESET enable_mergejoin;
CALL twice('UPDATE TWIN c SET k = 77 FROM dml_picked p WHERE p.id = c.id AND c.i8 > 0');
CALL twice('DELETE FROM TWIN c USING dml_picked p WHERE p.id = c.id AND c.k = 77 AND c.id % 4 = 0');
SELECT checks(c) FROM unnest(ARRAY['true', 'k = 77']) c;
SELECT id, k FROM dml_columnar WHERE id BETWEEN 2990 AND 2996 AND k IS NOT NULL ORDER BY id FOR UPDATE;
SELECT checks('true');

-- A cursor's row is known, in stripes and on row pages.
BEGIN;
DECLARE spot CURSOR FOR SELECT f FROM dml_columnar WHERE id IN (1001, 1002, 2994);
FETCH 2 FROM spot;
UPDATE dml_columnar SET k = 88 WHERE CURRENT OF spot RETURNING id;
FETCH 1 FROM spot;
DELETE FROM dml_columnar WHERE CURRENT OF spot RETURNING id;
SELECT id, k FROM dml_columnar WHERE id IN (1001, 1002, 2994) ORDER BY id;
ROLLBACK;

-- Columns added and dropped after the rows.
CALL twice('ALTER TABLE TWIN ADD COLUMN late int DEFAULT 42, ADD COLUMN words text DEFAULT ''some words'', ADD COLUMN flag bool, ADD COLUMN small "char" DEFAULT ''z'', ADD COLUMN more float4 DEFAULT 0.5');
SELECT checks(c) FROM unnest(ARRAY['true', 'late = 42', 'late <> 42', 'words = ''some words''', 'flag IS NULL AND id > 2000', 'small = ''z''', 'more < 1']) c;
SELECT differs('SELECT row(count(late), sum(late), max(words), count(flag), min(more), max(more))::text FROM TWIN');
CALL twice('UPDATE TWIN SET late = id, flag = true WHERE id % 100 = 7');
CALL twice('ALTER TABLE TWIN DROP COLUMN arr, DROP COLUMN o');
CALL twice('INSERT INTO TWIN (id, words, nm, f) VALUES (3011, ''other'', ''x'', 0.5), (3012, NULL, NULL, NULL)');
CALL twice('UPDATE TWIN SET small = NULL WHERE id > 3009');
SELECT checks(c) FROM unnest(ARRAY['true', 'late = 42', 'late <> 42', 'words IS NULL', 'flag', 'small IS NULL', 'nm = ''x''', 'id > 3000']) c;
SELECT differs('SELECT row(count(late), sum(late), max(words), count(flag), min(more), max(more))::text FROM TWIN');

-- Values out of line, compressed, and too many bytes for one batch.
CALL twice('UPDATE TWIN SET t = repeat(chr(65 + id % 26), 4000000) WHERE id BETWEEN 801 AND 810');
CALL twice('UPDATE TWIN SET t = repeat(md5(id::text), 100) WHERE id BETWEEN 811 AND 830');
CALL twice('UPDATE TWIN SET words = (SELECT string_agg(md5(id::text || g), '''') FROM generate_series(1, 200) g) WHERE id BETWEEN 805 AND 815');
SELECT differs('SELECT md5(string_agg(id || md5(t) || words, '','' ORDER BY id)) FROM TWIN WHERE id > 790 AND id <= 840');
SELECT differs('SELECT md5(max(t)) || count(*) || sum(id) FROM TWIN WHERE t >= ''B''');
SELECT differs('SELECT md5(string_agg(x, '''' ORDER BY x)) FROM (SELECT md5(t) || count(*) AS x FROM TWIN WHERE id BETWEEN 795 AND 835 GROUP BY t) g');
CALL twice('UPDATE TWIN SET t = left(t, 5) WHERE length(t) > 100');

-- Random changes and conjunctions. The seed makes them repeatable.
CREATE PROCEDURE random_changes(seed float8, rounds int) LANGUAGE plpgsql AS $$
DECLARE change text; low int; high int; next_id int := 10000; found text;
BEGIN
  PERFORM setseed(seed);
  FOR round IN 1 .. rounds LOOP
    low := floor(random() * 3000);
    high := low + (ARRAY[0, 3, 40, 300])[1 + floor(random() * 4)];
    change := (ARRAY[
      format('UPDATE TWIN SET k = %s, t = t || ''+'' WHERE id BETWEEN %s AND %s', round, low, high),
      format('UPDATE TWIN SET f = f + 0.5, d = NULL WHERE k = %s AND id > %s', low % 7, low),
      format('UPDATE TWIN SET id = id + 1 WHERE id BETWEEN %s AND %s AND id %% 2 = 0', low, high),
      format('DELETE FROM TWIN WHERE id BETWEEN %s AND %s AND id %% 3 = 1', low, high),
      format('INSERT INTO TWIN (id, k, f, t, late) SELECT g, g %% 7, g * 0.25, ''i'' || g, g FROM generate_series(%s, %s) g', next_id, next_id + high - low),
      format('DELETE FROM TWIN WHERE id BETWEEN 10000 AND %s', 10000 + low / 10)])[1 + floor(random() * 6)];
    IF random() < 0.25 THEN  -- undone
      BEGIN
        CALL twice(change);
        RAISE EXCEPTION USING ERRCODE = 'P0042';
      EXCEPTION WHEN SQLSTATE 'P0042' THEN NULL;
      END;
    ELSE
      CALL twice(change);
      next_id := next_id + 301;
    END IF;
    SELECT string_agg(c, E'\n') INTO found FROM checks(format('%s AND %s',
      (ARRAY['true', 'id > ' || low, 'id BETWEEN ' || low || ' AND ' || high, 'f < ' || low / 4])[1 + floor(random() * 4)],
      (ARRAY['true', 'k < ' || round, 't IS NOT NULL', 'NOT b', 't > ''t2''', 'd IS NULL', 'late = 42', 'id % 3 = 0'])[1 + floor(random() * 8)])) c;
    IF found IS NOT NULL THEN
      RAISE EXCEPTION 'seed %, round %, after %: %', seed, round, change, found;
    END IF;
    IF round % 5 = 0 THEN
      COMMIT;
    END IF;
  END LOOP;
END $$;
CALL random_changes(0.1337, 25);
SELECT checks('true');

-- More rows and pages than a batch and a process take at once.
CREATE TABLE dml_narrow (a int, b bool) USING columnar WITH (autovacuum_enabled = off);
SET orochi.columnar_row_page_rows = 100000;
INSERT INTO dml_narrow SELECT g, g % 3 = 0 FROM generate_series(1, 40000) g;
RESET orochi.columnar_row_page_rows;
ANALYZE dml_narrow;
SELECT count(*), sum(a), min(a), max(a), count(DISTINCT a) FROM dml_narrow;
SELECT b, count(*), sum(a) FROM dml_narrow WHERE a > 100 GROUP BY b ORDER BY b;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT a FROM dml_narrow WHERE a % 2 = 0 AND a < 30000;
SET max_parallel_workers_per_gather = 2;
SET orochi.enable_vectorized_execution = off;
EXPLAIN (COSTS OFF) SELECT count(*), sum(a), count(DISTINCT a) FROM dml_narrow WHERE a > 0;
SELECT count(*), sum(a), count(DISTINCT a) FROM dml_narrow WHERE a > 0;
RESET orochi.enable_vectorized_execution;
SET max_parallel_workers_per_gather = 0;

-- What failed or is gone leaves a table without rows: an expression that fails is not evaluated.
CREATE TABLE dml_empty (a int) USING columnar;
INSERT INTO dml_empty SELECT g FROM generate_series(1, 3000) g;
PREPARE div(int) AS SELECT * FROM dml_empty WHERE a > 1 / $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE div(0);
DELETE FROM dml_empty;
EXECUTE div(0);
BEGIN;
INSERT INTO dml_empty VALUES (1);
SAVEPOINT one;
EXECUTE div(0);
ROLLBACK TO one;
ROLLBACK;
EXECUTE div(0);
RESET plan_cache_mode;
SELECT count(*), sum(a) FROM dml_empty;

-- Row security: rows that were deleted are not in the count of removed ones, skipped or not.
CREATE ROLE dml_reader;
GRANT SELECT ON dml_heap, dml_columnar TO dml_reader;
CALL twice('ALTER TABLE TWIN ENABLE ROW LEVEL SECURITY');
CALL twice('CREATE POLICY few ON TWIN USING (id % 2 = 0)');
CREATE FUNCTION removed(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; found text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    IF line ~ 'Removed|Row Groups|Row Pages' THEN found := found || trim(line); END IF;
  END LOOP;
  RETURN found;
END $$;
SET ROLE dml_reader;
SELECT c, removed('SELECT id FROM dml_columnar WHERE ' || c) = removed('SELECT id FROM dml_heap WHERE ' || c) AS same
FROM unnest(ARRAY['id < 300', 'id > 2900', 'k = 3', 'id < 0']) c;
RESET ROLE;

DROP TABLE dml_heap, dml_columnar, dml_picked, dml_narrow, dml_empty;
DROP PROCEDURE twice, random_changes;
DROP FUNCTION differs, checks, rows_sql, removed;
DROP ROLE dml_reader;
