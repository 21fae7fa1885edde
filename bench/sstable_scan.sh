#!/bin/sh
# sstable_scan.sh BUILD_DIR [MEGABYTES]: reading speed of generated tables, warm: full scans with
# every cell decoded, the merger, single partition lookups, opening. CPU time of the process is what
# speeds are per, so that other work on the machine counts little. Baseline: none in this script.
set -eu
build=$1 megabytes=${2:-1000}
bench=$build/src/sstable/check/sstable_bench
[ -x "$bench" ] || { echo "build it first: ninja -C $build sstable_bench" >&2; exit 1; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/orochi-sstable-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT INT TERM
run() {  # SHAPE MEGABYTES VERSION CODEC COMMAND...
  shape=$1 size=$2 version=$3 codec=$4
  shift 4
  echo "== $shape $version $codec"
  "$bench" generate "$dir/t" "$shape" "${size}000000" "$version" "$codec"
  for command in "$@"; do "$bench" "$command" "$dir/t"; done
  rm -rf "$dir/t"
}
run rows "$megabytes" oa lz4 scan lookup open merge
run rows "$((megabytes / 4))" nb lz4 scan lookup
run rows "$((megabytes / 4))" da lz4 scan lookup open
for codec in none zstd snappy deflate; do run rows "$((megabytes / 4))" oa $codec scan; done
run wide "$((megabytes / 4))" oa lz4 scan
run small "$((megabytes / 10))" oa lz4 scan lookup
