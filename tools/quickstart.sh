#!/bin/sh
# quickstart.sh [ARGUMENTS OF orochi up]
# The last part of `make quickstart`: a private cluster, the tour, and how to go on.
set -eu
IN_THE_WAY=5 # exit code of orochi
code=0
orochi up "$@" || code=$?
if [ "$code" = "$IN_THE_WAY" ]; then
  echo "make quickstart takes another port with: make quickstart PORT=5434" >&2
fi
[ "$code" = 0 ] || exit "$code"

kept=$(orochi sql -XAtq -c "SELECT 1 FROM pg_namespace WHERE nspname = 'orochi_demo'")
if [ -z "$kept" ]; then
  orochi demo --keep
else
  echo
  echo "The tour's tables are there from an earlier run; this takes it again and drops them:"
  echo
  echo "    orochi demo --keep --replace"
fi
echo
echo "The cluster is up. Open a session with:"
echo
echo "    orochi sql"
echo
