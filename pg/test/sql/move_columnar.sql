-- Goal: compress_chunk and decompress_chunk keep every row and all there is of a table, sort it for
-- compression, and leave no stripes behind. Method: compare with a twin on each side.
CREATE SCHEMA move_columnar;
SET search_path = move_columnar;
CREATE TABLE metrics (
  at timestamptz NOT NULL,
  host text NOT NULL,
  gone int,
  usage float8,
  note text,
  tags jsonb,
  id bigint GENERATED ALWAYS AS IDENTITY,
  twice float8 GENERATED ALWAYS AS (usage * 2) STORED
) PARTITION BY RANGE (at);
CREATE TABLE january (LIKE metrics INCLUDING GENERATED);
ALTER TABLE metrics ATTACH PARTITION january FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE february PARTITION OF metrics FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
CREATE INDEX metrics_at ON metrics (at);
CREATE UNIQUE INDEX metrics_host_at ON metrics (host, at DESC);
CREATE INDEX metrics_busy ON metrics (usage) WHERE usage > 90;
CREATE INDEX metrics_note ON metrics (lower(left(note, 20)));
INSERT INTO metrics (at, host, gone, usage, note, tags)
SELECT '2024-01-01'::timestamptz + i * interval '10 minutes', 'host' || i % 5, i, i % 97 + 0.5,
       CASE WHEN i % 400 = 0 THEN (SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 200) j)
            WHEN i % 3 = 0 THEN 'note ' || i % 10 END,
       CASE WHEN i % 2 = 0 THEN jsonb_build_object('k', i) END
FROM generate_series(1, 8000) i;
DELETE FROM metrics WHERE usage = 3.5;
ALTER TABLE metrics ADD COLUMN added int DEFAULT 42;
ALTER TABLE metrics DROP COLUMN gone;
ANALYZE metrics;
CREATE TABLE twin AS SELECT * FROM metrics;
CREATE VIEW difference AS
(TABLE metrics EXCEPT ALL TABLE twin) UNION ALL (TABLE twin EXCEPT ALL TABLE metrics);
CREATE VIEW places AS
SELECT c.oid::regclass AS chunk, a.amname, c.reltoastrelid <> 0 AS toast, c.reltuples,
       EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
               AND d.refclassid = 'pg_am'::regclass AND d.refobjid = a.oid) AS depends_on_method
FROM pg_class c JOIN pg_am a ON a.oid = c.relam
WHERE c.oid IN ('january'::regclass, 'february'::regclass) ORDER BY 1;
SELECT count(*) AS stripes_before FROM orochi.columnar_stripe \gset

SELECT pg_table_size('january') AS heap_bytes \gset
SELECT orochi.compress_chunk('january');
SELECT * FROM places;
SELECT count(*) AS differences FROM difference;
SELECT pg_table_size('january') * 3 < :heap_bytes AS much_smaller;
-- The default order is that of the index (host, at DESC).
SELECT bool_and((host, -extract(epoch FROM at)) >= (previous_host, -extract(epoch FROM previous_at))) AS ordered
FROM (SELECT host, at, lag(host) OVER () AS previous_host, lag(at) OVER () AS previous_at FROM january) o;
-- What old rows never stored is stored now.
SELECT column_name, sum(rows) AS rows FROM orochi.columnar_chunks('january')
WHERE column_name IN ('added', 'host') GROUP BY 1 ORDER BY 1;
SET enable_seqscan = off;
SELECT count(*), sum(usage) FROM january WHERE usage > 90;
SELECT count(*) FROM january WHERE lower(left(note, 20)) = 'note 3';
SELECT at, usage, twice FROM metrics WHERE host = 'host3' AND at = '2024-01-03 12:10+00';
RESET enable_seqscan;
SELECT orochi.compress_chunk('january');
SELECT orochi.compress_chunk('january', if_not_compressed => false);
SELECT orochi.compress_chunk('metrics');

-- It takes new rows, checks them, and can be rewritten in another order.
INSERT INTO metrics (at, host, usage) VALUES ('2024-01-15 00:00:01', 'host9', 1) RETURNING added, twice;
INSERT INTO metrics (at, host, usage) VALUES ('2024-01-15 00:00:01', 'host9', 1);
SELECT orochi.move_chunk('january', 'columnar', 'at');
SELECT bool_and(at >= previous_at) AS ordered FROM (SELECT at, lag(at) OVER () AS previous_at FROM january) o;
SELECT count(*) AS differences FROM difference;
SELECT count(DISTINCT storage_id) AS storages FROM orochi.columnar_stripe
WHERE storage_id = orochi.columnar_storage_id('january');

-- All chunks in one statement; and back.
SELECT orochi.compress_chunk(c) FROM unnest(ARRAY['january', 'february']::regclass[]) c;
SELECT chunk, amname FROM places;
SELECT orochi.decompress_chunk('january');
SELECT orochi.decompress_chunk('february');
SELECT * FROM places;
SELECT count(*) AS differences FROM difference;
SELECT count(*) - :stripes_before AS stripes_left FROM orochi.columnar_stripe;
INSERT INTO metrics (at, host, note) VALUES ('2024-01-20 00:00:02', 'big', repeat(md5('x'), 10000));
SELECT length(note) FROM january WHERE host = 'big';
UPDATE metrics SET usage = 5 WHERE host = 'big' RETURNING twice;
DELETE FROM metrics WHERE host IN ('big', 'host9');
SELECT count(*) AS differences FROM difference;

