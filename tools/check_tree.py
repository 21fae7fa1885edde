#!/usr/bin/env python3
"""Checks what no compiler does: file sizes, links between documents, headers without a guard, and
that every SQL function carries a comment."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINES_MAX = 1200
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")
FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?(FUNCTION|PROCEDURE|AGGREGATE) (orochi\.\w+)", re.I)
COMMENT = re.compile(r"COMMENT ON (?:FUNCTION|PROCEDURE|AGGREGATE) (orochi\.\w+)", re.I)


def tracked():
    names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                           cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def main():
    errors = []
    files = tracked()
    for path in files:
        where = path.relative_to(ROOT)
        if path.suffix in (".h", ".cc", ".sql", ".py"):
            lines = path.read_text().splitlines()
            if len(lines) > LINES_MAX:
                errors.append(f"{where}: {len(lines)} lines, at most {LINES_MAX}: look for a seam")
            if path.suffix == ".h" and "#pragma once" not in lines:
                errors.append(f"{where}: no #pragma once")
        if path.suffix == ".md":
            for target, _ in LINK.findall(path.read_text()):
                if "://" not in target and not (path.parent / target).exists():
                    errors.append(f"{where}: link to {target}, which does not exist")
        if "pg/sql/install" in str(where):
            text = path.read_text()
            commented = set(COMMENT.findall(text))
            for kind, name in FUNCTION.findall(text):
                if name not in commented:
                    errors.append(f"{where}: {kind.lower()} {name} has no COMMENT ON")
    for error in errors:
        print(error, file=sys.stderr)
    if not errors:
        print(f"tree: {len(files)} files checked")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
