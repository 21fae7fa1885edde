#!/bin/bash
# columnar_dml.sh BUILD_DIR [ROWS [PAIRS]]
# Rows that change, in (A) a heap table and (B) a columnar one with the same rows and indexes, A B A B
# on one server: an UPDATE over all hosts, a DELETE of a day of one host, point reads by primary key,
# single-row INSERTs from eight sessions; and what random changes and VACUUM leave of a table's size.
source "$(dirname "$0")/server.sh"
build=${1:?usage: columnar_dml.sh BUILD_DIR [ROWS [PAIRS]]}
rows=${2:-5000000}
pairs=${3:-5}
ticks=$((rows / 100))
rows=$((ticks * 100))
writers=8
streamed=20000  # rows a run
reads=5000      # a run

server_settings="shared_buffers = 3GB
effective_cache_size = 12GB
work_mem = 256MB
maintenance_work_mem = 1GB
max_wal_size = 16GB
checkpoint_timeout = 30min
jit = off
autovacuum = off"

start_server "$build"
psql -v ticks="$ticks" -f "$bench_dir/metrics.sql"
# Heap has the rows as they arrived, columnar as compress_chunk orders them.
psql <<'SQL'
SET client_min_messages = warning;
CREATE TABLE heap (LIKE metrics_source);
INSERT INTO heap SELECT * FROM metrics_in_order;
CREATE TABLE places (LIKE metrics_source) USING columnar;
INSERT INTO places SELECT * FROM metrics_source ORDER BY host_id, time;
SQL
for table in heap places; do
  psql -c "ALTER TABLE $table ADD PRIMARY KEY (host_id, time)" -c "CREATE INDEX ON $table (time DESC)" \
    -c "VACUUM (ANALYZE) $table"
  psql -c "CREATE TABLE ${table}_stream (LIKE $table INCLUDING ALL) USING $([ $table = heap ] && echo heap || echo columnar)" \
    -c "CREATE SEQUENCE ${table}_tick CACHE 1000"
done
psql -c CHECKPOINT

# What any commit takes here that waits for its WAL to be on disk: milliseconds, median.
commit_latency() {
  psql -c 'CREATE TABLE one_row (id int)'
  echo 'INSERT INTO one_row VALUES (1);' >"$work/commit.sql"
  (cd "$work" && rm -f commits.* && pgbench -n -M prepared -c 1 -t 200 -l --log-prefix=commits -f commit.sql >pgbench.log) ||
    { cat "$work/pgbench.log" >&2; exit 1; }
  awk '{ print $3 / 1000 }' "$work"/commits.* | sort -n | awk '{ v[NR] = $1 } END { print v[int(NR / 2) + 1] }'
}

heap_mb=$(psql -c "SELECT round(pg_table_size('heap') / 1048576.0)")
places_mb=$(psql -c "SELECT round(pg_table_size('places') / 1048576.0)")

tick_time() { echo "timestamptz '2024-01-01 00:00:00+00' + ($1) * interval '10 seconds'"; }

# Prints wall and processor milliseconds of a statement and the megabytes of WAL it made, in a
# session that has used the table before.
statement() {
  psql -v table="$1" <<SQL | tr '\n' ' '
SELECT count(*) FROM $1 WHERE host_id = 0 AND time < '2024-01-01 00:01:00+00' \g /dev/null
SELECT clock_timestamp() AS began, pg_current_wal_insert_lsn() AS lsn,
  split_part(pg_read_file('/proc/self/schedstat'), ' ', 1) AS cpu \gset
$2;
SELECT extract(epoch FROM clock_timestamp() - :'began') * 1000,
  (split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 - :cpu) / 1e6,
  (pg_current_wal_insert_lsn() - :'lsn') / 1048576.0
\pset fieldsep ' '
\g
SQL
}

