#!/bin/sh
# Runs a command of `make install` as root: directly, or through sudo.
set -eu
if [ "$(id -u)" = 0 ]; then
  exec "$@"
fi
if ! command -v sudo >/dev/null; then
  echo "Installing needs root, and there is no sudo here. Let root run, in this directory:" >&2
  echo "    make install" >&2
  echo "Then \`orochi up\` and \`orochi demo\` work for every user of this machine." >&2
  exit 1
fi
exec sudo "$@"
