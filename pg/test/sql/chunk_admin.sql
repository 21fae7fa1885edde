-- Goal: intervals can be changed, chunks listed by time and dropped with a count, and the views and
-- size functions agree with PostgreSQL's own catalogs. Method: one hypertable for each kind of time
-- column, every kind of older_than and newer_than.
SET datestyle = ISO;
SET intervalstyle = postgres;
SET timezone = 'UTC';
SET search_path = public, orochi;

CREATE TABLE m (time timestamptz NOT NULL, v int);
SELECT create_hypertable('m', 'time', interval '1 day');
INSERT INTO m SELECT timestamptz '2024-03-01 06:00' + n * interval '12 hours', n FROM generate_series(0, 9) n;
SELECT show_chunks('m');
SELECT show_chunks('m', older_than => timestamptz '2024-03-03');
SELECT show_chunks('m', older_than => '2024-03-03 23:59:59');
SELECT show_chunks('m', newer_than => date '2024-03-04');
SELECT show_chunks('m', timestamp '2024-03-05', timestamp '2024-03-02');
SELECT count(*) FROM show_chunks('m', older_than => interval '1 day');
SELECT count(*) FROM show_chunks('m', older_than => '1 day');
SELECT count(*) FROM show_chunks('m', newer_than => '1 day'::text);
SELECT count(*) FROM show_chunks('m', older_than => 'infinity') a, show_chunks('m', newer_than => '-infinity') b;
SELECT hypertable, chunk, range_start, range_end, place, row_estimate, bytes = pg_total_relation_size(chunk) AS bytes_agree FROM chunks ORDER BY range_start;
ANALYZE m;
SELECT sum(row_estimate) FROM chunks WHERE hypertable = 'm'::regclass;
SELECT hypertable, owner = current_user AS own, time_column, time_type, chunk_time_interval, chunk_count, bytes > 0 AS has_bytes FROM hypertables;
SELECT hypertable_size('m') = (SELECT sum(bytes) FROM chunks) AS sizes_agree,
       (SELECT sum(total_bytes) FROM chunks_detailed_size('m')) = hypertable_size('m') AS details_agree,
       (SELECT bool_and(table_bytes + index_bytes + toast_bytes = total_bytes) FROM chunks_detailed_size('m')) AS parts_agree;

-- A new interval counts for new chunks; where old chunks are in the way, the new one is shorter.
SELECT set_chunk_time_interval('m', interval '1 month');
INSERT INTO m VALUES ('2024-03-20', 100), ('2024-04-20', 101);
SELECT chunk, range_start, range_end FROM chunks ORDER BY range_start DESC LIMIT 2;
SELECT set_chunk_time_interval('m', '6 hours');
INSERT INTO m VALUES ('2024-05-01 07:00', 102);
SELECT chunk, range_start, range_end FROM chunks ORDER BY range_start DESC LIMIT 1;
SELECT chunk_time_interval FROM hypertables;

-- Dropping.
SELECT drop_chunks('m', older_than => timestamptz '2024-03-02 23:00');
SELECT drop_chunks('m', older_than => timestamptz '2024-03-02 23:00');
SELECT drop_chunks('m', newer_than => timestamptz '2024-05-01');
SELECT drop_chunks('m', '2024-03-05', '2024-03-03');
SELECT chunk, range_start, range_end FROM chunks ORDER BY range_start;
SELECT min(v), max(v), count(*) FROM m;
BEGIN;
SELECT drop_chunks('m', older_than => interval '1 day');
SELECT count(*) FROM m;
ROLLBACK;
SELECT count(*) FROM m;
-- The room is free again.
INSERT INTO m VALUES ('2024-03-03 12:00', 200);
SELECT show_chunks('m', older_than => '2024-03-04');
SELECT drop_chunks('m');
SELECT drop_chunks('m', older_than => 7);
SELECT drop_chunks('m', older_than => 'yesterday or so');
SELECT drop_chunks('m', older_than => true);
SELECT drop_chunks(NULL, older_than => interval '1 day');
-- What stands on a chunk keeps it.
CREATE VIEW on_chunk AS SELECT * FROM m_20240303_120000;
SELECT drop_chunks('m', older_than => '2024-04-01');
DROP VIEW on_chunk;
-- A cursor that reads the hypertable keeps its chunks, too.
BEGIN;
DECLARE reading CURSOR FOR SELECT * FROM m;
FETCH 1 FROM reading;
SELECT drop_chunks('m', older_than => '2024-04-01');
ROLLBACK;
DROP TABLE m;

