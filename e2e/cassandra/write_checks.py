"""Checks of what Orochi writes. A maker writes SSTables and returns jobs for the judge, a string that says why it could
not, or None where there is nothing to check; a node of Cassandra then judges them, and what it dumped is compared."""

import glob
import json
import os
import shutil

from dumps import difference_of_directories, difference_of_parts, dumps_in, read_dump
from foreign_check import make_foreign
from gold import COMPRESSORS, keyspace_of
from node import DEFAULT_PARTITIONER, FORMATS, Home
from read_checks import call, data_files, run_program

# Statements that need what is in the table, or a column that the final schema does not have.
NOT_LOADED = ("collection_edits", "dropped_column")
SPLIT_BYTES_MIN = 2 << 20
TEN_DAYS_S = 864000
VERIFIED_AT_ONCE = 150


def job(context, check, gold_case, case, **more):
    """case is what the files are, gold_case what they must say. The keyspace is that of the gold files."""
    table = os.path.basename(context.gold.table_directory(gold_case))
    return {"id": [check] + list(case), "check": check, "gold": context.gold.directory(gold_case),
            "ours": context.ours(check, case, keyspace_of(gold_case), table), **more}


def emptied(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def make_same(context, case):
    """Read and written again, in the format and with the compressor it had."""
    made = job(context, "rewrite", case, case)
    why = call([context.rewrite_tree, context.gold.table_directory(case), emptied(made["ours"]), case[0], case[1]])[1]
    return why or [made]


def make_converted(context, case):
    """The same in another format and with another compressor."""
    fmt, compressor, pattern = case
    formats = list(FORMATS)
    target = (formats[(formats.index(fmt) + 1 + context.gold.patterns.index(pattern) % 2) % len(formats)],
              COMPRESSORS[(COMPRESSORS.index(compressor) + 2) % len(COMPRESSORS)], pattern)
    made = job(context, "convert", case, target)
    why = call([context.rewrite_tree, context.gold.table_directory(case), emptied(made["ours"])] + list(target[:2]))[1]
    return why or [made]


def make_upgraded(context, case):
    """`orochi sstable upgrade` from nb to oa, and of its result to da."""
    if case[0] != "nb":
        return None
    jobs = []
    source = context.gold.table_directory(case)
    for fmt in ("oa", "da"):
        made = job(context, "upgrade", case, (fmt,) + case[1:])
        why = call([context.orochi, "sstable", "upgrade", "--format", fmt, "-o", emptied(made["ours"]), source])[1]
        if why:
            return f"to {fmt}: {why}"
        source = made["ours"]
        jobs.append(made)
    return jobs


def make_loaded(context, case):
    """`orochi sstable write` of the statements that Cassandra executed."""
    if case[2].startswith("counter_") or case[2] in NOT_LOADED:
        return None
    made = job(context, "write", case, case)
    lines = [line for line in context.gold.source(case[2]).split("\n") if not line.startswith("--")]
    statements = "\n".join(lines).replace("$KS", keyspace_of(case)).replace("$WITH", "comment = ''")
    why = call([context.orochi, "sstable", "write", "--out", emptied(made["ours"]), "--format", case[0],
                "--compression", case[1], "--partitioner", context.gold.partitioners.get(case[2], DEFAULT_PARTITIONER),
                "--schema", context.gold.schema(case), "-"], text=statements)[1]
    return why or [made]


def make_compacted(context, case, check="compact", gc_grace_s=TEN_DAYS_S):
    """`orochi sstable compact`, with tombstones forgotten after gc_grace_s, as Cassandra's compaction does."""
    made = job(context, check, case, case, gcGrace=gc_grace_s)
    made["theirs"] = emptied(os.path.join(context.build, "theirs", check, *case))
    why = call([context.orochi, "sstable", "compact", "-o", emptied(made["ours"]), "--purge", "--gc-grace",
                str(gc_grace_s), "--schema", context.gold.schema(case), context.gold.table_directory(case)])[1]
    return why or [made]


def make_purged(context, case):
    """The same, where every tombstone may go at once."""
    return make_compacted(context, case, "purge", 0)


def make_split(context, case):
    """`orochi sstable split` of what is large enough."""
    source = context.gold.table_directory(case)
    info, why = call([context.orochi, "sstable", "info", "--json", source])
    if why:
        return why
    if max(json.loads(line)["size_uncompressed"] for line in info.splitlines()) < SPLIT_BYTES_MIN:
        return None
    made = job(context, "split", case, case)
    why = call([context.orochi, "sstable", "split", "--max-size-mb", "1", "-o", emptied(made["ours"]), source])[1]
    if not why and len(data_files(made["ours"])) < 2:
        why = "one part"
    return why or [made]


def make_scrubbed(context, case):
    """`orochi sstable scrub` of files that have lost their indexes, filter, digest and table of contents."""
    if call([context.orochi, "sstable", "scrub", "--help"])[1]:
        return None
    made = job(context, "scrub", case, case)
    left = emptied(os.path.join(context.build, "left", *case))
    for path in glob.glob(os.path.join(glob.escape(context.gold.table_directory(case)), "*.db")):
        if path.endswith(("-Data.db", "-Statistics.db", "-CompressionInfo.db")):
            shutil.copy(path, left)
    why = call([context.orochi, "sstable", "scrub", "-o", emptied(made["ours"]), left])[1]
    return why or [made]


def compare_same(made):
    keyspace = os.path.basename(os.path.dirname(made["ours"]))
    table = os.path.basename(made["ours"])
    return difference_of_directories(made["ours"], os.path.join(made["gold"], keyspace, table))


def compare_compacted(made):
    theirs = [read_dump(path) for path in glob.glob(os.path.join(glob.escape(made["theirs"]), "*.json"))]
    return difference_of_parts(list(dumps_in(made["ours"]).values()),
                               [partition for dump in theirs for partition in dump])


def compare_split(made):
    keyspace = os.path.basename(os.path.dirname(made["ours"]))
    whole = dumps_in(os.path.join(made["gold"], keyspace, os.path.basename(made["ours"])))
    return difference_of_parts(list(dumps_in(made["ours"]).values()),
                               [partition for dump in whole.values() for partition in dump])


# The answers of what was loaded or exported are all that can be compared: the rest depends on the time of writing.
CHECKS = {"rewrite": (make_same, compare_same), "convert": (make_converted, compare_same),
          "upgrade": (make_upgraded, compare_same), "write": (make_loaded, None), "foreign": (make_foreign, None),
          "compact": (make_compacted, compare_compacted), "purge": (make_purged, compare_compacted),
          "split": (make_split, compare_split), "scrub": (make_scrubbed, compare_same)}


def judge(context, fmt, partitioner, jobs, verdicts):
    """Lets a node of the partitioner that writes `fmt` judge the jobs; their verdicts are kept."""
    listed = os.path.join(context.build, f"jobs_{fmt}.jsonl")
    concluded = os.path.join(context.build, f"concluded_{fmt}.jsonl")
    jobs = sorted(jobs, key=lambda made: (made["check"], made["ours"].split(os.sep)[-2]))
    with open(listed, "w", encoding="utf-8") as out:
        for made in jobs:
            out.write(json.dumps(made) + "\n")
    open(concluded, "w", encoding="utf-8").close()
    print(f"judge: {fmt}: {len(jobs)} tables of {partitioner}", flush=True)
    try:
        with Home(context.build, fmt, partitioner) as home:
            home.run(["judge", listed, concluded], 120 + 5 * len(jobs))
    finally:
        by_id = {tuple(made["id"]): made for made in jobs}
        with open(concluded, encoding="utf-8") as lines:
            for line in lines:
                verdict = json.loads(line)
                made = by_id.pop(tuple(verdict["id"]))
                compare = CHECKS[made["check"]][1]
                why = verdict["why"] or (compare(made) if compare else "")
                verdicts.add(made["check"], made["id"][1:], why)
    for made in by_id.values():
        verdicts.add(made["check"], made["id"][1:], "Cassandra came to no verdict")


def verifier_program(context, fmt, partitioner, cases, verdicts):
    """StandaloneVerifier, the program, over the tables written again: their files in the data directory of a node
    that has the tables and is not running."""
    for start in range(0, len(cases), VERIFIED_AT_ONCE):
        chosen = cases[start:start + VERIFIED_AT_ONCE]
        jobs = [job(context, "rewrite", case, case, directory=os.path.join(context.build, f"directory_{number}"))
                for number, case in enumerate(chosen)]
        listed = os.path.join(context.build, f"jobs_tables_{fmt}.jsonl")
        concluded = os.path.join(context.build, f"concluded_tables_{fmt}.jsonl")
        with open(listed, "w", encoding="utf-8") as out:
            for made in jobs:
                out.write(json.dumps(made) + "\n")
        open(concluded, "w", encoding="utf-8").close()
        with Home(context.build, fmt, partitioner) as home:
            if home.run(["tables", listed, concluded], 120 + 3 * len(jobs)) != 0:
                raise SystemExit("e2e: the tables for StandaloneVerifier could not be made")
            programs = []
            for case, made in zip(chosen, jobs):
                with open(made["directory"], encoding="utf-8") as where:
                    directory = where.read()
                os.remove(made["directory"])
                for path in glob.glob(os.path.join(glob.escape(made["ours"]), "*-*-*-*")):
                    shutil.copy(path, directory)
                programs.append((("verifier",) + case, ["-f", "-e", keyspace_of(case), case[2]],
                                 os.path.join(context.build, "printed", "StandaloneVerifier", *case)))
            passed = run_program(context, fmt, "StandaloneVerifier", programs, home)
            for identity, _, printed in programs:
                verdicts.add("verifier", identity[1:], word_of_verifier(identity in passed, printed))


def word_of_verifier(passed, printed):
    """An exit code of 0 also follows when it saw no file, so its words must say that it read some."""
    with open(printed if passed else printed + ".part", encoding="utf-8", errors="replace") as source:
        text = source.read()
    if not passed or "Verifying" not in text:
        return f"StandaloneVerifier prints {text[-300:]}"
    return ""
