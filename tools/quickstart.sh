#!/bin/sh
# The last part of `make quickstart`: a private cluster, the tour, and how to go on.
set -eu
orochi up
orochi demo --keep
echo
echo "The cluster is up. Open a session with:"
echo
echo "    orochi sql"
echo
