"""The page that says which combinations Cassandra judged, made of the verdicts."""

from gold import COMPRESSORS
from node import FORMATS

CHECKS = {
    "dump": "`dump` prints what Cassandra's sstabledump prints",
    "query": "`query` answers as Cassandra",
    "lookup": "`verify` finds no fault; every partition and slices of rows through the indexes, both ways",
    "metadata": "`info --json` says what Cassandra's sstablemetadata says",
    "cqlsstablewriter": "files of CQLSSTableWriter: `verify`, `dump` and `query`",
    "rewrite": "written again as it was",
    "convert": "written in this format, with this compressor, from another of both",
    "upgrade": "`upgrade` of nb to oa, and of that to da",
    "write": "`write` of the CQL statements",
    "foreign": "imported into PostgreSQL as foreign tables, and exported by `orochi.export_sstable`",
    "compact": "`compact` against Cassandra's major compaction of the same files",
    "purge": "`compact --purge --gc-grace 0` against the same with `gc_grace_seconds = 0`",
    "split": "`split`",
    "scrub": "`scrub` of files without indexes, filter and digest",
    "verifier": "Cassandra's StandaloneVerifier, with extended verification, of what was written again",
}
JUDGED_BY_NODE = ("rewrite", "convert", "upgrade", "write", "foreign", "compact", "purge", "split", "scrub")
GROUPS = {
    "scalar_types": "every type as key, clustering column in either order, element and vector",
    "collections": "collections, nested and frozen",
    "user_types": "user types, tuples, vectors",
    "keys_and_clusterings": "composite keys, clusterings of every shape, empty values",
    "columns": "many columns, sparse rows, statics",
    "tombstones_and_ttls": "tombstones of every kind, TTLs, extreme timestamps",
    "volume": "wide partitions, large values, many keys",
    "counters": "counters",
    "evolution": "columns added and dropped, overwrites in several SSTables",
    "options": "bloom filter and index options",
    "expressions": "arithmetic, functions, INSERT JSON, errors of queries",
    "partitioners": "RandomPartitioner, ByteOrderedPartitioner, ranges of tokens",
}


def cell(verdicts, check, cases):
    known = [verdicts[(check,) + case] for case in cases if (check,) + case in verdicts]
    if not known:
        return "-"
    good = sum(why == "" for why in known)
    return str(good) if good == len(known) else f"**{good} of {len(known)}**"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def trees_of(verdicts, judged, check):
    """The commits of whose programs a check's verdicts are."""
    trees = sorted({verdicts.trees[identity] for identity in judged if identity[0] == check})
    return "; ".join(trees) or "not judged"


def write(path, gold, verdicts, version):
    cases = gold.all_cases()
    judged = verdicts.with_earlier()
    by_files = [[fmt, compressor] + [cell(judged, check, [case for case in cases if case[:2] == (fmt, compressor)])
                                     for check in CHECKS]
                for fmt in FORMATS for compressor in COMPRESSORS]
    by_feature = [[text] + [cell(judged, check, [case for case in cases if case[2] in gold.groups[group]])
                            for check in CHECKS]
                  for group, text in GROUPS.items()]
    failures = [f"- {' '.join(identity)}: {why[:300]}" for identity, why in sorted(judged.items()) if why]
    legend = [[f"`{check}`", text, trees_of(verdicts, judged, check)] for check, text in CHECKS.items()]
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"""# What Cassandra judged

Written by `make e2e` from what it found: real Cassandra {version}, {len(gold.patterns)} schemas. A number is that
of tables which passed; `-` is not judged; where some failed both numbers are given, and the failures are
listed. {sum(why == "" for why in judged.values())} verdicts are good, {len(failures)} are not.

{table(["check", "what passed", "commit"], legend)}

For {", ".join(f"`{name}`" for name in JUDGED_BY_NODE)}
a node of Cassandra reads the files we wrote: import with extended verification, the verifier, every SELECT (whole table, by key, slices, reversed) before and
after a major compaction, and sstabledump, compared value by value (not for `write`, where times of
deletion differ).

## By format and compressor

{table(["format", "compressor"] + list(CHECKS), by_files)}

## By feature, over all formats and compressors

{table(["feature"] + list(CHECKS), by_feature)}

## Failures

{chr(10).join(failures) or "None."}

## Not judged

- Counters made by us: they are copied and merged, not made. Statements that read before they write.
- `foreign` with counters, with other partitioners than Murmur3Partitioner, and with the values that PostgreSQL
  does not hold: NaN in jsonb, nanoseconds, 1E+10 as other than 10000000000, empty values beside null.
- LocalPartitioner, but for its tokens; files of other releases than {version}.
- `split` of tables below 2 MiB; CQLSSTableWriter with counters, changed schemas or more than 40 statements.
""")
