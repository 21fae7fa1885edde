-- Goal: values of every CQL type become PostgreSQL's and back, what PostgreSQL cannot hold follows the
-- rule of its options, and what types do not fit is refused by name.
-- Method: export rows, read them as foreign tables with and without a schema, and compare.
\getenv builddir PG_ABS_BUILDDIR
\set dir :builddir '/sstable_types'
\set file :dir '/schema.cql'
\! rm -rf "$PG_ABS_BUILDDIR/sstable_types"; mkdir "$PG_ABS_BUILDDIR/sstable_types"
CREATE SCHEMA types;
SET search_path = types, public;
SET extra_float_digits = 1;
SET intervalstyle = 'postgres';
SET timezone = 'UTC';
SET datestyle = 'ISO';

\set cql 'CREATE TYPE ks.address (street text, zip int); CREATE TYPE ks.person (name text, home frozen<address>, phones list<text>); CREATE TABLE ks.all_types (id int PRIMARY KEY, c_ascii ascii, c_bigint bigint, c_blob blob, c_boolean boolean, c_date date, c_decimal decimal, c_double double, c_duration duration, c_float float, c_inet inet, c_int int, c_smallint smallint, c_text text, c_time time, c_timestamp timestamp, c_timeuuid timeuuid, c_tinyint tinyint, c_uuid uuid, c_varint varint, l list<int>, s set<text>, m map<text, bigint>, fl frozen<list<frozen<list<int>>>>, fm frozen<map<int, text>>, t tuple<int, text, boolean>, u address, p frozen<person>, us list<frozen<address>>, v vector<float, 3>, vt vector<text, 2>);'
COPY (SELECT :'cql') TO :'file';

CREATE TYPE address AS (street text, zip int);
CREATE TYPE person AS (name text, home address, phones text[]);
CREATE TABLE source (id int, c_ascii text, c_bigint bigint, c_blob bytea, c_boolean boolean, c_date date, c_decimal numeric,
  c_double float8, c_duration interval, c_float float4, c_inet inet, c_int int, c_smallint int2, c_text text, c_time time,
  c_timestamp timestamptz, c_timeuuid uuid, c_tinyint int2, c_uuid uuid, c_varint numeric, l int[], s text[], m jsonb,
  fl jsonb, fm jsonb, t jsonb, u address, p person, us address[], v real[], vt text[]);
INSERT INTO source VALUES
 (1, 'plain', 1234567890123, '\x00ff10', true, '2024-02-29', 12.3400, 1.5e300, '1 year 2 mons 3 days 04:05:06.000007', 1.25,
  '192.168.0.1', -5, -32768, 'größe 漢字 🙂', '23:59:59.999999', '2024-02-29 12:34:56.789+00',
  '50554d6e-29bb-11e5-b345-feff819cdc9f', -128, '6ba7b810-9dad-41d1-80b4-00c04fd430c8', 123456789012345678901234567890,
  '{3,1,2}', '{b,a}', '{"x": 1, "y": -9}', '[[1, 2], [], [3]]', '{"1": "one", "-2": "two"}', '[7, "seven", true]',
  ('Main 1', 4051), ('Ada', ('Lane 2', 1), '{"+41", "112"}'), ARRAY[('A', 1), ('B', NULL)]::address[], '{1,-2.5,0}', '{one,two}'),
 (2, '', -9223372036854775808, '', false, '-infinity'::date + 1, -0.001, 'NaN', '-1 days -00:00:01', '-Infinity',
  '2001:db8::1', 2147483647, 32767, '', '00:00', '1969-12-31 23:59:59.999+00',
  '00000000-0000-1000-8080-808080808080', 127, '00000000-0000-0000-0000-000000000000', -1,
  '{}', '{}', '{}', '[]', '{}', '[null, null, null]', (NULL, NULL), (NULL, NULL, NULL), '{}', '{0,0,0}', '{"",""}');
INSERT INTO source (id) VALUES (3);
UPDATE source SET c_date = '4713-01-01 BC' WHERE id = 2;

SELECT rows, partitions, sstables FROM orochi.export_sstable('SELECT * FROM source', :'dir' || '/ks/all_types', :'cql');

CREATE SERVER files FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir :'dir', schema_file :'file');
CREATE SCHEMA imported;
IMPORT FOREIGN SCHEMA ks FROM SERVER files INTO imported;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 'imported.all_types'::regclass AND attnum > 0 ORDER BY attnum;
\d imported.person

