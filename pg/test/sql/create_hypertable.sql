-- Goal: create_hypertable makes a hypertable of an empty or filled plain table, keeping everything
-- the table had, and takes a partitioned table as it is. Method: a table with one of everything,
-- its description compared before and after.
SET datestyle = ISO;
SET timezone = 'UTC';
SET search_path = public, orochi;

-- The ways to call it.
CREATE TABLE m (time timestamptz NOT NULL, v float);
SELECT create_hypertable('m', 'time');
SELECT create_hypertable('m', 'time');
SELECT create_hypertable('m', if_not_exists => true);
SELECT relkind, pg_get_partkeydef(oid) FROM pg_class WHERE oid = 'm'::regclass;
SELECT * FROM hypertable;
CREATE TABLE m2 (time timestamp, v float);
SELECT create_hypertable('m2', chunk_time_interval => interval '1 day');
CREATE TABLE m3 (d date, v float);
SELECT create_hypertable('m3', 'd', '1 month');
CREATE TABLE m4 (t int, v float);
SELECT create_hypertable('m4', 't', 1000);
CREATE TABLE m5 (t bigint, v float);
SELECT create_hypertable('m5', time_column_name => 't', chunk_time_interval => 86400000000);
CREATE TABLE m6 (t smallint, v float);
SELECT create_hypertable('m6', 't', '100');
CREATE TABLE m7 (v float, t timestamptz) PARTITION BY RANGE (t);
CREATE TABLE m7_old PARTITION OF m7 FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
SELECT create_hypertable('m7');
CREATE DOMAIN instant AS timestamptz;
CREATE TABLE m8 (t instant);
SELECT create_hypertable('m8', chunk_time_interval => '12 hours');
CREATE TABLE m9 (t timestamptz);
SELECT create_hypertable('m9', chunk_time_interval => NULL::interval);
SELECT * FROM hypertable ORDER BY relation::text COLLATE "C";
INSERT INTO m VALUES ('2024-01-01', 1), ('2024-02-01', 2);
SELECT count(*) FROM m;
DROP TABLE m, m2, m3, m4, m5, m6, m7, m8, m9;
SELECT count(*) FROM hypertable;
DROP DOMAIN instant;

-- One of everything.
CREATE ROLE "Admin Owner";
CREATE ROLE admin_reader;
GRANT CREATE ON SCHEMA public TO "Admin Owner";
GRANT USAGE ON SCHEMA orochi TO "Admin Owner";
SET ROLE "Admin Owner";
CREATE TABLE host (id int PRIMARY KEY, name text);
INSERT INTO host VALUES (1, 'a'), (2, 'b');
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.tag := coalesce(NEW.tag, 'noted'); RETURN NEW; END $$;
CREATE TABLE "Big Metrics" (
  id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 5),
  gone int,
  serial_no serial,
  time timestamptz NOT NULL DEFAULT '2024-03-01',
  host_id int NOT NULL REFERENCES host ON DELETE CASCADE,
  value float CONSTRAINT sane CHECK (value > -1000),
  doubled float GENERATED ALWAYS AS (value * 2) STORED,
  tag text COLLATE "C" DEFAULT 'none',
  payload text COMPRESSION pglz,
  CONSTRAINT "the key" PRIMARY KEY (id, time),
  CONSTRAINT one_per_time UNIQUE (host_id, time) INCLUDE (value) DEFERRABLE);
