"""Which tables are judged, and the files that Cassandra writes of them."""

import json
import os
import shutil
import subprocess
import sys

from node import DEFAULT_PARTITIONER, FORMATS, HERE, Home

COMPRESSORS = ["lz4", "none", "snappy", "deflate", "zstd"]
GOLD_TIMEOUT_S = 3600


class Gold:
    """The tree BUILD/gold/FORMAT/COMPRESSOR/PATTERN and the patterns it comes from. A case is a triple of these."""

    def __init__(self, build, names):
        self.build = os.path.abspath(build)
        self.sources = os.path.join(self.build, "patterns")
        shutil.rmtree(self.sources, ignore_errors=True)
        subprocess.run([sys.executable, os.path.join(HERE, "patterns.py"), self.sources] + names, check=True)
        with open(os.path.join(self.sources, "groups.json"), encoding="utf-8") as groups:
            self.groups = json.load(groups)
        # Those that came later stand behind, so that the files of the others stay what they are.
        self.patterns = sorted((name for group in self.groups.values() for name in group),
                               key=lambda name: (name in self.groups["expressions"] + self.groups["partitioners"], name))
        with open(os.path.join(self.sources, "partitioners.json"), encoding="utf-8") as partitioners:
            self.partitioners = json.load(partitioners)

    def rotating_cases(self):
        """Every pattern in each format, with one compressor: another one in each format, and for its neighbour."""
        return [(fmt, COMPRESSORS[(number + 2 * format_number) % len(COMPRESSORS)], pattern)
                for format_number, fmt in enumerate(FORMATS) for number, pattern in enumerate(self.patterns)]

    def all_cases(self):
        return [(fmt, compressor, pattern)
                for fmt in FORMATS for compressor in COMPRESSORS for pattern in self.patterns]

    def by_partitioner(self, cases):
        """Pairs of a partitioner and those of the cases whose tables it partitions."""
        chosen = {}
        for case in cases:
            chosen.setdefault(self.partitioners.get(case[2], DEFAULT_PARTITIONER), []).append(case)
        return sorted(chosen.items())

    def directory(self, case):
        return os.path.join(self.build, "gold", *case)

    def schema(self, case):
        return os.path.join(self.directory(case), "schema.cql")

    def table_directory(self, case, source=""):
        """Where the SSTables are: KEYSPACE/TABLE-ID."""
        keyspace = os.path.join(self.directory(case), source, keyspace_of(case))
        (table,) = os.listdir(keyspace)
        return os.path.join(keyspace, table)

    def source(self, pattern):
        with open(os.path.join(self.sources, pattern + ".cql"), encoding="utf-8") as source:
            return source.read()

    def _is_complete(self, case):
        try:
            with open(os.path.join(self.directory(case), "pattern.cql"), encoding="utf-8") as written:
                return written.read() == self.source(case[2])
        except FileNotFoundError:
            return False

    def make(self, cases):
        """Has Cassandra write what is not there yet. False if it could not."""
        good = True
        for fmt in FORMATS:
            missing = [case for case in cases if case[0] == fmt and not self._is_complete(case)]
            for partitioner, chosen in self.by_partitioner(missing):
                good = self._make(fmt, partitioner, chosen) and good
        return good

    def _make(self, fmt, partitioner, missing):
        sources = os.path.join(self.build, f"chosen_{fmt}")
        shutil.rmtree(sources, ignore_errors=True)
        for _, compressor, pattern in missing:
            os.makedirs(os.path.join(sources, compressor), exist_ok=True)
            shutil.copy(os.path.join(self.sources, pattern + ".cql"), os.path.join(sources, compressor))
        print(f"gold: {fmt}: {len(missing)} tables of {partitioner}", flush=True)
        with Home(self.build, fmt, partitioner) as home:
            compressors = [name for name in COMPRESSORS if os.path.isdir(os.path.join(sources, name))]
            code = home.run(["gold", sources, os.path.join(self.build, "gold", fmt)] + compressors, GOLD_TIMEOUT_S)
        shutil.rmtree(sources)
        return code == 0


def keyspace_of(case):
    return f"gold_{case[1]}"
