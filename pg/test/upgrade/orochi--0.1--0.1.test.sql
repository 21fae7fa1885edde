-- Goal: something to upgrade to while there is one version only (tap/upgrade.pl).
\echo Use "ALTER EXTENSION orochi UPDATE" to load this file. \quit

CREATE FUNCTION orochi.upgrade_probe(hypertable regclass) RETURNS bigint
LANGUAGE sql STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog AS $$
  SELECT count(*) FROM orochi.show_chunks(hypertable)
$$;
COMMENT ON FUNCTION orochi.upgrade_probe(regclass) IS 'number of chunks, in the upgrade test';
