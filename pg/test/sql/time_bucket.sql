-- Goal: time_bucket gives the start of the bucket for every type, width, origin, offset and time
-- zone, and errors where there is none. Method: published examples, calendar corners, both changes
-- of the clocks, and date_bin as an independent witness for fixed widths.
SET timezone = 'America/New_York';  -- no result may depend on it
SET search_path = orochi, public;
SET datestyle = ISO;
SET intervalstyle = postgres;

-- The usual ones.
SELECT time_bucket('5 minutes', timestamp '2024-03-05 12:34:56.789');
SELECT time_bucket('1 day', timestamptz '2024-03-05 12:34:56+00') AT TIME ZONE 'UTC';
SELECT time_bucket('1 week', date '2024-02-29');
SELECT time_bucket('3 weeks', timestamp '2024-02-29 10:00');
SELECT width, time_bucket(width, timestamp '2024-08-17 23:59:59.999999') FROM unnest(ARRAY[
  '1 month', '2 months', '3 months', '5 months', '1 year', '10 years', '1 century']::interval[]) width;

-- Times before the origin round down, too.
SELECT time_bucket('1 hour', timestamp '1999-12-31 23:59:59.999999'),
       time_bucket('1 month', timestamp '1969-07-20 20:17'),
       time_bucket('1 year', timestamp '0044-03-15 12:00 BC'),
       time_bucket('1 week', date '1999-12-31');

-- Origin and offset.
SELECT time_bucket('1 week', timestamp '2024-02-29 10:00', timestamp '2000-01-02'),
       time_bucket('1 week', timestamp '2024-02-29 10:00', origin => '2000-01-02'),
       time_bucket('5 minutes', timestamp '2024-03-05 12:34:56', "offset" => '-2.5 minutes'),
       time_bucket('1 month', timestamp '2024-03-03 10:00', "offset" => '5 days'),
       time_bucket('1 year', timestamp '2024-03-31', "offset" => '3 months'),
       time_bucket('2 months', timestamp '2024-04-30', origin => timestamp '2000-02-01'),
       time_bucket('1 day', timestamp '2024-03-05 03:00', timestamp '2000-01-01', interval '6 hours');
SELECT time_bucket('1 week', date '2024-02-29', date '2000-01-02'),
       time_bucket('1 week', date '2024-02-29', "offset" => '-1 day'),
       time_bucket('1 month', date '2024-02-29', "offset" => '28 days');

-- Time zones: days of 23 and 25 hours, and the repeated hour of autumn.
SELECT time_bucket('1 day', ts, 'Europe/Berlin') AT TIME ZONE 'UTC' AS day_start_utc, count(*)
FROM generate_series(timestamptz '2024-03-30 12:00+00', '2024-04-01 12:00+00', '1 hour') ts GROUP BY 1 ORDER BY 1;
SELECT time_bucket('1 day', ts, 'Europe/Berlin') AT TIME ZONE 'UTC' AS day_start_utc, count(*)
FROM generate_series(timestamptz '2024-10-26 12:00+00', '2024-10-28 12:00+00', '1 hour') ts GROUP BY 1 ORDER BY 1;
SELECT ts AT TIME ZONE 'UTC' AS utc, time_bucket('1 hour', ts, 'Europe/Berlin') AT TIME ZONE 'UTC' AS bucket_utc
FROM generate_series(timestamptz '2024-10-26 23:30+00', '2024-10-27 02:30+00', '1 hour') ts;
SELECT time_bucket('1 month', timestamptz '2024-02-29 23:30+00', 'Europe/Berlin') AT TIME ZONE 'Europe/Berlin',
       time_bucket('1 week', timestamptz '2024-02-29 23:30+00', 'Asia/Kathmandu', "offset" => '1 day') AT TIME ZONE 'Asia/Kathmandu',
       time_bucket('1 month', timestamptz '2024-02-29 23:30+00', 'Europe/Berlin', timestamptz '2023-12-31 23:00+00') AT TIME ZONE 'Europe/Berlin',
       time_bucket('1 day', timestamptz '2024-07-01 22:30+00', 'CET') AT TIME ZONE 'UTC' AS fixed_abbreviation,
       time_bucket('1 day', timestamptz '2024-07-01 22:30+00', 'EST5EDT') AT TIME ZONE 'UTC' AS with_summer_time;