-- Rows that refer to the hypertable keep their chunk.
CREATE TABLE event (id int, time timestamptz, PRIMARY KEY (id, time));
SELECT create_hypertable('event', 'time', interval '1 day');
CREATE TABLE detail (id int, time timestamptz, FOREIGN KEY (id, time) REFERENCES event);
INSERT INTO event VALUES (1, '2024-01-01'), (2, '2024-01-02');
INSERT INTO detail VALUES (1, '2024-01-01');
SELECT drop_chunks('event', older_than => '2024-02-01');
DELETE FROM detail;
SELECT drop_chunks('event', older_than => '2024-02-01');
DROP TABLE detail, event;

-- Integers, dates, timestamps without zone, and bounds that came with the table.
CREATE TABLE n (t int, v int);
SELECT create_hypertable('n', 't', 10);
INSERT INTO n SELECT g, g FROM generate_series(-25, 25) g;
SELECT chunk, range_start, range_end FROM chunks ORDER BY range_start::int;
SELECT show_chunks('n', older_than => 0), show_chunks('n', newer_than => 10::bigint);
SELECT drop_chunks('n', older_than => '-10');
SELECT drop_chunks('n', older_than => interval '1 day');
SELECT set_chunk_time_interval('n', 100);
SELECT set_chunk_time_interval('n', '1000');
SELECT set_chunk_time_interval('n', interval '1 day');
SELECT set_chunk_time_interval('n', 0);
SELECT set_chunk_time_interval('n', NULL::bigint);
SELECT chunk_time_interval FROM hypertables;
DROP TABLE n;
CREATE TABLE d (t date, v int) PARTITION BY RANGE (t);
CREATE TABLE d_old PARTITION OF d FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
CREATE TABLE d_new PARTITION OF d FOR VALUES FROM ('2030-01-01') TO (MAXVALUE);
SELECT create_hypertable('d', chunk_time_interval => interval '1 week');
INSERT INTO d SELECT date '2024-01-01' + g, g FROM generate_series(0, 20) g;
SELECT chunk, range_start, range_end FROM chunks ORDER BY range_start::date;
SELECT show_chunks('d', older_than => timestamp '2024-01-08 12:00');
SELECT show_chunks('d', newer_than => timestamp '2024-01-08 12:00');
SELECT show_chunks('d', newer_than => timestamptz '2024-01-08');
SELECT count(*) FROM show_chunks('d', newer_than => interval '1 day');
SELECT drop_chunks('d', older_than => date '2024-01-15');
DROP TABLE d;
CREATE TABLE s (t timestamp, v int);
SELECT create_hypertable('s');
INSERT INTO s VALUES ('2024-01-01', 1), (now() AT TIME ZONE 'UTC' + interval '30 days', 2);
SET timezone = 'Asia/Tokyo';
SELECT show_chunks('s', older_than => timestamptz '2024-01-08 00:00+09');
SELECT count(*) FROM show_chunks('s', newer_than => interval '1 day');
RESET timezone;

-- Who may, and on what.
CREATE ROLE chunk_stranger;
GRANT USAGE ON SCHEMA public, orochi TO chunk_stranger;
SET ROLE chunk_stranger;
SELECT drop_chunks('s', older_than => interval '1 day');
SELECT set_chunk_time_interval('s', interval '1 day');
SELECT count(*) FROM show_chunks('s');
SELECT count(*) FROM chunks;
SELECT count(*) FROM hypertables;
INSERT INTO hypertable VALUES ('pg_class', '1 day');
RESET ROLE;
CREATE TABLE plain (t timestamptz);
SELECT drop_chunks('plain', older_than => interval '1 day');
SELECT set_chunk_time_interval('plain', interval '1 day');
SELECT show_chunks('plain');
DROP TABLE s, plain;
REVOKE ALL ON SCHEMA public, orochi FROM chunk_stranger;
DROP ROLE chunk_stranger;
