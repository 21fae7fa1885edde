# Sourced by the SSTable benchmarks: our programs, Cassandra's beside them, and generated tables.
#
#   prepare_sstables BUILD_DIR      programs and harness are there, or the script ends
#   table_of NAME                   Data.db of a generated table, made once and kept in BUILD_DIR
#   timed OUT COMMAND...            runs it, and keeps "seconds processor-seconds peak-KiB" in OUT
#   cassandra FORMAT ARGUMENTS...   Cassandra's code, see `e2e/cassandra/cassandra.py bench`
#   field NAME                      of a line of NAME=value pairs
#   describe_sstable_run COMMAND    what a reader needs to judge the figures
#
# Run by itself, `sstable.sh BUILD_DIR`, it makes all the tables.

set -euo pipefail
bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
harness=$bench_dir/../build/cassandra

# name: shape, bytes of uncompressed Data.db, format
declare -A tables=(
  [rows]="rows 1060000000 oa"   # about 180 bytes a row are meant; a gigabyte comes out
  [wide]="wide 250000000 oa"
  [rows_nb]="rows 265000000 nb"
  [rows_da]="rows 265000000 da"
)

prepare_sstables() {
  build_dir=$(cd "$1" && pwd)
  sstable_bench=$build_dir/src/sstable/check/sstable_bench
  writer_bench=$build_dir/src/sstable/write/sstable_writer_bench
  orochi=$build_dir/cli/orochi
  for program in "$sstable_bench" "$writer_bench" "$orochi"; do
    [ -x "$program" ] || {
      echo "build it first: ninja -C $1 $(basename "$program")" >&2
      exit 1
    }
  done
  [ -d "$harness/lib" ] || {
    echo "Cassandra is not there: make e2e-setup" >&2
    exit 1
  }
  python3 "$bench_dir/../e2e/cassandra/cassandra.py" setup "$harness"
  work=$(mktemp -d "${TMPDIR:-/tmp}/orochi_bench.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  load_before=$(cut -d' ' -f1 /proc/loadavg)
}

# The path says keyspace and table, as Cassandra wants it.
table_of() {
  local shape bytes format
  read -r shape bytes format <<<"${tables[$1]}"
  local directory=$build_dir/bench_tables/bench/$1-00000000000000000000000000000001
  if ! ls "$directory"/*-TOC.txt >/dev/null 2>&1; then
    rm -rf "$directory"
    "$sstable_bench" generate "$directory" "$shape" "$bytes" "$format" lz4 >&2
  fi
  ls "$directory"/*-Data.db
}

timed() {
  local out=$1
  shift
  python3 - "$out" "$@" <<'PYTHON'
import resource, subprocess, sys, time
start = time.monotonic()
code = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, check=False).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w", encoding="utf-8") as out:
    print(f"{time.monotonic() - start:.3f} {used.ru_utime + used.ru_stime:.3f} {used.ru_maxrss}", file=out)
sys.exit(code)
PYTHON
}

cassandra() {
  python3 "$bench_dir/../e2e/cassandra/cassandra.py" bench "$harness" "$@" 2>"$work/stderr" || {
    cat "$work/stderr" >&2
    exit 1
  }
}

field() {
  grep -o "\b$1=[^ ]*" | cut -d= -f2
}

median() {
  sort -g | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

calculate() {
  awk "BEGIN { printf \"$1\", $2 }"
}

describe_sstable_run() {
  local commit
  commit=$(git -C "$bench_dir" rev-parse --short HEAD 2>/dev/null || echo unknown)
  if ! git -C "$bench_dir" diff --quiet HEAD -- 2>/dev/null; then
    commit="$commit with changes"
  fi
  echo "- command: \`$1\`"
  echo "- commit: $commit, $(date -u +%Y-%m-%d), $(basename "$build_dir") build; Cassandra $(basename "$harness"/lib/cassandra-all-*.jar .jar | sed 's/cassandra-all-//') on $(java -version 2>&1 | sed -n 's/.*version "\(.*\)".*/Java \1/p'), 1 GB of heap, G1"
  echo "- machine: $(nproc) x $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(awk '/MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo) memory, load $load_before before the run"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  prepare_sstables "${1:?usage: sstable.sh BUILD_DIR}"
  for name in "${!tables[@]}"; do
    table_of "$name"
  done
fi
