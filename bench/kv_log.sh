#!/bin/bash
# kv_log.sh BUILD [SECONDS [ROUNDS]]: durable appends to the log of a key-value node beside the bare
# device. Prints a section for docs/performance.md. Writes where TMPDIR is: that is the disk measured.
set -euo pipefail
build=${1:?usage: kv_log.sh BUILD [SECONDS [ROUNDS]]}
seconds=${2:-2} rounds=${3:-5}
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
echo "Durable appends of one entry, each appender the next when the last is durable; the limit is a loop of
one write at a time over a file written before, of as many bytes as the appenders have under way (up to
1 MiB). Medians of $rounds rounds of $seconds s that alternate. \`bench/kv_log.sh $*\`, commit
$(git rev-parse --short HEAD), $(nproc) cores, load at the beginning $(cut -d' ' -f1 /proc/loadavg)."
echo
echo "| write | entry | appenders | p50 us | p99 us | appends/s | MB/s | limit p50 us | p99 us | MB/s | log / limit |"
echo "|---|---|---|---|---|---|---|---|---|---|---|"
"$build/src/kv/log/kv_log_bench" "$directory" "$seconds" "$rounds"
