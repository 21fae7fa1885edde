-- Goal: two VACUUMs after any changes a columnar table takes at most 1.1 times the pages of the same
-- rows freshly compressed, and 11 more that VACUUM never moves rows for; its rows are those of a heap
-- twin. Method: kinds of changes one after the other; pages are counted and rows compared after each.
-- A worker's snapshot would keep rows from being dead to everybody.
ALTER SYSTEM SET autovacuum = off;
SELECT pg_reload_conf();
CREATE SCHEMA columnar_size;
SET search_path = columnar_size;
SET orochi.columnar_row_page_rows = 0;
SET jit = off;
CREATE TABLE c (id int PRIMARY KEY, v int, t text) USING columnar;
CREATE TABLE h (id int PRIMARY KEY, v int, t text);
CREATE PROCEDURE twice(statement text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE replace(statement, '$t', 'c');
  EXECUTE replace(statement, '$t', 'h');
END $$;
-- What the rows take when they are written anew. Two VACUUMs come first.
CREATE FUNCTION fits(OUT size_fits boolean, OUT differences bigint) LANGUAGE plpgsql
SET orochi.columnar_row_page_rows = 0 AS $$
DECLARE pages bigint; fresh bigint;
BEGIN
  CREATE TABLE f (LIKE c) USING columnar;
  INSERT INTO f TABLE c;
  PERFORM count(*) FROM f;  -- writes it out
  pages := pg_relation_size('c') / 8192;
  fresh := pg_relation_size('f') / 8192;
  DROP TABLE f;
  size_fits := pages <= 1.1 * fresh + 11;
  IF NOT size_fits THEN
    RAISE NOTICE '% pages, % when written anew', pages, fresh;
  END IF;
  SELECT count(*) INTO differences FROM
    ((TABLE c EXCEPT ALL TABLE h) UNION ALL (TABLE h EXCEPT ALL TABLE c)) d;
END $$;
-- Updates all over the table.
CALL twice('INSERT INTO $t SELECT i, i % 100, md5(i::text) || md5((-i)::text) FROM generate_series(1, 20000) i');
CALL twice('UPDATE $t SET v = v + 1 WHERE id % 3 = 0');
CALL twice('UPDATE $t SET v = v + 1 WHERE id % 2 = 0');
VACUUM c;
VACUUM c;
SELECT * FROM fits();
-- Deletions that leave some rows of each stripe.
CALL twice('DELETE FROM $t WHERE id % 5 <> 0');
VACUUM c;
VACUUM c;
SELECT * FROM fits();
-- A row here and there on pages of its own.
SET orochi.columnar_row_page_rows = 100000;
CALL twice('INSERT INTO $t SELECT i, i % 100, md5(i::text) FROM generate_series(20001, 30000) i');
CALL twice('DELETE FROM $t WHERE id > 20000 AND id % 300 <> 0');
VACUUM c;
VACUUM c;
SELECT * FROM fits();
-- Many small stripes.
SET orochi.columnar_row_page_rows = 0;
DO $$
BEGIN
  FOR g IN 1..30 LOOP
    CALL twice(format('INSERT INTO $t SELECT i, i %% 10, md5(i::text) FROM generate_series(%s, %s) i',
                      40000 + 300 * g, 40299 + 300 * g));
    COMMIT;
  END LOOP;
END $$;
SELECT count(*) > 30 AS many FROM orochi.columnar_stripes('c');
VACUUM c;
VACUUM c;
SELECT count(*) < 8 AS few FROM orochi.columnar_stripes('c');
SELECT * FROM fits();
-- Stripes of several sizes, with gaps between them that are too narrow for the next one.
SET orochi.columnar_row_page_rows = 0;
DO $$
BEGIN
  FOR g IN 1..8 LOOP
    CALL twice(format('INSERT INTO $t SELECT i, i, md5(i::text) || md5((-i)::text) FROM generate_series(%s, %s) i',
                      1000000 + 100000 * g, 1000000 + 100000 * g + 2000 * g));
    COMMIT;
  END LOOP;
END $$;
CALL twice('DELETE FROM $t WHERE id >= 1000000 AND id / 100000 % 2 = 0');
VACUUM c;
VACUUM c;
SELECT * FROM fits();
-- The file stays as it is when there is nothing more to do.
SELECT pg_relation_size('c') AS bytes, sum(offset_bytes) AS places
FROM orochi.columnar_stripes('c') \gset
VACUUM c;
VACUUM c;
SELECT pg_relation_size('c') = :bytes AS same_size, sum(offset_bytes) = :places AS same_places
FROM orochi.columnar_stripes('c');
-- By the primary key.
SET enable_seqscan = off;
SET orochi.enable_columnar_scan = off;
SELECT count(*), sum(id) = (SELECT sum(id) FROM h) AS same FROM c WHERE id > 0;
-- Rounds of few changes all over the table, a VACUUM after each: what is free at the end is less than
-- any stripe, and stripes slide over it. Autovacuum would have no reason to come after these two.
TRUNCATE c, h;
SELECT orochi.set_columnar_options('c', stripe_rows => 20000) \g /dev/null
SET orochi.columnar_row_page_rows = 0;
CALL twice('INSERT INTO $t SELECT i, i % 100, md5(i::text) || md5((-i)::text) FROM generate_series(1, 40000) i');
SET orochi.columnar_row_page_rows = 1000;
CALL twice('UPDATE $t SET v = v + 1 WHERE id * 7919 % 20 = 0');
CALL twice('DELETE FROM $t WHERE id * 1049 % 100 = 0');
VACUUM c;
CALL twice('UPDATE $t SET v = v + 1 WHERE (id * 7919 + 1) % 20 = 0');
CALL twice('DELETE FROM $t WHERE (id * 1049 + 1) % 100 = 0');
VACUUM c;
VACUUM c;
VACUUM c;
SELECT * FROM fits();
SELECT count(*) FROM orochi.columnar_check('c', indexes => true);
-- A row that never moves, behind stripes that cannot slide far enough.
TRUNCATE c, h;
SET orochi.columnar_row_page_rows = 0;
CALL twice('INSERT INTO $t SELECT i, i, md5(i::text) FROM generate_series(1, 6000) i');
CALL twice('INSERT INTO $t SELECT i, i, md5(i::text) || md5((-i)::text) FROM generate_series(10001, 15000) i');
CALL twice('INSERT INTO $t SELECT i, i, md5(i::text) || md5((-i)::text) FROM generate_series(20001, 29000) i');
CALL twice('INSERT INTO $t SELECT 0, 0, repeat(''wide'', 2200000)');
CALL twice('DELETE FROM $t WHERE id BETWEEN 1 AND 6000');
VACUUM c;
VACUUM c;
VACUUM c;
SELECT differences FROM fits();
SELECT count(*) FROM orochi.columnar_check('c', indexes => true);
SET client_min_messages = warning;
DROP SCHEMA columnar_size CASCADE;
ALTER SYSTEM RESET autovacuum;
SELECT pg_reload_conf();
