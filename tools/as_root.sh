#!/bin/sh
# Runs a command as root: directly, or through sudo.
set -eu
if [ "$(id -u)" = 0 ]; then
  exec "$@"
fi
if ! command -v sudo >/dev/null; then
  echo "needs root: run as root or install sudo: $*" >&2
  exit 1
fi
exec sudo "$@"