-- Rolled back both ways; stripes too.
BEGIN;
SELECT orochi.compress_chunk('january');
SELECT count(*) FROM january;
ROLLBACK;
SELECT orochi.compress_chunk('january', order_by => 'host COLLATE "C", at');
BEGIN;
SELECT orochi.decompress_chunk('january');
SAVEPOINT a;
SELECT orochi.compress_chunk('january');
SELECT count(*) FROM january;
ROLLBACK TO a;
SELECT count(*) FROM january;
ROLLBACK;
SELECT chunk, amname FROM places;
SELECT count(*) AS differences FROM difference;

-- Made, filled and compressed in one transaction.
BEGIN;
CREATE TABLE made_here (a int PRIMARY KEY, b text);
INSERT INTO made_here SELECT i, 'row ' || i FROM generate_series(1, 1000) i;
SELECT orochi.compress_chunk('made_here', order_by => 'a DESC');
SELECT count(*), sum(a) FROM made_here;
INSERT INTO made_here VALUES (1001, 'more');
COMMIT;
SELECT count(*), sum(a), max(b) FROM made_here;
SELECT b FROM made_here WHERE a = 77;

-- Indexes of other kinds, and a foreign key.
CREATE TABLE hosts (name text PRIMARY KEY);
INSERT INTO hosts SELECT DISTINCT host FROM metrics;
ALTER TABLE metrics ADD FOREIGN KEY (host) REFERENCES hosts;
SELECT orochi.compress_chunk('february');
INSERT INTO metrics (at, host) VALUES ('2024-02-20 00:00:03', 'nobody');
CREATE TABLE kinds (a int PRIMARY KEY, r int4range, t tsvector);
CREATE INDEX ON kinds USING hash (a);
CREATE INDEX ON kinds USING gist (r);
CREATE INDEX ON kinds USING gin (t);
INSERT INTO kinds SELECT i, int4range(i, i + 1), to_tsvector('simple', 'word' || i) FROM generate_series(1, 500) i;
SELECT orochi.compress_chunk('kinds');
SET enable_seqscan = off;
SELECT a FROM kinds WHERE r @> 77;
SELECT a FROM kinds WHERE t @@ 'word78';
RESET enable_seqscan;

-- An exclusion constraint goes along: what it forbids is forbidden before, after and after the way back.
CREATE TABLE excluded (id int PRIMARY KEY, r int4range, CONSTRAINT apart EXCLUDE USING gist (r WITH &&));
INSERT INTO excluded SELECT i, int4range(10 * i, 10 * i + 5) FROM generate_series(1, 3000) i;
CREATE FUNCTION try_excluded() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE command text;
BEGIN
  FOREACH command IN ARRAY ARRAY['INSERT INTO excluded VALUES (-1, ''[103,104)'')', 'INSERT INTO excluded VALUES (-2, ''[107,109)'')',
    'INSERT INTO excluded VALUES (-3, ''[108,200)'')', 'INSERT INTO excluded VALUES (-4, ''[1001,1002)'') ON CONFLICT DO NOTHING',
    'UPDATE excluded SET r = ''[20002,20003)'' WHERE id = 5', 'UPDATE excluded SET r = ''[56,58)'' WHERE id = 5',
    'DELETE FROM excluded WHERE id = 7', 'INSERT INTO excluded VALUES (-5, ''[71,72)'')'] LOOP
    BEGIN
      EXECUTE command;
      RETURN NEXT 'done';
    EXCEPTION WHEN exclusion_violation THEN
      RETURN NEXT SQLERRM;
    END;
  END LOOP;
  RETURN NEXT (SELECT count(*) || ' rows' FROM excluded);
END $$;
BEGIN;
SELECT try_excluded();
ROLLBACK;
SELECT orochi.compress_chunk('excluded');
BEGIN;
SELECT try_excluded();
ROLLBACK;
SELECT orochi.set_columnar_options('excluded', order_by => ARRAY['r DESC']);
SELECT orochi.recluster('excluded');
BEGIN;
SELECT try_excluded();
ROLLBACK;
SELECT id FROM excluded LIMIT 2;
SELECT orochi.decompress_chunk('excluded');
BEGIN;
SELECT try_excluded();
ROLLBACK;
SELECT conname, conindid::regclass, pg_get_constraintdef(oid) FROM pg_constraint
  WHERE conrelid = 'excluded'::regclass ORDER BY 1;
SELECT count(*) AS left_over FROM pg_class WHERE relname ~ '^(pg_temp_|orochi_move)' OR relrewrite <> 0;
-- What columnar tables cannot have is named.
CREATE TABLE brin (a int);
CREATE INDEX brin_a ON brin USING brin (a);
SELECT orochi.compress_chunk('brin');

-- Refused as for heap.
BEGIN;
INSERT INTO metrics (at, host, usage) VALUES ('2024-02-21', 'host1', 1);
SELECT orochi.decompress_chunk('february');
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM january;
SELECT orochi.decompress_chunk('january');
ROLLBACK;

SET client_min_messages = warning;
DROP SCHEMA move_columnar CASCADE;
RESET client_min_messages;
SELECT count(*) - :stripes_before AS stripes_left FROM orochi.columnar_stripe;
