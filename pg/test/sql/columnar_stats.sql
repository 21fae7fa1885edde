-- Goal: columnar_stats and columnar_table_stats say what is stored. Method: compare with sums over
-- orochi.columnar_chunks, with the rows themselves, and with a heap twin's size.
CREATE SCHEMA columnar_stats;
SET search_path = columnar_stats;
CREATE TABLE h (i int, big bigint, f float8, t text, c text COLLATE "C", flag bool, n numeric, u uuid, nothing int);
INSERT INTO h
SELECT i, 7, i % 100 / 4.0, 'host ' || i % 20, CASE WHEN i % 10 > 0 THEN 'é' || i END, i % 3 = 0, i * 1.5,
       md5(i::text)::uuid, NULL
FROM generate_series(-10000, 40000) i;
SET orochi.columnar_row_page_rows = 1000;
CREATE TABLE t (LIKE h) USING columnar WITH (autovacuum_enabled = off);
INSERT INTO t SELECT * FROM h;

SELECT column_name, encodings, compression, rows, nulls, min, max FROM orochi.columnar_stats('t');
-- The sums are those of the chunks.
SELECT column_name FROM orochi.columnar_stats('t') s
JOIN (SELECT column_name, sum(rows) AS rows, sum(nulls) AS nulls, sum(bytes) AS bytes
      FROM orochi.columnar_chunks('t') GROUP BY 1) c USING (column_name)
WHERE (s.rows, s.nulls, s.bytes) IS DISTINCT FROM (c.rows::bigint, c.nulls::bigint, c.bytes::bigint);
SELECT bool_and(bytes_per_value = round(bytes::numeric / (rows - nulls), 2)) AS per_value,
       bool_and(ratio = round(heap_bytes::numeric / bytes, 2)) AS ratio,
       sum(ratio) FILTER (WHERE column_name = 'big') > 100 AS constants_are_small
FROM orochi.columnar_stats('t') WHERE rows > nulls;
-- Fixed lengths are exact, the others within a tenth of what heap takes.
SELECT column_name, heap_bytes FROM orochi.columnar_stats('t') WHERE column_name IN ('i', 'big', 'f', 'flag', 'u', 'nothing');
SELECT s.column_name, abs(s.heap_bytes - e.bytes) < 0.1 * e.bytes AS near
FROM orochi.columnar_stats('t') s
JOIN (SELECT 't' AS column_name, sum(pg_column_size(t)) AS bytes FROM h
      UNION ALL SELECT 'c', sum(pg_column_size(c)) FROM h
      UNION ALL SELECT 'n', sum(pg_column_size(n)) FROM h) e USING (column_name) ORDER BY 1;

-- Where rows and bytes are.
SELECT tables, stripes, row_groups, stripe_rows, hidden_rows, row_page_rows, row_page_bytes, stub_bytes FROM orochi.columnar_table_stats('t');
SELECT bytes = pg_relation_size('t') AS all, bytes = stripe_bytes + row_page_bytes + stub_bytes + free_bytes + 8192 AS by_kind,
       stripe_bytes >= (SELECT sum(bytes) FROM orochi.columnar_stripes('t')) AS stripes
FROM orochi.columnar_table_stats('t');
DELETE FROM t WHERE i % 100 = 0;
UPDATE t SET f = -1 WHERE i BETWEEN 1 AND 50;
INSERT INTO t (i) VALUES (1000000), (1000001);
SELECT stripe_rows, hidden_rows, row_page_rows, stripe_rows - hidden_rows + row_page_rows = (SELECT count(*) FROM t) AS sums_up,
       row_page_bytes > 0 AS row_pages, stub_bytes > 0 AS stubs,
       bytes = pg_relation_size('t') AND bytes = stripe_bytes + row_page_bytes + stub_bytes + free_bytes + 8192 AS by_kind
FROM orochi.columnar_table_stats('t');
-- Ranges are those of stripes.
SELECT column_name, min, max FROM orochi.columnar_stats('t') WHERE column_name IN ('i', 'f');
-- As the query sees it: what was rolled back is free, what an open transaction wrote is there.
BEGIN;
INSERT INTO t SELECT i FROM generate_series(1, 5000) i;
DELETE FROM t WHERE i < 0;
SELECT stripes, stripe_rows - hidden_rows + row_page_rows = (SELECT count(*) FROM t) AS sums_up FROM orochi.columnar_table_stats('t');
ROLLBACK;
SELECT stripes, stripe_rows - hidden_rows + row_page_rows = (SELECT count(*) FROM t) AS sums_up, free_bytes > 0 AS free
FROM orochi.columnar_table_stats('t');

-- Columns that came and went, NaN, cut and empty ranges.
CREATE TABLE odd (a float8, b text COLLATE "C", gone int, e text COLLATE "C") USING columnar;
SET orochi.columnar_row_page_rows = 0;
INSERT INTO odd VALUES (1, repeat('x', 40) || 'a', 1, ''), (2, repeat('x', 40) || 'b', 2, 'm');
ALTER TABLE odd DROP COLUMN gone;
ALTER TABLE odd ADD COLUMN later int DEFAULT 5;
INSERT INTO odd VALUES ('NaN', 'y', 'z', 6);
SELECT column_name, rows, nulls, min, max FROM orochi.columnar_stats('odd');
DELETE FROM odd;
CREATE TABLE empty (a int) USING columnar;
SELECT * FROM orochi.columnar_stats('empty');
SELECT * FROM orochi.columnar_table_stats('empty');

-- A hypertable: its columnar chunks, whatever numbers their columns have.
CREATE TABLE m (dropped int, time timestamptz NOT NULL, v int, note text);
ALTER TABLE m DROP COLUMN dropped;
SELECT orochi.create_hypertable('m', 'time', interval '1 day');
INSERT INTO m SELECT timestamptz '2024-01-01 UTC' + n * interval '1 hour', n - 50, 'n' || n FROM generate_series(0, 119) n;
SELECT tables, stripes, bytes FROM orochi.columnar_table_stats('m');
SELECT count(orochi.compress_chunk(c)) FROM orochi.show_chunks('m', older_than => timestamptz '2024-01-04 UTC') c;
SELECT column_name, rows, nulls, min, max FROM orochi.columnar_stats('m');
SELECT t.tables, t.stripes, t.stripe_rows, t.bytes = sum(pg_relation_size(c.chunk)) AS bytes
FROM orochi.columnar_table_stats('m') t, orochi.chunks c WHERE c.hypertable = 'm'::regclass AND c.place = 'columnar'
GROUP BY t.tables, t.stripes, t.stripe_rows, t.bytes;

-- Who may.
CREATE ROLE columnar_stats_reader;
GRANT USAGE ON SCHEMA columnar_stats TO columnar_stats_reader;
SELECT * FROM orochi.columnar_stats('h');
SELECT * FROM orochi.columnar_table_stats('h');
SELECT * FROM orochi.columnar_stats(NULL);
SET ROLE columnar_stats_reader;
SELECT * FROM orochi.columnar_stats('t');
SELECT * FROM orochi.columnar_table_stats('m');
RESET ROLE;
GRANT SELECT ON t, m TO columnar_stats_reader;
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
SET ROLE columnar_stats_reader;
SELECT * FROM orochi.columnar_stats('t');
SELECT stripe_rows FROM orochi.columnar_table_stats('t');
SELECT count(*) FROM orochi.columnar_stats('m');
RESET ROLE;
DROP SCHEMA columnar_stats CASCADE;
DROP ROLE columnar_stats_reader;
