-- time_bucket: the start of the bucket that holds a time. Immutable in every form: timestamptz is
-- bucketed in UTC unless a time zone is named.

CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamp) RETURNS timestamp
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamp, origin timestamp) RETURNS timestamp
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp_origin';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamp, "offset" interval) RETURNS timestamp
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp_offset';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamp, origin timestamp, "offset" interval)
RETURNS timestamp
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp_origin';

CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamptz) RETURNS timestamptz
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamptz, origin timestamptz) RETURNS timestamptz
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp_origin';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamptz, "offset" interval) RETURNS timestamptz
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp_offset';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamptz, origin timestamptz, "offset" interval)
RETURNS timestamptz
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp_origin';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamptz, timezone text,
                                   origin timestamptz DEFAULT NULL, "offset" interval DEFAULT NULL)
RETURNS timestamptz
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamptz_zone';

CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts date) RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_date';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts date, origin date) RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_date_origin';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts date, "offset" interval) RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_date_offset';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts date, origin date, "offset" interval) RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_date_origin';

CREATE FUNCTION orochi.time_bucket(bucket_width smallint, ts smallint) RETURNS smallint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_int2';
CREATE FUNCTION orochi.time_bucket(bucket_width smallint, ts smallint, "offset" smallint) RETURNS smallint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_int2';
CREATE FUNCTION orochi.time_bucket(bucket_width int, ts int) RETURNS int
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_int4';
CREATE FUNCTION orochi.time_bucket(bucket_width int, ts int, "offset" int) RETURNS int
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_int4';
CREATE FUNCTION orochi.time_bucket(bucket_width bigint, ts bigint) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_int8';
CREATE FUNCTION orochi.time_bucket(bucket_width bigint, ts bigint, "offset" bigint) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_int8';

DO $$
DECLARE
  bucket regprocedure;
BEGIN
  FOR bucket IN
    SELECT oid FROM pg_catalog.pg_proc
    WHERE proname = 'time_bucket' AND pronamespace = 'orochi'::regnamespace
  LOOP
    EXECUTE format('COMMENT ON FUNCTION %s IS %L', bucket,
                   'start of the bucket of the given width that holds a time');
  END LOOP;
END $$;
