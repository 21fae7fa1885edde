-- Goal: what a session keeps of the chunks that it read single cells of is never taken for other
-- rows: after a rollback, after VACUUM used a stripe's pages again or moved the stripe, after
-- TRUNCATE, a rewrite and other DDL.
-- Method: after each change rows are read one by one through the index, each in a transaction of its
-- own, three times over, so that the second and third time use what the first kept. They are compared
-- with a heap twin. That the pages were used again, or the stripe moved, is shown.
ALTER SYSTEM SET autovacuum = off;
SELECT pg_reload_conf();
CREATE SCHEMA columnar_cell_cache;
SET search_path = columnar_cell_cache;
SET orochi.columnar_row_page_rows = 0;
SET orochi.columnar_stripe_rows = 4000;  -- each INSERT below fills stripes
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET orochi.enable_columnar_scan = off;
SET orochi.enable_vectorized_execution = off;
-- Chunks of every kind: f as Gorilla, the others small beside what they decompress to.
CREATE TABLE c (id int PRIMARY KEY, f float8, d float8, t text, n int) USING columnar;
CREATE TABLE h (id int PRIMARY KEY, f float8, d float8, t text, n int);
CREATE FUNCTION rows_of(seed int, first int, last int) RETURNS SETOF h LANGUAGE sql AS $$
  SELECT i, 100 * (0.5 + 0.4 * sin(seed + i / 500.0)), CASE WHEN (i + seed) % 50 = 0 THEN i / 3.0 ELSE seed END,
    'row ' || i % 7 || repeat(' of ' || seed, 3), CASE WHEN i % 3 <> 0 THEN (i * seed) % 11 END
  FROM generate_series(first, last) i
$$;
CREATE PROCEDURE insert_both(seed int, first int, last int) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO c SELECT * FROM rows_of(seed, first, last);
  INSERT INTO h SELECT * FROM rows_of(seed, first, last);
END $$;
CREATE PROCEDURE compare(INOUT read int DEFAULT 0, INOUT wrong int DEFAULT 0) LANGUAGE plpgsql AS $$
DECLARE wanted int; found text; expected text;
BEGIN
  FOR round IN 1..3 LOOP
    FOREACH wanted IN ARRAY ARRAY[1, 2000, 777, 3999, 4000, 4001, 6003, 7998, 8000, 9001, 11777, 1500] LOOP
      SELECT x::text INTO found FROM c AS x WHERE id = wanted;
      SELECT x::text INTO expected FROM h AS x WHERE id = wanted;
      read := read + (found IS NOT NULL)::int;
      wrong := wrong + (found IS DISTINCT FROM expected)::int;
      COMMIT;
    END LOOP;
  END LOOP;
END $$;
CREATE VIEW places AS SELECT stripe_number, offset_bytes
  FROM orochi.columnar_stripe WHERE storage_id = orochi.columnar_storage_id('c');

CALL insert_both(1, 1, 4000);
CALL insert_both(2, 4001, 8000);
CALL insert_both(3, 8001, 12000);
EXPLAIN (COSTS OFF) SELECT x::text FROM c AS x WHERE id = 1;
SELECT DISTINCT column_name, encoding, compression FROM orochi.columnar_chunks
  WHERE relation = 'c'::regclass AND column_name IN ('f', 'd', 't') ORDER BY 1, 2, 3;
CALL compare();

-- A rollback, and the same keys with other values.
BEGIN;
INSERT INTO c SELECT * FROM rows_of(4, 12001, 16000);
SELECT f, d, t, n FROM c WHERE id = 12001;
SELECT f, d, t, n FROM c WHERE id = 12001;
ROLLBACK;
SELECT count(*) FROM c WHERE id = 12001;
CALL insert_both(5, 12001, 16000);
SELECT (SELECT x::text FROM c AS x WHERE id = 12001) = (SELECT x::text FROM h AS x WHERE id = 12001) AS same;
CALL compare();

-- Deleted stripes, and the same keys with other values.
DELETE FROM c WHERE id <= 4000;
DELETE FROM h WHERE id <= 4000;
CALL compare();
VACUUM c;
VACUUM c;
CALL insert_both(6, 1, 4000);
CALL compare();

-- Stripes that VACUUM moves forward, to where deleted ones were that this session read.
SELECT min(offset_bytes) AS gone_begin FROM places \gset
SELECT max(stripe_number) AS last_stripe FROM places \gset
SELECT offset_bytes AS offset_before FROM places WHERE stripe_number = :last_stripe \gset
DELETE FROM c WHERE id BETWEEN 4001 AND 12000;
DELETE FROM h WHERE id BETWEEN 4001 AND 12000;
VACUUM c;
VACUUM c;
CALL compare();
SELECT offset_bytes < :offset_before AS moved FROM places WHERE stripe_number = :last_stripe;
SELECT count(*) > 0 AS used_again FROM places WHERE offset_bytes BETWEEN :gone_begin AND :offset_before - 1;
CALL insert_both(7, 4001, 12000);
CALL compare();

-- Changed rows, TRUNCATE, and a table that is truncated by the transaction that made it.
UPDATE c SET f = -f, t = 'changed' WHERE id % 2 = 1;
UPDATE h SET f = -f, t = 'changed' WHERE id % 2 = 1;
CALL compare();
TRUNCATE c, h;
CALL insert_both(8, 1, 12000);
CALL compare();
BEGIN;
CREATE TABLE own (LIKE c INCLUDING ALL) USING columnar;
INSERT INTO own SELECT * FROM rows_of(9, 1, 4000);
SELECT f, d, t, n FROM own WHERE id = 777;
TRUNCATE own;
INSERT INTO own SELECT * FROM rows_of(10, 1, 4000);
SELECT x::text = (SELECT r::text FROM rows_of(10, 777, 777) r) AS same FROM own AS x WHERE id = 777;
COMMIT;
SELECT x::text = (SELECT r::text FROM rows_of(10, 777, 777) r) AS same FROM own AS x WHERE id = 777;

-- Columns that come, go and change.
ALTER TABLE c DROP COLUMN d, ADD COLUMN e text DEFAULT 'new';
ALTER TABLE h DROP COLUMN d, ADD COLUMN e text DEFAULT 'new';
CALL compare();
ALTER TABLE c ALTER COLUMN n TYPE bigint USING n * 10, ALTER COLUMN f TYPE float4;
ALTER TABLE h ALTER COLUMN n TYPE bigint USING n * 10, ALTER COLUMN f TYPE float4;
CALL compare();
CREATE INDEX c_n ON c (n);
CLUSTER c USING c_n;
CALL compare();
VACUUM FULL c;
CALL compare();
SET client_min_messages = warning;
DROP SCHEMA columnar_cell_cache CASCADE;
ALTER SYSTEM RESET autovacuum;
SELECT pg_reload_conf();
