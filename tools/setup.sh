#!/bin/sh
# Installs the packages of tools/packages.txt that are missing. Runs again without harm, asks
# nothing, works as root or through sudo.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v apt-get >/dev/null; then
  echo "make setup installs Debian packages, and this system has no apt-get." >&2
  echo "Install the equivalents of the packages in tools/packages.txt by hand." >&2
  exit 1
fi

missing=""
while read -r package why; do
  case $package in ''|'#'*) continue ;; esac
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  if [ "$status" != installed ]; then
    printf '  %-26s %s\n' "$package" "$why"
    missing="$missing $package"
  fi
done < "$here/packages.txt"

if [ -z "$missing" ]; then
  echo "setup: every package is installed"
  exit 0
fi

as_root=""
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "The packages above are missing. Run 'make setup' as root, or install sudo." >&2
    exit 1
  fi
  as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
# A cluster of the distribution's own is of no use to us; do not create one on a machine without.
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
  $as_root mkdir -p /etc/postgresql-common
  echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
echo "setup: done"
