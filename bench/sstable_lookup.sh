#!/bin/bash
# sstable_lookup.sh BUILD_DIR [OPENINGS]: single partitions by key, warm, beside Cassandra's reader; and
# opening an SSTable with its filter and index in a new process, with its files in the page cache or not.
set -euo pipefail
. "$(dirname "$0")/sstable.sh"
openings=${2:-21}
prepare_sstables "$1"

# Asks the kernel to forget the components that opening reads; no other file is touched.
forget() {
  local file
  for file in "$1"/*; do
    [[ $file == *-Data.db ]] || dd if="$file" iflag=nocache count=0 status=none
  done
}

lookup_row() {  # NAME FORMAT
  local mine other
  mine=$("$sstable_bench" lookup "$(dirname "$(table_of "$1")")")
  other=$(cassandra "$2" lookup "$(table_of "$1")" 20000)
  echo "| lookup, $2, $(field keys <<<"$mine") partitions | $(field median_us <<<"$mine") us | $(field p99_us <<<"$mine") us | $(field median_us <<<"$other") us | $(field p99_us <<<"$other") us |"
}

open_row() {  # NAME FORMAT cold|warm
  local directory count
  directory=$(dirname "$(table_of "$1")")
  : >"$work/opened"
  for ((count = 0; count < openings; ++count)); do
    [ "$3" = warm ] || forget "$directory"
    "$sstable_bench" open-once "$directory" >>"$work/opened"
  done
  echo "| open, $2, $3 | $(field with_index_us <"$work/opened" | median) us | $(field with_index_us <"$work/opened" | sort -g | tail -1) us | $(field with_index_cpu_us <"$work/opened" | median) us |"
}

lookups=$(lookup_row rows oa; lookup_row rows_nb nb; lookup_row rows_da da)
opened=$(for kind in cold warm; do open_row rows oa $kind; open_row rows_nb nb $kind; open_row rows_da da $kind; done)

cat <<MARKDOWN
## SSTables: lookup and opening

Single partitions of ten rows, read whole, by random keys: 20000 lookups through filter, index and data, all
in the page cache, Java's code compiled by as many lookups before. Goal: at most 30 us at the median.

| | Orochi: median | 99 % | Cassandra: median | 99 % |
|---|---|---|---|---|
$lookups

Opening in a new process: statistics, chunk offsets, the whole bloom filter, summary or trie, $openings times;
"cold" with none of it in the page cache. Goal: at most 5 ms cold.

| | median | largest | processor time, median |
|---|---|---|---|
$opened

$(describe_sstable_run "bench/sstable_lookup.sh $*")
MARKDOWN
