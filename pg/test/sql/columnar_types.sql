-- Goal: a columnar table gives back every value of every built-in type bit for bit, NULLs, edge
-- values and values of megabytes included. Method: a heap twin with the same rows, compared as text
-- (floats and times print exactly) and through binary output.
CREATE SCHEMA columnar_types;
SET search_path = columnar_types;
SELECT count(*) AS stripes_before FROM orochi.columnar_stripe \gset
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TYPE float_range AS RANGE (subtype = float8);
CREATE TABLE on_heap (
  b bool, c "char", i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, num numeric, cash money,
  t text, vc varchar(10), bp char(8), nm name, by bytea,
  d date, ti time, tz timetz, ts timestamp, tsz timestamptz, iv interval,
  u uuid, inet inet, cidr cidr, mac macaddr, mac8 macaddr8, bt bit(5), vb varbit,
  pt point, ln line, ls lseg, bx box, pa path, po polygon, ci circle,
  j json, jb jsonb, x xml, tv tsvector, tq tsquery, o oid, rc regclass, lsn pg_lsn, snap txid_snapshot,
  e mood, p pair, dm positive, ia int[], ta text[], pairs pair[], ma int[][],
  r int4range, nr numrange, mr int4multirange, fr float_range);
CREATE TABLE on_columnar (LIKE on_heap) USING columnar;
INSERT INTO on_heap VALUES (
  true, 'x', 1, 2, 3, 1.5, 2.5, 123.456, '$12.34',
  'text', 'varchar', 'bpchar', 'name', '\xdeadbeef',
  '2024-02-29', '12:34:56.789', '12:34:56+03', '2024-01-01 00:00:01', '2024-01-01 00:00:01+00',
  '1 mon 2 days 03:04:05',
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.1.2.3/8', '10.0.0.0/8', '08:00:2b:01:02:03',
  '08:00:2b:01:02:03:04:05', '10101', '110',
  '(1,2)', '{1,2,3}', '[(1,2),(3,4)]', '(1,2),(3,4)', '((1,2),(3,4))', '((1,2),(3,4),(5,6))',
  '<(1,2),3>',
  '{"a": 1}', '{"a": [1,2,null]}', '<a/>', 'a b c', 'a & b', 4294967295, 'pg_class', '0/16B3748',
  '10:20:10,14,15',
  'happy', row(1, 'x'), 5, '{1,NULL,3}', '{a,NULL,"c d"}', array[row(1, 'x')::pair, null],
  '{{1,2},{3,4}}',
  '[1,5)', '[1.5,2.5]', '{[1,2),[5,6)}', '[1.5,2.5)');
INSERT INTO on_heap VALUES (
  false, E'\\200'::"char", -32768, -2147483648, -9223372036854775808, '-0', 'NaN', 'NaN', -1,
  '', '', '', '', '',
  '-infinity', '24:00', '00:00+15:59', 'infinity', '-infinity', '-178000000 years');
INSERT INTO on_heap (i2, i4, i8, f4, f8, num, d, tsz) VALUES
  (32767, 2147483647, 9223372036854775807, 'NaN', '-inf', '1e1000', 'infinity', 'infinity'),
  (0, 0, 0, 'inf', '-0', '-0.00', '4713-01-01 BC', '294276-12-31 23:59:59.999999+00'),
  (-1, -1, -1, '1e-45', '4.9e-324', repeat('9', 2000)::numeric, '5874897-12-31', '4713-01-01 BC');
INSERT INTO on_heap (t, by) SELECT repeat('long ', 200000), decode(repeat('00ff', 5000), 'hex');
INSERT INTO on_heap (t) SELECT string_agg(md5(i::text), '') FROM generate_series(1, 5000) i;
INSERT INTO on_heap (ia, ta) SELECT array_agg(i), array_agg(repeat('é', i % 50)) FROM generate_series(1, 5000) i;
INSERT INTO on_heap DEFAULT VALUES;
INSERT INTO on_columnar SELECT * FROM on_heap;
SELECT count(*) FROM on_columnar;
(SELECT on_heap::text FROM on_heap EXCEPT ALL SELECT on_columnar::text FROM on_columnar)
UNION ALL
(SELECT on_columnar::text FROM on_columnar EXCEPT ALL SELECT on_heap::text FROM on_heap);
SELECT count(*) AS equal_binary FROM on_heap x1 JOIN on_columnar x2
  ON record_send(x1) = record_send(x2);
-- Values back into heap are ordinary values.
CREATE TABLE back AS SELECT * FROM on_columnar;
SELECT count(*) AS equal_again FROM on_heap x1 JOIN back x2 ON record_send(x1) = record_send(x2);

-- NULL patterns across row groups, and a value that comes compressed out of line.
SET orochi.columnar_row_group_rows = 64;
SET orochi.columnar_stripe_rows = 1000;
CREATE TABLE nulls_heap AS
  SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE i END AS a,
         CASE WHEN i BETWEEN 100 AND 300 THEN NULL ELSE md5(i::text) END AS b,
         NULL::float8 AS c, CASE WHEN i = 777 THEN true END AS d
  FROM generate_series(1, 3333) i;
CREATE TABLE nulls_columnar USING columnar AS TABLE nulls_heap;
SELECT count(*), count(a), count(b), count(c), count(d) FROM nulls_columnar;
(TABLE nulls_heap EXCEPT ALL TABLE nulls_columnar) UNION ALL
(TABLE nulls_columnar EXCEPT ALL TABLE nulls_heap);
SELECT stripe, rows, row_groups FROM orochi.columnar_stripes('nulls_columnar');
RESET orochi.columnar_row_group_rows;
RESET orochi.columnar_stripe_rows;
-- Longer than the write memory: a stripe of its own.
SET maintenance_work_mem = '1MB';
CREATE TABLE large (id int, t text) USING columnar;
INSERT INTO large VALUES (1, 'before'), (2, repeat('0123456789', 300000)), (3, 'after');
SELECT id, length(t), md5(t) = md5(repeat('0123456789', 300000)) AS same FROM large ORDER BY id;
INSERT INTO large SELECT i, repeat(md5(i::text), 1000) FROM generate_series(10, 209) i;
SELECT count(*), sum(length(t)) FROM large WHERE id >= 10;
RESET maintenance_work_mem;
DROP TABLE on_heap, on_columnar, back, nulls_heap, nulls_columnar, large;
DROP TYPE mood, pair, positive, float_range;
SELECT count(*) - :stripes_before AS stripes_left FROM orochi.columnar_stripe;
DROP SCHEMA columnar_types;
