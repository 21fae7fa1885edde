#!/bin/bash
# kv_peer.sh BUILD [SECONDS [ROUNDS]]: frames between two nodes of the key-value store, and the loop that
# they run on. Prints a section for docs/performance.md.
set -euo pipefail
build=${1:?usage: kv_peer.sh BUILD [SECONDS [ROUNDS]]}
seconds=${2:-1} rounds=${3:-5}
echo "Echo of 200-byte frames between two processes over loopback, plaintext, each with its event loop; medians
of $rounds rounds of $seconds s that alternate. Processor time is of both processes, for a frame there and back.
\`bench/kv_peer.sh $*\`, commit $(git rev-parse --short HEAD), $(nproc) cores, load at the beginning
$(cut -d' ' -f1 /proc/loadavg)."
echo
echo "| under way | frames/s | p50 us | p99 us | processor us a frame | frames a message |"
echo "|---|---|---|---|---|---|"
"$build/src/kv/peer/kv_peer_bench" "$seconds" "$rounds"
echo
"$build/src/kv/runtime/kv_loop_bench" | sed 's/^/- /'
