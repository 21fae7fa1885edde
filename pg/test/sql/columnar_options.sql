-- Goal: what an owner chose for a columnar table or a hypertable is how its stripes are written,
-- and goes with the table through renames, moves, rewrites and its end. Method: look at the stripes
-- that each way of writing leaves, and at orochi.columnar_options.
CREATE SCHEMA columnar_options;
SET search_path = columnar_options;
SET orochi.columnar_row_page_rows = 0;  -- these are about stripes

CREATE VIEW ranges AS
SELECT relation, stripe, row_group, column_name, rows, compression, min, max FROM orochi.columnar_chunks;
CREATE FUNCTION fill(target regclass, n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('INSERT INTO %s SELECT i * 7919 %% %s, repeat(md5((i %% 50)::text), 3) || i FROM generate_series(1, %s) i', target, n, n);
END $$;

-- Nobody chose anything: settings, and no order.
CREATE TABLE t (k int, v text) USING columnar;
SELECT option, value, source, chosen_for FROM orochi.columnar_options('t');
SET orochi.columnar_stripe_rows = 5000;
SELECT * FROM orochi.columnar_options WHERE relation = 't'::regclass AND option = 'stripe_rows';
RESET orochi.columnar_stripe_rows;

-- Chosen options beat settings, from the next stripe on; NULL leaves an option.
SELECT orochi.set_columnar_options('t', stripe_rows => 4000, row_group_rows => 1000);
SELECT orochi.set_columnar_options('t', compression => 'none');
SELECT fill('t', 9000);
SELECT rows, row_groups FROM orochi.columnar_stripes('t') ORDER BY stripe;
SELECT DISTINCT compression FROM ranges WHERE relation = 't'::regclass;
SELECT orochi.set_columnar_options('t', ARRAY['K desc', 'v COLLATE "C"'], 'zstd', 9);
SELECT option, value, source, chosen_for FROM orochi.columnar_options('t');
SELECT orochi.set_columnar_options('t');  -- nothing
SELECT * FROM orochi.columnar_option WHERE relation = 't'::regclass;

-- The order is that of rewrites.
SELECT orochi.recluster('t');
SELECT row_group, min, max FROM ranges WHERE relation = 't'::regclass AND column_name = 'k' AND stripe = 1 ORDER BY 1;
SELECT DISTINCT compression FROM ranges WHERE relation = 't'::regclass AND column_name = 'v';
SELECT orochi.set_columnar_options('t', ARRAY['k']);
VACUUM FULL t;
SELECT row_group, min, max FROM ranges WHERE relation = 't'::regclass AND column_name = 'k' AND stripe = 1 ORDER BY 1;
SELECT array_agg(k ORDER BY at) = array_agg(k ORDER BY k) AS sorted, count(*), sum(k)
FROM (SELECT k, row_number() OVER () AS at FROM t) o;
-- CLUSTER names an order of its own, and so does compress_chunk.
CREATE INDEX by_v ON t (v);
CLUSTER t USING by_v;
SELECT array_agg(v ORDER BY at) = array_agg(v ORDER BY v) AS sorted_by_v FROM (SELECT v, row_number() OVER () AS at FROM t) o;
SELECT orochi.decompress_chunk('t');
SELECT option, value, source FROM orochi.columnar_options WHERE relation = 't'::regclass AND source = 'chosen';
SELECT orochi.compress_chunk('t', order_by => 'k DESC');
SELECT array_agg(k ORDER BY at) = array_agg(k ORDER BY k DESC) AS descending FROM (SELECT k, row_number() OVER () AS at FROM t) o;
SELECT orochi.decompress_chunk('t');
SELECT orochi.compress_chunk('t');
SELECT array_agg(k ORDER BY at) = array_agg(k ORDER BY k) AS ascending FROM (SELECT k, row_number() OVER () AS at FROM t) o;
SELECT rows, row_groups FROM orochi.columnar_stripes('t') ORDER BY stripe;
-- ALTER TABLE's rewrite and TRUNCATE keep options.
ALTER TABLE t ALTER COLUMN k TYPE bigint;
SELECT rows, row_groups FROM orochi.columnar_stripes('t') ORDER BY stripe;
TRUNCATE t;
SELECT fill('t', 2500);
SELECT rows, row_groups FROM orochi.columnar_stripes('t') ORDER BY stripe;

-- Names follow.
ALTER TABLE t RENAME COLUMN k TO "Key, desc";
SELECT orochi.set_columnar_options('t', ARRAY['"Key, desc" DESC NULLS LAST', 'v']);
ALTER TABLE t RENAME TO renamed;
ALTER TABLE renamed RENAME COLUMN v TO "Key";
SELECT relation, order_by FROM orochi.columnar_option;
BEGIN;
ALTER TABLE renamed RENAME COLUMN "Key" TO undone;
SELECT order_by FROM orochi.columnar_option;
ROLLBACK;
SELECT orochi.recluster('renamed');
ALTER TABLE renamed DROP COLUMN "Key, desc";
SELECT relation, order_by FROM orochi.columnar_option;
ALTER TABLE renamed DROP COLUMN "Key";
SELECT relation, order_by, stripe_rows FROM orochi.columnar_option;

-- Back to what nobody chose.
SELECT orochi.reset_columnar_options('renamed', 'stripe_rows', 'level');
SELECT option, value, source FROM orochi.columnar_options('renamed');
SELECT orochi.reset_columnar_options('renamed');
SELECT count(*) AS rows_left FROM orochi.columnar_option;

-- Gone with the table, and back with a rollback.
SELECT orochi.set_columnar_options('renamed', compression => 'lz4');
BEGIN;
DROP TABLE renamed;
SELECT count(*) AS rows_left FROM orochi.columnar_option;
ROLLBACK;
SELECT relation, compression FROM orochi.columnar_option;
DROP TABLE renamed;
SELECT count(*) AS rows_left FROM orochi.columnar_option;

-- A hypertable's options are those of its chunks, present and future.
CREATE TABLE m (time timestamptz NOT NULL, host int, usage float8, note text);
CREATE INDEX ON m (host, time);
SELECT orochi.create_hypertable('m', 'time', interval '1 week');
INSERT INTO m SELECT timestamptz '2024-01-01 UTC' + n * interval '10 minutes', n % 10, n % 77 FROM generate_series(0, 2999) n;
SELECT option, value, source, chosen_for FROM orochi.columnar_options('m');
SELECT orochi.set_columnar_options('m', ARRAY['usage DESC', 'time'], stripe_rows => 1000, row_group_rows => 500);
CREATE VIEW first_chunk AS SELECT min(c::text)::regclass AS chunk FROM orochi.show_chunks('m') c;
SELECT option, value, source, chosen_for FROM first_chunk, orochi.columnar_options(chunk);
SELECT orochi.compress_chunk(c) FROM orochi.show_chunks('m', older_than => timestamptz '2024-01-14 UTC') c;
SELECT r.row_group, r.min, r.max FROM ranges r, first_chunk WHERE relation = chunk AND stripe = 1 AND column_name = 'usage' ORDER BY 1;
SELECT rows, row_groups FROM first_chunk, orochi.columnar_stripes(chunk);
-- A chunk's own choice is nearer. Each option is looked up for itself.
SELECT orochi.set_columnar_options(chunk, ARRAY['host', 'usage']) FROM first_chunk;
SELECT option, value, source, chosen_for FROM first_chunk, orochi.columnar_options(chunk);
CALL orochi.recluster_chunks('m');
SELECT r.row_group, r.min, r.max FROM ranges r, first_chunk WHERE relation = chunk AND stripe = 1 AND column_name = 'host' ORDER BY 1;
-- An empty list: rows as they come. A reset: the derived order again.
SELECT orochi.set_columnar_options('m', ARRAY[]::text[]);
SELECT orochi.reset_columnar_options(chunk) FROM first_chunk;
SELECT value, source FROM first_chunk, orochi.columnar_options(chunk) WHERE option = 'order_by';
SELECT orochi.recluster(chunk) FROM first_chunk;
SELECT orochi.reset_columnar_options('m', 'order_by');
SELECT value, source FROM first_chunk, orochi.columnar_options(chunk) WHERE option = 'order_by';
SELECT orochi.recluster(chunk) FROM first_chunk;
SELECT r.row_group, r.min, r.max FROM ranges r, first_chunk WHERE relation = chunk AND stripe = 1 AND column_name = 'host' ORDER BY 1;
SELECT count(*), sum(usage) FROM m;
-- Chunks of a renamed column; chunks dropped, detached.
SELECT orochi.set_columnar_options('m', ARRAY['usage']);
SELECT orochi.set_columnar_options(chunk, ARRAY['usage DESC']) FROM first_chunk;
ALTER TABLE m RENAME COLUMN usage TO used;
SELECT relation, order_by FROM orochi.columnar_option ORDER BY 1;
SELECT chunk AS first FROM first_chunk \gset
ALTER TABLE m DETACH PARTITION :first;
SELECT option, value, source FROM orochi.columnar_options(:'first');
DROP VIEW first_chunk;
DROP TABLE m, :first;
SELECT count(*) AS rows_left FROM orochi.columnar_option;

-- Several levels, and a partition that is heap when its options are chosen.
CREATE TABLE p (a int, b int, c text) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY RANGE (b);
CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (0) TO (10000);
SELECT orochi.set_columnar_options('p', ARRAY['c'], 'lz4', stripe_rows => 3000);
SELECT orochi.set_columnar_options('p1', compression => 'none', row_group_rows => 2000);
SELECT orochi.set_columnar_options('p11', row_group_rows => 1500);
SELECT option, value, source, chosen_for FROM orochi.columnar_options('p11');
INSERT INTO p SELECT 1, n, 9999 - n FROM generate_series(0, 5999) n;
SELECT orochi.compress_chunk('p11');
SELECT stripe, row_group, rows, compression, min, max FROM ranges WHERE relation = 'p11'::regclass AND column_name = 'c' ORDER BY 1, 2;
-- Row groups never exceed stripes, whoever chose them.
SELECT orochi.set_columnar_options('p11', stripe_rows => 1500);
SELECT orochi.set_columnar_options('p1', stripe_rows => 2500);
SELECT orochi.reset_columnar_options('p11');
SELECT orochi.set_columnar_options('p11', stripe_rows => 1200);
SELECT option, value, source, chosen_for FROM orochi.columnar_options('p11') WHERE option LIKE '%rows';
DROP TABLE p;

-- Types whose order comes from another type; names that need quotes.
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE types (d positive, e mood, v varchar(10), a int[], b bpchar(3), n numeric, "b c""d" text, "select" int) USING columnar;
SELECT orochi.set_columnar_options('types', ARRAY['d DESC', 'e', 'v NULLS FIRST', 'a DESC NULLS LAST', 'b ASC', 'n', '"b c""d" DESC', '"select"']);
SELECT order_by FROM orochi.columnar_option WHERE relation = 'types'::regclass;
INSERT INTO types SELECT 1 + n % 3, 'sad', n % 5, ARRAY[n % 2], 'b', n, n, n FROM generate_series(1, 2000) n;
SELECT orochi.recluster('types');
SELECT array_agg(o ORDER BY at) = array_agg(o ORDER BY d DESC, v, a DESC, n) AS sorted FROM (SELECT *, row_number() OVER () AS at FROM types) o;
ALTER TABLE types RENAME COLUMN "b c""d" TO "table";
ALTER TABLE types RENAME COLUMN "select" TO plain;
ALTER TABLE types DROP COLUMN d, DROP COLUMN a;
SELECT order_by FROM orochi.columnar_option WHERE relation = 'types'::regclass;
DROP TABLE types;

-- Logical decoding, which a subscriber to all tables gets, says nothing of options but their ends
-- without a key, which are not sent.
SELECT slot_name FROM pg_create_logical_replication_slot('columnar_options', 'test_decoding');
CREATE TABLE decoded (k int) USING columnar;
SELECT orochi.set_columnar_options('decoded', level => 1);
SELECT orochi.set_columnar_options('decoded', level => 2);
SELECT orochi.reset_columnar_options('decoded');
SELECT data FROM pg_logical_slot_get_changes('columnar_options', NULL, NULL, 'include-xids', '0', 'skip-empty-xacts', '1')
WHERE data LIKE '%columnar_option%';
SELECT pg_drop_replication_slot('columnar_options');
DROP TABLE decoded;

-- Materialized and temporary tables.
CREATE MATERIALIZED VIEW mv USING columnar AS SELECT n % 7 AS k, n FROM generate_series(1, 3000) n;
SELECT orochi.set_columnar_options('mv', ARRAY['k'], stripe_rows => 2000);
REFRESH MATERIALIZED VIEW mv;
SELECT rows FROM orochi.columnar_stripes('mv') ORDER BY stripe;
CREATE TEMP TABLE passing (k int) USING columnar;
SELECT orochi.set_columnar_options('passing', ARRAY['k']);
-- What pg_dump takes: not what only this session has.
SELECT format('SELECT relation AS dumped FROM %s %s', c.oid, c.condition)
FROM pg_extension, unnest(extconfig::regclass[], extcondition) c(oid, condition)
WHERE extname = 'orochi' AND c.oid = 'orochi.columnar_option'::regclass \gexec
DISCARD TEMP;
SELECT relation FROM orochi.columnar_option;

-- Who may, and what is refused.
CREATE ROLE columnar_options_other;
GRANT USAGE ON SCHEMA columnar_options TO columnar_options_other;
CREATE TABLE c (k int, v text, j json) USING columnar;
CREATE TABLE h (k int);
CREATE VIEW vw AS SELECT 1 AS one;
SET ROLE columnar_options_other;
SELECT orochi.set_columnar_options('c', level => 1);
SELECT orochi.reset_columnar_options('c');
SELECT orochi.recluster('c');
SELECT * FROM orochi.columnar_options('c');
SELECT count(*) FROM orochi.columnar_options WHERE relation = 'c'::regclass;
INSERT INTO orochi.columnar_option (relation) VALUES ('c');
RESET ROLE;
SELECT orochi.set_columnar_options(NULL, level => 1);
SELECT orochi.set_columnar_options('h', level => 1);
SELECT orochi.set_columnar_options('vw', level => 1);
SELECT * FROM orochi.columnar_options('vw');
SELECT orochi.set_columnar_options('c', ARRAY['nothing']);
SELECT orochi.set_columnar_options('c', ARRAY['k, v']);
SELECT orochi.set_columnar_options('c', ARRAY['k', 'v', 'k DESC']);
SELECT orochi.set_columnar_options('c', ARRAY['k + 1']);
SELECT orochi.set_columnar_options('c', ARRAY['k USING <']);
SELECT orochi.set_columnar_options('c', ARRAY['v USING ~<~']);
SELECT orochi.set_columnar_options('c', ARRAY['k LIMIT 1']);
SELECT orochi.set_columnar_options('c', ARRAY['']);
SELECT orochi.set_columnar_options('c', ARRAY['k', NULL]);
SELECT orochi.set_columnar_options('c', ARRAY['j']);
SELECT orochi.set_columnar_options('c', ARRAY['ctid']);
SELECT orochi.set_columnar_options('c', compression => 'gzip');
SELECT orochi.set_columnar_options('c', level => 20);
SELECT orochi.set_columnar_options('c', row_group_rows => 10);
SELECT orochi.set_columnar_options('c', stripe_rows => 2000000);
SELECT orochi.set_columnar_options('c', row_group_rows => 2000, stripe_rows => 1000);
SELECT orochi.set_columnar_options('c', stripe_rows => 1000);
SELECT orochi.set_columnar_options('c', row_group_rows => 2000);
SELECT orochi.reset_columnar_options('c', 'colour');
SELECT orochi.recluster('c');
SELECT orochi.recluster('h');
CREATE TABLE p (k int) PARTITION BY RANGE (k);
SELECT orochi.recluster('p');
BEGIN READ ONLY;
SELECT orochi.set_columnar_options('c', level => 1);
ROLLBACK;
-- An order whose column lost its order is told where it is used.
SELECT orochi.set_columnar_options('c', ARRAY['v']);
ALTER TABLE c ALTER COLUMN v TYPE json USING to_json(v);
SELECT orochi.recluster('c');
SELECT orochi.reset_columnar_options('c', 'order_by');
VACUUM FULL c;
DROP SCHEMA columnar_options CASCADE;
SELECT count(*) AS rows_left FROM orochi.columnar_option;
DROP ROLE columnar_options_other;
