#!/bin/bash
# columnar.sh BUILD_DIR [ROWS [PAIRS]]
# The same metric rows in (A) one heap table with an index on (host, time) and in (B) a hypertable
# whose chunks were compressed: size, and typical queries, A B A B on one warm server and one core.
source "$(dirname "$0")/server.sh"
build=${1:?usage: columnar.sh BUILD_DIR [ROWS [PAIRS]]}
rows=${2:-5000000}
pairs=${3:-7}

start_server "$build"
psql -v ticks=$((rows / 100)) -f "$bench_dir/metrics.sql"
rows=$((rows / 100 * 100))
psql <<'SQL'
CREATE TABLE heap (LIKE metrics_source);
CREATE INDEX ON heap (host_id, time);
INSERT INTO heap SELECT * FROM metrics_in_order;
CREATE TABLE places (LIKE metrics_source);
CREATE INDEX ON places (host_id, time);
SELECT orochi.create_hypertable('places', 'time', interval '1 day') \g /dev/null
INSERT INTO places SELECT * FROM metrics_in_order;
SQL
compress_seconds=$(psql -c '\timing on' -c "CALL orochi.compress_chunks('places')" |
  sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | awk '{ printf "%.1f", $1 / 1000 }')
psql -c 'VACUUM (ANALYZE) heap' -c 'ANALYZE places'

mb() { psql -c "SELECT round($1 / 1048576.0)"; }
heap_mb=$(mb "pg_table_size('heap')")
places_mb=$(mb "(SELECT sum(pg_table_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'places'::regclass)")
heap_index_mb=$(mb "pg_indexes_size('heap')")
places_index_mb=$(mb "(SELECT sum(pg_indexes_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'places'::regclass)")

names=() queries=()
query() { names+=("$1"); queries+=("$2"); }
query 'count(*)' 'SELECT count(*) FROM T'
query 'avg of one column' 'SELECT avg(usage_user) FROM T'
query 'sums of ten columns' 'SELECT sum(usage_user), sum(usage_system), sum(usage_idle), sum(usage_nice), sum(usage_iowait), sum(usage_irq), sum(usage_softirq), sum(usage_steal), sum(usage_guest), sum(usage_guest_nice) FROM T'
query 'min and max of a counter' 'SELECT min(net_bytes), max(net_bytes) FROM T'
query 'selective filter' "SELECT count(*), avg(usage_idle) FROM T WHERE usage_user > 90 AND region = 'eu-west-1'"
query '1 % of time' "SELECT count(*), avg(usage_user), max(usage_system) FROM T WHERE time >= '2024-01-04 00:00+00' AND time < '2024-01-04 01:23:20+00'"
query 'group by tag' 'SELECT region, count(*), avg(usage_user), max(net_bytes) FROM T GROUP BY region ORDER BY 1'
query 'group by hour and host' "SELECT orochi.time_bucket('1 hour', time), host_id, avg(usage_user), max(usage_user) FROM T GROUP BY 1, 2"
query 'one host, 12 hours' "SELECT date_trunc('minute', time), max(usage_user), max(usage_system) FROM T WHERE host_id = 42 AND time >= '2024-01-03 00:00+00' AND time < '2024-01-03 12:00+00' GROUP BY 1 ORDER BY 1"
query 'last point of each host' 'SELECT DISTINCT ON (host_id) host_id, time, usage_user, net_bytes FROM T ORDER BY host_id, time DESC'
query 'all columns of all rows' 'SELECT count(t) FROM T t'

settings=(-c 'SET max_parallel_workers_per_gather = 0' -c "SET work_mem = '256MB'")

# The second run of the query in a session of its own: plans and catalogs are cached, as for a
# client that stays connected.
milliseconds() {
  local sql=${2/ FROM T/ FROM $1}
  psql "${settings[@]}" -c '\timing on' -c "$sql" -c "$sql" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -1
}

for index in "${!queries[@]}"; do
  heap_answer=$(psql "${settings[@]}" -c 'SET extra_float_digits = -3' -c "${queries[$index]/ FROM T/ FROM heap}" | sort | md5sum)
  places_answer=$(psql "${settings[@]}" -c 'SET extra_float_digits = -3' -c "${queries[$index]/ FROM T/ FROM places}" | sort | md5sum)
  [ "$heap_answer" = "$places_answer" ] || echo "note: ${names[$index]}: the answers differ in their last digits or order" >&2
  : >"$work/times_$index"
done
for ((pair = 0; pair < pairs; ++pair)); do
  for index in "${!queries[@]}"; do
    a=$(milliseconds heap "${queries[$index]}")
    b=$(milliseconds places "${queries[$index]}")
    echo "$a $b" >>"$work/times_$index"
  done
  echo "pair $((pair + 1)) done" >&2
done

cat <<MARKDOWN
## Columnar against heap

$rows metric rows (time, host, tag, 10 floats, 2 counters) in one heap table with an index on
(host, time) (A) and in a hypertable with chunks of a day, the same index, and every chunk
compressed (B; ordered by host and time, which \`compress_chunk\` takes from the index). Goals: the
table at least 8 times smaller, an aggregate over a whole column at least 5 times faster, that is,
B / A at most 0.2. One core (\`max_parallel_workers_per_gather = 0\`), everything in memory, each
figure the second run of the query in its session.

| | A: heap | B: columnar | |
|---|---|---|---|
| table | $heap_mb MB | $places_mb MB | $(awk "BEGIN { printf \"%.1f\", $heap_mb / $places_mb }") times smaller |
| index | $heap_index_mb MB | $places_index_mb MB | |
| compressing all chunks, sorting and indexing included | | $compress_seconds s | $(awk "BEGIN { printf \"%.0f\", $rows / $compress_seconds / 1000 }") thousand rows/s |

| | A: heap | B: columnar | B / A | interval | pairs |
|---|---|---|---|---|---|
$(for index in "${!queries[@]}"; do python3 "$bench_dir/ratio.py" "${names[$index]}" ms 1 <"$work/times_$index"; done)

$(describe_run "bench/columnar.sh $*")
MARKDOWN
