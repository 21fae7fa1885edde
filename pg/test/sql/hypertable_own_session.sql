-- Goal: a chunk that only this transaction can create (it made, locked or changed the table) appears
-- in it, or the statement fails with the reason; sources are evaluated once. Method: each way to get
-- there, in one session; the rows are compared with what was inserted.

-- The transaction that created the table.
BEGIN;
CREATE TABLE n (id int GENERATED ALWAYS AS IDENTITY, time timestamptz NOT NULL, host int, gone int,
                v float8, doubled float8 GENERATED ALWAYS AS (v * 2) STORED) PARTITION BY RANGE (time);
ALTER TABLE n DROP COLUMN gone;
CREATE INDEX ON n (host, time);
INSERT INTO orochi.hypertable VALUES ('n', '1 month', NULL);
INSERT INTO n (time, host, v) VALUES ('2026-01-01', 1, 2.0) RETURNING id, time, doubled;
INSERT INTO n (time, host, v) SELECT t, 1, 2 FROM generate_series('2026-01-01'::timestamptz, '2026-06-01', '1 day') t;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
  INSERT INTO n (time, host, v) SELECT t, 1, 2 FROM generate_series('2026-01-01'::timestamptz, '2026-09-01', '1 day') t;
SELECT tableoid::regclass, count(*), count(DISTINCT id), sum(doubled) FROM n GROUP BY 1 ORDER BY 1;
-- The identity went up once for every row.
SELECT count(*) = max(id) FROM n;
-- UPDATE: read twice when nothing is volatile.
UPDATE n SET time = time + interval '1 year';
SELECT tableoid::regclass, count(*) FROM n GROUP BY 1 ORDER BY 1;
-- From its own rows, with RETURNING and a sub-select that runs before.
INSERT INTO n (time, host, v) SELECT time + interval '5 years', host, (SELECT max(v) FROM n) FROM n WHERE id < 4
  RETURNING tableoid::regclass, time, host, v;
COMMIT;
SELECT tableoid::regclass, count(*) FROM n GROUP BY 1 ORDER BY 1;

CREATE TABLE hosts (id int PRIMARY KEY, name text);
INSERT INTO hosts VALUES (1, 'a');
ALTER TABLE n ADD FOREIGN KEY (host) REFERENCES hosts (id);

-- A new host, then its first row: the worker is in this session's lock group.
BEGIN;
INSERT INTO hosts VALUES (2, 'b');
INSERT INTO n (time, host, v) VALUES ('2028-03-03', 2, 3) RETURNING tableoid::regclass, time;
COMMIT;
BEGIN;
INSERT INTO hosts VALUES (3, 'c');
UPDATE n SET time = '2029-01-01', host = 3 WHERE host = 2 RETURNING tableoid::regclass, time, host;
COMMIT;
-- ... and in one statement.
WITH h AS (INSERT INTO hosts VALUES (4, 'd') RETURNING id)
INSERT INTO n (time, host, v) SELECT '2030-02-02', id, 1 FROM h RETURNING tableoid::regclass, host;
-- A missing host is refused after the chunk was made; the chunk stays.
INSERT INTO n (time, host, v) VALUES ('2031-03-03', 99, 3);
SELECT to_regclass('n_20310301');

-- Strong locks of this transaction.
BEGIN;
LOCK TABLE n IN SHARE MODE;
INSERT INTO n (time, host, v) VALUES ('2032-03-03', 2, 3) RETURNING tableoid::regclass;
COMMIT;
BEGIN;
LOCK TABLE hosts IN EXCLUSIVE MODE;
INSERT INTO n (time, host, v) VALUES ('2032-04-03', 2, 3) RETURNING tableoid::regclass;
COMMIT;
BEGIN;
CREATE INDEX n_v ON n (v);
INSERT INTO n (time, host, v) VALUES ('2032-05-03', 2, 3) RETURNING tableoid::regclass;
COMMIT;
SELECT count(*) FROM pg_index WHERE indrelid = 'n_20320501'::regclass;
BEGIN;
ANALYZE n;
INSERT INTO n (time, host, v) VALUES ('2032-06-03', 2, 3) RETURNING tableoid::regclass;
COMMIT;
BEGIN;
COMMENT ON TABLE n IS 'commented';
INSERT INTO n (time, host, v) VALUES ('2032-07-03', 2, 3) RETURNING tableoid::regclass;
COMMIT;
BEGIN;
TRUNCATE n;
INSERT INTO n (time, host, v) VALUES ('2032-08-03', 2, 3) RETURNING tableoid::regclass;
COMMIT;
SELECT count(*) FROM n;
BEGIN;
GRANT SELECT ON n TO PUBLIC;
INSERT INTO n (time, host, v) VALUES ('2032-09-03', 2, 3) RETURNING tableoid::regclass;
COMMIT;
BEGIN;
DROP TABLE n_20320901;
INSERT INTO n (time, host, v) VALUES ('2032-09-04', 2, 3) RETURNING tableoid::regclass;
COMMIT;
BEGIN;
LOCK TABLE n IN SHARE MODE;
ROLLBACK;
INSERT INTO n (time, host, v) VALUES ('2032-10-03', 2, 3) RETURNING tableoid::regclass;

-- What cannot be read ahead fails with the reason, and only when a chunk is missing.
BEGIN;
LOCK TABLE n IN SHARE MODE;
UPDATE n SET time = time + interval '40 years' * ceil(random()) WHERE time >= '2032-10-01';
ROLLBACK;
BEGIN;
LOCK TABLE n IN SHARE MODE;
MERGE INTO n USING (VALUES ('2070-01-01'::timestamptz)) s (t) ON n.time = s.t
  WHEN NOT MATCHED THEN INSERT (time, host, v) VALUES (s.t, 2, 1);
