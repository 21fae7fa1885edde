-- time_bucket: the start of the bucket that holds a time. Immutable in every form: timestamptz is
-- bucketed in UTC unless a time zone is named.

CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamp) RETURNS timestamp
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp';
COMMENT ON FUNCTION orochi.time_bucket(interval, timestamp) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamp, origin timestamp) RETURNS timestamp
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp_origin';
COMMENT ON FUNCTION orochi.time_bucket(interval, timestamp, timestamp) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamp, "offset" interval) RETURNS timestamp
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp_offset';
COMMENT ON FUNCTION orochi.time_bucket(interval, timestamp, interval) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamp, origin timestamp, "offset" interval)
RETURNS timestamp
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp_origin';
COMMENT ON FUNCTION orochi.time_bucket(interval, timestamp, timestamp, interval) IS
  'start of the bucket of the given width that holds a time';

CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamptz) RETURNS timestamptz
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp';
COMMENT ON FUNCTION orochi.time_bucket(interval, timestamptz) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamptz, origin timestamptz) RETURNS timestamptz
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp_origin';
COMMENT ON FUNCTION orochi.time_bucket(interval, timestamptz, timestamptz) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamptz, "offset" interval) RETURNS timestamptz
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp_offset';
COMMENT ON FUNCTION orochi.time_bucket(interval, timestamptz, interval) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamptz, origin timestamptz, "offset" interval)
RETURNS timestamptz
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamp_origin';
COMMENT ON FUNCTION orochi.time_bucket(interval, timestamptz, timestamptz, interval) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts timestamptz, timezone text,
                                   origin timestamptz DEFAULT NULL, "offset" interval DEFAULT NULL)
RETURNS timestamptz
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_timestamptz_zone';
COMMENT ON FUNCTION orochi.time_bucket(interval, timestamptz, text, timestamptz, interval) IS
  'start of the bucket of the given width that holds a time';

CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts date) RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_date';
COMMENT ON FUNCTION orochi.time_bucket(interval, date) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts date, origin date) RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_date_origin';
COMMENT ON FUNCTION orochi.time_bucket(interval, date, date) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts date, "offset" interval) RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_date_offset';
COMMENT ON FUNCTION orochi.time_bucket(interval, date, interval) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width interval, ts date, origin date, "offset" interval) RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_date_origin';
COMMENT ON FUNCTION orochi.time_bucket(interval, date, date, interval) IS
  'start of the bucket of the given width that holds a time';

CREATE FUNCTION orochi.time_bucket(bucket_width smallint, ts smallint) RETURNS smallint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_int2';
COMMENT ON FUNCTION orochi.time_bucket(smallint, smallint) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width smallint, ts smallint, "offset" smallint) RETURNS smallint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_int2';
COMMENT ON FUNCTION orochi.time_bucket(smallint, smallint, smallint) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width int, ts int) RETURNS int
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_int4';
COMMENT ON FUNCTION orochi.time_bucket(int, int) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width int, ts int, "offset" int) RETURNS int
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_int4';
COMMENT ON FUNCTION orochi.time_bucket(int, int, int) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width bigint, ts bigint) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_int8';
COMMENT ON FUNCTION orochi.time_bucket(bigint, bigint) IS
  'start of the bucket of the given width that holds a time';
CREATE FUNCTION orochi.time_bucket(bucket_width bigint, ts bigint, "offset" bigint) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'time_bucket_int8';
COMMENT ON FUNCTION orochi.time_bucket(bigint, bigint, bigint) IS
  'start of the bucket of the given width that holds a time';