-- Each column is as it was. Of what is not frozen, empty and null are the same in Cassandra.
\pset null '(null)'
\x on
SELECT id, c_ascii, c_bigint, c_blob, c_boolean, c_date, c_decimal, c_double, c_duration, c_float, c_inet, c_int, c_smallint,
  c_text, c_time, c_timestamp, c_timeuuid, c_tinyint, c_uuid, c_varint, l, s, m, fl, fm, t, u, p, us, v, vt
FROM imported.all_types ORDER BY id;
\x off
SELECT s.id FROM source s JOIN imported.all_types f USING (id)
WHERE (s.c_ascii, s.c_bigint, s.c_blob, s.c_boolean, s.c_date, s.c_decimal, s.c_double, s.c_duration, s.c_float, s.c_inet,
       s.c_int, s.c_smallint, s.c_text, s.c_time, s.c_timestamp, s.c_timeuuid, s.c_tinyint, s.c_uuid, s.c_varint,
       s.fl, s.fm, s.t, s.p::text, s.v, s.vt)
  IS DISTINCT FROM
      (f.c_ascii, f.c_bigint, f.c_blob, f.c_boolean, f.c_date, f.c_decimal, f.c_double, f.c_duration, f.c_float, f.c_inet,
       f.c_int, f.c_smallint, f.c_text, f.c_time, f.c_timestamp, f.c_timeuuid, f.c_tinyint, f.c_uuid, f.c_varint,
       f.fl, f.fm, f.t, f.p::text, f.v, f.vt);

-- What is read goes out again and comes back the same, in each format.
SELECT format, e.rows FROM unnest(ARRAY['nb', 'oa', 'da']) format,
  LATERAL orochi.export_sstable('SELECT * FROM imported.all_types', :'dir' || '/again/' || format || '/ks/all_types', :'cql', format, 'zstd') e;
CREATE FUNCTION came_back(format text, dir text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE rows bigint;
BEGIN
  EXECUTE format('ALTER SERVER again OPTIONS (SET data_dir %L)', dir || '/again/' || format);
  SELECT count(*) INTO rows FROM again.all_types a JOIN imported.all_types b USING (id) WHERE to_jsonb(a)::text = to_jsonb(b)::text;
  RETURN rows;
END $$;
CREATE SERVER again FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir :'dir', schema_file :'file');
CREATE SCHEMA again;
IMPORT FOREIGN SCHEMA ks FROM SERVER again INTO again;
SELECT format, came_back(format, :'dir') FROM unnest(ARRAY['nb', 'oa', 'da']) format;

-- Anything as text, jsonb or bytea; numbers as wider ones.
CREATE FOREIGN TABLE as_text (id bigint, c_decimal text, c_timestamp text, m text, p text, c_int text) SERVER files
  OPTIONS (keyspace 'ks', "table" 'all_types');
SELECT * FROM as_text ORDER BY id;
CREATE FOREIGN TABLE as_json (id int, c_int jsonb, c_uuid jsonb, l jsonb, p jsonb, c_blob json) SERVER files OPTIONS (keyspace 'ks', "table" 'all_types');
SELECT * FROM as_json ORDER BY id;
CREATE FOREIGN TABLE as_bytes (id int, c_int bytea, c_decimal bytea, fl bytea, c_float float8) SERVER files OPTIONS (keyspace 'ks', "table" 'all_types');
SELECT * FROM as_bytes ORDER BY id;

-- A user type as a composite type with some of its fields, or in another order.
CREATE TYPE part AS (zip text, street text);
CREATE FOREIGN TABLE partly (id int, u part, us part[]) SERVER files OPTIONS (keyspace 'ks', "table" 'all_types');
SELECT * FROM partly ORDER BY id;

-- A type called vector reads vectors, and import declares it.
CREATE TYPE vector;
CREATE FUNCTION vector_in(cstring) RETURNS vector LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION vector_out(vector) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE vector (INPUT = vector_in, OUTPUT = vector_out, LIKE = text);
CREATE SCHEMA with_vector;
IMPORT FOREIGN SCHEMA ks FROM SERVER files INTO with_vector OPTIONS (import_user_types 'jsonb');
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 'with_vector.all_types'::regclass AND attname IN ('p', 'u', 'us', 'v', 'vt') ORDER BY attname;
SELECT id, v, p FROM with_vector.all_types ORDER BY id;

