"""Checks of what Orochi reads: each takes a case and returns "" (passed), why not, or None where there is nothing to
check. What Cassandra's programs print of the gold files is made before, by `prepare`."""

import contextlib
import glob
import json
import os
import re
import shutil
import subprocess

from dumps import first_difference, load_dump
from node import Home

SMALL_TIMEOUT_S = 120
# Forms of sstabledump's output: its options and ours.
DUMP_FORMS = {"": [], "-l": ["--lines"], "-e": ["--keys-only"], "-t": ["--timestamps"]}


class Context:
    """What checks need: the gold tree, Orochi's programs, and where to put files."""

    def __init__(self, gold, binaries):
        self.gold = gold
        self.build = gold.build
        self.binaries = binaries
        self.orochi = os.path.join(binaries, "cli", "orochi")
        self.rewrite_tree = os.path.join(binaries, "e2e", "rewrite_tree")
        self.lookup_tree = os.path.join(binaries, "e2e", "lookup_tree")

    def ours(self, check, case, keyspace, table):
        return os.path.join(self.build, "ours", check, *case, keyspace, table)

    def printed(self, program, case, data_file, form=""):
        """Where a program's output about a gold file is kept."""
        name = os.path.basename(data_file).replace("-Data.db", form)
        return os.path.join(self.gold.directory(case), "printed", program, name)


def call(command, text=None):
    """Standard output, and why it failed."""
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False,
                              timeout=SMALL_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return "", f"{command[0]}: more than {SMALL_TIMEOUT_S} s"
    if done.returncode != 0:
        return "", f"exit code {done.returncode}: {(done.stderr.strip() or done.stdout.strip())[:300]}"
    return done.stdout, ""


def data_files(directory):
    return sorted(glob.glob(os.path.join(glob.escape(directory), "*-Data.db")))


def run_program(context, fmt, program, jobs, home=None):
    """Runs one of Cassandra's programs for each (id, arguments, output file); returns the ids with exit code 0."""
    if not jobs:
        return set()
    listed = os.path.join(context.build, f"jobs_{program}.jsonl")
    concluded = os.path.join(context.build, f"concluded_{program}.jsonl")
    with open(listed, "w", encoding="utf-8") as out:
        for identity, arguments, printed in jobs:
            out.write(json.dumps({"id": identity, "arguments": arguments, "out": printed}) + "\n")
    open(concluded, "w", encoding="utf-8").close()
    with contextlib.nullcontext(home) if home else Home(context.build, fmt) as chosen:
        chosen.run([program, listed, concluded], 60 + 2 * len(jobs))
    with open(concluded, encoding="utf-8") as lines:
        verdicts = [json.loads(line) for line in lines]
    return {tuple(verdict["id"]) for verdict in verdicts if verdict["why"] == ""}


def print_gold(context, cases):
    """Has sstabledump and sstablemetadata print what they say of the gold files, in every form, where that is not
    there yet. Of copies: a program that opens a table without its schema may replace its summary."""
    copies = os.path.join(context.build, "copies")
    shutil.rmtree(copies, ignore_errors=True)
    for fmt in sorted({case[0] for case in cases}):
        dumps, metadata = [], []
        for number, case in enumerate(case for case in cases if case[0] == fmt):
            forms = ["", list(DUMP_FORMS)[1 + number % (len(DUMP_FORMS) - 1)]]
            source = context.gold.table_directory(case)
            copied = os.path.join(copies, *case, *source.split(os.sep)[-2:])
            known = len(dumps) + len(metadata)
            for data in data_files(source):
                copy = os.path.join(copied, os.path.basename(data))
                for form in forms:
                    printed = context.printed("SSTableExport", case, data, form)
                    if not os.path.exists(printed):
                        dumps.append((case, [copy] + ([form] if form else []), printed))
                printed = context.printed("SSTableMetadataViewer", case, data)
                if not os.path.exists(printed):
                    metadata.append((case, [copy], printed))
            if len(dumps) + len(metadata) > known:
                shutil.copytree(source, copied)
        run_program(context, fmt, "SSTableExport", dumps)
        run_program(context, fmt, "SSTableMetadataViewer", metadata)
        shutil.rmtree(copies, ignore_errors=True)


def dump(context, case):
    """`orochi sstable dump` against sstabledump, the program, value by value."""
    for data in data_files(context.gold.table_directory(case)):
        for form, options in DUMP_FORMS.items():
            printed = context.printed("SSTableExport", case, data, form)
            if not os.path.exists(printed):
                if form == "":
                    return "sstabledump printed nothing"
                continue
            text, why = call([context.orochi, "sstable", "dump", "--raw-counters"] + options + [data])
            with open(printed, encoding="utf-8") as source:
                expected = source.read()
            why = why or difference_of_texts(text, expected, lines=form == "-l")
            if why:
                return f"{data} {form}: {why}"
    return ""


def difference_of_texts(found, expected, lines):
    try:
        if lines:
            return first_difference([load_dump(line, positions=True) for line in found.splitlines() if line],
                                    [load_dump(line, positions=True) for line in expected.splitlines() if line])
        return first_difference(load_dump(found, positions=True), load_dump(expected, positions=True))
    except ValueError as error:
        return f"not JSON: {error}"


def query(context, case):
    return query_over(context, case, context.gold.table_directory(case))


