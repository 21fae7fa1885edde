-- Looking at hypertables and chunks, and changing them.

CREATE FUNCTION orochi.set_chunk_time_interval(hypertable regclass, chunk_time_interval interval) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'set_chunk_time_interval_interval';
COMMENT ON FUNCTION orochi.set_chunk_time_interval(regclass, interval) IS
  'sets the length of the chunks that will be made; existing chunks stay as they are';
CREATE FUNCTION orochi.set_chunk_time_interval(hypertable regclass, chunk_time_interval bigint) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'set_chunk_time_interval_integer';
COMMENT ON FUNCTION orochi.set_chunk_time_interval(regclass, bigint) IS
  'sets the length of the chunks that will be made; existing chunks stay as they are';
CREATE FUNCTION orochi.set_chunk_time_interval(hypertable regclass, chunk_time_interval text) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'set_chunk_time_interval_text';
COMMENT ON FUNCTION orochi.set_chunk_time_interval(regclass, text) IS
  'sets the length of the chunks that will be made, reading it as the time column needs it';

CREATE FUNCTION orochi.show_chunks(hypertable regclass, older_than "any" DEFAULT NULL, newer_than "any" DEFAULT NULL)
RETURNS SETOF regclass
LANGUAGE c STABLE PARALLEL UNSAFE ROWS 1000 AS 'MODULE_PATHNAME', 'show_chunks';
COMMENT ON FUNCTION orochi.show_chunks(regclass, "any", "any") IS
  'chunks by time: those that end at or before older_than and begin at or after newer_than';

CREATE FUNCTION orochi.drop_chunks(hypertable regclass, older_than "any" DEFAULT NULL, newer_than "any" DEFAULT NULL)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'drop_chunks';
COMMENT ON FUNCTION orochi.drop_chunks(regclass, "any", "any") IS
  'drops the chunks that show_chunks lists for the same arguments, and says how many they were';

CREATE FUNCTION orochi.hypertable_size(hypertable regclass) RETURNS bigint
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
  SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint FROM pg_partition_tree(hypertable)
$$;
COMMENT ON FUNCTION orochi.hypertable_size(regclass) IS
  'bytes on disk of a hypertable with its chunks, their indexes and their TOAST';

CREATE FUNCTION orochi.chunks_detailed_size(hypertable regclass)
RETURNS TABLE (chunk regclass, table_bytes bigint, index_bytes bigint, toast_bytes bigint, total_bytes bigint)
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE ROWS 1000 SET search_path = pg_catalog AS $$
  SELECT c.oid::regclass, pg_table_size(c.oid) - t.bytes, pg_indexes_size(c.oid), t.bytes, pg_total_relation_size(c.oid)
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  CROSS JOIN LATERAL (
    SELECT CASE c.reltoastrelid WHEN 0 THEN 0 ELSE pg_total_relation_size(c.reltoastrelid) END) t(bytes)
  WHERE i.inhparent = hypertable ORDER BY c.oid::regclass::text
$$;
COMMENT ON FUNCTION orochi.chunks_detailed_size(regclass) IS 'bytes on disk of every chunk of a hypertable, by what they hold';

-- Bounds as text: the time column may be of any type of time or an integer. A bound of MINVALUE or
-- MAXVALUE, or of infinity, is shown as infinite.
--
-- The catalogs are read as of the statement's snapshot, while bound and size are those of now: a chunk
-- that another session has dropped in between has neither, and is left out. The size waits for the
-- lock of such a drop and so comes last: a chunk with a size had its bound before. The join's
-- conditions stand there again so that no plan asks for the size of tables that are no chunks.
CREATE VIEW orochi.chunks AS
SELECT h.relation AS hypertable, c.oid::regclass AS chunk,
       CASE range.bounds[1] WHEN 'MINVALUE' THEN '-infinity' ELSE trim(range.bounds[1], '''') END AS range_start,
       CASE range.bounds[2] WHEN 'MAXVALUE' THEN 'infinity' ELSE trim(range.bounds[2], '''') END AS range_end,
       CASE c.relkind WHEN 'f' THEN 'foreign' WHEN 'p' THEN 'partitioned' ELSE a.amname::text END AS place,
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END AS row_estimate,
       now.bytes
FROM orochi.hypertable h
JOIN pg_catalog.pg_inherits i ON i.inhparent = h.relation
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_expr(c.relpartbound, c.oid),
                           pg_catalog.pg_total_relation_size(c.oid)
                    WHERE c.oid = i.inhrelid AND i.inhparent = h.relation) AS now(bound, bytes)
CROSS JOIN LATERAL (SELECT pg_catalog.regexp_match(
  now.bound, '^FOR VALUES FROM \((.*)\) TO \((.*)\)$')) AS range(bounds)
WHERE now.bytes IS NOT NULL;
COMMENT ON VIEW orochi.chunks IS 'chunks of all hypertables: what they cover, where they are, how large they are';
GRANT SELECT ON orochi.chunks TO PUBLIC;

CREATE VIEW orochi.hypertables AS
SELECT h.relation AS hypertable, pg_catalog.pg_get_userbyid(c.relowner) AS owner, a.attname AS time_column,
       a.atttypid::regtype AS time_type,
       coalesce(h.chunk_interval::text, h.chunk_interval_integer::text) AS chunk_time_interval,
       (SELECT count(*) FROM pg_catalog.pg_inherits i WHERE i.inhparent = h.relation) AS chunk_count,
       orochi.hypertable_size(h.relation) AS bytes
FROM orochi.hypertable h
JOIN pg_catalog.pg_class c ON c.oid = h.relation
JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = h.relation
JOIN pg_catalog.pg_attribute a ON a.attrelid = h.relation AND a.attnum = p.partattrs[0];
COMMENT ON VIEW orochi.hypertables IS 'hypertables: time column, chunk interval, number of chunks, size';
GRANT SELECT ON orochi.hypertables TO PUBLIC;
