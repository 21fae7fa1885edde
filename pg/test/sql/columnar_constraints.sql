-- Goal: constraints, triggers, foreign keys and policies work on columnar tables as on heap.
CREATE SCHEMA columnar_constraints;
SET search_path = columnar_constraints;
CREATE TABLE u (id int PRIMARY KEY, v text UNIQUE) USING columnar;
INSERT INTO u SELECT i, 'v' || i FROM generate_series(1, 3000) i;
INSERT INTO u VALUES (5, 'other');
INSERT INTO u VALUES (5000, 'v7');
INSERT INTO u VALUES (9000, 'a'), (9000, 'b');
BEGIN;
INSERT INTO u VALUES (9001, 'q');
INSERT INTO u VALUES (9001, 'w');
ROLLBACK;
INSERT INTO u VALUES (9001, 'q');
DO $$
BEGIN
  FOR i IN 1..3 LOOP
    BEGIN
      INSERT INTO u VALUES (9002, 'r');
    EXCEPTION WHEN unique_violation THEN
      RAISE NOTICE 'duplicate in round %', i;
    END;
  END LOOP;
END $$;
SELECT count(*) FROM u;
CREATE TABLE d (a int UNIQUE DEFERRABLE INITIALLY DEFERRED) USING columnar;
INSERT INTO d VALUES (1), (2);
BEGIN;
INSERT INTO d VALUES (1);
COMMIT;
BEGIN;
INSERT INTO d VALUES (3);
INSERT INTO d VALUES (3);
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
INSERT INTO d VALUES (3);
SELECT count(*) FROM d;
-- Foreign keys, both ways.
CREATE TABLE heap_parent (id int PRIMARY KEY);
INSERT INTO heap_parent VALUES (1), (2), (3);
CREATE TABLE child (id int REFERENCES heap_parent) USING columnar;
INSERT INTO child VALUES (1), (2), (1);
INSERT INTO child VALUES (4);
DELETE FROM heap_parent WHERE id = 1;
BEGIN;
INSERT INTO child VALUES (3);
DELETE FROM heap_parent WHERE id = 3;
ROLLBACK;
DELETE FROM heap_parent WHERE id = 3;
SELECT * FROM child ORDER BY id;
CREATE TABLE heap_child (id int REFERENCES u (id));
INSERT INTO heap_child VALUES (1), (2);
INSERT INTO heap_child VALUES (123456);
BEGIN;
INSERT INTO u VALUES (9100, 'parent in the same transaction');
INSERT INTO heap_child VALUES (9100);
COMMIT;
TRUNCATE u;
CREATE TABLE cascade_child (id int REFERENCES heap_parent ON DELETE CASCADE) USING columnar;
INSERT INTO cascade_child VALUES (2);
DELETE FROM child WHERE false;
TRUNCATE child;
DELETE FROM heap_parent WHERE id = 2;
-- Row locks.
SELECT * FROM u WHERE id = 1 FOR KEY SHARE;
SELECT * FROM u WHERE id = 1 FOR SHARE;
SELECT * FROM u WHERE id = 1 FOR UPDATE;
SELECT * FROM u WHERE id = 1 FOR NO KEY UPDATE;
-- Changes, and what constraints say of them.
UPDATE u SET v = 'x' WHERE id = 1;
UPDATE u SET v = 'x' WHERE false;
DELETE FROM u WHERE id = 1;
INSERT INTO u VALUES (1, 'k') ON CONFLICT DO NOTHING;
INSERT INTO u VALUES (100000, 'k') ON CONFLICT DO NOTHING;
INSERT INTO u VALUES (1, 'k') ON CONFLICT (id) DO UPDATE SET v = 'p';
ALTER TABLE u ADD EXCLUDE USING btree (id WITH =);
SELECT count(xmin) > 0 AS has_xmin FROM u;
-- Generated and identity columns, CHECK, NOT NULL, RETURNING.
CREATE TABLE g (
  id int GENERATED ALWAYS AS IDENTITY, a int NOT NULL CHECK (a > 0),
  b int GENERATED ALWAYS AS (a * 2) STORED, c text DEFAULT 'c') USING columnar;
INSERT INTO g (a) VALUES (1), (2) RETURNING *;
INSERT INTO g (a) VALUES (-1);
INSERT INTO g (a) VALUES (NULL);
INSERT INTO g (id, a) VALUES (7, 7);
INSERT INTO g (id, a) OVERRIDING SYSTEM VALUE VALUES (7, 7) RETURNING id, b, ctid;
-- Triggers see the rows.
CREATE TABLE log (line text);
CREATE FUNCTION log_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log VALUES (format('%s %s a=%s b=%s c=%s', tg_when, tg_op, new.a, new.b, new.c));
  IF tg_when = 'BEFORE' THEN new.c := new.c || '!'; END IF;
  RETURN new;
