-- Goal: UPDATE and MERGE move rows to chunks that do not exist yet, and everything else they do is
-- as on a plain table. Method: the same statements on a twin without partitions.
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';
CREATE TABLE twin (time date NOT NULL, k int, v int, PRIMARY KEY (time, k));
CREATE TABLE m (LIKE twin INCLUDING ALL) PARTITION BY RANGE (time);
INSERT INTO orochi.hypertable VALUES ('m', '1 month', NULL);
CREATE FUNCTION differences() RETURNS bigint LANGUAGE sql AS
  'SELECT count(*) FROM ((TABLE m EXCEPT ALL TABLE twin) UNION ALL (TABLE twin EXCEPT ALL TABLE m)) d';
INSERT INTO m SELECT '2026-01-01'::date + i, i, i FROM generate_series(1, 100) i;
INSERT INTO twin TABLE m;

UPDATE m SET v = v + 1;
UPDATE twin SET v = v + 1;
UPDATE m SET time = time + 200 WHERE k % 10 = 0 RETURNING tableoid::regclass, *;
UPDATE twin SET time = time + 200 WHERE k % 10 = 0;
SELECT differences();
-- All rows, several new chunks; from a join; with a volatile function.
UPDATE m SET time = time + 1000, v = v * 2;
UPDATE twin SET time = time + 1000, v = v * 2;
UPDATE m SET time = s.t FROM (VALUES (1, '2035-01-01'::date), (2, '2036-01-01')) s (k, t) WHERE m.k = s.k;
UPDATE twin SET time = s.t FROM (VALUES (1, '2035-01-01'::date), (2, '2036-01-01')) s (k, t) WHERE twin.k = s.k;
UPDATE m SET time = time + (1000 + floor(random()))::int WHERE k = 5;
UPDATE twin SET time = time + 1000 WHERE k = 5;
SELECT differences();
-- In WITH, and through a view.
WITH moved AS (UPDATE m SET time = '2040-01-01' WHERE k = 7 RETURNING *)
UPDATE m SET time = '2041-01-01' FROM moved WHERE m.k = moved.k + 1 RETURNING m.tableoid::regclass, m.*;
UPDATE twin SET time = '2040-01-01' WHERE k = 7;
UPDATE twin SET time = '2041-01-01' WHERE k = 8;
CREATE VIEW mv AS SELECT k AS key, time AS at FROM m;
UPDATE mv SET at = '2042-01-01' WHERE key = 9;
UPDATE twin SET time = '2042-01-01' WHERE k = 9;
SELECT differences();
-- Prepared.
PREPARE move (int, date) AS UPDATE m SET time = $2 WHERE k = $1;
EXECUTE move (11, '2043-01-01');
EXECUTE move (12, '2043-02-01');
EXECUTE move (13, '2043-03-01');
EXECUTE move (14, '2043-04-01');
EXECUTE move (15, '2043-05-01');
EXECUTE move (16, '2043-06-01');
EXECUTE move (17, '2043-07-01');
UPDATE twin SET time = '2043-01-01'::date + (k - 11) * interval '1 month' WHERE k BETWEEN 11 AND 17;
SELECT differences();
-- A row that fails the condition makes no chunk; ON CONFLICT cannot move rows, as in PostgreSQL.
UPDATE m SET time = '2099-01-01' WHERE k = -1;
SELECT to_regclass('m_20990101');
INSERT INTO m VALUES ('2040-01-01', 7, 0) ON CONFLICT (time, k) DO UPDATE SET time = '2044-01-01';
INSERT INTO m VALUES ('2040-01-01', 7, 0) ON CONFLICT (time, k) DO UPDATE SET time = '2040-01-02';
UPDATE twin SET time = '2040-01-02' WHERE k = 7;
SELECT differences();

-- MERGE: insert, update within and across chunks, delete, do nothing.
CREATE TABLE news (k int, time date, v int, what text);
INSERT INTO news SELECT i, '2050-01-01'::date + i * 20, i, (ARRAY['insert', 'move', 'change', 'delete', 'skip'])[1 + i % 5] FROM generate_series(1, 150) i;
MERGE INTO m USING news n ON m.k = n.k
  WHEN MATCHED AND n.what = 'move' THEN UPDATE SET time = n.time, v = n.v
  WHEN MATCHED AND n.what = 'change' THEN UPDATE SET v = -n.v
  WHEN MATCHED AND n.what = 'delete' THEN DELETE
  WHEN MATCHED THEN DO NOTHING
  WHEN NOT MATCHED AND n.what = 'skip' THEN DO NOTHING
  WHEN NOT MATCHED THEN INSERT (v, time, k) VALUES (n.v, n.time, n.k);
MERGE INTO twin m USING news n ON m.k = n.k
  WHEN MATCHED AND n.what = 'move' THEN UPDATE SET time = n.time, v = n.v
  WHEN MATCHED AND n.what = 'change' THEN UPDATE SET v = -n.v
  WHEN MATCHED AND n.what = 'delete' THEN DELETE
  WHEN MATCHED THEN DO NOTHING
  WHEN NOT MATCHED AND n.what = 'skip' THEN DO NOTHING
  WHEN NOT MATCHED THEN INSERT (v, time, k) VALUES (n.v, n.time, n.k);
SELECT differences(), (SELECT count(*) FROM m);
-- MERGE that inserts without a time.
MERGE INTO m USING (VALUES (9999)) s (k) ON m.k = s.k WHEN NOT MATCHED THEN INSERT (k) VALUES (s.k);
-- NULL and infinity.
UPDATE m SET time = NULL WHERE k = 20;
UPDATE m SET time = 'infinity' WHERE k = 20;
UPDATE m SET time = '-infinity' WHERE k = 20;
MERGE INTO m USING (VALUES (20)) s (k) ON m.k = s.k WHEN MATCHED THEN UPDATE SET time = NULL;
SELECT differences();
-- DELETE is left alone.
EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM m WHERE time = '2040-01-02';
EXPLAIN (VERBOSE, COSTS OFF) UPDATE m SET v = 1 WHERE time = '2040-01-02';
EXPLAIN (VERBOSE, COSTS OFF) UPDATE m SET time = '2040-01-05' WHERE time = '2040-01-02';
DROP FUNCTION differences;
DROP TABLE m CASCADE;
DROP TABLE twin, news;
