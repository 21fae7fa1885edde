#!/bin/bash
# run_server_test.sh BUILD_DIR SYSTEM_BINDIR PGXS_DIR regress|isolation|twins|tap [NAME...]
# Runs server tests in BUILD_DIR/pgroot as an ordinary user: PostgreSQL refuses root, so root runs
# them as `postgres`. Working files are in BUILD_DIR/server_test/KIND, kept when a test fails.
set -euo pipefail
build=$1 bindir=$1/pgroot$2 pgxs=$3 kind=$4
shift 4
here=$(cd "$(dirname "$0")" && pwd)
work=$build/server_test/$kind${1:+_${1//[^a-zA-Z0-9_]/_}}
rm -rf "$work"
mkdir -p "$work"
as_user=()
if [ "$(id -u)" = 0 ]; then
  chown postgres "$work"
  as_user=(runuser -u postgres --)
fi
# Sockets need a short path; pg_regress and PostgreSQL::Test make their own under TMPDIR.
export TMPDIR=/tmp PGUSER= PGDATABASE= PGHOST= PGPORT=
unset PGUSER PGDATABASE PGHOST PGPORT
export PATH="$bindir:$PATH" TZ=UTC LC_ALL=C
cd "$work"

fail() {
  for diff in "$work"/regression.diffs "$work"/output_iso/regression.diffs; do
    if [ -s "$diff" ]; then
      head -c 20000 "$diff"
    fi
  done
  exit 1
}

case $kind in
  regress)
    tests=("$@")
    schedule=()
    [ $# -gt 0 ] || schedule=(--schedule="$here/schedule")
    "${as_user[@]}" "$pgxs/src/test/regress/pg_regress" --bindir="$bindir" \
      --inputdir="$here" --outputdir="$work" --dlpath="$bindir" \
      --temp-instance="$work/instance" --temp-config="$here/server.conf" \
      --load-extension=orochi --no-locale --encoding=UTF8 "${schedule[@]}" "${tests[@]}" || fail
    ;;
  isolation)
    tests=("$@")
    schedule=()
    [ $# -gt 0 ] || schedule=(--schedule="$here/isolation_schedule")
    "${as_user[@]}" "$pgxs/src/test/isolation/pg_isolation_regress" --bindir="$bindir" \
      --inputdir="$here" --outputdir="$work/output_iso" \
      --temp-instance="$work/instance" --temp-config="$here/server.conf" \
      --load-extension=orochi --no-locale --encoding=UTF8 "${schedule[@]}" "${tests[@]}" || fail
    ;;
  twins)
    export PG_REGRESS="$pgxs/src/test/regress/pg_regress" TESTDIR="$work" TESTDATADIR="$work" \
           TESTLOGDIR="$work/log" OROCHI_TEST_DIR="$here" PG_TEST_INITDB_EXTRA_OPTS="--no-locale" \
           ISOLATIONTESTER="$pgxs/src/test/isolation/isolationtester"
    "${as_user[@]}" prove --failures -I "$pgxs/src/test/perl" "$here/twins/twins.pl" :: "$@"
    ;;
  tap)
    export PG_REGRESS="$pgxs/src/test/regress/pg_regress" TESTDIR="$work" TESTDATADIR="$work" \
           TESTLOGDIR="$work/log" OROCHI_TEST_DIR="$here" PG_TEST_INITDB_EXTRA_OPTS="--no-locale"
    "${as_user[@]}" prove --verbose --failures -I "$pgxs/src/test/perl" -I "$here/tap" "$here/tap/$1"
    ;;
  *)
    echo "unknown kind of server test: $kind (regress, isolation, twins or tap)" >&2
    exit 2
    ;;
esac
rm -rf "$work"
