-- Goal: changes of a columnar table's shape and place keep its rows. Method: every kind of ALTER
-- TABLE that rewrites or does not, on stripes older than the change, with rows on their way, undone
-- and committed; catalog rows of stripes go with their storage.
CREATE SCHEMA columnar_ddl;
SET search_path = columnar_ddl;
SET orochi.columnar_row_page_rows = 0;  -- stripes are what this is about
SELECT count(*) AS stripes_before FROM orochi.columnar_stripe \gset
CREATE TABLE t (a int, b text) USING columnar;
INSERT INTO t SELECT i, 'b' || i FROM generate_series(1, 5) i;
ALTER TABLE t ADD COLUMN c int DEFAULT 7;
ALTER TABLE t ADD COLUMN d text DEFAULT 'long default ' || repeat('x', 3);
ALTER TABLE t ADD COLUMN e numeric;
ALTER TABLE t ADD COLUMN u uuid DEFAULT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
INSERT INTO t VALUES (6, 'b6', 8, 'd', 1.5, NULL);
SELECT * FROM t ORDER BY a;
ALTER TABLE t ALTER COLUMN c SET DEFAULT 9;
ALTER TABLE t DROP COLUMN b;
INSERT INTO t (a) VALUES (7);
SELECT * FROM t ORDER BY a;
SELECT column_name, sum(rows), sum(nulls) FROM orochi.columnar_chunks('t') GROUP BY 1 ORDER BY 1;
ALTER TABLE t ALTER COLUMN a TYPE bigint, ALTER COLUMN e TYPE text USING coalesce(e::text, 'none');
ALTER TABLE t RENAME COLUMN c TO renamed;
SELECT * FROM t ORDER BY a;
SELECT pg_typeof(a), pg_typeof(e) FROM t LIMIT 1;
ALTER TABLE t ADD COLUMN v int GENERATED ALWAYS AS (renamed * 2) STORED;
SELECT a, v FROM t ORDER BY a;
ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0), ALTER COLUMN d SET NOT NULL;
ALTER TABLE t ADD CONSTRAINT small CHECK (a < 3);
-- In one transaction with rows on their way.
BEGIN;
INSERT INTO t (a) VALUES (8);
ALTER TABLE t ADD COLUMN f int DEFAULT 4;
INSERT INTO t (a) VALUES (9);
ALTER TABLE t DROP COLUMN u;
ALTER TABLE t ALTER COLUMN f TYPE float8;
INSERT INTO t (a, f) VALUES (10, 0.5);
SELECT a, f FROM t WHERE a > 6 ORDER BY a;
COMMIT;
SELECT a, f FROM t WHERE a > 6 ORDER BY a;
-- Places.
CREATE TABLE twin AS TABLE t;
ALTER TABLE t SET ACCESS METHOD heap;
SELECT amname FROM pg_class c JOIN pg_am m ON m.oid = relam WHERE c.oid = 't'::regclass;
(SELECT t::text FROM t EXCEPT ALL SELECT twin::text FROM twin) UNION ALL
(SELECT twin::text FROM twin EXCEPT ALL SELECT t::text FROM t);
ALTER TABLE t SET ACCESS METHOD columnar;
(SELECT t::text FROM t EXCEPT ALL SELECT twin::text FROM twin) UNION ALL
(SELECT twin::text FROM twin EXCEPT ALL SELECT t::text FROM t);
BEGIN;
ALTER TABLE t SET ACCESS METHOD heap;
DELETE FROM t;
ROLLBACK;
SELECT count(*) FROM t;
ALTER TABLE t SET UNLOGGED;
SELECT count(*) FROM t;
ALTER TABLE t SET LOGGED;
SELECT count(*) FROM t;
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE elsewhere LOCATION '';
SELECT orochi.columnar_storage_id('t') AS storage_id \gset
ALTER TABLE t SET TABLESPACE elsewhere;
SELECT count(*), orochi.columnar_storage_id('t') = :storage_id AS same_storage FROM t;
BEGIN;
INSERT INTO t (a) VALUES (11);
ALTER TABLE t SET TABLESPACE pg_default;
INSERT INTO t (a) VALUES (12);
COMMIT;
SELECT count(*) FROM t;
DROP TABLESPACE elsewhere;
-- TRUNCATE, in its own transaction and in the one that made the table.
TRUNCATE t;
SELECT count(*) FROM t;
INSERT INTO t (a) VALUES (1);
SELECT count(*) FROM t;
BEGIN;
CREATE TABLE fresh (a int) USING columnar;
INSERT INTO fresh VALUES (1);
TRUNCATE fresh;
INSERT INTO fresh VALUES (2);
TABLE fresh;
COMMIT;
TABLE fresh;
-- The same with triggers that look at rows by tuple id before and after.
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'row %', new.a; RETURN NULL; END $$;
BEGIN;
CREATE UNLOGGED TABLE told (a int) USING columnar;
CREATE TRIGGER tell AFTER INSERT ON told FOR EACH ROW EXECUTE FUNCTION tell();
INSERT INTO told VALUES (1), (2);
TRUNCATE told;
INSERT INTO told VALUES (3);
COMMIT;
DROP TABLE told;
DROP FUNCTION tell;
-- Renames, schemas, owners; a table made like one; the default access method.
CREATE SCHEMA other;
ALTER TABLE fresh SET SCHEMA other;
ALTER TABLE other.fresh RENAME TO stale;
TABLE other.stale;
SET default_table_access_method = columnar;
CREATE TABLE by_default (a int PRIMARY KEY, b int REFERENCES by_default);
INSERT INTO by_default VALUES (1, NULL), (2, 1);
CREATE TABLE ctas AS SELECT i, i % 10 AS g FROM generate_series(1, 1000) i;
RESET default_table_access_method;
SELECT relname, amname FROM pg_class c JOIN pg_am m ON m.oid = relam
WHERE relname IN ('by_default', 'ctas') ORDER BY 1;
SELECT sum(i), count(DISTINCT g) FROM ctas;
SELECT i AS a, i AS b INTO TABLE into_heap FROM ctas LIMIT 3;
-- Materialized views.
CREATE MATERIALIZED VIEW mv USING columnar AS SELECT g, count(*) AS n FROM ctas GROUP BY g;
INSERT INTO ctas VALUES (1001, 77);
REFRESH MATERIALIZED VIEW mv;
SELECT count(*), sum(n) FROM mv;
CREATE UNIQUE INDEX ON mv (g);
INSERT INTO ctas VALUES (1002, 78);
REFRESH MATERIALIZED VIEW CONCURRENTLY mv;
SELECT count(*), sum(n) FROM mv;
-- Temporary tables.
CREATE TEMP TABLE keeps (a int) USING columnar;
CREATE TEMP TABLE clears (a int) USING columnar ON COMMIT DELETE ROWS;
BEGIN;
CREATE TEMP TABLE drops (a int) USING columnar ON COMMIT DROP;
INSERT INTO keeps VALUES (1);
INSERT INTO clears VALUES (2);
INSERT INTO drops VALUES (3);
SELECT (SELECT count(*) FROM keeps), (SELECT count(*) FROM clears), (SELECT count(*) FROM drops);
COMMIT;
SELECT (SELECT count(*) FROM keeps), (SELECT count(*) FROM clears);
INSERT INTO clears SELECT generate_series(1, 100);
TABLE clears;
-- Everything dropped: no stripe is left behind.
DROP TABLE keeps, clears, t, twin, other.stale, by_default, into_heap;
DROP TABLE ctas CASCADE;
DROP SCHEMA other;
SELECT count(*) - :stripes_before AS stripes_left FROM orochi.columnar_stripe;
-- A dropped column leaves nothing that columnar_check takes for damage.
CREATE TABLE lost_columns (id int, b bool, r real, d double precision, u uuid, n numeric) USING columnar;
INSERT INTO lost_columns SELECT i, i % 2 = 0, i, i, gen_random_uuid(), i FROM generate_series(1, 3000) i;
ALTER TABLE lost_columns DROP b, DROP r, DROP d, DROP u, DROP n;
SELECT * FROM orochi.columnar_check('lost_columns');
SELECT count(*), sum(id) FROM lost_columns;
UPDATE lost_columns SET id = id + 1 WHERE id % 3 = 0;
VACUUM lost_columns;
SELECT * FROM orochi.columnar_check('lost_columns');
SELECT count(*), sum(id) FROM lost_columns;
DROP TABLE lost_columns;
-- Nor do the rows of an ALTER TABLE that was rolled back, under columns of another kind that came
-- later; dead ones are there until VACUUM.
CREATE TABLE undone_columns (id int, n int) USING columnar WITH (autovacuum_enabled = off);
INSERT INTO undone_columns SELECT i, i FROM generate_series(1, 300) i;
BEGIN;
ALTER TABLE undone_columns ADD COLUMN a text, ADD COLUMN b int DEFAULT 7;
INSERT INTO undone_columns SELECT i, i, 'x', i FROM generate_series(301, 500) i;
UPDATE undone_columns SET a = 'twelve bytes', b = 9 WHERE id % 3 = 0;
SAVEPOINT one;
ALTER TABLE undone_columns ADD COLUMN c numeric;
UPDATE undone_columns SET c = id WHERE id % 5 = 0;
ROLLBACK TO one;
SELECT * FROM orochi.columnar_check('undone_columns');
ROLLBACK;
SELECT * FROM orochi.columnar_check('undone_columns');
ALTER TABLE undone_columns ADD COLUMN a float8;
SELECT * FROM orochi.columnar_check('undone_columns');
ALTER TABLE undone_columns ADD COLUMN b uuid, ADD COLUMN c uuid;
SELECT * FROM orochi.columnar_check('undone_columns');
SELECT count(*), sum(id), sum(n), count(a), count(b), count(c) FROM undone_columns;
VACUUM undone_columns;
SELECT * FROM orochi.columnar_check('undone_columns');
DROP TABLE undone_columns;
-- What a transaction that is rolled back noted of a column that it made a key is not taken for another
-- key column in its place.
CREATE TABLE undone_keys (id int NOT NULL, n int) USING columnar WITH (autovacuum_enabled = off);
SET orochi.columnar_row_page_rows = 0;
INSERT INTO undone_keys SELECT i, i FROM generate_series(1, 300) i;
RESET orochi.columnar_row_page_rows;
BEGIN;
ALTER TABLE undone_keys ADD COLUMN k int NOT NULL DEFAULT 2147483647, ADD UNIQUE (id, k);
UPDATE undone_keys SET n = n + 1 WHERE id % 3 = 0;
ROLLBACK;
ALTER TABLE undone_keys ADD COLUMN k text NOT NULL DEFAULT 'some text', ADD UNIQUE (id, k);
UPDATE undone_keys SET n = n + 1 WHERE id % 2 = 0;
UPDATE undone_keys SET k = k || '!' WHERE id % 9 = 0;
DELETE FROM undone_keys WHERE id % 5 = 0;
SELECT count(*), sum(n), min(k), max(k) FROM undone_keys;
SELECT * FROM orochi.columnar_check('undone_keys');
DROP TABLE undone_keys;

DROP SCHEMA columnar_ddl;