def query_over(context, case, directory):
    """Every kept SELECT, asked of a directory, against what Cassandra answered, be it an error."""
    differences = []
    with open(os.path.join(context.gold.directory(case), "selects.jsonl"), encoding="utf-8") as answers:
        for answer in map(json.loads, answers):
            text, why = call([context.orochi, "sstable", "query", answer["query"], "--format", "lines", "--schema",
                              context.gold.schema(case), directory])
            if "error" in answer:
                why = difference_of_errors(why, answer["error"])
            else:
                why = why or first_difference([load_dump(line) for line in text.split("\n") if line],
                                              [load_dump(row) for row in answer["rows"]])
            if why:
                differences.append(f"{answer['query']:.120}: {why}")
    return "\n".join(differences)


def difference_of_errors(found, expected):
    """Ours adds where in the statement it is, and does not list a function's signatures. What a parser says of a statement that is none is its own affair."""
    if found == "":
        return f"answered, expected the error: {expected}"
    said = expected.split("\n")[0].split(" (known type signatures")[0].split(" : (")[0]
    if "no viable alternative" in expected or "mismatched" in expected or said in found:
        return ""
    return f"refused with {found!r}, expected {expected!r}"


def lookup(context, case):
    """Verified, and read through the indexes: every partition by key, and slices of rows, both ways."""
    return call([context.lookup_tree, context.gold.table_directory(case)])[1]


def cql_sstable_writer(context, case):
    """What CQLSSTableWriter made of the same statements: sound for us, dumped as by Cassandra, and with the answers
    that the table has."""
    if not os.path.isdir(os.path.join(context.gold.directory(case), "cqlsstablewriter")):
        return None
    directory = context.gold.table_directory(case, "cqlsstablewriter")
    why = call([context.orochi, "sstable", "verify", "--quiet", directory])[1]
    for data in data_files(directory):
        text, failed = call([context.orochi, "sstable", "dump", "--raw-counters", data])
        with open(data.replace("-Data.db", ".json"), encoding="utf-8") as source:
            why = why or failed or difference_of_texts(text, source.read(), lines=False)
    return why or query_over(context, case, directory)


def metadata(context, case):
    """`orochi sstable info --json` against sstablemetadata, the program, where both say something."""
    for data in data_files(context.gold.table_directory(case)):
        printed = context.printed("SSTableMetadataViewer", case, data)
        if not os.path.exists(printed):
            return "sstablemetadata printed nothing"
        text, why = call([context.orochi, "sstable", "info", "--json", data])
        if not why:
            with open(printed, encoding="utf-8") as source:
                why = difference_of_metadata(json.loads(text), facts_of_viewer(source.read()))
        if why:
            return f"{data}: {why}"
    return ""


def facts_of_viewer(text):
    """What sstablemetadata says, under the names and in the units of ours."""
    fields = dict(re.findall(r"^([A-Za-z][\w ]*): ?(.*)$", text, re.MULTILINE))
    sections = dict(re.findall(r"^(Partition Size|Column Count|Estimated tombstone drop times): *\n((?:   .*\n)*)", text,
                               re.MULTILINE))

    def in_parentheses(name):
        return fields[name].rsplit("(", 1)[1].rstrip(")")

    def time_or_none(name):
        return None if fields[name].startswith("no ") else int(in_parentheses(name))

    def number(name):
        return int(re.match(r"-?\d+", fields[name]).group())

    facts = {
        "partitioner": fields["Partitioner"],
        "bloom_fp_chance": float(fields["Bloom Filter FP chance"]),
        "timestamp_min": int(in_parentheses("Minimum timestamp")),
        "timestamp_max": int(in_parentheses("Maximum timestamp")),
        "deletion_time_min": time_or_none("SSTable min local deletion time"),
        "deletion_time_max": time_or_none("SSTable max local deletion time"),
        "compressor": fields["Compressor"].rsplit(".", 1)[1] if "." in fields["Compressor"] else None,
        "ttl_min": number("TTL min"),
        "ttl_max": number("TTL max"),
        "level": number("SSTable Level"),
        "repaired": None if fields["Repaired at"] == "0" else fields["Repaired at"],
        "host": fields["Originating host id"],
        "cells": number("totalColumnsSet"),
        "rows": number("totalRows"),
        "partitions": sum_of_counts(sections["Partition Size"]),
        "droppable_tombstones": sum_of_counts(sections.get("Estimated tombstone drop times", "")),
    }
    if facts["compressor"] is not None:
        facts["compression_ratio"] = float(fields["Compression ratio"])
    for name, section in (("partition_size", "Partition Size"), ("cells_per_partition", "Column Count")):
        quantiles = dict(re.findall(r"^   (50th|99th|Max) +(\d+)", sections[section], re.MULTILINE))
        facts[name] = {"p50": int(quantiles["50th"]), "p99": int(quantiles["99th"]), "max": int(quantiles["Max"])}
    return facts


def sum_of_counts(section):
    """Of the rows "BOUND (TEXT) | COUNT (PERCENT) BARS" of a histogram."""
    return sum(int(count) for count in re.findall(r"^   \d[^|]*\| +(\d+) ", section, re.MULTILINE))


def difference_of_metadata(ours, theirs):
    for name, expected in theirs.items():
        if name not in ours:
            return f"{name} is missing, expected {expected}"
        if ours[name] != expected and not (name == "bloom_fp_chance" and expected == 1.0 and ours[name] is None):
            return f"{name}: found {ours[name]}, expected {expected}"
    return ""


CHECKS = {"dump": dump, "query": query, "lookup": lookup, "metadata": metadata,
          "cqlsstablewriter": cql_sstable_writer}
