-- Goal: rows of stripes whose keys are wider than a page of stubs can be deleted, updated, locked and
-- referred to as on heap, and nothing grows without end.
-- Method: the same rows and commands on both, with keys of each width about the limit, of few bytes
-- when compressed and of many; rows are compared.
CREATE FUNCTION noise(n int, seed int) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT left(string_agg(md5(i || '/' || seed), ''), n) FROM generate_series(1, n / 32 + 1) i $$;
CREATE TABLE h (id int PRIMARY KEY, v int, a text UNIQUE, b text UNIQUE, c text UNIQUE, d text UNIQUE) USING heap;
CREATE TABLE c (LIKE h INCLUDING ALL) USING columnar;
INSERT INTO h SELECT i, i, noise(2000 + i, i), noise(2000, i + 1000), noise(1000 + 75 * i, i + 2000),
  CASE WHEN i % 3 = 0 THEN noise(2600, i + 3000) WHEN i % 3 = 1 THEN repeat('x', 30000 + i) END FROM generate_series(1, 20) i;
SET orochi.columnar_row_page_rows = 0;
INSERT INTO c SELECT * FROM h;
SET orochi.columnar_row_page_rows = 1;
SELECT stripe_rows, row_page_rows FROM orochi.columnar_table_stats('c');
CREATE TABLE h_child (a text REFERENCES h (a) ON UPDATE CASCADE, id int REFERENCES h ON DELETE CASCADE) USING heap;
CREATE TABLE c_child (a text REFERENCES c (a) ON UPDATE CASCADE, id int REFERENCES c ON DELETE CASCADE) USING columnar;

INSERT INTO h_child SELECT a, id FROM h WHERE id % 2 = 0;
INSERT INTO c_child SELECT a, id FROM c WHERE id % 2 = 0;
SELECT count(*) FROM (SELECT id FROM c WHERE id < 5 FOR UPDATE) x;
UPDATE h SET v = -v WHERE id < 8;
UPDATE c SET v = -v WHERE id < 8;
DELETE FROM h WHERE id IN (3, 5, 17, 19);
DELETE FROM c WHERE id IN (3, 5, 17, 19);
UPDATE h SET a = 'short ' || id WHERE id > 15;
UPDATE c SET a = 'short ' || id WHERE id > 15;
UPDATE h SET b = NULL, d = '' WHERE id = 9;
UPDATE c SET b = NULL, d = '' WHERE id = 9;
INSERT INTO h SELECT 100, 0, a FROM h WHERE id = 10 ON CONFLICT (a) DO UPDATE SET v = 77;
INSERT INTO c SELECT 100, 0, a FROM c WHERE id = 10 ON CONFLICT (a) DO UPDATE SET v = 77;
CREATE FUNCTION compare() RETURNS TABLE (differences bigint, damages bigint) LANGUAGE sql AS $$
  SELECT (SELECT count(*) FROM ((TABLE h EXCEPT ALL TABLE c) UNION ALL (TABLE c EXCEPT ALL TABLE h)) d)
    + (SELECT count(*) FROM ((TABLE h_child EXCEPT ALL TABLE c_child) UNION ALL (TABLE c_child EXCEPT ALL TABLE h_child)) d),
    (SELECT count(*) FROM orochi.columnar_check('c', indexes => true)) $$;
SELECT * FROM compare();
VACUUM c;
VACUUM c;
SELECT * FROM compare();
SELECT pg_relation_size('c') < 60 * 8192 AS is_small FROM orochi.columnar_table_stats('c');
-- Every width in steps of 8 bytes, each in a stub of its own.
CREATE TABLE w (id int PRIMARY KEY, a text UNIQUE, b text UNIQUE, c text UNIQUE) USING columnar;
SET orochi.columnar_row_page_rows = 0;
INSERT INTO w SELECT i, noise(2300, i), noise(2300, i + 1000), noise(2200 + i * 8, i + 2000) FROM generate_series(1, 50) i;
DELETE FROM w WHERE id % 2 = 0;
SELECT count(*), count(DISTINCT c) FROM w;
SELECT count(*) FROM orochi.columnar_check('w', indexes => true);
DROP TABLE h_child, c_child, h, c, w;
DROP FUNCTION compare, noise;
