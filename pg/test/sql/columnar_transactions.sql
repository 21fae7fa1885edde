-- Goal: rows of a columnar table come and go with the command, savepoint and transaction that wrote
-- them, exactly as heap rows do. Method: scripts whose right answer is known from heap.
CREATE SCHEMA columnar_transactions;
SET search_path = columnar_transactions;
SET orochi.columnar_row_page_rows = 0;  -- stripes are what this is about
CREATE TABLE s (a int) USING columnar;
BEGIN;
INSERT INTO s VALUES (1);
SAVEPOINT x;
SELECT count(*) FROM s;  -- writes the outer rows out inside the savepoint
INSERT INTO s VALUES (2);
SELECT count(*) FROM s;
ROLLBACK TO x;
TABLE s;
INSERT INTO s VALUES (3);
SAVEPOINT y;
INSERT INTO s VALUES (4);
RELEASE y;
COMMIT;
SELECT * FROM s ORDER BY 1;
BEGIN;
INSERT INTO s VALUES (5);
ROLLBACK;
BEGIN;
INSERT INTO s VALUES (6);
SELECT count(*) FROM s;
ROLLBACK;
SELECT * FROM s ORDER BY 1;
-- DROP and TRUNCATE undone by a savepoint, with rows on their way.
BEGIN;
INSERT INTO s VALUES (10);
SAVEPOINT x;
DROP TABLE s;
ROLLBACK TO x;
SAVEPOINT x;
TRUNCATE s;
INSERT INTO s VALUES (99);
TABLE s;
ROLLBACK TO x;
COMMIT;
SELECT * FROM s ORDER BY 1;
-- A command does not see its own rows, the next one does.
INSERT INTO s SELECT a + 100 FROM s;
SELECT count(*) FROM s;
WITH new AS (INSERT INTO s VALUES (1000) RETURNING a) SELECT (SELECT count(*) FROM s) AS before, a FROM new;
SELECT count(*) FROM s;
CREATE FUNCTION rows_of_s() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM s';
CREATE FUNCTION rows_of_s_now() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT count(*) FROM s';
BEGIN;
INSERT INTO s VALUES (2001);
INSERT INTO s SELECT CASE WHEN i = 1 THEN 0 ELSE rows_of_s() END FROM generate_series(1, 3) i RETURNING a;
INSERT INTO s SELECT CASE WHEN i = 1 THEN 0 ELSE rows_of_s_now() END FROM generate_series(1, 3) i RETURNING a;
ROLLBACK;
-- Cursors keep the snapshot they were opened with, also when first fetched later.
BEGIN;
INSERT INTO s VALUES (-1);
DECLARE early CURSOR FOR SELECT count(*) FROM s;
INSERT INTO s VALUES (-2);
DECLARE late CURSOR FOR SELECT count(*) FROM s;
INSERT INTO s VALUES (-3);
FETCH early;
FETCH late;
SELECT count(*) FROM s;
ROLLBACK;
BEGIN;
DECLARE back_and_forth SCROLL CURSOR FOR SELECT a FROM s;
FETCH LAST FROM back_and_forth;
FETCH PRIOR FROM back_and_forth;
FETCH FIRST FROM back_and_forth;
FETCH ABSOLUTE 3 FROM back_and_forth;
FETCH BACKWARD 5 FROM back_and_forth;
FETCH FORWARD 2 FROM back_and_forth;
COMMIT;
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT a FROM s ORDER BY a;
COMMIT;
TRUNCATE s;
FETCH 2 FROM held;
CLOSE held;
-- PL/pgSQL: loops, and blocks that fail and are rolled back.
DO $$ BEGIN FOR i IN 1..200 LOOP INSERT INTO s VALUES (i); END LOOP; END $$;
SELECT count(*), sum(a) FROM s;
-- Single-row INSERTs of one transaction share a stripe where nobody can tell.
SELECT count(*) AS stripes FROM orochi.columnar_stripes('s');
CREATE TABLE by_row (a int PRIMARY KEY, b timestamptz DEFAULT now()) USING columnar;
BEGIN;
INSERT INTO by_row VALUES (1);
INSERT INTO by_row VALUES (2), (3);
INSERT INTO by_row VALUES (4) RETURNING a, ctid;
SAVEPOINT x;
INSERT INTO by_row VALUES (5);
INSERT INTO by_row VALUES (6);
ROLLBACK TO x;
INSERT INTO by_row VALUES (7);
COMMIT;
SELECT rows FROM orochi.columnar_stripes('by_row');
SELECT a FROM by_row ORDER BY a;
-- And do not where somebody could: cursors, functions that read, triggers and checks that do.
BEGIN;
INSERT INTO by_row VALUES (10);
DECLARE c CURSOR FOR SELECT count(*) FROM by_row;
INSERT INTO by_row VALUES (11);
INSERT INTO by_row VALUES (12);
DECLARE d CURSOR FOR SELECT count(*) FROM by_row;
INSERT INTO by_row VALUES (13);
FETCH c;
FETCH d;
INSERT INTO by_row SELECT 20 + count(*) FROM by_row;
INSERT INTO by_row VALUES (30), ((SELECT 40 + count(*) FROM by_row));
COMMIT;
SELECT array_agg(a ORDER BY a) FROM by_row;
CREATE FUNCTION count_of(relation text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM %I', relation) INTO n;
  RETURN n;
END $$;
CREATE TABLE checked_heap (a bigint CHECK (a = count_of('checked_heap') OR a < 0));
CREATE TABLE checked (a bigint CHECK (a = count_of('checked') OR a < 0)) USING columnar;
BEGIN;
INSERT INTO checked_heap VALUES (0);
INSERT INTO checked VALUES (0);
INSERT INTO checked_heap VALUES (1), (1), (-1);
INSERT INTO checked VALUES (1), (1), (-1);
INSERT INTO checked_heap VALUES (4);
INSERT INTO checked VALUES (4);
COMMIT;
SELECT array_agg(a ORDER BY a) FROM checked;
SELECT array_agg(a ORDER BY a) FROM checked_heap;
BEGIN;
INSERT INTO s VALUES (-1);
INSERT INTO s VALUES (count_of('s')), (count_of('s'));
INSERT INTO s VALUES (count_of('s'));
SELECT array_agg(a) FROM s WHERE a < 0 OR a > 200;
ROLLBACK;
DROP TABLE by_row, checked, checked_heap;
DROP FUNCTION count_of;
DO $$
BEGIN
  FOR i IN 1..20 LOOP
    BEGIN
      INSERT INTO s VALUES (1000 + i);
      IF i % 2 = 0 THEN
        RAISE EXCEPTION 'undo %', i;
      END IF;
      IF i % 3 = 0 THEN
        PERFORM count(*) FROM s;
      END IF;
    EXCEPTION WHEN raise_exception THEN
      NULL;
    END;
  END LOOP;
END $$;
SELECT count(*), sum(a) FROM s WHERE a > 1000;
DO $$
DECLARE n bigint;
BEGIN
  FOR i IN 1..50 LOOP
    INSERT INTO s VALUES (5000 + i);
    SELECT count(*) INTO n FROM s WHERE a > 5000;
    ASSERT n = i, format('%s rows after %s inserts', n, i);
  END LOOP;
END $$;
CREATE PROCEDURE commit_each() LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..6 LOOP
    INSERT INTO s VALUES (9000 + i);
    IF i % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF;
  END LOOP;
END $$;
CALL commit_each();
SELECT a FROM s WHERE a > 9000 ORDER BY a;
-- Two-phase commit.
TRUNCATE s;
BEGIN;
INSERT INTO s VALUES (1);
PREPARE TRANSACTION 'columnar_commit';
BEGIN;
INSERT INTO s VALUES (2);
PREPARE TRANSACTION 'columnar_rollback';
SELECT count(*) FROM s;
COMMIT PREPARED 'columnar_commit';
ROLLBACK PREPARED 'columnar_rollback';
TABLE s;
-- Serializable and repeatable read in one session.
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM s;
INSERT INTO s VALUES (3);
SELECT count(*) FROM s;
COMMIT;
-- Parallel workers see rows that this transaction has not written out yet, even where only a
-- function called by a worker reads the table.
CREATE TABLE driver AS SELECT g FROM generate_series(1, 1000) g;
ALTER TABLE driver SET (parallel_workers = 2);
CREATE FUNCTION rows_in_worker(int) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE
  SET search_path = columnar_transactions AS $$ BEGIN RETURN (SELECT count(*) FROM s WHERE $1 > 0); END $$;
TRUNCATE s;
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_leader_participation = off;
INSERT INTO s VALUES (1), (2);
SELECT min(rows_in_worker(g)), max(rows_in_worker(g)) FROM driver WHERE g <= 5;
COMMIT;
DROP FUNCTION rows_in_worker;
DROP TABLE driver;
DROP TABLE s;
DROP FUNCTION rows_of_s, rows_of_s_now;
DROP PROCEDURE commit_each;
DROP SCHEMA columnar_transactions;