ALTER TABLE "Big Metrics" DROP COLUMN gone;
ALTER TABLE "Big Metrics" ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX by_host ON "Big Metrics" (host_id, time DESC) WHERE value IS NOT NULL;
CREATE INDEX by_expression ON "Big Metrics" (lower(tag) text_pattern_ops) WITH (fillfactor = 70);
ALTER INDEX by_expression ALTER COLUMN 1 SET STATISTICS 77;
CREATE INDEX by_brin ON "Big Metrics" USING brin (time);
CREATE STATISTICS big_stats (dependencies, ndistinct) ON host_id, tag FROM "Big Metrics";
ALTER STATISTICS big_stats SET STATISTICS 55;
CREATE TRIGGER note_it BEFORE INSERT ON "Big Metrics" FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER off_now AFTER UPDATE ON "Big Metrics" FOR EACH STATEMENT EXECUTE FUNCTION note();
ALTER TABLE "Big Metrics" DISABLE TRIGGER off_now;
ALTER TABLE "Big Metrics" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "Big Metrics" FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON "Big Metrics" AS PERMISSIVE FOR SELECT TO admin_reader, "Admin Owner" USING (host_id < 100) ;
CREATE POLICY no_bad ON "Big Metrics" AS RESTRICTIVE FOR INSERT WITH CHECK (value <> 13);
CREATE POLICY writes ON "Big Metrics" FOR INSERT WITH CHECK (true);
CREATE RULE keep AS ON DELETE TO "Big Metrics" WHERE old.value = 42 DO INSTEAD NOTHING;
ALTER TABLE "Big Metrics" ALTER COLUMN value SET STATISTICS 500;
ALTER TABLE "Big Metrics" ALTER COLUMN host_id SET (n_distinct = -0.5);
ALTER TABLE "Big Metrics" REPLICA IDENTITY USING INDEX "the key";
GRANT SELECT ON "Big Metrics" TO admin_reader WITH GRANT OPTION;
GRANT UPDATE (value, tag) ON "Big Metrics" TO admin_reader;
GRANT USAGE ON SEQUENCE "Big Metrics_id_seq" TO admin_reader;
SET ROLE admin_reader;
GRANT SELECT ON "Big Metrics" TO PUBLIC;
SET ROLE "Admin Owner";
COMMENT ON TABLE "Big Metrics" IS 'it''s big';
COMMENT ON COLUMN "Big Metrics".value IS 'the value';
COMMENT ON INDEX by_host IS 'an index';
COMMENT ON CONSTRAINT sane ON "Big Metrics" IS 'a check';
COMMENT ON CONSTRAINT "the key" ON "Big Metrics" IS 'a key';
COMMENT ON TRIGGER note_it ON "Big Metrics" IS 'a trigger';
COMMENT ON POLICY own_rows ON "Big Metrics" IS 'a policy';
COMMENT ON RULE keep ON "Big Metrics" IS 'a rule';
COMMENT ON STATISTICS big_stats IS 'statistics';
COMMENT ON SEQUENCE "Big Metrics_id_seq" IS 'ids';
CREATE VIEW hot WITH (security_barrier) AS SELECT id, time, value AS reading FROM "Big Metrics" WHERE value > 1 WITH LOCAL CHECK OPTION;
CREATE VIEW above AS SELECT count(*) AS n, max(reading) FROM hot;
CREATE VIEW by_key AS SELECT id, time, tag, count(*) FROM "Big Metrics" GROUP BY id, time;
CREATE VIEW whole AS SELECT to_jsonb(b) ->> 'value' AS v FROM "Big Metrics" b;
GRANT SELECT ON hot TO admin_reader;
COMMENT ON VIEW hot IS 'a view';
CREATE FUNCTION total() RETURNS float BEGIN ATOMIC SELECT sum(value) FROM "Big Metrics"; END;
CREATE VIEW writer AS SELECT 1 AS host_id;
CREATE RULE write AS ON INSERT TO writer DO INSTEAD INSERT INTO "Big Metrics" (host_id, value) VALUES (new.host_id, 7);
INSERT INTO "Big Metrics" (time, host_id, value, payload)
SELECT timestamptz '2024-03-01' + n * interval '6 hours', 1 + n % 2, n, repeat('x', 3000) FROM generate_series(1, 40) n WHERE n <> 13;
RESET ROLE;
CREATE PUBLICATION admin_pub FOR TABLE "Big Metrics" (id, time, value) WITH (publish_via_partition_root);