END $$;
CREATE FUNCTION log_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log SELECT format('%s rows, sum %s, in table %s', count(*), sum(b), (SELECT count(*) FROM g)) FROM new_rows;
  RETURN NULL;
END $$;
CREATE TRIGGER t1 BEFORE INSERT ON g FOR EACH ROW EXECUTE FUNCTION log_row();
CREATE TRIGGER t2 AFTER INSERT ON g FOR EACH ROW EXECUTE FUNCTION log_row();
CREATE CONSTRAINT TRIGGER t3 AFTER INSERT ON g DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_row();
CREATE TRIGGER t4 AFTER INSERT ON g REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION log_statement();
BEGIN;
INSERT INTO g (a) VALUES (10), (20);
SAVEPOINT x;
INSERT INTO g (a) VALUES (30);
ROLLBACK TO x;
COMMIT;
SELECT * FROM log;
TRUNCATE log;
INSERT INTO g (a) SELECT generate_series(1, 2000);
SELECT left(line, 12) AS kind, count(*) FROM log GROUP BY 1 ORDER BY 1;
-- Row-level security.
CREATE ROLE columnar_reader;
GRANT USAGE ON SCHEMA columnar_constraints TO columnar_reader;
GRANT SELECT ON g TO columnar_reader;
ALTER TABLE g ENABLE ROW LEVEL SECURITY;
CREATE POLICY small ON g FOR SELECT USING (a <= 2);
SET ROLE columnar_reader;
SELECT id, a FROM g WHERE id < 10 ORDER BY id;
SELECT count(*) FROM orochi.columnar_chunks('g');
SELECT count(*) FROM orochi.columnar_chunks WHERE relation = 'g'::regclass;
SELECT count(*) FROM orochi.columnar_chunks('u');
SELECT count(*) > 0 AS seen FROM orochi.columnar_stripes WHERE relation = 'g'::regclass;
INSERT INTO orochi.columnar_stripe VALUES (1, 1, 1, 1, 1, 1, 1, 1);
RESET ROLE;
-- Partitions of both kinds in one tree.
CREATE TABLE p (a int, b text) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100) USING columnar;
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200);
INSERT INTO p SELECT i, 'x' || i FROM generate_series(0, 199) i;
SELECT count(*), min(a), max(a) FROM p;
UPDATE p SET b = 'y' WHERE a = 150;
UPDATE p SET a = 50 WHERE a = 150;
UPDATE p SET a = 150 WHERE a = 50;
DELETE FROM p WHERE a = 160;
CREATE UNIQUE INDEX ON p (a);
CREATE INDEX ON p (b);
SELECT * FROM p WHERE b = 'x77';
INSERT INTO p VALUES (77, 'again');
INSERT INTO p VALUES (500, 'nowhere');
ALTER TABLE p DETACH PARTITION p1;
ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (0) TO (100);
SELECT count(*) FROM p;
-- A command that meets a row twice is refused, whether the row was there or is its own.
CREATE TABLE met_twice (k int PRIMARY KEY, n text) USING columnar;
INSERT INTO met_twice SELECT g, 'n' FROM generate_series(1, 3000) g;
-- Whether a row was there already, as told by xmax; what a lock or an update leaves there.
BEGIN;
INSERT INTO met_twice VALUES (1, 'x'), (2500, 'x'), (-1, 'x') ON CONFLICT (k) DO UPDATE SET n = excluded.n RETURNING k, xmax = 0 AS inserted;
SELECT k, xmax = 0 AS untouched, cmin, cmax FROM met_twice WHERE k IN (3, 2501) ORDER BY k FOR UPDATE;
SELECT k, xmax::text = txid_current()::text AS locked FROM met_twice WHERE k IN (3, 2501) ORDER BY k;
UPDATE met_twice SET n = n WHERE k = 3;
SELECT k, xmin::text = txid_current()::text AS mine, xmax::text = txid_current()::text AS locked, cmin = cmax AS same FROM met_twice WHERE k = 3;
ROLLBACK;
INSERT INTO met_twice VALUES (1, 'x'), (1, 'y') ON CONFLICT (k) DO UPDATE SET n = excluded.n;
INSERT INTO met_twice VALUES (2500, 'x'), (2500, 'y') ON CONFLICT (k) DO UPDATE SET n = excluded.n;
INSERT INTO met_twice VALUES (6000, 'x'), (6000, 'y') ON CONFLICT (k) DO UPDATE SET n = excluded.n;
SELECT count(*), min(n), max(n) FROM met_twice;
DROP TABLE met_twice;

DROP TABLE p, g, log, heap_child, u, d, child, cascade_child, heap_parent;
DROP FUNCTION log_row, log_statement;
DROP OWNED BY columnar_reader;
DROP ROLE columnar_reader;
DROP SCHEMA columnar_constraints;
