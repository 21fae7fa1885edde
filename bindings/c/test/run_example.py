#!/usr/bin/env python3
"""run_example.py PROGRAM: the example prints what the guide says it does, and its files verify."""
import subprocess
import sys
import tempfile

EXPECTED = """\
wrote 2 partitions
ada: 2 orders, 19.90
bob: 1 orders, 5.00
customer="ada" id=1 total=9.95 tags=["gift", "new"] written at 1001
customer="ada" id=3 total=9.95 tags=["gift", "new"] written at 1003
"""

with tempfile.TemporaryDirectory(prefix="orochi-example-") as directory:
    run = subprocess.run([sys.argv[1], directory], capture_output=True, text=True, check=False)
    lines = sorted(run.stdout.splitlines()), sorted(EXPECTED.splitlines())
    if run.returncode != 0 or lines[0] != lines[1]:  # partitions come by token
        sys.exit(f"exit code {run.returncode}, printed:\n{run.stdout}{run.stderr}\n"
                 f"expected, in any order:\n{EXPECTED}")
