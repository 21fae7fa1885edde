# Sourced by the benchmarks: a PostgreSQL server of their own, from a build's relocated root.
#
#   start_server BUILD_DIR   makes a cluster in a temporary directory and starts it; from then on
#                            `psql` and `pgbench` talk to it. It goes away when the script exits.
#   cpu_ticks                processor time, in ticks, of the server's processes that have ended
#   describe_run             what a reader needs to judge the figures
#
# PostgreSQL refuses root, so root runs it as `postgres`.

set -euo pipefail
bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

server_settings="shared_buffers = 1GB
max_wal_size = 16GB
checkpoint_timeout = 1h
autovacuum = off
max_locks_per_transaction = 2048
max_worker_processes = 16
maintenance_work_mem = 256MB
jit = off
synchronous_commit = off"

start_server() {
  build_dir=$(cd "$1" && pwd)
  server_bin=$build_dir/pgroot/usr/lib/postgresql/15/bin
  [ -x "$server_bin/postgres" ] || {
    echo "$server_bin/postgres does not exist: build the preset first" >&2
    exit 1
  }
  work=$(mktemp -d "${TMPDIR:-/tmp}/orochi_bench.XXXXXX")
  as_user=()
  if [ "$(id -u)" = 0 ]; then
    chown postgres "$work"
    as_user=(runuser -u postgres --)
  fi
  trap stop_server EXIT
  export PGHOST=$work PGPORT=5433 PGDATABASE=postgres PGUSER=postgres PGOPTIONS= LC_ALL=C TZ=UTC
  (cd "$work" && "${as_user[@]}" "$server_bin/initdb" -D "$work/data" -U postgres --no-locale \
    --encoding=UTF8 >"$work/initdb.log" 2>&1)
  cat >>"$work/data/postgresql.conf" <<CONF
shared_preload_libraries = 'orochi'
listen_addresses = ''
unix_socket_directories = '$work'
port = $PGPORT
timezone = 'UTC'
$server_settings
CONF
  (cd "$work" && "${as_user[@]}" "$server_bin/pg_ctl" -D "$work/data" -l "$work/log" -w start >/dev/null) ||
    { cat "$work/log" >&2; exit 1; }
  psql -c 'CREATE EXTENSION orochi'
}

stop_server() {
  (cd "$work" && "${as_user[@]}" "$server_bin/pg_ctl" -D "$work/data" -m immediate -w stop >/dev/null) || true
  rm -rf "$work"
}

psql() {
  "$server_bin/psql" -XqAt -v ON_ERROR_STOP=1 "$@"
}

pgbench() {
  "$server_bin/pgbench" "$@" 2>&1
}

# Backends are children of the postmaster: once they end, the kernel adds their time to its own
# account of children. Exact, and nothing runs inside the server.
cpu_ticks() {
  local postmaster
  postmaster=$(head -1 "$work/data/postmaster.pid")
  awk '{ print $16 + $17 }' "/proc/$postmaster/stat"
}

# Waits until no client's backend is left, ended but unreaped ones included: cpu_ticks has them all.
wait_for_backends() {
  local postmaster
  postmaster=$(head -1 "$work/data/postmaster.pid")
  while pgrep -P "$postmaster" -f 'postgres: postgres ' >/dev/null ||
    ps --ppid "$postmaster" -o stat= | grep -q Z; do sleep 0.02; done
}

describe_run() {
  local commit
  commit=$(git -C "$bench_dir" rev-parse --short HEAD 2>/dev/null || echo unknown)
  if ! git -C "$bench_dir" diff --quiet HEAD -- 2>/dev/null; then
    commit="$commit with changes"
  fi
  echo "- command: \`$1\`"
  echo "- commit: $commit, $(date -u +%Y-%m-%d), $(basename "$build_dir") build, $("$server_bin/postgres" --version)"
  echo "- machine: $(nproc) x $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(awk '/MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo) memory, load $(cut -d' ' -f1 /proc/loadavg) before the run"
  echo "- settings: $(echo "$server_settings" | paste -sd, | sed 's|,|, |g')"
}
