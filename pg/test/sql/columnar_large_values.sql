-- Goal: rows with a value of 8 MiB or more stay on row pages, the value in the TOAST table, whatever
-- brings or moves them: INSERT in bulk, COPY, VACUUM, VACUUM FULL, CLUSTER, ALTER TABLE, moves of
-- chunks. Other rows of the same commands go to stripes.
-- Method: counts of rows in stripes and on row pages after each; values compared with those of a heap
-- table; slices read.
SET orochi.columnar_row_page_rows = 0;
CREATE FUNCTION large(i int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT repeat(md5(i::text), 300000) $$;
CREATE TABLE plain (id int PRIMARY KEY, note text, doc text);
INSERT INTO plain SELECT i, 'n' || i, CASE WHEN i % 50 = 7 THEN large(i) ELSE md5(i::text) END FROM generate_series(1, 120) i;
CREATE TABLE item (id int PRIMARY KEY, note text, doc text) USING columnar;
CREATE FUNCTION compare() RETURNS TABLE (stripe_rows bigint, row_page_rows bigint, differences bigint) LANGUAGE sql AS $$
  SELECT s.stripe_rows, s.row_page_rows,
    (SELECT count(*) FROM (SELECT id, note, length(doc), md5(doc) FROM item EXCEPT ALL SELECT id, note, length(doc), md5(doc) FROM plain) x)
    + (SELECT count(*) FROM (SELECT id, note, length(doc), md5(doc) FROM plain EXCEPT ALL SELECT id, note, length(doc), md5(doc) FROM item) x)
  FROM orochi.columnar_table_stats('item') s
$$;

INSERT INTO item SELECT * FROM plain;
SELECT * FROM compare();
VACUUM item;
SELECT * FROM compare();
VACUUM FULL item;
SELECT * FROM compare();
CLUSTER item USING item_pkey;
SELECT * FROM compare();
ALTER TABLE item ALTER COLUMN id TYPE bigint;
SELECT * FROM compare();
UPDATE item SET note = note || '!' WHERE id IN (7, 8, 57);
UPDATE plain SET note = note || '!' WHERE id IN (7, 8, 57);
SET orochi.columnar_row_page_rows = 1;
VACUUM item;
VACUUM item;
SELECT * FROM compare();
SELECT id, substr(doc, 9000000, 40), octet_length(doc) FROM item WHERE id = 57;
DELETE FROM item WHERE id = 7;
DELETE FROM plain WHERE id = 7;
VACUUM item;
SELECT * FROM compare();
SET orochi.columnar_row_page_rows = 0;

-- Moves there and back.
CREATE TABLE doc (time timestamptz NOT NULL, id int, doc text);
SELECT orochi.create_hypertable('doc', 'time', interval '1 day');
INSERT INTO doc SELECT timestamptz '2024-01-01', id, doc FROM plain;
SELECT count(*) FROM orochi.show_chunks('doc') c, orochi.compress_chunk(c);
SELECT s.stripe_rows, s.row_page_rows FROM orochi.show_chunks('doc') c, orochi.columnar_table_stats(c) s;
SELECT count(*) FROM doc JOIN plain USING (id) WHERE doc.doc = plain.doc;
SELECT count(*) FROM orochi.show_chunks('doc') c, orochi.decompress_chunk(c);
SELECT count(*) FROM doc JOIN plain USING (id) WHERE doc.doc = plain.doc;

CREATE TABLE made USING columnar AS SELECT * FROM plain;
SELECT stripe_rows, row_page_rows FROM orochi.columnar_table_stats('made');
BEGIN;
TRUNCATE item;
COPY item (id, note, doc) FROM PROGRAM $$perl -e 'print "1\ta\t", "x" x 9000000, "\n2\tb\tc\n"'$$ WITH (FREEZE);
SELECT id, note, length(doc) FROM item ORDER BY id;
COMMIT;
SELECT stripe_rows, row_page_rows FROM orochi.columnar_table_stats('item');
DROP TABLE plain, item, doc, made;
DROP FUNCTION compare, large;