ROLLBACK;
BEGIN;
LOCK TABLE n IN SHARE MODE;
WITH h AS (INSERT INTO hosts VALUES (5, 'e') RETURNING id)
INSERT INTO n (time, host, v) SELECT '2071-02-02', id, 1 FROM h;
ROLLBACK;
BEGIN;
LOCK TABLE n IN SHARE MODE;
MERGE INTO n USING (VALUES ('2032-10-05'::timestamptz)) s (t) ON n.time = s.t
  WHEN NOT MATCHED THEN INSERT (time, host, v) VALUES (s.t, 2, 1);
ROLLBACK;

-- A cursor on the table.
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM n;
MOVE 1 FROM c;
INSERT INTO n (time, host, v) VALUES ('2033-01-03', 2, 3) RETURNING tableoid::regclass;
CLOSE c;
COMMIT;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM n;
MOVE 1 FROM c;
LOCK TABLE n IN SHARE MODE;
INSERT INTO n (time, host, v) VALUES ('2033-02-03', 2, 3);
ROLLBACK;

-- Subtransactions: a chunk of a rolled back one is gone, one of a worker stays.
BEGIN;
LOCK TABLE n IN SHARE MODE;
SAVEPOINT a;
INSERT INTO n (time, host, v) VALUES ('2034-01-03', 2, 3);
ROLLBACK TO a;
SELECT to_regclass('n_20340101');
INSERT INTO n (time, host, v) VALUES ('2034-01-03', 2, 4) RETURNING tableoid::regclass, v;
RELEASE a;
COMMIT;
BEGIN;
SAVEPOINT a;
INSERT INTO n (time, host, v) VALUES ('2035-01-03', 2, 3);
ROLLBACK TO a;
SELECT to_regclass('n_20350101');
COMMIT;
BEGIN;
SAVEPOINT a;
LOCK TABLE n IN SHARE MODE;
ROLLBACK TO a;
INSERT INTO n (time, host, v) VALUES ('2036-01-03', 2, 3) RETURNING tableoid::regclass;
COMMIT;

-- Two-phase commit.
BEGIN;
INSERT INTO n (time, host, v) VALUES ('2037-01-03', 2, 3);
PREPARE TRANSACTION 'worker';
BEGIN;
LOCK TABLE hosts IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO n (time, host, v) VALUES ('2037-01-03', 2, 4);
PREPARE TRANSACTION 'no worker needed';
COMMIT PREPARED 'worker';
COMMIT PREPARED 'no worker needed';
BEGIN;
LOCK TABLE n IN SHARE MODE;
INSERT INTO n (time, host, v) VALUES ('2037-02-03', 2, 5);
PREPARE TRANSACTION 'own chunk';
COMMIT PREPARED 'own chunk';
SELECT tableoid::regclass, v FROM n WHERE time BETWEEN '2037-01-01' AND '2037-12-31' ORDER BY v;

-- More rows than work_mem holds, kept in a file that is gone afterwards.
SET work_mem = '64kB';
BEGIN;
LOCK TABLE n IN SHARE MODE;
INSERT INTO n (time, host, v) SELECT '2041-01-01'::timestamptz + i * interval '1 hour', 1, i FROM generate_series(1, 5000) i;
COMMIT;
RESET work_mem;
SELECT count(*), sum(v) FROM n WHERE time >= '2041-01-01';

-- Functions of the extension that lock the table without a command of their own.
CREATE TABLE p (time date NOT NULL, v int) PARTITION BY RANGE (time);
BEGIN;
SELECT orochi.create_hypertable('p', 'time');
INSERT INTO p VALUES ('2026-01-01', 1) RETURNING tableoid::regclass;
COMMIT;
BEGIN;
SELECT orochi.drop_chunks('p', older_than => '2027-01-01'::date);
INSERT INTO p VALUES ('2026-01-01', 2) RETURNING tableoid::regclass;
COMMIT;
BEGIN;
SELECT orochi.set_chunk_time_interval('p', interval '1 day');
INSERT INTO p VALUES ('2026-02-01', 3) RETURNING tableoid::regclass;
COMMIT;
BEGIN;
INSERT INTO p VALUES ('2026-03-01', 4);
SELECT orochi.drop_chunks('p', older_than => '2026-02-15'::date);
INSERT INTO p VALUES ('2026-03-02', 5) RETURNING tableoid::regclass;
COMMIT;
SELECT tableoid::regclass, * FROM p ORDER BY time;
DROP TABLE p;

-- Rules, triggers and functions around it, in the same transaction as the table.
BEGIN;
CREATE TABLE t (time timestamptz NOT NULL, v int) PARTITION BY RANGE (time);
INSERT INTO orochi.hypertable VALUES ('t', '1 month', NULL);
CREATE FUNCTION fill(months int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..months LOOP
    INSERT INTO t VALUES ('2026-01-01'::timestamptz + i * interval '1 month', i);
  END LOOP;
END $$;
SELECT fill(5);
CREATE VIEW tv AS SELECT * FROM t WHERE v > 0;
INSERT INTO tv VALUES ('2027-01-01', 1);
SELECT tableoid::regclass, count(*) FROM t GROUP BY 1 ORDER BY 1;
ROLLBACK;
SELECT * FROM orochi.hypertable;
DROP TABLE n, hosts;
SELECT * FROM orochi.hypertable;
