#!/bin/bash
# sstable_scan.sh BUILD_DIR [ROUNDS]: reading whole SSTables, beside Cassandra's reader and sstabledump.
# Warm: the files are in the page cache, and Java's code is compiled, in rounds that do not count.
set -euo pipefail
. "$(dirname "$0")/sstable.sh"
rounds=${2:-3}
prepare_sstables "$1"

# Lines of NAME=value for each round after the first.
ours() {
  "$sstable_bench" scan "$(dirname "$(table_of "$1")")" | tail -n "+2"
}

theirs() {
  cassandra "$2" scan "$(table_of "$1")" "$rounds"
}

scan_row() {  # NAME FORMAT TEXT
  local mine other rows megabytes my_cpu my_wall other_cpu other_wall rss
  mine=$(ours "$1")
  other=$(theirs "$1" "$2")
  rows=$(field rows <<<"$mine" | head -1)
  my_cpu=$(field cpu_seconds <<<"$mine" | median)
  my_wall=$(field seconds <<<"$mine" | median)
  other_cpu=$(field cpu_seconds <<<"$other" | median)
  other_wall=$(field seconds <<<"$other" | median)
  rss=$(field peak_rss_kb <<<"$mine" | tail -1)
  megabytes=$(field mb_per_cpu_s <<<"$mine" | median)
  echo "| $3 | $my_wall s | $my_cpu s, $megabytes MB/s | $((rss / 1024)) MB | $other_wall s | $other_cpu s | $(calculate %.1f "$other_cpu / $my_cpu") |"
}

dump_row() {  # NAME FORMAT TEXT
  local data my_wall my_cpu my_rss other_wall other_cpu other_rss
  data=$(table_of "$1")
  timed "$work/ours" "$orochi" sstable dump "$data"
  timed "$work/ours" "$orochi" sstable dump "$data"
  read -r my_wall my_cpu my_rss <"$work/ours"
  cassandra "$2" sstabledump "$data" >/dev/null
  other_wall=$(field seconds <"$work/stderr" | tail -1)
  other_cpu=$(field cpu_seconds <"$work/stderr" | tail -1)
  other_rss=$(field peak_rss_kb <"$work/stderr" | tail -1)
  echo "| $3 | $my_wall s | $my_cpu s | $((my_rss / 1024)) MB | $other_wall s | $other_cpu s, $((other_rss / 1024)) MB | $(calculate %.1f "$other_cpu / $my_cpu") |"
  dump_rate=$(calculate %.0f "$(field rows <<<"$(ours "$1")" | head -1) / $other_cpu")
}

scans=$(scan_row rows oa "scan, oa"; scan_row rows_nb nb "scan of a quarter, nb"; scan_row rows_da da "scan of a quarter, da"; scan_row wide oa "scan of one wide partition, oa")
dump_row rows_nb nb "JSON of a quarter, nb: \`orochi sstable dump\`, \`sstabledump\`" >"$work/dump"
scan=$(ours rows)
rate=$(field rows_per_cpu_s <<<"$scan" | median)
bytes=$(stat -c %s "$(table_of rows)")

cat <<MARKDOWN
## SSTables: scan

Reading every cell of $(field rows <<<"$scan" | head -1) rows of eight columns, ten rows a partition, LZ4 ($((bytes / 1000000)) MB of
Data.db), and of smaller tables of the same rows; with Cassandra's own reader beside it, a thread each, and
whole programs that print JSON. Medians of the rounds; "one core" is processor time of the process, with
Java's compiler and collector. Goals: a gigabyte of uncompressed data in at most 2 s on one core, at most
64 MB of memory, at least 10 times the rows per second of sstabledump ($dump_rate rows/s on one core; the
scan $rate, $(calculate %.0f "$rate / $dump_rate") times).

| | Orochi: time | one core | memory | Cassandra: time | one core | times less processor time |
|---|---|---|---|---|---|---|
$scans
$(cat "$work/dump")

$(describe_sstable_run "bench/sstable_scan.sh $*")
MARKDOWN
