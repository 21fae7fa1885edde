-- Goal: what create_hypertable cannot do it refuses with the name of what is in the way, and leaves
-- everything as it was. Method: one obstacle at a time, then a look at what the catalogs hold.
\set SHOW_CONTEXT never
SET search_path = public, orochi;
SET timezone = 'UTC';
SET datestyle = ISO;
CREATE FUNCTION refused(command text) RETURNS TABLE (code text, message text, detail text, hint text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE command;
  code := 'none';
  RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  message := regexp_replace(message, 'pg_temp_\d+', 'pg_temp_N');
  RETURN NEXT;
END $$;
\x on

-- Columns and intervals.
CREATE TABLE m (id int, t timestamptz, started timestamp, name text, g date GENERATED ALWAYS AS ('2024-01-01'::date + id) STORED);
SELECT * FROM refused($$SELECT create_hypertable('m')$$);
SELECT * FROM refused($$SELECT create_hypertable('m', 'no_such')$$);
SELECT * FROM refused($$SELECT create_hypertable('m', 'ctid')$$);
SELECT * FROM refused($$SELECT create_hypertable('m', 'name')$$);
SELECT * FROM refused($$SELECT create_hypertable('m', 'g')$$);
SELECT * FROM refused($$SELECT create_hypertable('m', 'id')$$);
SELECT * FROM refused($$SELECT create_hypertable('m', 'id', 0)$$);
SELECT * FROM refused($$SELECT create_hypertable('m', 'id', 3000000000)$$);
SELECT * FROM refused($$SELECT create_hypertable('m', 't', 7)$$);
SELECT * FROM refused($$SELECT create_hypertable('m', 't', 'one day')$$);
SELECT * FROM refused($$SELECT create_hypertable('m', 't', interval '0')$$);
SELECT * FROM refused($$SELECT create_hypertable('m', 't', interval '-1 day')$$);
SELECT * FROM refused($$SELECT create_hypertable('m', 't', interval '1 month 1 day')$$);
SELECT * FROM refused($$SELECT create_hypertable(NULL)$$);
CREATE TABLE days (d date);
SELECT * FROM refused($$SELECT create_hypertable('days', 'd', interval '1 hour')$$);
CREATE TABLE none (id int);
SELECT * FROM refused($$SELECT create_hypertable('none')$$);

-- Relations of other kinds.
CREATE VIEW v AS SELECT now() AS t;
SELECT * FROM refused($$SELECT create_hypertable('v', 't')$$);
CREATE TEMP TABLE temporary (t timestamptz);
SELECT * FROM refused($$SELECT create_hypertable('temporary')$$);
SELECT * FROM refused($$SELECT create_hypertable('pg_class')$$);
SELECT * FROM refused($$SELECT create_hypertable('orochi.hypertable', 'chunk_interval_integer', 10)$$);
SELECT * FROM refused($$SELECT create_hypertable('no_such_table')$$);
SELECT * FROM refused($$SELECT create_hypertable(1::regclass)$$);
CREATE TABLE parent (t timestamptz);
CREATE TABLE child () INHERITS (parent);
SELECT * FROM refused($$SELECT create_hypertable('parent')$$);
SELECT * FROM refused($$SELECT create_hypertable('child')$$);
CREATE TYPE shape AS (t timestamptz);
CREATE TABLE typed OF shape;
SELECT * FROM refused($$SELECT create_hypertable('typed')$$);
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE far (t timestamptz) SERVER nowhere;
SELECT * FROM refused($$SELECT create_hypertable('far')$$);

-- Partitioned tables that are not by one time column.
CREATE TABLE listed (t timestamptz) PARTITION BY LIST (t);
SELECT * FROM refused($$SELECT create_hypertable('listed')$$);
CREATE TABLE two (t timestamptz, u timestamptz) PARTITION BY RANGE (t, u);
SELECT * FROM refused($$SELECT create_hypertable('two')$$);
CREATE TABLE expression (t timestamptz, n int) PARTITION BY RANGE ((n + 1));
SELECT * FROM refused($$SELECT create_hypertable('expression')$$);
CREATE TABLE by_text (t text) PARTITION BY RANGE (t);
SELECT * FROM refused($$SELECT create_hypertable('by_text')$$);
CREATE TABLE ranged (t timestamptz, u timestamptz) PARTITION BY RANGE (t);
SELECT * FROM refused($$SELECT create_hypertable('ranged', 'u')$$);
CREATE TABLE rest PARTITION OF ranged DEFAULT;
SELECT * FROM refused($$SELECT create_hypertable('ranged')$$);
DROP TABLE rest;
CREATE TABLE part PARTITION OF ranged FOR VALUES FROM ('2024-01-01') TO ('2024-02-01') PARTITION BY RANGE (t);
SELECT * FROM refused($$SELECT create_hypertable('part')$$);

-- Parts of a table that cannot come along.
CREATE TABLE h (id int PRIMARY KEY, t timestamptz);
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
ALTER TABLE h DROP CONSTRAINT h_pkey;
CREATE UNIQUE INDEX by_part ON h (id) INCLUDE (t);
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
DROP INDEX by_part;
ALTER TABLE h ADD CONSTRAINT no_overlap EXCLUDE USING gist (tstzrange(t, t, '[]') WITH &&);
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
ALTER TABLE h DROP CONSTRAINT no_overlap;
ALTER TABLE h ADD CONSTRAINT only_here CHECK (id > 0) NO INHERIT;
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
ALTER TABLE h DROP CONSTRAINT only_here;
CREATE TABLE target (id int PRIMARY KEY);
ALTER TABLE h ADD CONSTRAINT to_target FOREIGN KEY (id) REFERENCES target NOT VALID;
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
ALTER TABLE h DROP CONSTRAINT to_target;
ALTER TABLE h ADD CONSTRAINT key PRIMARY KEY (id, t) WITH (fillfactor = 80);
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
ALTER INDEX key RESET (fillfactor);
CREATE TABLE pointing (id int, t timestamptz, CONSTRAINT to_h FOREIGN KEY (id, t) REFERENCES h);
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
DROP TABLE pointing;
CLUSTER h USING key;
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
ALTER TABLE h SET WITHOUT CLUSTER;
ALTER TABLE h SET (fillfactor = 50, toast.autovacuum_enabled = off);
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
ALTER TABLE h RESET (fillfactor, toast.autovacuum_enabled);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER with_table AFTER INSERT ON h REFERENCING NEW TABLE AS fresh FOR EACH ROW EXECUTE FUNCTION see();
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
DROP TRIGGER with_table ON h;
CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM h;
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
DROP MATERIALIZED VIEW kept;
CREATE FUNCTION rows_of_h() RETURNS SETOF h LANGUAGE sql AS 'SELECT * FROM h';
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
DROP FUNCTION rows_of_h;
CREATE FUNCTION takes(h[]) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
DROP FUNCTION takes;
CREATE TABLE holds (row_of_h h);
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
DROP TABLE holds;
CREATE VIEW whole AS SELECT h FROM h;
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
DROP VIEW whole;
CREATE TABLE other (id int);
ALTER TABLE other ENABLE ROW LEVEL SECURITY;
CREATE POLICY asks_h ON other USING (EXISTS (SELECT FROM h WHERE h.id = other.id));
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
DROP TABLE other;
ALTER INDEX key DEPENDS ON EXTENSION orochi;
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
ALTER INDEX key NO DEPENDS ON EXTENSION orochi;

-- Rows.
INSERT INTO h VALUES (1, '2024-01-01'), (2, '2024-01-02');
SELECT * FROM refused($$SELECT create_hypertable('h')$$);
INSERT INTO h VALUES (3, 'infinity');
SELECT * FROM refused($$SELECT create_hypertable('h', migrate_data => true)$$);
DELETE FROM h WHERE id = 3;
CREATE TABLE nulls (t timestamptz);
INSERT INTO nulls VALUES ('2024-01-01'), (NULL);
SELECT * FROM refused($$SELECT create_hypertable('nulls', migrate_data => true)$$);
-- In use by this session.
BEGIN;
DECLARE reading CURSOR FOR SELECT * FROM h;
FETCH 1 FROM reading;
SELECT create_hypertable('h', migrate_data => true);
ROLLBACK;
-- Somebody else's table, and somebody else's view on it.
CREATE ROLE err_stranger;
GRANT USAGE, CREATE ON SCHEMA public TO err_stranger;
GRANT USAGE ON SCHEMA orochi TO err_stranger;
SET ROLE err_stranger;
SELECT * FROM refused($$SELECT create_hypertable('h', migrate_data => true)$$);
CREATE TABLE own (t timestamptz);
RESET ROLE;
CREATE VIEW foreign_view AS SELECT * FROM own;
SET ROLE err_stranger;
SELECT * FROM refused($$SELECT create_hypertable('own')$$);
RESET ROLE;
-- Nothing of all this left a trace, and with nothing in the way it works.
SELECT count(*) AS leftovers FROM pg_class WHERE relname LIKE '%orochi_old%';
SELECT count(*) AS hypertables FROM hypertable;
SELECT create_hypertable('h', migrate_data => true);
SELECT create_hypertable('own');
\x off
SET client_min_messages = warning;
DROP TABLE own, h, nulls, target, m, days, none, parent, child, typed, listed, two, expression, by_text, ranged CASCADE;
DROP VIEW v;
DROP FOREIGN DATA WRAPPER nothing CASCADE;
DROP TYPE shape;
DROP FUNCTION refused, see;
REVOKE ALL ON SCHEMA public, orochi FROM err_stranger;
DROP ROLE err_stranger;
