#!/bin/bash
# sstable_write.sh BUILD_DIR [ROWS]: small rows into a new SSTable with LZ4, beside CQLSSTableWriter. Both
# write the same rows with keys in token order, sync the files, and count from the first row to the last
# file; CQLSSTableWriter writes them once before it counts, so that its code is compiled.
set -euo pipefail
. "$(dirname "$0")/sstable.sh"
rows=${2:-1000000}
prepare_sstables "$1"

# Lines of the writer's benchmark: format, rows a partition, ..., rows/s (4th number), rows/s of processor;
# those with a thread that compresses say so.
for round in 1 2 3; do
  "$writer_bench" "$rows"
done >"$work/ours"

# FORMAT ROWS_PER_PARTITION COLUMN [THREAD]: median rows per second, column 6 by the clock, 8 by processor time
ours() {
  awk -v format="$1" -v rows="$2" -v thread="${4:-}" \
    '$1 == format && $2 == rows && ($NF == "thread") == (thread != "")' "$work/ours" |
    awk "{ print \$$3 }" | median
}

write_row() {  # FORMAT ROWS_PER_PARTITION
  local other my_wall my_cpu my_two other_wall other_cpu
  other=$(cassandra "$1" write "$work/theirs" "$rows" "$2")
  rm -rf "$work/theirs"
  my_wall=$(ours "$1" "$2" 6)
  my_cpu=$(ours "$1" "$2" 8)
  my_two=$(ours "$1" "$2" 6 thread)
  other_wall=$(calculate %.0f "$(field rows <<<"$other") / $(field seconds <<<"$other")")
  other_cpu=$(calculate %.0f "$(field rows <<<"$other") / $(field cpu_seconds <<<"$other")")
  echo "| $1, $2 rows a partition | $my_wall | $my_cpu | $other_wall | $other_cpu | $(calculate %.1f "$my_wall / $other_wall") | $(calculate %.1f "$my_cpu / $other_cpu") | $my_two | $(calculate %.1f "$my_two / $other_wall") |"
}

written=$(write_row nb 1; write_row oa 1; write_row da 1; write_row oa 100)

cat <<MARKDOWN
## SSTables: writing

$rows rows of about 60 bytes (two bigints as key, a bigint, a text), LZ4, one thread, in token order, files
synced: rows per second by the clock and by processor time of the process; the last two columns with a
second thread that compresses (\`write --threads 2\`), by the clock. Goals: at least 500,000 rows/s on one
core, at least 5 times CQLSSTableWriter, which keeps more than one core busy.

| | Orochi: rows/s | of processor | CQLSSTableWriter: rows/s | of processor | times, clock | times, processor | two threads: rows/s | times, clock |
|---|---|---|---|---|---|---|---|---|
$written

$(describe_sstable_run "bench/sstable_write.sh $*")
MARKDOWN
