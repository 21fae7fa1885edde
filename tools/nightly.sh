#!/bin/bash
# nightly.sh BUILD_DIR SECONDS
# Random DML against a heap twin, every fourth round the differential oracle, in rounds of half an hour at
# most, until SECONDS are spent. BUILD_DIR/nightly/report.txt has a line a round: when, what, seed, seconds,
# outcome. A failed round's log is kept beside it, and the rest goes on; the exit code is then 1.
# Stopped, it goes on where it was, the round on hand from its beginning; `rm -r BUILD_DIR/nightly` starts
# over. The server is a copy, so that builds do not disturb it.
set -euo pipefail
build=$(cd "${1:?usage: nightly.sh BUILD_DIR SECONDS}" && pwd)
seconds=${2:?usage: nightly.sh BUILD_DIR SECONDS}
here=$(cd "$(dirname "$0")/.." && pwd)
round_seconds=${NIGHTLY_ROUND_SECONDS:-1800}
work=$build/nightly
mkdir -p "$work"
report=$work/report.txt
touch "$report"
bindir=$(cd "$build/pgroot" && find . -name initdb -printf '%h\n' | head -1)
bindir=${bindir#.}
pgxs=$(pg_config --pkglibdir)/pgxs
if [ ! -e "$work/pgroot" ]; then
  git -C "$here" describe --always --dirty >"$work/commit"
  cp -a "$build/pgroot" "$work/pgroot.part"
  mv "$work/pgroot.part" "$work/pgroot"
fi
echo "report: $report (commit $(cat "$work/commit"))"

spent() { awk '{ sum += $5 } END { print sum + 0 }' "$report"; }
rounds() { wc -l <"$report"; }

while left=$((seconds - $(spent))); [ "$left" -gt 0 ]; do
  length=$((left < round_seconds ? left : round_seconds))
  number=$(rounds)
  kind=$([ $((number % 4)) = 3 ] && echo oracle || echo random_dml)
  # The oracle with a seed stops after that one's tables: it takes its own, which its log has.
  seed=$([ "$kind" = oracle ] && echo own || echo $((RANDOM * 32768 + RANDOM)))
  log=$work/round_$number.log
  outcome=passed
  OROCHI_DML_SECONDS=$length OROCHI_DML_SEED=$seed OROCHI_ORACLE_SECONDS=$length \
    bash "$here/pg/test/run_server_test.sh" "$work" "$bindir" "$pgxs" tap "$kind.pl" >"$log" 2>&1 || outcome=FAILED
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $kind seed $seed $length $outcome" >>"$report"
  tail -1 "$report"
  [ "$outcome" = FAILED ] || rm -f "$log"
done
failed=$(grep -c FAILED "$report" || true)
echo "$(spent) of $seconds seconds in $(rounds) rounds, $failed failed; report: $report"
[ "$failed" = 0 ]
