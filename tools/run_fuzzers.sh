#!/bin/sh
# run_fuzzers.sh BUILD_DIR SECONDS: every libFuzzer target of the build for SECONDS each, on its kept
# corpus. New inputs land in BUILD_DIR/corpus; a crash stops the run and names its input file.
set -eu
build=$1 seconds=$2
for target in $(find "$build" -name '*_fuzz' -type f -perm -u+x | sort); do
  name=$(basename "$target" _fuzz)
  kept=$(find src cli bindings -type d -path "*/testdata/fuzz/$name" | head -1)
  mkdir -p "$build/corpus/$name"
  echo "== $name, $seconds s"
  # shellcheck disable=SC2086
  "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$build/corpus/$name-crash-" "$build/corpus/$name" $kept 2>&1 | tail -n 8
done
