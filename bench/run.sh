#!/bin/bash
# run.sh BUILD_DIR [NAME...]: runs benchmarks and puts their sections into docs/performance.md.
set -euo pipefail
bench_dir=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: run.sh BUILD_DIR [NAME...]}
shift
names=("$@")
[ $# -gt 0 ] || names=(columnar columnar_dml copy_hypertable insert_cpu chunk_scaling
  sstable_scan sstable_lookup sstable_write)
for name in "${names[@]}"; do
  echo "== $name" >&2
  section=$("$bench_dir/$name.sh" "$build")
  python3 "$bench_dir/record_section.py" "$name" <<<"$section"
done
