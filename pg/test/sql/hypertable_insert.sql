-- Goal: rows inserted in any way arrive in a chunk of the right range, whether it existed or not.
-- Method: every statement also runs on a twin that is a plain table; at the end both are equal, and
-- chunks tile time without overlap.
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';
CREATE TABLE twin (time timestamptz NOT NULL, host int, v float8, PRIMARY KEY (time, host));
CREATE TABLE m (LIKE twin INCLUDING ALL) PARTITION BY RANGE (time);
INSERT INTO orochi.hypertable VALUES ('m', '7 days', NULL);

-- Single row, many rows, chunks in any order, twice in the same chunk.
INSERT INTO twin VALUES ('2026-01-01', 1, 1);
INSERT INTO m VALUES ('2026-01-01', 1, 1);
INSERT INTO twin VALUES ('2026-03-01', 1, 1), ('2026-01-02', 1, 2), ('2025-11-01', 1, 3), ('2026-03-02', 1, 4);
INSERT INTO m VALUES ('2026-03-01', 1, 1), ('2026-01-02', 1, 2), ('2025-11-01', 1, 3), ('2026-03-02', 1, 4);
-- From a query; back and forth between missing chunks.
INSERT INTO twin SELECT '2026-02-01'::timestamptz + (i * 7919 % 100) * interval '1 day', 100 + i, i FROM generate_series(1, 300) i;
INSERT INTO m SELECT '2026-02-01'::timestamptz + (i * 7919 % 100) * interval '1 day', 100 + i, i FROM generate_series(1, 300) i;
-- From itself, with ORDER BY and LIMIT.
INSERT INTO twin SELECT time + interval '1 year', host, v FROM twin ORDER BY time, host LIMIT 50;
INSERT INTO m SELECT time + interval '1 year', host, v FROM m ORDER BY time, host LIMIT 50;
-- UNION, DISTINCT, aggregate sources.
INSERT INTO m SELECT date_trunc('month', time) + interval '2 years', 1000, sum(v) FROM m GROUP BY 1 UNION SELECT '2029-01-01', 1, 1;
INSERT INTO twin SELECT date_trunc('month', time) + interval '2 years', 1000, sum(v) FROM twin GROUP BY 1 UNION SELECT '2029-01-01', 1, 1;
-- RETURNING with the chunk.
INSERT INTO m VALUES ('2030-05-05', 1, 5), ('2031-05-05', 1, 6) RETURNING tableoid::regclass, *;
INSERT INTO twin VALUES ('2030-05-05', 1, 5), ('2031-05-05', 1, 6);
-- ON CONFLICT, on old and new chunks.
INSERT INTO m VALUES ('2030-05-05', 1, 50), ('2030-06-05', 1, 7) ON CONFLICT DO NOTHING RETURNING *;
INSERT INTO twin VALUES ('2030-05-05', 1, 50), ('2030-06-05', 1, 7) ON CONFLICT DO NOTHING;
INSERT INTO m VALUES ('2030-05-05', 1, 51), ('2030-07-05', 1, 8) ON CONFLICT (time, host) DO UPDATE SET v = excluded.v + m.v RETURNING *;
INSERT INTO twin VALUES ('2030-05-05', 1, 51), ('2030-07-05', 1, 8) ON CONFLICT (time, host) DO UPDATE SET v = excluded.v + twin.v;
-- Two rows of one statement meet in a new chunk.
INSERT INTO m VALUES ('2030-09-05', 1, 8), ('2030-09-05', 1, 9) ON CONFLICT DO NOTHING;
INSERT INTO twin VALUES ('2030-09-05', 1, 8), ('2030-09-05', 1, 9) ON CONFLICT DO NOTHING;
INSERT INTO m VALUES ('2030-10-05', 1, 8), ('2030-10-05', 1, 9);
-- WITH, into the same table twice.
WITH a AS (INSERT INTO m VALUES ('2032-01-01', 1, 1) RETURNING *),
     b AS (INSERT INTO m SELECT time + interval '1 month', host, v FROM a RETURNING *)
INSERT INTO m SELECT time + interval '1 month', host, v FROM b RETURNING tableoid::regclass, time;
INSERT INTO twin VALUES ('2032-01-01', 1, 1), ('2032-02-01', 1, 1), ('2032-03-01', 1, 1);
-- A WITH that nobody reads.
WITH a AS (INSERT INTO m VALUES ('2032-05-01', 1, 1)) SELECT 1 AS one;
INSERT INTO twin VALUES ('2032-05-01', 1, 1);
-- Prepared: custom and generic plans.
SET plan_cache_mode = force_generic_plan;
PREPARE add (timestamptz, int) AS INSERT INTO m VALUES ($1, $2, 0);
EXECUTE add ('2033-01-01', 1);
EXECUTE add ('2033-01-02', 1);
EXECUTE add ('2033-03-01', 1);
SET plan_cache_mode = force_custom_plan;
EXECUTE add ('2033-05-01', 1);
RESET plan_cache_mode;
INSERT INTO twin VALUES ('2033-01-01', 1, 0), ('2033-01-02', 1, 0), ('2033-03-01', 1, 0), ('2033-05-01', 1, 0);
-- PL/pgSQL, with exceptions inside the loop.
DO $$
DECLARE r record;
BEGIN
  FOR i IN 1..20 LOOP
    BEGIN
      INSERT INTO m VALUES ('2034-01-01'::timestamptz + i * interval '3 days', 1, i);
      IF i % 3 = 0 THEN
        RAISE EXCEPTION 'undone';
      END IF;
    EXCEPTION WHEN raise_exception THEN
      NULL;
    END;
  END LOOP;
  -- A loop over the table that writes to it.
  FOR r IN SELECT * FROM m WHERE time >= '2034-01-01' AND time < '2034-01-20' LOOP
    INSERT INTO m VALUES (r.time + interval '1 year', r.host, r.v);
  END LOOP;
