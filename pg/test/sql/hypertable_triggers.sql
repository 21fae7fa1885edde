-- Goal: triggers fire on rows of new chunks as on old ones, whatever they do themselves. Method: log
-- what fired, and write to the hypertable from inside triggers.
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';
CREATE TABLE m (time date NOT NULL, v int) PARTITION BY RANGE (time);
INSERT INTO orochi.hypertable VALUES ('m', '1 month', NULL);
CREATE TABLE log (n int GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log (what) VALUES (format('%s %s %s on %s: %s -> %s', tg_name, tg_when, tg_op, tg_table_name,
    CASE WHEN tg_level = 'ROW' AND tg_op <> 'INSERT' THEN old END, CASE WHEN tg_level = 'ROW' AND tg_op <> 'DELETE' THEN new END));
  RETURN CASE WHEN tg_op = 'DELETE' THEN old ELSE new END;
END $$;
CREATE TRIGGER a_row BEFORE INSERT OR UPDATE OR DELETE ON m FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER b_row AFTER INSERT OR UPDATE OR DELETE ON m FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER c_statement BEFORE INSERT OR UPDATE OR DELETE ON m FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TRIGGER d_statement AFTER INSERT OR UPDATE OR DELETE ON m FOR EACH STATEMENT EXECUTE FUNCTION note();
INSERT INTO m VALUES ('2026-01-01', 1), ('2026-02-01', 2), ('2026-01-02', 3);
UPDATE m SET time = '2026-03-01' WHERE v = 1;
UPDATE m SET v = 20 WHERE v = 2;
DELETE FROM m WHERE v = 3;
SELECT what FROM log ORDER BY n;
DROP TRIGGER a_row ON m;
DROP TRIGGER b_row ON m;
DROP TRIGGER c_statement ON m;
DROP TRIGGER d_statement ON m;
TRUNCATE log;

-- Transition tables hold the rows of all chunks, old and new.
CREATE FUNCTION count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log (what) SELECT format('%s rows, sum %s', count(*), sum(v)) FROM new_rows;
  RETURN NULL;
END $$;
CREATE TRIGGER counted AFTER INSERT ON m REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
INSERT INTO m SELECT '2027-01-01'::date + i * 10, i FROM generate_series(1, 30) i;
SELECT what FROM log ORDER BY n;
DROP TRIGGER counted ON m;
TRUNCATE log;

-- A BEFORE trigger that changes other columns; one that skips the row; one that moves its time.
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.v = 0 THEN
    RETURN NULL;
  ELSIF new.v < 0 THEN
    new.time := new.time + 1000;
  END IF;
  new.v := new.v + 1;
  RETURN new;
END $$;
CREATE TRIGGER changed BEFORE INSERT ON m FOR EACH ROW EXECUTE FUNCTION change();
INSERT INTO m VALUES ('2028-01-01', 0), ('2028-02-01', 10) RETURNING *;
INSERT INTO m VALUES ('2028-03-01', -1);
DROP TRIGGER changed ON m;

-- Triggers that write to the same hypertable, to chunks that are missing: inside the statement that
-- is running, before and after.
CREATE FUNCTION echo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.v > 0 THEN
    INSERT INTO m VALUES (new.time + 400, new.v - 1);
  END IF;
  RETURN new;
END $$;
CREATE TRIGGER echoed BEFORE INSERT ON m FOR EACH ROW EXECUTE FUNCTION echo();
INSERT INTO m VALUES ('2030-01-01', 3), ('2030-02-01', 2), ('2030-01-02', 1);
SELECT tableoid::regclass, * FROM m WHERE time >= '2030-01-01' ORDER BY time, v;
DROP TRIGGER echoed ON m;
CREATE TRIGGER echoed AFTER INSERT ON m FOR EACH ROW EXECUTE FUNCTION echo();
INSERT INTO m VALUES ('2040-01-01', 3), ('2040-02-01', 2), ('2040-01-02', 1);
SELECT tableoid::regclass, * FROM m WHERE time >= '2040-01-01' ORDER BY time, v;
-- ... where only this transaction could create it.
BEGIN;
LOCK TABLE m IN SHARE MODE;
INSERT INTO m VALUES ('2050-01-01', 1);
ROLLBACK;
DROP TRIGGER echoed ON m;
-- A trigger of another table.
CREATE TABLE source (at date, v int);
CREATE FUNCTION forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO m SELECT at, v FROM new_rows;
  RETURN NULL;
END $$;
CREATE TRIGGER forwarded AFTER INSERT ON source REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION forward();
INSERT INTO source VALUES ('2060-01-01', 1), ('2060-02-01', 2);
BEGIN;
LOCK TABLE m IN SHARE MODE;
INSERT INTO source VALUES ('2061-01-01', 1), ('2061-02-01', 2);
INSERT INTO source VALUES ('2062-01-01', 1);
COMMIT;
SELECT tableoid::regclass, * FROM m WHERE time >= '2060-01-01' ORDER BY time, v;
-- Deferred constraint triggers of an earlier chunk are pending while the next is made.
CREATE TABLE hosts (id int PRIMARY KEY);
DELETE FROM m;
ALTER TABLE m ADD FOREIGN KEY (v) REFERENCES hosts (id) DEFERRABLE INITIALLY DEFERRED;
BEGIN;
INSERT INTO m VALUES ('2070-01-01', 1);
INSERT INTO m VALUES ('2070-02-01', 2);
INSERT INTO hosts VALUES (1), (2);
COMMIT;
BEGIN;
INSERT INTO m VALUES ('2070-03-01', 1);
INSERT INTO m VALUES ('2070-04-01', 3);
COMMIT;
SELECT tableoid::regclass, * FROM m ORDER BY time;
DROP TABLE m, log, source, hosts;
DROP FUNCTION note, count_rows, change, echo, forward;
