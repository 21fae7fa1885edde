#!/bin/bash
# sstable_fdw.sh BUILD_DIR [ROWS [RUNS]]
# A foreign table over one SSTable against a heap table with the same rows: counting, reading all
# columns, looking rows up by key, moving everything into another table; and the export. By processor
# time of the backends, the median of RUNS, heap and foreign in turns.
source "$(dirname "$0")/server.sh"
build=${1:?usage: sstable_fdw.sh BUILD_DIR [ROWS [RUNS]]}
rows=${2:-2000000}
runs=${3:-5}

start_server "$build"
cql='CREATE TABLE ks.readings (device text, at timestamp, v double, n int, status text, PRIMARY KEY (device, at))'
psql -c "CREATE TABLE heap AS SELECT 'device ' || i % 1000 AS device, timestamptz '2024-01-01' + i * interval '1 second' AS at,
           i * 0.5::float8 AS v, i AS n, 'status ' || i % 7 AS status FROM generate_series(1, $rows) i" \
  -c 'CREATE INDEX ON heap (device, at)' -c 'VACUUM ANALYZE heap' \
  -c "SELECT orochi.export_sstable('TABLE heap', '$work/ks/readings', '$cql')" \
  -c "CREATE SERVER files FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '$work')" \
  -c "CREATE FOREIGN TABLE sstable (device text OPTIONS (column_name 'key'), at timestamptz OPTIONS (column_name 'ck0'),
        v float8, n int, status text) SERVER files OPTIONS (keyspace 'ks', \"table\" 'readings')" >/dev/null

# Processor ticks of a session that runs the statement.
ticks_of() {
  wait_for_backends
  local before
  before=$(cpu_ticks)
  psql -c "$1" >/dev/null
  wait_for_backends
  echo $(($(cpu_ticks) - before))
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# measure NAME STATEMENT, where SOURCE stands for the table; a line of the result.
measure() {
  : >"$work/heap_ticks"
  : >"$work/sstable_ticks"
  for ((run = 0; run < runs; ++run)); do
    for table in heap sstable; do
      psql -c 'DROP TABLE IF EXISTS target' 2>/dev/null
      ticks_of "${2//SOURCE/$table}" >>"$work/${table}_ticks"
    done
  done
  awk -v name="$1" -v per="$3" -v heap="$(median <"$work/heap_ticks")" -v sstable="$(median <"$work/sstable_ticks")" \
    'BEGIN { printf "| %s | %.2f us | %.2f us | %.1f |\n", name, heap * 1e4 / per, sstable * 1e4 / per, sstable / heap }'
}

for ((run = 0; run < runs; ++run)); do
  ticks_of "SELECT orochi.export_sstable('TABLE heap', '$work/again$run', '$cql')" >>"$work/export_ticks"
done
export_ticks=$(median <"$work/export_ticks")
lookups=20000
cat <<MARKDOWN
$rows rows of five columns, $(du -m "$work/ks/readings" | cut -f1) MB of SSTable in LZ4 (1,000 partitions), $(psql -c "SELECT pg_size_pretty(pg_table_size('heap'))") of heap, all in memory.
Processor time per row or lookup, median of $runs.

| | heap | SSTable | SSTable / heap |
|---|---|---|---|
$(measure 'count(*)' 'SELECT count(*) FROM SOURCE' "$rows")
$(measure 'an aggregate of each column' 'SELECT count(device), min(at), sum(v), sum(n), max(length(status)) FROM SOURCE' "$rows")
$(measure 'CREATE TABLE AS' 'CREATE TABLE target AS SELECT * FROM SOURCE' "$rows")
$(measure "lookup of a row by its key, $lookups in a join" "SELECT count(*) FROM generate_series(1, $lookups) i, LATERAL (SELECT * FROM SOURCE WHERE device = 'device ' || i % 1000 AND at = timestamptz '2024-01-01' + i * interval '1 second') l" "$lookups")

Export of the heap table: $(awk -v ticks="$export_ticks" -v n="$rows" 'BEGIN { printf "%.2f us", ticks * 1e4 / n }') a row.

$(describe_run "bench/sstable_fdw.sh $*")
MARKDOWN
