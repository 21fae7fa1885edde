#!/usr/bin/env python3
"""Real Cassandra writes gold SSTables and judges ours.

    cassandra.py setup BUILD        resolves Cassandra's jars by Maven, compiles the harness
    cassandra.py check BUILD BIN    everything in README.md: each pattern in each format with one
                                    compressor, rotating; --all for each with every compressor;
                                    --page FILE writes down what was judged
    cassandra.py bench BUILD FORMAT ARGUMENTS   for bench/: the harness's write, scan or lookup, or
                                    sstabledump FILE, with a gigabyte of heap, compilers and collector
                                    of a server; the time it took goes to standard error

BUILD is a directory of this harness's own (build/cassandra), BIN a build directory of Orochi. A run
that was ended goes on where it was, as long as the programs and patterns are the same. Needs Java 17 and
Maven. Nothing listens but a node's storage port, on the loopback address, while the command runs.
"""

import argparse
import os
import resource
import signal
import sys
import time

import judged_page
import read_checks
import write_checks
from gold import Gold
from node import FORMATS, HERE, Home, cassandra_version, run_bounded, setup
from verdicts import Verdicts

BENCH_TIMEOUT_S = 900


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup").add_argument("build")
    check = commands.add_parser("check")
    check.add_argument("build")
    check.add_argument("binaries")
    check.add_argument("--page", help="where to write what was judged")
    check.add_argument("--all", action="store_true", help="every compressor")
    check.add_argument("--only", nargs="+", metavar="CHECK", help="some checks")
    check.add_argument("--again", action="store_true", help="judge again what has passed, after a check's change")
    check.add_argument("--formats", nargs="+", choices=list(FORMATS), default=list(FORMATS))
    check.add_argument("--patterns", nargs="+", metavar="PATTERN", default=[], help="some patterns")
    bench = commands.add_parser("bench")
    bench.add_argument("build")
    bench.add_argument("format", choices=list(FORMATS))
    bench.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser.parse_args(arguments)


def context_of(options, chosen):
    context = read_checks.Context(Gold(options.build, options.patterns), options.binaries)
    programs = [context.orochi, context.rewrite_tree, context.lookup_tree]
    extension = [os.path.join(options.binaries, "pg", "orochi.so")] if "foreign" in chosen else []
    for program in programs + extension:
        if not os.path.exists(program):
            sys.exit(f"e2e: {program} not found: build orochi, rewrite_tree, lookup_tree and pgroot")
    sources = {name: context.gold.source(name) for name in context.gold.patterns}
    verdicts = Verdicts(context.build, programs + [os.path.join(HERE, "pom.xml")], sources)
    verdicts.tree = read_checks.call(["git", "-C", HERE, "describe", "--always", "--dirty"])[0].strip() or "no repository"
    return context, verdicts


def check_reading(context, cases, chosen, verdicts):
    names = [name for name in read_checks.CHECKS if name in chosen]
    if {"dump", "metadata"} & set(names):
        read_checks.print_gold(context, cases)
    for name in names:
        for case in cases:
            if not verdicts.passed(name, case):
                why = read_checks.CHECKS[name](context, case)
                if why is not None:
                    verdicts.add(name, case, why)
        judged = [case for case in cases if (name,) + case in verdicts.known]
        print(f"{name}: {sum(verdicts.passed(name, case) for case in judged)} of {len(judged)} tables pass", flush=True)


def check_writing(context, cases, chosen, verdicts):
    jobs = []
    for name in (name for name in write_checks.CHECKS if name in chosen):
        for case in cases:
            made = write_checks.CHECKS[name][0](context, case)
            if isinstance(made, str):
                verdicts.add(name, case, made)
            for job in made if isinstance(made, list) else []:
                if not verdicts.passed(name, job["id"][1:]):
                    jobs.append(job)
    for fmt in FORMATS:
        of_format = {tuple(job["id"][1:]): [] for job in jobs if job["id"][1] == fmt}
        for job in jobs:
            if job["id"][1] == fmt:
                of_format[tuple(job["id"][1:])].append(job)
        for partitioner, judged in context.gold.by_partitioner(of_format):
            write_checks.judge(context, fmt, partitioner, [job for case in judged for job in of_format[case]], verdicts)
    if "verifier" in chosen:
        for fmt in FORMATS:
            left = [case for case in cases if case[0] == fmt and verdicts.passed("rewrite", case)
                    and not verdicts.passed("verifier", case)]
            for partitioner, judged in context.gold.by_partitioner(left):
                write_checks.verifier_program(context, fmt, partitioner, judged, verdicts)


def check(options):
    known = list(read_checks.CHECKS) + list(write_checks.CHECKS) + ["verifier"]
    chosen = options.only or known
    for name in chosen:
        if name not in known:
            sys.exit(f"e2e: no check {name}; there are {' '.join(known)}")
    context, verdicts = context_of(options, chosen)
    if options.again:
        verdicts.forget(chosen)
    gold = context.gold
    cases = [case for case in (gold.all_cases() if options.all else gold.rotating_cases())
             if case[0] in options.formats]
    try:
        complete = gold.make(cases)
        check_reading(context, cases, chosen, verdicts)
        check_writing(context, cases, chosen, verdicts)
    finally:
        verdicts.add_seconds()
    if options.page:
        judged_page.write(options.page, gold, verdicts, cassandra_version(options.build))
    failures = verdicts.failures()
    print(f"e2e: {len(verdicts.known) - len(failures)} of {len(verdicts.known)} verdicts are good, "
          f"{verdicts.seconds_before / 60:.1f} minutes in all")
    for identity in sorted(failures):
        print(f"FAILED {' '.join(identity)}")
    return 0 if complete and not failures else 1


def bench(options):
    main_class = "orochi.judge.Main"
    arguments = options.arguments
    if arguments[0] == "sstabledump":
        main_class = "org.apache.cassandra.tools.SSTableExport"
        arguments = arguments[1:]
    start = time.monotonic()
    with Home(options.build, options.format) as home:
        code = run_bounded(home.java(arguments, ["-Xms1g", "-Xmx1g"], main_class), BENCH_TIMEOUT_S)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"process seconds={time.monotonic() - start:.3f} cpu_seconds={used.ru_utime + used.ru_stime:.3f} "
          f"peak_rss_kb={used.ru_maxrss}", file=sys.stderr)
    return code


def main(arguments):
    options = parse(arguments)
    # As Ctrl-C: what runs is ended on the way out.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if options.command == "setup":
        setup(options.build)
        return 0
    if options.command == "bench":
        return bench(options)
    return check(options)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
