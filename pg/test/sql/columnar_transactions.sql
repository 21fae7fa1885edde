-- Goal: rows of a columnar table come and go with the command, savepoint and transaction that wrote
-- them, exactly as heap rows do. Method: scripts whose right answer is known from heap.
CREATE SCHEMA columnar_transactions;
SET search_path = columnar_transactions;
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
DROP TABLE s;
DROP FUNCTION rows_of_s, rows_of_s_now;
DROP PROCEDURE commit_each;
DROP SCHEMA columnar_transactions;
