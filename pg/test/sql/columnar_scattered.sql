-- Goal: statements that fetch single rows all over a columnar table answer as on heap, whatever the
-- session keeps of row groups; a row group is read a few times, not once per row; of rows that only
-- a key is wanted of, only the columns up to the key are read.
-- Method: each statement on a columnar table and its heap twin, with room for all row groups and for
-- next to none; the blocks it reads are counted. Rows kept in slots are used after others were
-- fetched in between, by triggers and after errors that were caught.
CREATE SCHEMA columnar_scattered;
SET search_path = columnar_scattered;
SET orochi.columnar_row_page_rows = 0;
SET orochi.columnar_row_group_rows = 1000;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET orochi.enable_columnar_scan = off;
CREATE TABLE h (id int PRIMARY KEY, n int, f float8, t text, wide text);
CREATE TABLE c (id int PRIMARY KEY, n int, f float8, t text, wide text) USING columnar;
INSERT INTO h SELECT i, i % 7, i / 3.0, 'row ' || i, md5(i::text) || md5((-i)::text) FROM generate_series(1, 40000) i;
INSERT INTO c SELECT * FROM h ORDER BY id;
CREATE TABLE keys AS SELECT i AS place, 1 + (i * 7919) % 40000 AS id FROM generate_series(0, 1999) i;
ANALYZE h, c, keys;
CREATE TABLE refers_h (id int REFERENCES h);
CREATE TABLE refers_c (id int REFERENCES c);
-- Both do `command`, T being their name; what it returns is compared.
CREATE FUNCTION twins(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answers text[] := '{}'; answer text;
BEGIN
  FOREACH answer IN ARRAY ARRAY['h', 'c'] LOOP
    EXECUTE replace(replace(replace(
      'WITH x AS (' || command || ') SELECT count(*) || '' '' || coalesce(md5(string_agg(x::text, '','' ORDER BY x::text)), '''') FROM x',
      ' T ', ' ' || answer || ' '), ' T.', ' ' || answer || '.'), '_T ', '_' || answer || ' ') INTO answer;
    answers := answers || answer;
  END LOOP;
  RETURN CASE WHEN answers[1] = answers[2] THEN 'same: ' || split_part(answers[1], ' ', 1)
    ELSE answers::text END;
END $$;
-- Blocks of the columnar table read so far by this transaction.
CREATE FUNCTION blocks() RETURNS bigint LANGUAGE sql AS $$ SELECT pg_stat_get_xact_blocks_fetched('c'::regclass) $$;

\set statements 'SELECT twins(''INSERT INTO T SELECT id FROM keys ON CONFLICT DO NOTHING RETURNING id''); SELECT twins(''INSERT INTO T SELECT id, 1, place FROM keys ON CONFLICT (id) DO UPDATE SET n = T.n + 10, f = excluded.f RETURNING *''); SELECT twins(''SELECT t.* FROM keys JOIN T t ON t.id = keys.id ORDER BY place FOR UPDATE OF t''); SELECT twins(''UPDATE T SET t = t || 1 WHERE id = ANY (SELECT id FROM keys WHERE place % 3 = 0) RETURNING *''); SELECT twins(''DELETE FROM T WHERE id IN (SELECT id FROM keys WHERE place % 5 = 0) RETURNING *''); SELECT twins(''INSERT INTO refers_T SELECT id FROM keys WHERE place % 5 <> 0 RETURNING id''); SELECT twins(''SELECT * FROM T '');'
BEGIN;
:statements
ROLLBACK;
SET orochi.columnar_cache_size = '1MB';
BEGIN;
:statements
ROLLBACK;
RESET orochi.columnar_cache_size;

-- 40 row groups, each of some six blocks. To look whether a row has a stub takes two blocks, too.
BEGIN;
SELECT blocks() AS before \gset
INSERT INTO c SELECT id FROM keys ON CONFLICT DO NOTHING;
SELECT blocks() - :before < 6000 AS key_alone_was_read_a_few_times;
COMMIT;
BEGIN;
SELECT blocks() AS before \gset
SELECT count(t.wide) FROM keys JOIN c t USING (id);
SELECT blocks() - :before < 5000 AS every_column_was_read_a_few_times;
ROLLBACK;

-- Rows in slots outlive fetches of others: a trigger reads the table between the old row's fetch and
-- its use, and catches an error, after which all that the session kept is forgotten.
CREATE FUNCTION look_around() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE seen text;
BEGIN
  EXECUTE format('SELECT string_agg(t, '','' ORDER BY id) FROM %I WHERE id IN (%s, %s)', TG_TABLE_NAME,
    1 + (OLD.id * 31) % 40000, 1 + (OLD.id * 977) % 40000) INTO seen;
  BEGIN
    PERFORM 1 / (OLD.id % 2);
  EXCEPTION WHEN division_by_zero THEN
    seen := seen || ' caught';
  END;
  NEW.t := OLD.t || ' beside ' || seen;
  RETURN NEW;
END $$;
CREATE TRIGGER look BEFORE UPDATE ON h FOR EACH ROW EXECUTE FUNCTION look_around();
CREATE TRIGGER look BEFORE UPDATE ON c FOR EACH ROW EXECUTE FUNCTION look_around();
CREATE TRIGGER look_after AFTER UPDATE ON h FOR EACH ROW EXECUTE FUNCTION look_around();
CREATE TRIGGER look_after AFTER UPDATE ON c FOR EACH ROW EXECUTE FUNCTION look_around();
SET orochi.columnar_cache_size = '1MB';
SELECT twins('INSERT INTO T SELECT id, 1, place FROM keys WHERE place < 300 ON CONFLICT (id) DO UPDATE SET n = T.n + 10 RETURNING *');
SELECT twins('UPDATE T SET n = -1 WHERE id IN (SELECT id FROM keys WHERE place BETWEEN 300 AND 600) RETURNING *');
SELECT twins('SELECT a.*, b.* FROM keys k JOIN T a ON a.id = k.id JOIN T b ON b.id = 1 + (k.id * 31) % 40000 WHERE place BETWEEN 600 AND 900 FOR UPDATE OF a, b');
SELECT twins('SELECT * FROM T ');
SELECT * FROM orochi.columnar_check('c', indexes => true);
RESET orochi.columnar_cache_size;

-- A deferred check of uniqueness looks at a row whose fetch is over.
CREATE TABLE d (id int UNIQUE DEFERRABLE INITIALLY DEFERRED, t text) USING columnar;
INSERT INTO d SELECT i, 'row ' || i FROM generate_series(1, 3000) i;
BEGIN;
UPDATE d SET id = id + 1;
COMMIT;
BEGIN;
INSERT INTO d VALUES (2000, 'twice');
COMMIT;
SELECT count(*), min(id), max(id) FROM d;
DROP SCHEMA columnar_scattered CASCADE;
