#!/usr/bin/env python3
"""coverage.py BUILD_DIR: which lines of the SSTable library the unit tests run.

Runs the unit tests of src/sstable in a build of the `coverage` preset, counts with gcovr and prints
a table by module. Fails when a module that parses files or CQL falls below the line it has to keep.
`--files` adds a line a file, `--missing` the lines that nothing ran.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODULES = ("types", "cql", "schema", "format", "read", "verify")
PERCENT_MIN = 95.0


def run_tests(build):
    for counts in build.rglob("*.gcda"):
        counts.unlink()
    # Not through ctest, whose limits of time are for builds without counters.
    tests = sorted(build.glob("src/sstable/*/sstable_*_test"))
    if not tests:
        sys.exit(f"{build} has no tests; build them first (make coverage)")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = pool.map(lambda test: (test, subprocess.run(
            [str(test), "--gtest_brief=1"], cwd=test.parent, capture_output=True, text=True,
            check=False)), tests)
        for test, run in runs:
            if run.returncode != 0:
                sys.exit(f"{test.name} fails:\n{run.stdout}{run.stderr}")


def count_lines(build):
    out = build / "coverage.json"
    command = ["gcovr", "--root", str(ROOT), "--json", str(out), "--exclude-unreachable-branches",
               "--gcov-ignore-parse-errors", "-j", str(os.cpu_count() or 1),
               "--exclude", r".*_test\.cc", "--exclude", ".*/testing/.*"]
    for module in MODULES:
        command += ["--filter", f"src/sstable/{module}/"]
    subprocess.run([*command, str(build / "src/sstable")], check=True, cwd=ROOT)
    files = {}
    for file in json.loads(out.read_text())["files"]:
        lines = {}
        for line in file["lines"]:
            if not line.get("gcovr/noncode"):
                number = line["line_number"]
                lines[number] = lines.get(number, 0) + line["count"]
        if lines:
            files[file["file"]] = lines
    return files


def ranges(numbers):
    """1-3 7 9-10"""
    out = []
    for number in sorted(numbers):
        if out and out[-1][1] == number - 1:
            out[-1][1] = number
        else:
            out.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in out)


def row(name, maps, width):
    total = sum(len(lines) for lines in maps)
    run = sum(1 for lines in maps for count in lines.values() if count > 0)
    percent = 100.0 * run / total if total else 100.0
    print(f"{name:{width}} {total:7} {run:7} {total - run:7} {percent:8.1f}")
    return percent


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--files", action="store_true")
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--no-run", action="store_true", help="count what earlier runs left")
    options = parser.parse_args()
    build = options.build.resolve()
    if not options.no_run:
        run_tests(build)
    files = count_lines(build)
    width = max((len(name) for name in files), default=0) if options.files else 24
    print(f"{'module':{width}} {'lines':>7} {'run':>7} {'not run':>7} {'percent':>8}")
    below = []
    for module in MODULES:
        name = f"src/sstable/{module}"
        of_module = {file: lines for file, lines in files.items() if file.startswith(name + "/")}
        if row(name, list(of_module.values()), width) < PERCENT_MIN:
            below.append(name)
        for file, lines in sorted(of_module.items()):
            if options.files:
                row("  " + file.removeprefix("src/sstable/"), [lines], width)
            missing = [number for number, count in lines.items() if count == 0]
            if options.missing and missing:
                print(f"  {file}: {ranges(missing)}")
    row("together", list(files.values()), width)
    if below:
        print(f"below {PERCENT_MIN} percent: {', '.join(below)}", file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
