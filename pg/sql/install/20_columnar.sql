-- Columnar tables: CREATE TABLE ... USING columnar.

CREATE SEQUENCE orochi.columnar_storage_id_seq;
COMMENT ON SEQUENCE orochi.columnar_storage_id_seq IS
  'identities of columnar storages, never reused';

-- One row per stripe. Its visibility is the visibility of the stripe's rows. Not dumped: the rows
-- of a columnar table are, and make new stripes when restored.
CREATE TABLE orochi.columnar_stripe (
  storage_id bigint NOT NULL,
  stripe_number bigint NOT NULL,
  first_row_number bigint NOT NULL,
  row_count bigint NOT NULL,
  offset_bytes bigint NOT NULL,
  size_bytes bigint NOT NULL,
  footer_size_bytes integer NOT NULL,
  row_group_count integer NOT NULL,
  previous_offset_bytes bigint NOT NULL,
  relocated_by bigint NOT NULL,
  moved_by bigint NOT NULL,
  PRIMARY KEY (storage_id, stripe_number)
);
-- A logical subscriber must not delete stripes of its own because of ours.
ALTER TABLE orochi.columnar_stripe REPLICA IDENTITY NOTHING;
CREATE INDEX columnar_stripe_by_row ON orochi.columnar_stripe (storage_id, first_row_number);
GRANT SELECT ON orochi.columnar_stripe TO PUBLIC;
COMMENT ON TABLE orochi.columnar_stripe IS
  'stripes of all columnar tables of this database, by storage; written by the access method only';

CREATE FUNCTION orochi.columnar_handler(internal) RETURNS table_am_handler
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'orochi_columnar_handler';
COMMENT ON FUNCTION orochi.columnar_handler(internal) IS 'handler of the access method columnar';

CREATE ACCESS METHOD columnar TYPE TABLE HANDLER orochi.columnar_handler;
COMMENT ON ACCESS METHOD columnar IS 'compressed column stripes';

CREATE FUNCTION orochi.columnar_storage_id(relation regclass) RETURNS bigint
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'orochi_columnar_storage_id';
COMMENT ON FUNCTION orochi.columnar_storage_id(regclass) IS
  'identity of the data of a columnar table, the key of orochi.columnar_stripe';

CREATE FUNCTION orochi.columnar_chunks(
  relation regclass,
  OUT stripe bigint, OUT row_group integer, OUT column_name name,
  OUT encoding text, OUT compression text, OUT rows bigint, OUT nulls bigint, OUT bytes bigint,
  OUT min text, OUT max text
) RETURNS SETOF record
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED ROWS 1000
AS 'MODULE_PATHNAME', 'orochi_columnar_chunks';
COMMENT ON FUNCTION orochi.columnar_chunks(regclass) IS
  'column chunks of a columnar table: encoding, size and range of each';

CREATE FUNCTION orochi.columnar_stripes(
  relation regclass,
  OUT stripe bigint, OUT first_row_number bigint, OUT rows bigint, OUT row_groups integer,
  OUT offset_bytes bigint, OUT bytes bigint
) RETURNS SETOF record
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED ROWS 100
AS 'MODULE_PATHNAME', 'orochi_columnar_stripes';
COMMENT ON FUNCTION orochi.columnar_stripes(regclass) IS 'stripes of a columnar table that the query sees';

-- Statistics show values: only of tables the user may read.
CREATE VIEW orochi.columnar_chunks AS
  SELECT c.oid::regclass AS relation, k.*
  FROM pg_class c
  JOIN pg_am a ON a.oid = c.relam AND a.amname = 'columnar',
  LATERAL orochi.columnar_chunks(c.oid) k
  WHERE c.relkind IN ('r', 'm') AND NOT pg_is_other_temp_schema(c.relnamespace)
    AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid);
GRANT SELECT ON orochi.columnar_chunks TO PUBLIC;
COMMENT ON VIEW orochi.columnar_chunks IS 'column chunks of all columnar tables the user may read';

CREATE VIEW orochi.columnar_stripes AS
  SELECT c.oid::regclass AS relation, s.*
  FROM pg_class c
  JOIN pg_am a ON a.oid = c.relam AND a.amname = 'columnar',
  LATERAL orochi.columnar_stripes(c.oid) s
  WHERE c.relkind IN ('r', 'm') AND NOT pg_is_other_temp_schema(c.relnamespace)
    AND has_table_privilege(c.oid, 'SELECT');
GRANT SELECT ON orochi.columnar_stripes TO PUBLIC;
COMMENT ON VIEW orochi.columnar_stripes IS 'stripes of all columnar tables the user may read';
