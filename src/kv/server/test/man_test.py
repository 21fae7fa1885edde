#!/usr/bin/env python3
"""Goal: the man page has every option of orochi-kvd and none that is not; its markup is right.

Method: names of options in --help and in the page are compared; groff, where it is, has to format
the page without a warning.

usage: man_test.py OROCHI_KVD PAGE
"""

import re
import shutil
import subprocess
import sys


def main():
    shown = subprocess.run([sys.argv[1], "--help"], capture_output=True, text=True, timeout=20,
                           check=True).stdout
    options = set(re.findall(r"^ +(?:-\w,)?(--[a-z-]+)", shown, re.MULTILINE))
    assert len(options) > 10, shown
    with open(sys.argv[2], encoding="ascii") as page:
        text = page.read()
    listed = set()
    for block in re.findall(r"^\.TP\n(.*)$", text, re.MULTILINE):
        plain = re.sub(r"\\f.", "", block).replace("\\-", "-")
        listed |= set(re.findall(r"--[a-z-]+", plain))
    assert options == listed, (f"not in the page: {sorted(options - listed)}; "
                               f"no option: {sorted(listed - options)}")
    if shutil.which("groff") is None:
        print("SKIPPED in part: no groff here")
    else:
        formatted = subprocess.run(["groff", "-man", "-Tutf8", "-ww", sys.argv[2]],
                                   capture_output=True, text=True, check=True)
        assert formatted.stderr == "", formatted.stderr
    print(f"{len(options)} options")


if __name__ == "__main__":
    main()