END $$;
INSERT INTO twin SELECT '2034-01-01'::timestamptz + i * interval '3 days', 1, i FROM generate_series(1, 20) i WHERE i % 3 <> 0;
INSERT INTO twin SELECT time + interval '1 year', host, v FROM twin WHERE time >= '2034-01-01' AND time < '2034-01-20';
-- SQL and PL/pgSQL functions in the source that insert themselves: statements within statements.
CREATE FUNCTION also(at timestamptz) RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO m VALUES (at + interval '1 year', 77, 0);
  RETURN at;
END $$;
INSERT INTO m SELECT also('2036-01-01'::timestamptz + i * interval '10 days'), 78, i FROM generate_series(1, 5) i;
INSERT INTO twin SELECT '2036-01-01'::timestamptz + i * interval '10 days' + y * interval '1 year', 78 - y, CASE y WHEN 0 THEN i ELSE 0 END
  FROM generate_series(1, 5) i, generate_series(0, 1) y;
-- Views, rules.
CREATE VIEW mv AS SELECT host, time, v FROM m WHERE host > 0 WITH CHECK OPTION;
INSERT INTO mv VALUES (1, '2038-01-01', 1), (1, '2038-02-01', 2);
INSERT INTO mv VALUES (0, '2038-03-01', 1);
INSERT INTO twin VALUES ('2038-01-01', 1, 1), ('2038-02-01', 1, 2);
CREATE TABLE inbox (time timestamptz, v int);
CREATE RULE forward AS ON INSERT TO inbox DO ALSO INSERT INTO m VALUES (new.time, 1, new.v);
INSERT INTO inbox VALUES ('2039-01-01', 1), ('2039-02-01', 2);
INSERT INTO twin VALUES ('2039-01-01', 1, 1), ('2039-02-01', 1, 2);
-- A transaction that is rolled back leaves a chunk without rows.
BEGIN;
INSERT INTO m VALUES ('2040-01-01', 1, 1);
ROLLBACK;
SELECT count(*) FROM m_20391226;

-- Equal, and no row in the wrong place.
SELECT (SELECT count(*) FROM m) AS rows, count(*) AS differences
FROM ((TABLE m EXCEPT ALL TABLE twin) UNION ALL (TABLE twin EXCEPT ALL TABLE m)) d;
SELECT count(*) AS chunks,
       count(*) FILTER (WHERE to_regclass(format('m_%s', to_char(date_bin('7 days', time, '2000-01-03'), 'YYYYMMDD'))) = tableoid) = count(*) AS all_in_place
FROM m \gset
SELECT :'all_in_place' AS all_in_place;
-- Reading prunes.
EXPLAIN (COSTS OFF) SELECT * FROM m WHERE time = '2030-05-05';

