#!/bin/bash
# copy_hypertable.sh BUILD_DIR [ROWS [PAIRS]]
# COPY of metric rows into (A) one heap table and (B) a hypertable, both with an index on (host,
# time), A B A B. Each run starts with an empty table and no chunk; making the chunks is in B's time.
source "$(dirname "$0")/server.sh"
build=${1:?usage: copy_hypertable.sh BUILD_DIR [ROWS [PAIRS]]}
rows=${2:-5000000}
pairs=${3:-7}

start_server "$build"
psql -v ticks=$((rows / 100)) -f "$bench_dir/metrics.sql"
psql -c "COPY (TABLE metrics_in_order) TO '$work/metrics.csv' (FORMAT csv)"
rows=$((rows / 100 * 100))

# Prints the seconds and the processor ticks of one run.
copy_into() {
  psql -c 'DROP TABLE IF EXISTS target' -c 'CREATE TABLE target (LIKE metrics_source)' \
    -c 'ALTER TABLE target ALTER time SET NOT NULL' \
    -c 'CREATE INDEX ON target (host_id, time)' >/dev/null 2>&1
  if [ "$1" = hypertable ]; then
    psql -c "SELECT orochi.create_hypertable('target', 'time', interval '1 day')" >/dev/null
  fi
  psql -c CHECKPOINT
  wait_for_backends
  local ticks seconds
  ticks=$(cpu_ticks)
  seconds=$(psql -c '\timing on' -c "COPY target FROM '$work/metrics.csv' (FORMAT csv)" |
    sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | awk '{ printf "%.3f", $1 / 1000 }')
  wait_for_backends
  echo "$seconds $(($(cpu_ticks) - ticks))"
}

copy_into heap >/dev/null  # the file and the server's memory are warm for both
: >"$work/speed"
: >"$work/cpu"
for ((pair = 0; pair < pairs; ++pair)); do
  read -r heap_seconds heap_ticks < <(copy_into heap)
  read -r hyper_seconds hyper_ticks < <(copy_into hypertable)
  echo "pair $((pair + 1)): heap ${heap_seconds} s, hypertable ${hyper_seconds} s" >&2
  awk -v n="$rows" "BEGIN { print n / $heap_seconds, n / $hyper_seconds }" >>"$work/speed"
  awk -v n="$rows" "BEGIN { print $heap_ticks * 1e4 / n, $hyper_ticks * 1e4 / n }" >>"$work/cpu"
done
count=$(psql -c 'SELECT count(*) FROM target')
[ "$count" = "$rows" ] || { echo "the hypertable has $count rows, not $rows" >&2; exit 1; }

cat <<MARKDOWN
## COPY into a hypertable

$rows metric rows ($(du -m "$work/metrics.csv" | cut -f1) MB of CSV: time, host, tag, 10 floats, 2 counters, in time order) into one heap table
(A) and into a hypertable with chunks of a day (B: $(psql -c "SELECT count(*) FROM pg_inherits WHERE inhparent = 'target'::regclass") chunks, made during the COPY), one index on
(host, time) each. Goal: B at least 0.9 times the rows per second of A.

| | A: heap table | B: hypertable | B / A | interval | pairs |
|---|---|---|---|---|---|
$(python3 "$bench_dir/ratio.py" 'rows per second' 'rows/s' <"$work/speed")
$(python3 "$bench_dir/ratio.py" 'processor time per row' 'us' 2 <"$work/cpu")

$(describe_run "bench/copy_hypertable.sh $*")
MARKDOWN