-- Midnight that clocks skip (Sao Paulo 2018-11-04) and midnight that they show twice (Havana 2024-11-03).
SELECT time_bucket('1 day', timestamptz '2018-11-04 12:00+00', 'America/Sao_Paulo') AT TIME ZONE 'UTC' AS skipped;
SELECT time_bucket('1 day', ts, 'America/Havana') AT TIME ZONE 'UTC' AS repeated, count(*)
FROM generate_series(timestamptz '2024-11-03 04:30+00', '2024-11-04 04:30+00', '1 hour') ts GROUP BY 1 ORDER BY 1;
-- A bucket never begins after a time it holds, in any zone around any change of its clocks.
SELECT count(*) AS checked, count(*) FILTER (WHERE bucket > ts) AS begins_late,
       count(*) FILTER (WHERE ts - bucket > width + interval '1 hour') AS ends_early
FROM (SELECT ts, width, time_bucket(width, ts, zone) AS bucket
      FROM unnest(ARRAY['Europe/Berlin', 'America/Havana', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Africa/Casablanca']) zone,
           unnest(ARRAY['7 minutes', '40 minutes', '1 hour', '5 hours', '1 day', '3 days']::interval[]) width,
           generate_series(timestamptz '2024-01-01 00:00+00', '2025-01-01 00:00+00', '17 minutes 3.5 seconds') ts) x;

-- Integers.
SELECT time_bucket(10, 27), time_bucket(10, -27), time_bucket(10, 27, 5), time_bucket(10, 3, 5),
       time_bucket(10::smallint, -1::smallint), time_bucket(10::bigint, 9223372036854775807),
       time_bucket(10::smallint, 27::smallint, 5::smallint), time_bucket(10::bigint, -27::bigint, -3::bigint);

-- Infinity and NULL pass through.
SELECT time_bucket('1 day', timestamp 'infinity'), time_bucket('1 month', timestamptz '-infinity'),
       time_bucket('1 day', date 'infinity'), time_bucket('1 hour', timestamptz 'infinity', 'Europe/Berlin'),
       time_bucket('1 hour', NULL::timestamp) IS NULL AS no_time,
       time_bucket('1 hour', now(), NULL::text) IS NULL AS no_zone;

-- date_bin agrees on every fixed width.
SELECT count(*) AS checked, count(*) FILTER (WHERE time_bucket(width, ts) <> date_bin(width, ts, '2000-01-03')) AS differ
FROM unnest(ARRAY['1 microsecond', '17 seconds', '5 minutes', '1 day 1 hour', '1 week', '9000 days']::interval[]) width,
     generate_series(timestamp '2000-01-04', '2040-01-01', '13 days 07:11:13.123457') ts;

-- Errors.
SELECT time_bucket('0', now());
SELECT time_bucket('-1 hour', now());
SELECT time_bucket('1 month 1 day', now());
SELECT time_bucket('1 day', now(), "offset" => '1 month');
SELECT time_bucket('1 month', timestamp '2024-01-01', origin => timestamp '2000-01-15');
SELECT time_bucket('1 day', timestamp '2024-01-01', origin => 'infinity');
SELECT time_bucket('1 hour', date '2024-01-01');
SELECT time_bucket('1 day', date '2024-01-01', "offset" => '1 hour');
SELECT time_bucket('1 day', now(), 'Mars/Olympus_Mons');
SELECT time_bucket(0, 1);
SELECT time_bucket(10, -2147483647);
SELECT time_bucket(10::smallint, '-32768'::smallint);
SELECT time_bucket(10::bigint, -9223372036854775808);
SELECT time_bucket('1 year', timestamp '4714-11-24 BC');
SELECT time_bucket('1 week', date '4714-11-24 BC');
SELECT time_bucket('200000 years', timestamp '2024-01-01');

-- All forms may be indexed: they are immutable.
CREATE TABLE indexed (ts timestamptz);
CREATE INDEX ON indexed (time_bucket('1 day', ts));
CREATE INDEX ON indexed (time_bucket('1 day', ts, 'Europe/Berlin'));
DROP TABLE indexed;
SELECT count(*) AS forms, bool_and(provolatile = 'i' AND proparallel = 's') AS immutable_and_parallel_safe,
       bool_and(obj_description(oid, 'pg_proc') IS NOT NULL) AS documented
FROM pg_proc WHERE proname = 'time_bucket';
