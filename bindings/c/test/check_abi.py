#!/usr/bin/env python3
"""check_abi.py LIBRARY SOURCE_DIR: the library exports what abi/symbols.txt lists and nothing else,
each with the version that abi/orochi_sstable.map gives it, and that is what the header declares. --write
writes the list."""
import pathlib
import re
import subprocess
import sys


def exported(library):
    output = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", library],
                            check=True, capture_output=True, text=True).stdout
    symbols = [line.split()[1:] for line in output.splitlines()]
    return {name for kind, name in symbols if kind != "A"}  # A: the versions themselves


def declared(header):
    text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
    return set(re.findall(r"OROCHI_SST_API[^;(]*?\b(orochi_sst_\w+)\(", text))


def mapped(version_script):
    """name@@VERSION of every function that the version script exports."""
    text = re.sub(r"/\*.*?\*/", "", version_script.read_text(), flags=re.S)
    nodes = re.findall(r"(\w[\w.]*)\s*\{\s*global:(.*?)(?:local:|\})", text, flags=re.S)
    return {f"{name}@@{version}" for version, names in nodes for name in re.findall(r"[\w*?]+", names)}


def main():
    library, source = sys.argv[1], pathlib.Path(sys.argv[2])
    listed = source / "abi/symbols.txt"
    found = exported(library)
    if "--write" in sys.argv:
        listed.write_text("".join(name + "\n" for name in sorted(found)))
    expected = set(listed.read_text().split())
    errors = [f"exported and not in {listed.name}: {name}" for name in sorted(found - expected)]
    errors += [f"in {listed.name} and not exported: {name}" for name in sorted(expected - found)]
    in_map = mapped(source / "abi/orochi_sstable.map")
    errors += [f"exported, and not so in the version script: {name}" for name in sorted(found - in_map)]
    errors += [f"in the version script and not exported: {name}" for name in sorted(in_map - found)]
    names = {name.split("@")[0] for name in found}
    in_header = declared(source / "include/orochi_sstable.h")
    errors += [f"exported and not in the header: {name}" for name in sorted(names - in_header)]
    errors += [f"in the header and not exported: {name}" for name in sorted(in_header - names)]
    for error in errors:
        print(error, file=sys.stderr)
    if not found:
        errors.append("nothing is exported")
    print(f"abi: {len(found)} functions")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
