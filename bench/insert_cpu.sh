#!/bin/bash
# insert_cpu.sh BUILD_DIR [STATEMENTS [PAIRS]]
# Processor time of single-row INSERTs into (A) a natively partitioned table and (B) a hypertable
# with the same partitions, columns and index, A B A B. One client; the chunk exists. Processor time
# of the whole server, because wall time of such short statements is mostly the round trip.
source "$(dirname "$0")/server.sh"
build=${1:?usage: insert_cpu.sh BUILD_DIR [STATEMENTS [PAIRS]]}
statements=${2:-50000}
pairs=${3:-7}

start_server "$build"
psql >/dev/null <<'SQL'
CREATE TABLE native (time timestamptz NOT NULL, host int NOT NULL, tag text, value float8, number bigint)
  PARTITION BY RANGE (time);
CREATE INDEX ON native (host, time);
CREATE TABLE hyper (time timestamptz NOT NULL, host int NOT NULL, tag text, value float8, number bigint);
CREATE INDEX ON hyper (host, time);
SELECT orochi.create_hypertable('hyper', 'time', interval '1 day');
INSERT INTO hyper SELECT timestamptz '2024-01-01' + day * interval '1 day', 0, '', 0, 0 FROM generate_series(0, 9) AS day;
SELECT format('CREATE TABLE native_%s PARTITION OF native FOR VALUES FROM (%L) TO (%L)', day,
  timestamptz '2024-01-01' + day * interval '1 day', timestamptz '2024-01-02' + day * interval '1 day')
FROM generate_series(0, 9) AS day
\gexec
SQL
for table in native hyper; do
  cat >"$work/$table.sql" <<SQL
\set host random(1, 1000)
\set second random(0, 86399)
INSERT INTO $table VALUES ('2024-01-05'::timestamptz + :second * interval '1 second', :host, 'us-east-1', :second / 7.0, :host);
SQL
  cat >"$work/$table.block.sql" <<SQL
DO \$\$ BEGIN
  FOR i IN 1 .. $statements LOOP
    INSERT INTO $table VALUES ('2024-01-05'::timestamptz + (i % 86400) * interval '1 second', i % 1000, 'us-east-1', i / 7.0, i);
  END LOOP;
END \$\$;
SQL
done

# Prints microseconds of processor time per statement.
measure() {
  local table=$1 mode=$2 ticks
  psql -c "TRUNCATE $table" -c CHECKPOINT
  wait_for_backends
  ticks=$(cpu_ticks)
  case $mode in
    block) psql -f "$work/$table.block.sql" ;;
    *) pgbench -n -M "$mode" -c 1 -t "$statements" -f "$work/$table.sql" >"$work/pgbench.log" ||
      { cat "$work/pgbench.log" >&2; exit 1; } ;;
  esac
  wait_for_backends
  ticks=$(($(cpu_ticks) - ticks))
  [ "$(psql -c "SELECT count(*) FROM $table")" = "$statements" ] || exit 1
  awk "BEGIN { print $ticks * 1e4 / $statements }"
}

rows=
for mode in prepared simple block; do
  case $mode in
    prepared) name='prepared statement' ;;
    simple) name='statement parsed and planned each time' ;;
    block) name='in a PL/pgSQL loop' ;;
  esac
  : >"$work/pairs"
  for ((pair = 0; pair < pairs; ++pair)); do
    native=$(measure native $mode)
    hyper=$(measure hyper $mode)
    echo "$mode, pair $((pair + 1)): native $native us, hypertable $hyper us" >&2
    echo "$native $hyper" >>"$work/pairs"
  done
  rows+=$(python3 "$bench_dir/ratio.py" "$name" us 2 <"$work/pairs")$'\n'
done

cat <<MARKDOWN
## Single-row INSERT

Processor time of the server per INSERT of one row into an existing chunk, $statements statements a run, into a
natively partitioned table (A) and a hypertable (B) with the same ten partitions and index. Goal: B at
most 1.1 times A.

| | A: native partitions | B: hypertable | B / A | interval | pairs |
|---|---|---|---|---|---|
$rows
$(describe_run "bench/insert_cpu.sh $*")
MARKDOWN
