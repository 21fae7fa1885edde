-- Goal: what surrounds a table goes on through a move: logical decoding reports what users wrote
-- and nothing of the copy, rewrites in the same transaction, cached plans, parallel index builds.
-- Method: each around moves between heap and columnar.
SELECT slot_name FROM pg_create_logical_replication_slot('move_decoding', 'test_decoding');
CREATE TABLE decoded (id int PRIMARY KEY, big text);
INSERT INTO decoded SELECT 1, string_agg(md5(i::text), '') FROM generate_series(1, 500) i;
INSERT INTO decoded VALUES (2, 'two');
SELECT orochi.move_chunk('decoded', 'heap');
INSERT INTO decoded VALUES (3, 'three');
SELECT orochi.compress_chunk('decoded');
SELECT orochi.decompress_chunk('decoded');
UPDATE decoded SET big = 'changed' WHERE id = 3;
SELECT left(data, 70) AS data, length(data) > 10000 AS with_big_value
FROM pg_logical_slot_get_changes('move_decoding', NULL, NULL, 'include-xids', '0', 'skip-empty-xacts', '1')
WHERE data NOT IN ('BEGIN', 'COMMIT');
SELECT pg_drop_replication_slot('move_decoding');
SELECT id, length(big) FROM decoded ORDER BY id;

-- A table rewritten earlier in the transaction can be moved in it.
BEGIN;
ALTER TABLE decoded ALTER COLUMN id TYPE bigint;
SELECT orochi.compress_chunk('decoded', order_by => 'id');
SELECT id, length(big) FROM decoded;
COMMIT;
BEGIN;
ALTER TABLE decoded SET ACCESS METHOD heap;
ALTER TABLE decoded SET ACCESS METHOD columnar;
SELECT orochi.decompress_chunk('decoded');
COMMIT;
SELECT id, length(big) FROM decoded;

-- Plans made before a move follow the table.
SET plan_cache_mode = force_generic_plan;
PREPARE by_id(bigint) AS SELECT length(big) FROM decoded WHERE id = $1;
PREPARE total AS SELECT count(*), sum(id) FROM decoded;
EXECUTE by_id(1);
EXECUTE total;
SELECT orochi.compress_chunk('decoded');
EXECUTE by_id(1);
EXECUTE total;
SELECT orochi.decompress_chunk('decoded');
EXECUTE by_id(1);
EXECUTE total;
DEALLOCATE ALL;
RESET plan_cache_mode;

-- Indexes of a large copy are built by parallel workers.
CREATE TABLE large AS SELECT i AS id, i % 100 AS v, md5(i::text) AS t FROM generate_series(1, 50000) i;
CREATE INDEX large_id ON large (id);
CREATE INDEX large_v_t ON large (v, t);
SET max_parallel_maintenance_workers = 2;
SET min_parallel_table_scan_size = 0;
ALTER TABLE large SET (parallel_workers = 2);
SELECT orochi.compress_chunk('large', order_by => 'v, id');
SET enable_seqscan = off;
SELECT count(*), sum(id) FROM large WHERE id BETWEEN 100 AND 40000;
SELECT count(*), min(t) FROM large WHERE v = 7 AND t > 'a';
RESET enable_seqscan;
SELECT count(*), sum(id), sum(v), count(DISTINCT t) FROM large;
SELECT orochi.decompress_chunk('large');
SELECT count(*), sum(id), sum(v), count(DISTINCT t) FROM large;
DROP TABLE decoded, large;

-- Many chunks, each in its own transaction.
CREATE TABLE daily (time timestamptz NOT NULL, v int);
SELECT orochi.create_hypertable('daily', 'time', interval '1 day');
INSERT INTO daily SELECT timestamptz '2024-01-01 00:00+00' + i * interval '6 hours', i FROM generate_series(0, 39) i;
CALL orochi.compress_chunks('daily', older_than => '2024-01-08 00:00+00', order_by => 'v DESC');
SELECT place, count(*) FROM orochi.chunks WHERE hypertable = 'daily'::regclass GROUP BY 1 ORDER BY 1;
SELECT v FROM daily LIMIT 3;
CALL orochi.compress_chunks('daily');
SELECT place, count(*) FROM orochi.chunks WHERE hypertable = 'daily'::regclass GROUP BY 1 ORDER BY 1;
CALL orochi.decompress_chunks('daily', newer_than => '2024-01-06 00:00+00');
SELECT place, count(*) FROM orochi.chunks WHERE hypertable = 'daily'::regclass GROUP BY 1 ORDER BY 1;
SELECT count(*), sum(v) FROM daily;
BEGIN;
CALL orochi.compress_chunks('daily');
ROLLBACK;
DROP TABLE daily;
