-- The data of the hypertable benchmarks: 100 hosts report every 10 seconds, `ticks` times, in time
-- order. Deterministic: values come from hashes and sums. A row has a time, a host, a tag, ten
-- floats as monitoring agents write them (two decimals that wander, whole numbers, full precision,
-- mostly zero) and two counters.
CREATE FUNCTION noise(host int, tick int, stream int) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (hashint8extended(host::int8 * 1000000000 + tick::int8 * 64 + stream, 4711) & 1048575)::float8 / 1048576.0
$$;

CREATE UNLOGGED TABLE metrics_source AS
SELECT timestamptz '2024-01-01 00:00:00+00' + tick * interval '10 seconds' AS time,
  host AS host_id,
  (ARRAY['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-south-1', 'ap-northeast-1',
         'sa-east-1', 'ca-central-1'])[1 + host % 8] AS region,
  round((50 + 40 * sin(host + tick / 900.0) + sum(noise(host, tick, 0) - 0.5) OVER by_host * 0.05)::numeric, 2)::float8 AS usage_user,
  round((20 + 10 * sin(host * 2 + tick / 700.0) + sum(noise(host, tick, 1) - 0.5) OVER by_host * 0.05)::numeric, 2)::float8 AS usage_system,
  round((30 + 20 * cos(host + tick / 1100.0) + sum(noise(host, tick, 2) - 0.5) OVER by_host * 0.05)::numeric, 2)::float8 AS usage_idle,
  round((5 + sum(noise(host, tick, 3) - 0.5) OVER by_host * 0.05)::numeric, 2)::float8 AS usage_nice,
  round((10 + sum(noise(host, tick, 4) - 0.5) OVER by_host * 0.05)::numeric, 2)::float8 AS usage_iowait,
  floor(50 + sum(noise(host, tick, 5) - 0.5) OVER by_host)::float8 AS usage_irq,
  floor(40 + sum(noise(host, tick, 6) - 0.5) OVER by_host)::float8 AS usage_softirq,
  floor(60 + sum(noise(host, tick, 7) - 0.5) OVER by_host)::float8 AS usage_steal,
  100 * (0.5 + 0.4 * sin(host + tick / 500.0)) + sum(noise(host, tick, 8) - 0.5) OVER by_host AS usage_guest,
  CASE WHEN noise(host, tick, 9) < 0.02 THEN 1 + noise(host, tick, 10) ELSE 0 END AS usage_guest_nice,
  sum(100 + (noise(host, tick, 11) * 1000)::int) OVER by_host AS net_bytes,
  (sum((noise(host, tick, 12) < 0.3)::int) OVER by_host)::int AS ctx_switches
FROM generate_series(0, 99) AS host, generate_series(0, :ticks - 1) AS tick
WINDOW by_host AS (PARTITION BY host ORDER BY tick ROWS UNBOUNDED PRECEDING);

CREATE VIEW metrics_in_order AS SELECT * FROM metrics_source ORDER BY time, host_id;
