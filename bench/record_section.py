#!/usr/bin/env python3
"""Replaces one benchmark's section in docs/performance.md, or adds it, with what stdin says.

usage: record_section.py NAME"""
import pathlib
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "performance.md"
HEAD = """# Performance

What was compared, on one machine, side by side in one run (A B A B): medians, and the interval of
the ratio. Differences under 15 % are noise here unless the interval says otherwise. `bench/`
holds the workloads and says how to run them; those we lose stay in.
"""


def main():
    name = sys.argv[1]
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    section = f"{begin}\n{sys.stdin.read().strip()}\n{end}\n"
    page = PAGE.read_text() if PAGE.exists() else HEAD
    if begin in page:
        before, rest = page.split(begin, 1)
        after = rest.split(end, 1)[1].lstrip("\n")
        page = before + section + ("\n" + after if after else "")
    else:
        page = page.rstrip("\n") + "\n\n" + section
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
