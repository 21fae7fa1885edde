"""What was judged: a line of JSON for each check of a table, kept in BUILD/verdicts.jsonl, so that a run goes on where
another ended. A verdict counts as long as the programs and the pattern that it is about are the same; those of
earlier programs are kept for the page, which says of what commit they are."""

import hashlib
import json
import os
import time


class Verdicts:
    """check, format, compressor, pattern -> "" (passed) or why not. The last word about each counts."""

    def __init__(self, build, programs, patterns):
        """programs: files whose change makes all verdicts void; patterns: name -> source, for those about it."""
        digest = hashlib.sha256()
        for path in programs:
            with open(path, "rb") as source:
                digest.update(hashlib.sha256(source.read()).digest())
        self.stamp = digest.hexdigest()[:16]
        self.patterns = {name: hashlib.sha256(text.encode()).hexdigest()[:8] for name, text in patterns.items()}
        self.tree = ""  # the commit that the page says was judged
        self.path = os.path.join(build, "verdicts.jsonl")
        self.seconds_before = 0.0
        self.started = time.monotonic()
        self.known = {}
        self.earlier = {}  # of other programs: as known
        self.trees = {}  # of known and earlier: the commit
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as lines:
                for line in lines:
                    self._take(line)

    def _take(self, line):
        try:
            record = json.loads(line)
        except ValueError:
            return  # cut off by a crash
        is_known = record["stamp"] == self.stamp
        if "seconds" in record:
            self.seconds_before += record["seconds"] if is_known else 0
        elif record["pattern"] == self.patterns.get(record["id"][3]):
            identity = tuple(record["id"])
            (self.known if is_known else self.earlier)[identity] = record["why"]
            if is_known or identity not in self.known:
                self.trees[identity] = record.get("tree", "unknown")

    def _append(self, record):
        with open(self.path, "a", encoding="utf-8") as out:
            out.write(json.dumps(record) + "\n")

    def passed(self, check, case):
        return self.known.get((check,) + tuple(case)) == ""

    def add(self, check, case, why):
        identity = (check,) + tuple(case)
        self.known[identity] = why
        self.trees[identity] = self.tree
        self._append({"stamp": self.stamp, "tree": self.tree, "pattern": self.patterns[identity[3]], "id": identity,
                      "why": why})
        if why:
            print(f"FAILED {' '.join(identity)}: {why[:400]}", flush=True)

    def forget(self, checks):
        """Has these judged again."""
        self.known = {identity: why for identity, why in self.known.items() if identity[0] not in checks}

    def add_seconds(self):
        """Adds the time since the last call to the time that all runs took."""
        now = time.monotonic()
        self._append({"stamp": self.stamp, "seconds": round(now - self.started, 1)})
        self.seconds_before += now - self.started
        self.started = now

    def failures(self):
        return {identity: why for identity, why in self.known.items() if why}

    def with_earlier(self):
        """What is known, and of earlier programs what is not known of these."""
        return {**self.earlier, **self.known}