# pair NAME SQL: SQL names the table T. Keeps wall, processor time and WAL apart.
pair() {
  local name=$1 sql=$2 heap places
  read -r -a heap <<<"$(statement heap "${sql//' T '/ heap }")"
  read -r -a places <<<"$(statement places "${sql//' T '/ places }")"
  echo "${heap[0]} ${places[0]}" >>"$work/$name.wall"
  echo "${heap[1]} ${places[1]}" >>"$work/$name.cpu"
  echo "${heap[2]} ${places[2]}" >>"$work/$name.wal"
  echo "$name: heap ${heap[*]}, columnar ${places[*]} (ms, ms of processor time, MB of WAL)" >&2
}

# Latencies in milliseconds of point reads, one prepared statement, random keys: median and p99.
point_reads() {
  cat >"$work/read.sql" <<SQL
\set host random(0, 99)
\set tick random(0, $((ticks - 1)))
SELECT $2 FROM $1 WHERE host_id = :host AND time = '2024-01-01 00:00:00+00'::timestamptz + :tick * interval '10 seconds';
SQL
  (cd "$work" && rm -f reads.* && pgbench -n -M prepared -c 1 -t "$reads" -l --log-prefix=reads -f read.sql >pgbench.log) ||
    { cat "$work/pgbench.log" >&2; exit 1; }
  awk '{ print $3 / 1000 }' "$work"/reads.* | sort -n |
    awk '{ v[NR] = $1 } END { print v[int(NR / 2) + 1], v[int(NR * 0.99)] }'
}

# Microseconds of processor time per streamed row: of the sessions, and of the server's own processes.
background_ticks() {
  local postmaster pid total=0
  postmaster=$(head -1 "$work/data/postmaster.pid")
  for pid in $(pgrep -P "$postmaster"); do
    total=$((total + $(awk '{ print $14 + $15 }' "/proc/$pid/stat" 2>/dev/null || echo 0)))
  done
  echo "$total"
}
stream() {
  local table=$1 sessions background
  cat >"$work/stream.sql" <<SQL
INSERT INTO ${table}_stream SELECT '2025-01-01'::timestamptz + n * interval '10 ms', n % 100, 'us-east-1', n / 7.0, 2.25, 30.5, 4, 5, 6, 7, 8, n / 3.0, 0, n, n % 1000
FROM nextval('${table}_tick') AS n;
SQL
  psql -c "TRUNCATE ${table}_stream" -c CHECKPOINT
  wait_for_backends
  sessions=$(cpu_ticks)
  background=$(background_ticks)
  pgbench -n -M prepared -c $writers -j 2 -t $((streamed / writers)) -f "$work/stream.sql" >"$work/pgbench.log" ||
    { cat "$work/pgbench.log" >&2; exit 1; }
  wait_for_backends
  sessions=$(($(cpu_ticks) - sessions))
  background=$(($(background_ticks) - background))
  [ "$(psql -c "SELECT count(*) FROM ${table}_stream")" = $((streamed / writers * writers)) ] || exit 1
  awk "BEGIN { print $sessions * 1e4 / $streamed, $background * 1e4 / $streamed }"
}
# The same of VACUUM, which for columnar makes a stripe of the streamed rows.
vacuum_after_stream() {
  local before
  wait_for_backends
  before=$(cpu_ticks)
  psql -c "VACUUM ${1}_stream"
  wait_for_backends
  awk "BEGIN { print ($(cpu_ticks) - $before) * 1e4 / $streamed }"
}

for ((i = 0; i < pairs; ++i)); do
  for columns in 'time, usage_user' '*'; do
    read -r heap_median heap_p99 <<<"$(point_reads heap "$columns")"
    read -r places_median places_p99 <<<"$(point_reads places "$columns")"
    file=$([ "$columns" = '*' ] && echo all || echo two)
    echo "$heap_median $places_median" >>"$work/read_$file.median"
    echo "$heap_p99 $places_p99" >>"$work/read_$file.p99"
    echo "point read, $columns: heap $heap_median $heap_p99, columnar $places_median $places_p99 ms" >&2
  done
done
commit_ms=$(commit_latency)
for ((i = 0; i < pairs; ++i)); do
  day=$((1 + i % 5))
  pair delete "DELETE FROM T WHERE host_id = $((10 + i)) AND time >= $(tick_time "$((day * 8640 % ticks))") AND time < $(tick_time "$((day * 8640 % ticks + 8640))")"
done
for ((i = 0; i < pairs; ++i)); do
  first=$((ticks / 10 * (i + 1)))
  pair update "UPDATE T SET usage_user = usage_user + 1 WHERE time >= $(tick_time $first) AND time < $(tick_time $((first + 1000)))"
done
for ((i = 0; i < pairs; ++i)); do
  read -r heap_sessions heap_background <<<"$(stream heap)"
  read -r places_sessions places_background <<<"$(stream places)"
  echo "$heap_sessions $places_sessions" >>"$work/stream.sessions"
  # A tick is 10 ms: what little there is must not divide by zero.
  echo "$heap_background $places_background" | awk '{ print $1 + 0.01, $2 + 0.01 }' >>"$work/stream.background"
  echo "$(vacuum_after_stream heap) $(vacuum_after_stream places)" | awk '{ print $1 + 0.01, $2 + 0.01 }' >>"$work/stream.vacuum"
  echo "INSERT: heap $heap_sessions + $heap_background, columnar $places_sessions + $places_background us" >&2
done

# Ten rounds of changes of random rows, then VACUUM until nothing is left to do.
psql >&2 <<SQL
SELECT setseed(0.5) \g /dev/null
CREATE TABLE worn (LIKE metrics_source) USING columnar;
INSERT INTO worn SELECT * FROM metrics_source WHERE host_id < 20 ORDER BY host_id, time;
ALTER TABLE worn ADD PRIMARY KEY (host_id, time);
SELECT 'UPDATE worn SET usage_user = usage_user + 1 WHERE random() < 0.01',
  'DELETE FROM worn WHERE random() < 0.01', 'VACUUM worn' FROM generate_series(1, 10)
\gexec
SQL
for ((i = 0; i < 2; ++i)); do psql -c 'VACUUM worn'; done
psql -c 'CREATE TABLE fresh (LIKE worn) USING columnar' -c 'INSERT INTO fresh SELECT * FROM worn ORDER BY host_id, time'
worn_mb=$(psql -c "SELECT round(pg_table_size('worn') / 1048576.0, 1)")
fresh_mb=$(psql -c "SELECT round(pg_table_size('fresh') / 1048576.0, 1)")

line() { python3 "$bench_dir/ratio.py" "$1" "$2" "$3" <"$work/$4"; }
cat <<MARKDOWN
## Rows that change

$rows metric rows with a primary key (host, time) and an index (time) in a heap table, as they arrived
(A, $heap_mb MB), and in a columnar one, by host and time (B, $places_mb MB). Goals: the UPDATE within
800 ms and the DELETE within 13 ms on a quiet machine; a point read at most 2 times heap's; the
sessions' processor time of a streamed INSERT at most 1.3 times heap's.

| | A: heap | B: columnar | B / A | interval | pairs |
|---|---|---|---|---|---|
$(line 'UPDATE of 100,000 rows of all hosts' ms 0 update.wall)
$(line 'processor time of it' ms 0 update.cpu)
$(line 'WAL of it' MB 1 update.wal)
$(line 'DELETE of a day of one host, 8,640 rows' ms 1 delete.wall)
$(line 'processor time of it' ms 1 delete.cpu)
$(line 'WAL of it' MB 1 delete.wal)
$(line 'point read of two columns, median' ms 3 read_two.median)
$(line 'the slowest of a hundred' ms 3 read_two.p99)
$(line 'point read of all columns, median' ms 3 read_all.median)
$(line 'the slowest of a hundred' ms 3 read_all.p99)
$(line "INSERT of one row, $writers sessions: processor time of sessions" us 1 stream.sessions)
$(line "of the server's own processes" us 1 stream.background)
$(line 'of VACUUM afterwards, per row' us 1 stream.vacuum)

UPDATE and DELETE end with a commit that waits for its WAL; one of a single row took $commit_ms ms at the
median in this run. Where columnar's time goes, by sampling: three quarters of the UPDATE are
\`heap_update\` and insertions into the two indexes, which heap runs as well, a tenth is the old rows'
columns, a twentieth their stubs. Of the DELETE a quarter is \`heap_delete\`, a third making and finding
stubs (half of that new pages for them), a tenth the scan's footers. A point read takes one page or more
and a checksum for each column; a session's later reads of a row group find compressed chunks already
decompressed and the way into Gorilla ones, its first read pays for that: with all columns about as much
again as heap's whole read.

Ten rounds of 1 % of 1,000,000 rows updated, 1 % deleted, and VACUUM, then two VACUUMs: $worn_mb MB; the
same rows in a new table: $fresh_mb MB.

$(describe_run "bench/columnar_dml.sh $*")
MARKDOWN
