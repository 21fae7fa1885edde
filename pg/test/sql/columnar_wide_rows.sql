-- Goal: a columnar table takes exactly the rows that heap takes, however wide: what it took can be
-- updated, dumped and moved back to heap.
-- Method: the same rows, about as wide as a page and wider, go to both in each way there is; verdicts
-- and rows are compared, then all rows change and move.
CREATE FUNCTION columns(type text, count int) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('c%s %s', i, type), ', ') FROM generate_series(1, count) i $$;
-- What becomes of a command: how many rows, or the error without its size.
CREATE FUNCTION try(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE n bigint; BEGIN EXECUTE command; GET DIAGNOSTICS n = ROW_COUNT; RETURN n || ' rows';
EXCEPTION WHEN program_limit_exceeded THEN RETURN regexp_replace(sqlerrm, 'size \d+, ', ''); END $$;
CREATE FUNCTION make(name text, type text, count int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE h_%s (id int, %s) USING heap', name, columns(type, count));
  EXECUTE format('CREATE TABLE c_%s (id int, %s) USING columnar', name, columns(type, count));
END $$;
SELECT make('big', 'bigint', 1500), make('words', 'text', 600), make('plain', 'text', 3);
ALTER TABLE h_plain ALTER c1 SET STORAGE plain;
ALTER TABLE c_plain ALTER c1 SET STORAGE plain;

-- Rows with values in their first columns and NULL in the others.
CREATE FUNCTION rows_of(name text, value text, filled int, count int, row_count int) RETURNS text LANGUAGE sql AS $$
  SELECT format('INSERT INTO %s SELECT i, %s FROM generate_series(1, %s) i', name,
    string_agg(CASE WHEN n <= filled THEN replace(value, 'n', n::text) ELSE 'NULL' END, ', '), row_count)
  FROM generate_series(1, count) n $$;
CREATE FUNCTION compare(name text, value text, count int, filled int[], row_counts int[])
RETURNS TABLE (filled_columns int, row_count int, heap text, same boolean) LANGUAGE sql AS $$
  SELECT f, r, h, h = try(rows_of('c_' || name, value, f, count, r))
  FROM unnest(filled) f, unnest(row_counts) r, LATERAL (SELECT try(rows_of('h_' || name, value, f, count, r)) AS h) t $$;
SET orochi.columnar_row_page_rows = 5;
-- One alone, then as many at once as go to stripes.
SELECT * FROM compare('big', 'i', 1500, '{900, 992, 993, 1500}', '{1, 12}');
SELECT * FROM compare('words', 'substr(md5(i::text), 1, n % 16)', 600, '{600}', '{1, 12}');
SELECT * FROM compare('words', 'repeat(md5(i::text), 2)', 600, '{440, 446, 447, 448, 449, 600}', '{1, 12}');
SELECT * FROM compare('plain', 'repeat(md5(i::text), 250)', 3, '{1, 3}', '{1, 12}');
SELECT * FROM compare('plain', 'repeat(md5(i::text), 256)', 3, '{1, 3}', '{1, 12}');
SET orochi.columnar_row_page_rows = 0;
SELECT * FROM compare('big', 'i', 1500, '{992, 1000, 1500}', '{1}');
SELECT try('CREATE TABLE made USING columnar AS SELECT i AS id, '
  || (SELECT string_agg('i::bigint AS c' || n, ', ') FROM generate_series(1, 1500) n) || ' FROM generate_series(1, 10) i');

-- What was taken can change and move.
CREATE FUNCTION compare_all() RETURNS TABLE (name text, differences bigint) LANGUAGE plpgsql AS $$
BEGIN
  FOREACH name IN ARRAY '{big, words, plain}'::text[] LOOP
    EXECUTE format('SELECT count(*) FROM ((TABLE h_%1$s EXCEPT ALL TABLE c_%1$s) UNION ALL (TABLE c_%1$s EXCEPT ALL TABLE h_%1$s)) d', name)
      INTO differences;
    RETURN NEXT;
  END LOOP;
END $$;
SELECT * FROM compare_all();
SELECT n, try(format('UPDATE h_%s SET id = id + 1', n)) AS heap, try(format('UPDATE c_%s SET id = id + 1', n)) AS columnar
FROM unnest('{big, words, plain}'::text[]) n;
VACUUM c_big, c_words, c_plain;
SELECT n, try(format('UPDATE h_%s SET id = id + 1', n)) AS heap, try(format('UPDATE c_%s SET id = id + 1', n)) AS columnar
FROM unnest('{big, words, plain}'::text[]) n;
VACUUM FULL c_big, c_words, c_plain;
SELECT * FROM compare_all();
ALTER TABLE c_big SET ACCESS METHOD heap;
ALTER TABLE c_words SET ACCESS METHOD heap;
ALTER TABLE c_plain SET ACCESS METHOD heap;
SELECT * FROM compare_all();
DROP TABLE h_big, c_big, h_words, c_words, h_plain, c_plain;
DROP FUNCTION compare_all, compare, rows_of, make, try, columns;