-- Times to the nanosecond, and conditions on them.
SELECT rows FROM orochi.export_sstable($$SELECT 1 AS id, * FROM (VALUES (1::bigint), (86399999999999), (45000000000001)) v (t)$$, :'dir' || '/ks/times', 'CREATE TABLE ks.times (id int, t time, PRIMARY KEY (id, t))');
CREATE SERVER times FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir :'dir');
CREATE FOREIGN TABLE times (id int OPTIONS (column_name 'key'), t bigint OPTIONS (column_name 'ck0'), clock time OPTIONS (column_name 'ck0'), shown text OPTIONS (column_name 'ck0')) SERVER times OPTIONS (keyspace 'ks');
SELECT t, clock, shown FROM times;
SELECT t FROM times WHERE id = 1 AND t > 1;
SELECT t FROM times WHERE id = 1 AND clock = '12:30';
EXPLAIN (COSTS OFF) SELECT t FROM times WHERE id = 1 AND t > 1 AND clock = '12:30';
SELECT rows FROM orochi.export_sstable($$SELECT -1::bigint AS t, 1 AS id$$, :'dir' || '/ks/times_wrong', 'CREATE TABLE ks.times (id int, t time, PRIMARY KEY (id, t))');

-- Types that do not fit.
CREATE FOREIGN TABLE misfit (id int, c_text int) SERVER files OPTIONS (keyspace 'ks', "table" 'all_types');
SELECT * FROM misfit;
SELECT id FROM misfit ORDER BY id;
CREATE FOREIGN TABLE narrow (id int, c_bigint int) SERVER files OPTIONS (keyspace 'ks', "table" 'all_types');
SELECT * FROM narrow;
CREATE FOREIGN TABLE short_text (id int, c_text varchar(3)) SERVER files OPTIONS (keyspace 'ks', "table" 'all_types');
SELECT * FROM short_text;
CREATE TYPE other_part AS (street text, country text);
CREATE FOREIGN TABLE other_fields (id int, u other_part) SERVER files OPTIONS (keyspace 'ks', "table" 'all_types');
SELECT * FROM other_fields;
CREATE FOREIGN TABLE no_column (id int, missing int) SERVER files OPTIONS (keyspace 'ks', "table" 'all_types');
SELECT * FROM no_column;
-- A type of that name with other fields stops the import, and nothing is left of it.
CREATE SCHEMA taken;
CREATE TYPE taken.address AS (street text);
IMPORT FOREIGN SCHEMA ks FROM SERVER files INTO taken;
SELECT count(*) FROM pg_class WHERE relnamespace = 'taken'::regnamespace AND relkind = 'f';

-- What PostgreSQL does not have: dates and times far away, decimals of any size, values without bytes.
SELECT rows FROM orochi.export_sstable($$
  SELECT * FROM (VALUES
    (1, '9223372036854775807', '5881580-07-11', '1.5', '7'),
    (2, '-9223372036854775808', '-5877641-06-23', '2E+200000', '8'),
    (3, '2024-01-01', '2024-01-01', '1E-20000', '')) v (id, t, d, n, i)$$,
  :'dir' || '/ks/far', 'CREATE TABLE ks.far (id int PRIMARY KEY, t timestamp, d date, n decimal, i int)');
\set far 'CREATE TABLE ks.far (id int PRIMARY KEY, t timestamp, d date, n decimal, i int)'
COPY (SELECT :'far') TO :'file';
CREATE FOREIGN TABLE far (id int, t timestamptz, d date, n numeric, i int) SERVER files OPTIONS (keyspace 'ks');
SELECT id, t FROM far;
SELECT id, d FROM far;
SELECT id, n FROM far;
SELECT id, i FROM far ORDER BY id;
ALTER FOREIGN TABLE far OPTIONS (out_of_range 'infinity');
SELECT id, t, d FROM far ORDER BY id;
SELECT id, n FROM far;
ALTER FOREIGN TABLE far OPTIONS (SET out_of_range 'null', empty_values 'error');
SELECT id, t, d, n FROM far ORDER BY id;
SELECT id, i FROM far;
CREATE FOREIGN TABLE far_text (id int, t text, d text, i text) SERVER files OPTIONS (keyspace 'ks', "table" 'far');
SELECT * FROM far_text ORDER BY id;

RESET search_path;
SET client_min_messages = warning;
DROP SERVER files, again, times CASCADE;
DROP SCHEMA types, imported, with_vector, taken, again CASCADE;
