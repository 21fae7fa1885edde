#!/bin/sh
# make_pgroot.sh PG_CONFIG OUT ORCHI_SO TEST_SO EXTENSION_DIR UPGRADE_DIR...
# Lays out OUT as a PostgreSQL installation of its own: programs copied, everything else linked to
# the system's, our extension in it. PostgreSQL finds its libraries and share files relative to its
# programs, so a server started from OUT sees the extension and the system stays untouched.
set -eu
pg_config=$1 out=$2 orochi_so=$3 test_so=$4 extension_dir=$5
shift 5
bindir=$("$pg_config" --bindir)
pkglibdir=$("$pg_config" --pkglibdir)
sharedir=$("$pg_config" --sharedir)
version=$("$bindir/postgres" --version)

if [ "$(cat "$out/.version" 2>/dev/null)" != "$version" ]; then
  rm -rf "$out"
  mkdir -p "$out$bindir" "$out$pkglibdir" "$out$sharedir"
  cp -r "$bindir/." "$out$bindir/"
  cp -rs "$pkglibdir/." "$out$pkglibdir/"
  cp -rs "$sharedir/." "$out$sharedir/"
  echo "$version" > "$out/.version"
fi
rm -f "$out$sharedir"/extension/orochi* "$out$pkglibdir"/orochi*.so
# Replaced by rename: a running server keeps the file it has mapped.
for so in "$orochi_so" "$test_so"; do
  cp "$so" "$out$pkglibdir/.new.so"
  mv "$out$pkglibdir/.new.so" "$out$pkglibdir/$(basename "$so")"
done
cp "$extension_dir"/orochi* "$out$sharedir/extension/"
for directory in "$@"; do
  for script in "$directory"/*.sql; do
    [ -e "$script" ] && cp "$script" "$out$sharedir/extension/"
  done
done
chmod -R a+rX "$out"
