-- Goal: VACUUM of a changed columnar table keeps every row, by scan and by index, moves rows into
-- stripes, gives space back and freezes. Method: the same changes go to a heap twin; after every
-- step both are compared.
-- A worker's snapshot would keep rows from being dead to everybody.
ALTER SYSTEM SET autovacuum = off;
SELECT pg_reload_conf();
CREATE SCHEMA columnar_vacuum;
SET search_path = columnar_vacuum;
SET orochi.columnar_row_page_rows = 500;
SET jit = off;
CREATE TABLE c (id int PRIMARY KEY, v int, t text) USING columnar;
CREATE INDEX c_v ON c (v) WHERE v % 2 = 0;
CREATE INDEX c_expression ON c ((v + 1));
CREATE TABLE h (id int PRIMARY KEY, v int, t text);
CREATE FUNCTION twice(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE replace(statement, '$t', 'c');
  EXECUTE replace(statement, '$t', 'h');
END $$;
-- Rows that differ between the twins, by scan, by each index.
CREATE FUNCTION differences(OUT scan bigint, OUT by_key bigint, OUT by_partial bigint,
                            OUT by_expression bigint) LANGUAGE plpgsql AS $$
BEGIN
  SELECT count(*) INTO scan FROM
    ((TABLE c EXCEPT ALL TABLE h) UNION ALL (TABLE h EXCEPT ALL TABLE c)) d;
  SET LOCAL enable_seqscan = off;
  SET LOCAL orochi.enable_columnar_scan = off;
  SELECT count(*) INTO by_key FROM
    ((SELECT * FROM c WHERE id > 0 EXCEPT ALL TABLE h) UNION ALL
     (TABLE h EXCEPT ALL SELECT * FROM c WHERE id > 0)) d;
  SELECT count(*) INTO by_partial FROM
    ((SELECT id FROM c WHERE v % 2 = 0 AND v > -1 EXCEPT ALL SELECT id FROM h WHERE v % 2 = 0) UNION ALL
     (SELECT id FROM h WHERE v % 2 = 0 EXCEPT ALL SELECT id FROM c WHERE v % 2 = 0 AND v > -1)) d;
  SELECT count(*) INTO by_expression FROM
    ((SELECT id FROM c WHERE v + 1 > 0 EXCEPT ALL SELECT id FROM h) UNION ALL
     (SELECT id FROM h EXCEPT ALL SELECT id FROM c WHERE v + 1 > 0)) d;
END $$;
-- How many rows are on row pages: their tuple ids are below those of stripes.
CREATE VIEW on_row_pages AS SELECT count(*) FROM c WHERE ctid < '(2147483648,1)';

-- Rows that came one at a time become a stripe.
SELECT twice('INSERT INTO $t SELECT i, i % 100, ''row '' || i FROM generate_series(1, 450) i');
SELECT twice('INSERT INTO $t SELECT i, i % 100, ''row '' || i FROM generate_series(451, 900) i');
TABLE on_row_pages;
VACUUM c;
TABLE on_row_pages;
SELECT rows FROM orochi.columnar_stripes('c') ORDER BY stripe;
SELECT * FROM differences();
-- Few rows stay where they are.
SELECT twice('INSERT INTO $t SELECT i, i % 100, ''row '' || i FROM generate_series(901, 950) i');
VACUUM c;
TABLE on_row_pages;
-- Updated and deleted rows leave the indexes, and the stripe as soon as it pays.
SELECT twice('UPDATE $t SET v = v + 1, t = t || ''!'' WHERE id % 10 = 0');
SELECT twice('DELETE FROM $t WHERE id BETWEEN 100 AND 149');
VACUUM c;
SELECT * FROM differences();
SELECT rows FROM orochi.columnar_stripes('c') ORDER BY stripe;
SELECT twice('UPDATE $t SET v = v + 2 WHERE id % 3 = 0');
VACUUM c;
VACUUM c;
SELECT * FROM differences();
-- A key that was freed can be used again, one in use cannot.
SELECT twice('INSERT INTO $t VALUES (100, 7, ''again'')');
INSERT INTO c VALUES (1, 0, 'twice');
SELECT twice('UPDATE $t SET v = 8 WHERE id = 100');
SELECT * FROM differences();
-- Stubs of locks that are over go away, rows stay.
BEGIN;
SELECT count(*) FROM (SELECT id FROM c FOR UPDATE) locked;
COMMIT;
VACUUM c;
SELECT * FROM differences();
-- An update that was undone.
BEGIN;
UPDATE c SET v = -5;
ROLLBACK;
VACUUM c;
SELECT * FROM differences();
-- Long values move out of the TOAST table.
ALTER TABLE c ALTER t SET STORAGE EXTERNAL;
SELECT twice('UPDATE $t SET t = repeat(id::text || '','', 3000) WHERE id % 50 = 1');
SET orochi.columnar_row_page_rows = 1;
VACUUM c;
TABLE on_row_pages;
SELECT * FROM differences();
VACUUM c;
VACUUM c;
SELECT pg_relation_size(reltoastrelid) AS toasted FROM pg_class WHERE oid = 'c'::regclass;
SELECT * FROM differences();
-- Everything gone: the file shrinks to where its last page in use is.
SELECT pg_relation_size('c') AS size_before \gset
SELECT twice('DELETE FROM $t');
VACUUM c;
VACUUM c;
VACUUM c;
SELECT count(*) FROM orochi.columnar_stripes('c');
SELECT count(*) FROM c;
SELECT pg_relation_size('c') < :size_before AS shrunk;
-- And the table goes on.
SELECT twice('INSERT INTO $t SELECT i, i % 100, ''row '' || i FROM generate_series(1, 2000) i');
SELECT * FROM differences();
VACUUM c;
SELECT * FROM differences();
SELECT reltuples, age(relfrozenxid) < 100 AS frozen FROM pg_class WHERE oid = 'c'::regclass;
-- Freezing.
SELECT twice('UPDATE $t SET v = 3 WHERE id = 5');
SELECT twice('DELETE FROM $t WHERE id = 6');
BEGIN;
SELECT id FROM c WHERE id = 7 FOR SHARE;
SAVEPOINT s;
SELECT id FROM c WHERE id = 7 FOR UPDATE;
COMMIT;
VACUUM FREEZE c;
SELECT age(relfrozenxid) <= 1 AS frozen, mxid_age(relminmxid) < 5 AS multis FROM pg_class WHERE oid = 'c'::regclass;
SELECT * FROM differences();
-- New versions move to where the old ones were, new rows behind all.
CREATE TABLE ordered (id int, v int, t text) USING columnar;
SET orochi.columnar_row_page_rows = 0;
INSERT INTO ordered SELECT i, 0, 'x' FROM generate_series(1, 3000) i;
SET orochi.columnar_row_page_rows = 500;
UPDATE ordered SET v = 1 WHERE id % 2 = 0;
INSERT INTO ordered SELECT i, 0, 'x' FROM generate_series(3001, 3100) i;
VACUUM ordered;
SELECT count(*), count(*) FILTER (WHERE v > 0) AS changed, bool_and(id > before) AS in_order
FROM (SELECT id, v, lag(id, 1, 0) OVER () AS before FROM ordered) q;
-- In the order of a chunk's index.
CREATE TABLE metrics (at timestamptz NOT NULL, host int, v float8) PARTITION BY RANGE (at);
CREATE TABLE chunk PARTITION OF metrics FOR VALUES FROM ('2024-01-01') TO ('2024-02-01') USING columnar;
CREATE INDEX ON metrics (host, at);
SET orochi.columnar_row_page_rows = 300;
INSERT INTO metrics SELECT timestamptz '2024-01-01' + i * interval '1 minute', i % 7, i FROM generate_series(1, 300) i;
VACUUM chunk;
SELECT count(*), bool_and(host >= before) AS by_host FROM (SELECT host, lag(host, 1, 0) OVER () AS before FROM chunk) q;
SET client_min_messages = warning;
DROP SCHEMA columnar_vacuum CASCADE;
ALTER SYSTEM RESET autovacuum;
SELECT pg_reload_conf();