-- Every time type, every size; types in domains; infinite bounds.
CREATE DOMAIN moment AS timestamp CHECK (value > '1900-01-01');
CREATE TABLE by_timestamp (at moment NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE by_date (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE by_smallint (at smallint NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE by_int (at int NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE by_bigint (at bigint NOT NULL) PARTITION BY RANGE (at);
INSERT INTO orochi.hypertable VALUES ('by_timestamp', '1 hour', NULL), ('by_date', '1 year', NULL),
  ('by_smallint', NULL, 1000), ('by_int', NULL, 1000000), ('by_bigint', NULL, 1000000000000);
INSERT INTO by_timestamp VALUES ('2026-01-01 10:59:59.999999'), ('2026-01-01 11:00'), ('294276-12-31 23:59:59.999999');
INSERT INTO by_timestamp VALUES ('1899-01-01');
INSERT INTO by_date VALUES ('2026-12-31'), ('2027-01-01'), ('4713-11-24 BC'), ('5874897-12-31');
INSERT INTO by_smallint VALUES (-32768), (-1), (0), (32767);
INSERT INTO by_int VALUES (-2147483648), (-1), (0), (2147483647);
INSERT INTO by_bigint VALUES (-9223372036854775808), (-1), (0), (9223372036854775807);
SELECT c.oid::regclass AS chunk, pg_get_expr(relpartbound, c.oid) AS bounds
FROM pg_class c JOIN pg_inherits i ON inhrelid = c.oid
WHERE inhparent::regclass::text LIKE 'by\_%' ORDER BY inhparent::regclass::text, c.oid;

-- Chunks that are there already, of any size, with gaps: new ones are clipped to their neighbours.
CREATE TABLE odd (time date NOT NULL) PARTITION BY RANGE (time);
CREATE TABLE odd_past PARTITION OF odd FOR VALUES FROM (MINVALUE) TO ('2026-01-08');
CREATE TABLE odd_middle PARTITION OF odd FOR VALUES FROM ('2026-01-20') TO ('2026-01-22');
CREATE TABLE odd_future PARTITION OF odd FOR VALUES FROM ('2026-03-10') TO (MAXVALUE);
INSERT INTO orochi.hypertable VALUES ('odd', '1 month', NULL);
INSERT INTO odd VALUES ('2026-01-10'), ('2026-01-25'), ('2026-02-25'), ('2026-03-01'), ('2026-05-01'), ('1999-01-01'), ('2026-01-20');
SELECT c.oid::regclass AS chunk, pg_get_expr(relpartbound, c.oid) AS bounds
FROM pg_class c JOIN pg_inherits i ON inhrelid = c.oid WHERE inhparent = 'odd'::regclass ORDER BY c.oid;
SELECT tableoid::regclass, * FROM odd ORDER BY time;
-- Sub-partitioned chunks are routed through.
CREATE TABLE deep (time date NOT NULL, h int) PARTITION BY RANGE (time);
CREATE TABLE deep_1 PARTITION OF deep FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') PARTITION BY HASH (h);
CREATE TABLE deep_1_0 PARTITION OF deep_1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE deep_1_1 PARTITION OF deep_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO orochi.hypertable VALUES ('deep', '1 month', NULL);
INSERT INTO deep SELECT '2026-01-01'::date + i, i FROM generate_series(1, 60) i;
SELECT tableoid::regclass, count(*) FROM deep GROUP BY tableoid::regclass ORDER BY tableoid::regclass::text;

-- Names: what is taken is stepped around, long ones are cut.
CREATE TABLE by_int_5000000 (x int);
INSERT INTO by_int VALUES (5000000) RETURNING tableoid::regclass;
CREATE TABLE "Quoted ""name"" that is so long that it nearly fills all of it" ("the Time" int) PARTITION BY RANGE ("the Time");
INSERT INTO orochi.hypertable VALUES ('"Quoted ""name"" that is so long that it nearly fills all of it"', NULL, 10);
INSERT INTO "Quoted ""name"" that is so long that it nearly fills all of it" VALUES (-15), (25) RETURNING tableoid::regclass;

-- What a chunk takes over from its hypertable.
CREATE ROLE chunk_owner;
CREATE SCHEMA owned AUTHORIZATION chunk_owner;
SET ROLE chunk_owner;
CREATE TABLE owned.t (time date NOT NULL, id int GENERATED BY DEFAULT AS IDENTITY, a text DEFAULT 'x' || 1, b text,
  c int GENERATED ALWAYS AS (1 + 1) STORED, CHECK (a <> ''), UNIQUE (time, a)) PARTITION BY RANGE (time);
ALTER TABLE owned.t ALTER b SET STORAGE EXTERNAL;
CREATE STATISTICS owned.s ON a, b FROM owned.t;
CREATE INDEX ON owned.t (b) WHERE b > 'm';
ALTER TABLE owned.t REPLICA IDENTITY FULL;
COMMENT ON COLUMN owned.t.a IS 'a comment';
RESET ROLE;
INSERT INTO orochi.hypertable VALUES ('owned.t', '1 month', NULL);
CREATE ROLE chunk_writer;
GRANT USAGE ON SCHEMA owned TO chunk_writer;
GRANT INSERT, SELECT ON owned.t TO chunk_writer;
SET ROLE chunk_writer;
INSERT INTO owned.t (time) VALUES ('2026-01-01'), ('2026-02-01') RETURNING tableoid::regclass, *;
BEGIN;
RESET ROLE;
LOCK TABLE owned.t IN SHARE MODE;
SET LOCAL ROLE chunk_writer;
INSERT INTO owned.t (time) VALUES ('2026-03-01') RETURNING tableoid::regclass, *;
COMMIT;
RESET ROLE;
\d+ owned.t_20260101
\d owned.t_20260301
SELECT relname, relowner::regrole FROM pg_class WHERE relnamespace = 'owned'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1;

DROP TABLE by_timestamp, by_date, by_smallint, by_int, by_bigint, by_int_5000000, odd, deep, "Quoted ""name"" that is so long that it nearly fills all of it";
DROP SCHEMA owned CASCADE;
DROP ROLE chunk_owner, chunk_writer;
DROP TABLE inbox, twin;
DROP DOMAIN moment;
DROP FUNCTION also;
DROP TABLE m CASCADE;
SELECT * FROM orochi.hypertable;
