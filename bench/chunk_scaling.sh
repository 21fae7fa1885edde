#!/bin/bash
# chunk_scaling.sh BUILD_DIR [COUNT...]
# With COUNT chunks in place (10, 1,000 and 10,000 unless told otherwise): how long an INSERT takes
# that needs a new chunk, and how long the planner takes for a query that reads one chunk, in a
# session that knows the table and in a new one. A natively partitioned table
# stands beside it for planning.
source "$(dirname "$0")/server.sh"
build=${1:?usage: chunk_scaling.sh BUILD_DIR [COUNT...]}
shift
counts=("$@")
[ $# -gt 0 ] || counts=(10 1000 10000)
samples=15
native_count_max=1000  # making them takes as long again

median() {
  python3 -c 'import statistics, sys; v = sorted(map(float, sys.stdin.read().split())); print(f"{statistics.median(v):.2f} ({v[0]:.2f} to {v[-1]:.2f})")'
}

# Hours since 2024-01-01; every chunk is one hour.
hour() {
  echo "(timestamptz '2024-01-01 00:00+00' + $1 * interval '1 hour')"
}

# Planning time, in ms, of a query on one chunk of table $1 with $2 chunks: `samples` times in one
# session after three that warm it up, or once in each of `samples` new sessions.
plan_times() {
  local table=$1 middle=$(($2 / 2)) session=$3 query
  query="EXPLAIN (SUMMARY, COSTS OFF) SELECT avg(value) FROM $table WHERE host = 7 AND time >= '$(psql -c "SELECT $(hour $middle)")' AND time < '$(psql -c "SELECT $(hour $((middle + 1)))")'"
  if [ "$session" = known ]; then
    { for ((i = 0; i < samples + 3; ++i)); do echo "$query;"; done; } | psql | sed -n 's/^Planning Time: \([0-9.]*\) ms/\1/p' | tail -n +4
  else
    for ((i = 0; i < samples; ++i)); do psql -c "$query" | sed -n 's/^Planning Time: \([0-9.]*\) ms/\1/p'; done
  fi
}

# Partitions for the hours from $2 on to $3 - 1. By DDL, which makes the same tables as an INSERT
# does and needs no worker; PostgreSQL looks at all partitions for each, so it is slow all the same.
make_partitions() {
  psql >/dev/null <<SQL
SET client_min_messages = error;
SELECT format('CREATE TABLE $1_%s PARTITION OF $1 FOR VALUES FROM (%L) TO (%L)', n, $(hour n), $(hour '(n + 1)'))
FROM generate_series($2, $3 - 1) AS n
\gexec
SQL
}

start_server "$build"
psql >/dev/null <<'SQL'
CREATE TABLE hyper (time timestamptz NOT NULL, host int NOT NULL, value float8);
CREATE INDEX ON hyper (host, time);
SELECT orochi.create_hypertable('hyper', 'time', interval '1 hour');
CREATE TABLE native (LIKE hyper) PARTITION BY RANGE (time);
CREATE INDEX ON native (host, time);
SQL

rows=
have=0
for count in "${counts[@]}"; do
  make_partitions hyper "$have" "$count"
  native_known=- native_new=-
  if ((count <= native_count_max)); then
    make_partitions native "$have" "$count"
    native_known=$(plan_times native "$count" known | median)
    native_new=$(plan_times native "$count" new | median)
  fi
  found=$(psql -c "SELECT count(*) FROM pg_inherits WHERE inhparent = 'hyper'::regclass")
  [ "$found" = "$count" ] || { echo "$found chunks instead of $count" >&2; exit 1; }

  # New chunks far away, each with a new row; then gone again, so that COUNT stays.
  created=$({ echo '\timing on'
    for ((i = -2; i < samples; ++i)); do echo "INSERT INTO hyper VALUES ($(hour $((200000 + i))), 1, 1);"; done; } |
    psql | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -n +3 | median)
  psql -c "SELECT orochi.drop_chunks('hyper', newer_than => $(hour 199000))" >/dev/null
  rows+="| $count | $created | $(plan_times hyper "$count" known | median) | $native_known | $(plan_times hyper "$count" new | median) | $native_new |"$'\n'
  echo "$count chunks: new chunk $created ms" >&2
  have=$count
done

cat <<MARKDOWN
## Many chunks

Milliseconds, median (smallest to largest) of $samples: an INSERT that needs a new chunk beside so many
others, and planning a query on one chunk, in a session that used the table before and in a new one; planning
also for a natively partitioned table with as many partitions (up to $native_count_max). Tables are empty but for the new rows.

| chunks | INSERT with a new chunk | planning, hypertable | planning, native | new session, hypertable | new session, native |
|---|---|---|---|---|---|
$rows
$(describe_run "bench/chunk_scaling.sh $build ${counts[*]}")
MARKDOWN
