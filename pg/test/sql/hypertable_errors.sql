-- Goal: what cannot be stored is refused with SQLSTATE, column, value and a hint, and leaves nothing
-- behind. Method: provoke each error and show all of it.
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';
CREATE FUNCTION try(statement text) RETURNS TABLE (code text, message text, detail text, hint text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := '00000';
  RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN NEXT;
END $$;
\x on
CREATE TABLE m (v int, "the time" timestamptz) PARTITION BY RANGE ("the time");
INSERT INTO orochi.hypertable VALUES ('m', '7 days', NULL);
SELECT * FROM try('INSERT INTO m VALUES (1, NULL)');
SELECT * FROM try('INSERT INTO m VALUES (1)');
SELECT * FROM try('INSERT INTO m DEFAULT VALUES');
SELECT * FROM try('INSERT INTO m (v) SELECT 1');
SELECT * FROM try('INSERT INTO m VALUES (1, ''infinity'')');
SELECT * FROM try('INSERT INTO m VALUES (1, ''-infinity'')');
SELECT * FROM try('INSERT INTO m VALUES (1, ''294277-01-01'')');
SELECT count(*) FROM m;
SELECT count(*) FROM pg_inherits WHERE inhparent = 'm'::regclass;
-- Rows before the wrong one are undone with the statement.
SELECT * FROM try('INSERT INTO m VALUES (1, ''2026-01-01''), (2, NULL)');
SELECT count(*) FROM m;
-- Nobody calls ensure_chunk by hand, however it is dressed up.
SELECT * FROM try('SELECT orochi.ensure_chunk(now(), ''m'')');
SELECT * FROM try('SELECT orochi.ensure_chunk(now(), NULL)');
SELECT orochi.ensure_chunk(1, 'pg_class');
SELECT * FROM try('SELECT orochi.ensure_chunk(''x''::text, ''m'')');
SELECT count(*) FROM pg_inherits WHERE inhparent = 'm'::regclass;
-- DEFAULT partitions.
CREATE TABLE m_default PARTITION OF m DEFAULT;
SELECT * FROM try('INSERT INTO m VALUES (1, ''2030-01-01'')');
SELECT * FROM try('INSERT INTO m VALUES (1, ''2026-01-02'')');
DROP TABLE m_default;
-- Rights: inserting needs INSERT on the hypertable and nothing else, and no right makes chunks.
CREATE ROLE nobody_special;
GRANT SELECT ON m TO nobody_special;
SET ROLE nobody_special;
SELECT * FROM try('INSERT INTO m VALUES (1, ''2031-01-01'')');
SELECT * FROM try('INSERT INTO orochi.hypertable VALUES (''pg_class'', ''1 day'', NULL)');
RESET ROLE;
SELECT count(*) FROM pg_inherits WHERE inhparent = 'm'::regclass;
-- Read-only transactions.
BEGIN READ ONLY;
SELECT * FROM try('INSERT INTO m VALUES (1, ''2031-01-01'')');
COMMIT;
-- Row security of the hypertable holds on new chunks.
ALTER TABLE m ENABLE ROW LEVEL SECURITY;
CREATE POLICY positive ON m USING (v > 0);
GRANT INSERT ON m TO nobody_special;
SET ROLE nobody_special;
SELECT * FROM try('INSERT INTO m VALUES (-1, ''2032-01-01'')');
SELECT * FROM try('INSERT INTO m VALUES (1, ''2032-01-01'')');
RESET ROLE;
-- The owner may not create tables in the schema any more.
CREATE SCHEMA closed;
CREATE TABLE closed.t (time date) PARTITION BY RANGE (time);
ALTER TABLE closed.t OWNER TO nobody_special;
INSERT INTO orochi.hypertable VALUES ('closed.t', '7 days', NULL);
SELECT * FROM try('INSERT INTO closed.t VALUES (''2026-01-01'')');
-- A catalog row that does not fit its table.
CREATE TABLE by_list (v int) PARTITION BY LIST (v);
INSERT INTO orochi.hypertable VALUES ('by_list', NULL, 10);
SELECT * FROM try('INSERT INTO by_list VALUES (1)');
CREATE TABLE by_two (v int, w int) PARTITION BY RANGE (v, w);
INSERT INTO orochi.hypertable VALUES ('by_two', NULL, 10);
SELECT * FROM try('INSERT INTO by_two VALUES (1, 1)');
CREATE TABLE by_expression (v int) PARTITION BY RANGE ((v + 1));
INSERT INTO orochi.hypertable VALUES ('by_expression', NULL, 10);
SELECT * FROM try('INSERT INTO by_expression VALUES (1)');
CREATE TABLE by_text (v text) PARTITION BY RANGE (v);
INSERT INTO orochi.hypertable VALUES ('by_text', NULL, 10);
SELECT * FROM try('INSERT INTO by_text VALUES (1)');
CREATE TABLE by_int (v int) PARTITION BY RANGE (v);
INSERT INTO orochi.hypertable VALUES ('by_int', '1 day', NULL);
SELECT * FROM try('INSERT INTO by_int VALUES (1)');
INSERT INTO orochi.hypertable VALUES ('by_int', '1 day', 1);
INSERT INTO orochi.hypertable VALUES ('by_int', NULL, NULL);
INSERT INTO orochi.hypertable VALUES ('by_int', NULL, 10) ON CONFLICT (relation) DO UPDATE SET chunk_interval = NULL, chunk_interval_integer = 10;
SELECT * FROM try('INSERT INTO by_int VALUES (1)');
\x off
DROP TABLE by_list, by_two, by_expression, by_text, by_int, m;
DROP SCHEMA closed CASCADE;
DROP FUNCTION try;
DROP ROLE nobody_special;
SELECT * FROM orochi.hypertable;