CREATE TEMP TABLE described (step int, line text);
CREATE FUNCTION pg_temp.describe(step int) RETURNS void LANGUAGE sql AS $$
  INSERT INTO described
  SELECT $1, x FROM (
    SELECT format('column %s %s %s notnull=%s default=%s identity=%s generated=%s storage=%s compression=%s target=%s options=%s acl=%s comment=%s',
      attname, format_type(atttypid, atttypmod), attcollation::regcollation, attnotnull, pg_get_expr(adbin, adrelid), attidentity,
      attgenerated, attstorage, attcompression, attstattarget, (SELECT array_agg(o) FROM unnest(attoptions) o WHERE o NOT LIKE 'pg_attver=%'), attacl, col_description(a.attrelid, attnum))
    FROM pg_attribute a LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = '"Big Metrics"'::regclass AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT format('table owner=%s acl=%s rls=%s force=%s replident=%s comment=%s', relowner::regrole, relacl, relrowsecurity,
      relforcerowsecurity, relreplident, obj_description(oid, 'pg_class')) FROM pg_class WHERE oid = '"Big Metrics"'::regclass
    UNION ALL SELECT format('index %s replident=%s target=%s comment=%s', replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON '), indisreplident,
      (SELECT array_agg(attstattarget) FROM pg_attribute WHERE attrelid = indexrelid), obj_description(indexrelid, 'pg_class'))
    FROM pg_index WHERE indrelid = '"Big Metrics"'::regclass
    UNION ALL SELECT format('constraint %s %s comment=%s', conname, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint'))
    FROM pg_constraint WHERE conrelid = '"Big Metrics"'::regclass
    UNION ALL SELECT format('trigger %s enabled=%s comment=%s', pg_get_triggerdef(oid), tgenabled, obj_description(oid, 'pg_trigger'))
    FROM pg_trigger WHERE tgrelid = '"Big Metrics"'::regclass AND NOT tgisinternal
    UNION ALL SELECT format('policy %s roles=%s %s %s %s', polname, polroles::regrole[], polcmd, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    FROM pg_policy WHERE polrelid = '"Big Metrics"'::regclass
    UNION ALL SELECT format('rule %s', pg_get_ruledef(oid)) FROM pg_rewrite WHERE ev_class = '"Big Metrics"'::regclass
    UNION ALL SELECT format('statistics %s target=%s comment=%s', pg_get_statisticsobjdef(oid), stxstattarget, obj_description(oid, 'pg_statistic_ext')) FROM pg_statistic_ext
    UNION ALL SELECT format('sequence %s column=%s acl=%s comment=%s next=%s', oid::regclass, (SELECT attname FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
      WHERE objid = s.oid AND deptype IN ('a', 'i')), relacl, obj_description(oid, 'pg_class'), pg_sequence_last_value(oid)) FROM pg_class s WHERE relkind = 'S' AND relname LIKE 'Big%'
    UNION ALL SELECT format('parameters %s %s %s', seqrelid::regclass, seqstart, seqincrement) FROM pg_sequence WHERE seqrelid::regclass::text LIKE '"Big%'
    UNION ALL SELECT format('view %s options=%s acl=%s comment=%s %s', oid::regclass, reloptions, relacl, obj_description(oid, 'pg_class'), pg_get_viewdef(oid)) FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace
    UNION ALL SELECT format('view rule %s', pg_get_ruledef(oid)) FROM pg_rewrite WHERE ev_class = 'writer'::regclass
    UNION ALL SELECT format('function %s', pg_get_functiondef('total'::regproc))
    UNION ALL SELECT format('publication %s %s %s', pubname, tablename, attnames) FROM pg_publication_tables
  ) d(x) $$;
SELECT pg_temp.describe(1);
SELECT create_hypertable('"Big Metrics"', 'time', interval '2 days');
SELECT create_hypertable('"Big Metrics"', 'time', interval '2 days', migrate_data => true);
SELECT pg_temp.describe(2);
SELECT count(*) AS lines FROM described WHERE step = 1;
-- Nothing differs.
(SELECT 1 AS step, line FROM described WHERE step = 1 EXCEPT ALL SELECT 1, line FROM described WHERE step = 2)
UNION ALL (SELECT 2, line FROM described WHERE step = 2 EXCEPT ALL SELECT 2, line FROM described WHERE step = 1) ORDER BY 1, 2;
SELECT count(*) AS chunks FROM pg_inherits WHERE inhparent = '"Big Metrics"'::regclass;
SELECT tableoid::regclass AS chunk, count(*), min(id), max(doubled) FROM "Big Metrics" GROUP BY tableoid ORDER BY min(time) LIMIT 3;
SELECT * FROM above;
SELECT count(*) FROM by_key;
SELECT count(*) FROM whole;
SELECT total();
SELECT relname FROM pg_class WHERE relname LIKE '%orochi_old%' UNION ALL SELECT stxname FROM pg_statistic_ext WHERE stxname LIKE '%orochi_old%';
-- It works on: identity, serial, trigger, foreign key, view, rule.
SET ROLE "Admin Owner";
INSERT INTO "Big Metrics" (time, host_id, value, tag) VALUES ('2024-04-01', 1, 1, NULL) RETURNING id, serial_no, tag, doubled;
INSERT INTO "Big Metrics" (time, host_id, value) VALUES ('2024-04-01', 99, 1);
INSERT INTO "Big Metrics" (time, host_id, value) VALUES ('2024-04-02', 1, 13);
INSERT INTO writer VALUES (2);
SELECT count(*) FROM "Big Metrics" WHERE value = 7;
DELETE FROM host WHERE id = 2;
SELECT count(*) FROM "Big Metrics";
RESET ROLE;
DROP PUBLICATION admin_pub;
SET client_min_messages = warning;
DROP TABLE "Big Metrics" CASCADE;
RESET client_min_messages;
DROP VIEW writer;
DROP TABLE host;
DROP FUNCTION note;

-- A superuser acts for the owner: the owner's functions run with the owner's rights.
SET ROLE "Admin Owner";
CREATE FUNCTION who() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN current_user; END $$;
CREATE TABLE trap (t timestamptz, v int, w text GENERATED ALWAYS AS (who()) STORED);
INSERT INTO trap VALUES ('2024-01-01', 1);
RESET ROLE;
SELECT create_hypertable('trap', migrate_data => true);
SELECT w, (SELECT relowner::regrole FROM pg_class WHERE oid = 'trap'::regclass) FROM trap;
DROP TABLE trap;
DROP FUNCTION who;

-- In a transaction that fails, nothing is left.
CREATE TABLE undo (t timestamptz, v int);
INSERT INTO undo VALUES ('2024-01-01', 1);
BEGIN;
SELECT create_hypertable('undo', migrate_data => true);
ROLLBACK;
SELECT relkind FROM pg_class WHERE relname = 'undo';
SELECT * FROM undo;
-- In the transaction that made the table, and twice in it.
BEGIN;
CREATE TABLE fresh (t timestamptz, v int);
INSERT INTO fresh VALUES ('2024-01-01', 1);
SELECT create_hypertable('fresh', migrate_data => true);
INSERT INTO fresh VALUES ('2025-01-01', 2);
COMMIT;
SELECT * FROM fresh ORDER BY t;
DROP TABLE undo, fresh;
-- Tablespaces of table and indexes, and default privileges that must not apply.
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE admin_a LOCATION '';
CREATE TABLESPACE admin_b LOCATION '';
ALTER DEFAULT PRIVILEGES GRANT DELETE ON TABLES TO admin_reader;
CREATE TABLE placed (t timestamptz, v int, CONSTRAINT placed_key PRIMARY KEY (v, t) USING INDEX TABLESPACE admin_b) TABLESPACE admin_a;
CREATE INDEX placed_t ON placed (t);
CREATE INDEX placed_v ON placed (v) TABLESPACE admin_a;
INSERT INTO placed VALUES ('2024-01-01', 1);
REVOKE ALL ON placed FROM admin_reader;
CREATE PUBLICATION admin_pub FOR TABLE placed WHERE (v > 0);
SET default_tablespace = admin_b;
SELECT create_hypertable('placed', migrate_data => true);
ALTER PUBLICATION admin_pub SET (publish_via_partition_root = true);
SELECT create_hypertable('placed', migrate_data => true);
RESET default_tablespace;
INSERT INTO placed VALUES ('2025-01-01', 2);
SELECT relname, relkind, (SELECT spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace), relacl
FROM pg_class c WHERE relname LIKE 'placed%' AND relkind IN ('r', 'p', 'I', 'i') ORDER BY relname COLLATE "C";
SELECT pubname, tablename, rowfilter FROM pg_publication_tables;
-- New chunks are analysed as the table says.
ALTER TABLE placed ALTER COLUMN v SET STATISTICS 321, ALTER COLUMN v SET (n_distinct = 7, n_distinct_inherited = 8);
INSERT INTO placed VALUES ('2026-01-01', 3);
SELECT attrelid::regclass, attstattarget, (SELECT array_agg(o) FROM unnest(attoptions) o WHERE o NOT LIKE 'pg_attver=%')
FROM pg_attribute WHERE attrelid IN (SELECT show_chunks('placed', newer_than => '2025-01-01')) AND attname = 'v';
DROP PUBLICATION admin_pub;
DROP TABLE placed;
ALTER DEFAULT PRIVILEGES REVOKE DELETE ON TABLES FROM admin_reader;
DROP TABLESPACE admin_a;
DROP TABLESPACE admin_b;
-- A publication that names chunks.
CREATE TABLE told (t timestamptz);
CREATE PUBLICATION admin_pub FOR TABLE told;
SELECT create_hypertable('told');
DROP PUBLICATION admin_pub;
DROP TABLE told;
-- Unlogged stays unlogged.
CREATE UNLOGGED TABLE quick (t timestamptz, id int GENERATED BY DEFAULT AS IDENTITY);
INSERT INTO quick VALUES ('2024-01-01');
SELECT create_hypertable('quick', migrate_data => true);
SELECT relname, relpersistence FROM pg_class WHERE relname LIKE 'quick%' ORDER BY 1;
DROP TABLE quick;
REVOKE ALL ON SCHEMA public, orochi FROM "Admin Owner";
DROP ROLE "Admin Owner", admin_reader;
