\echo Use "CREATE EXTENSION orochi" to load this file. \quit

GRANT USAGE ON SCHEMA orochi TO PUBLIC;

CREATE FUNCTION orochi.orochi_version() RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'orochi_version';
COMMENT ON FUNCTION orochi.orochi_version() IS 'version of the loaded orochi library';
