-- Moving a table between places: heap and columnar.

CREATE FUNCTION orochi.compress_chunk(chunk regclass, if_not_compressed boolean DEFAULT true, order_by text DEFAULT NULL)
RETURNS regclass
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'orochi_compress_chunk';
COMMENT ON FUNCTION orochi.compress_chunk(regclass, boolean, text) IS
  'makes a chunk columnar while it is being read; order_by is the order of its rows';

CREATE FUNCTION orochi.decompress_chunk(chunk regclass, if_compressed boolean DEFAULT true)
RETURNS regclass
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'orochi_decompress_chunk';
COMMENT ON FUNCTION orochi.decompress_chunk(regclass, boolean) IS
  'makes a chunk heap again while it is being read';

CREATE FUNCTION orochi.move_chunk(chunk regclass, access_method name, order_by text DEFAULT NULL)
RETURNS regclass
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'orochi_move_chunk';
COMMENT ON FUNCTION orochi.move_chunk(regclass, name, text) IS
  'rewrites a chunk in an access method (heap or columnar), the one it has included, while it is being read';

CREATE FUNCTION orochi.recluster(relation regclass) RETURNS regclass
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'orochi_recluster';
COMMENT ON FUNCTION orochi.recluster(regclass) IS
  'rewrites a columnar table or chunk in its order while it is being read';

-- Many chunks, each in a transaction of its own: no lock is held for longer than one chunk's last
-- step, and a move that has to wait does so holding nothing that readers need. A chunk too busy to be
-- moved is left for the next time. COMMIT forbids a SET clause; every name is qualified instead.
CREATE PROCEDURE orochi.move_each_chunk(command text, hypertable regclass, older_than text, newer_than text,
  order_by text DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
  place CONSTANT name := CASE WHEN command OPERATOR(pg_catalog.=) 'compress' THEN 'heap' ELSE 'columnar' END;
  chunk regclass;
BEGIN
  FOR chunk IN
    SELECT c FROM orochi.show_chunks(hypertable, older_than, newer_than) c
    JOIN pg_catalog.pg_class k ON k.oid OPERATOR(pg_catalog.=) c
    JOIN pg_catalog.pg_am a ON a.oid OPERATOR(pg_catalog.=) k.relam
    WHERE a.amname OPERATOR(pg_catalog.=) place
  LOOP
    BEGIN
      IF command OPERATOR(pg_catalog.=) 'compress' THEN
        PERFORM orochi.compress_chunk(chunk, true, order_by);
      ELSIF command OPERATOR(pg_catalog.=) 'decompress' THEN
        PERFORM orochi.decompress_chunk(chunk);
      ELSE
        PERFORM orochi.recluster(chunk);
      END IF;
    EXCEPTION WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN
      RAISE WARNING 'chunk % stays as it is: %', chunk, SQLERRM;
    END;
    COMMIT;
  END LOOP;
END $$;
COMMENT ON PROCEDURE orochi.move_each_chunk(text, regclass, text, text, text) IS
  'what compress_chunks, decompress_chunks and recluster_chunks do';

CREATE PROCEDURE orochi.compress_chunks(hypertable regclass, older_than text DEFAULT NULL,
  newer_than text DEFAULT NULL, order_by text DEFAULT NULL)
LANGUAGE plpgsql AS $$
BEGIN
  CALL orochi.move_each_chunk('compress', hypertable, older_than, newer_than, order_by);
END $$;
COMMENT ON PROCEDURE orochi.compress_chunks(regclass, text, text, text) IS
  'makes the heap chunks of a hypertable columnar, each in its own transaction';

CREATE PROCEDURE orochi.decompress_chunks(hypertable regclass, older_than text DEFAULT NULL,
  newer_than text DEFAULT NULL)
LANGUAGE plpgsql AS $$
BEGIN
  CALL orochi.move_each_chunk('decompress', hypertable, older_than, newer_than);
END $$;
COMMENT ON PROCEDURE orochi.decompress_chunks(regclass, text, text) IS
  'makes the columnar chunks of a hypertable heap again, each in its own transaction';

CREATE PROCEDURE orochi.recluster_chunks(hypertable regclass, older_than text DEFAULT NULL,
  newer_than text DEFAULT NULL)
LANGUAGE plpgsql AS $$
BEGIN
  CALL orochi.move_each_chunk('recluster', hypertable, older_than, newer_than);
END $$;
COMMENT ON PROCEDURE orochi.recluster_chunks(regclass, text, text) IS
  'rewrites the columnar chunks of a hypertable in their order, each in its own transaction';
