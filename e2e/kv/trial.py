#!/usr/bin/env python3
"""Trials of real processes: a cluster of orochi-kvd, clients that record what they saw, faults, and
judges of the record. README.md has the whole of it.

usage: trial.py --node-program OROCHI_KVD --build DIRECTORY [--scenario NAME,...] [--seed N] [--minutes N]
"""
import argparse
import json
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import cluster as clusters
import network as networks
import scenarios

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
GO_S = 300
QUIET_S = 2  # for followers to get what the last leader knew
# Of a node's log: what no fault excuses.
BAD_WORDS = re.compile(r"ASSERT|assert|terminate called|Sanitizer|corrupt|Corruption", re.I)


class Trial:
    """One scenario with one seed."""

    def __init__(self, scenario, options, directory, trial_program):
        self.scenario = scenario
        self.random = random.Random(f"{scenario.name} {options.seed}")
        self.seconds = options.seconds
        self.is_long = options.seconds > 60
        self.directory = directory
        self.trial_program = trial_program
        self.begun = time.monotonic()
        self.problems = []
        self.network = None
        self.small_disk_node = None
        self.mounts = []
        first = list(range(1, scenario.node_count + 1))
        joiners = list(range(len(first) + 1, len(first) + 1 + scenario.joiner_count))
        nodes = first + joiners
        if scenario.needs_network or options.inside:
            spare = list(range(len(nodes) + 1, len(nodes) + 1 + scenario.spare_count))
            self.network = networks.Namespaces(trial_program, nodes + spare, options.seed)
            place = self.network
        else:
            place = clusters.Loopback(nodes)
        self.cluster = clusters.Cluster(options.node_program, directory, place, first, joiners,
                                        self.say)
        self.load = None
        self.state_lines = options.state_lines

    def say(self, text):
        print(f"  {time.monotonic() - self.begun:6.1f} {text}", flush=True)

    def problem(self, text):
        self.problems.append(text)
        self.say(f"PROBLEM {text}")

    def wait(self, seconds):
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.25))
            self.look()

    def look(self):
        self.cluster.look_for_surprises()
        while self.cluster.surprises:
            self.problem(self.cluster.surprises.pop())
        if self.load is not None and self.load.poll() is not None:
            raise clusters.TrialError("the clients have ended: " + self.load_words())

    def load_words(self):
        return (self.directory / "load.log").read_text()[-500:]

    def count_done(self):
        """How many operations the clients have had answered well."""
        lines = re.findall(r"(\d+) ok", (self.directory / "load.log").read_text())
        return int(lines[-1]) if lines else 0

    def give_small_disk(self, size):
        """A disk of its own for the last node's data."""
        self.small_disk_node = max(self.cluster.nodes)
        place = self.directory / "small"
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "trial", str(place)], check=True)
        self.mounts.append(place)
        ordinary = self.cluster.data
        self.cluster.data = lambda node: (place / "data" if node == self.small_disk_node
                                          else ordinary(node))

    def node_words(self, nodes):
        """Where nodes answer, as the Go half reads it."""
        return ",".join(f"{node}=127.0.0.1:{self.cluster.place.http_port[node]}"
                        + (f"@{self.network.namespace(node)}" if self.network else "")
                        for node in nodes)

    def start_load(self, workers, pause_ms):
        nodes = self.node_words(self.cluster.nodes)
        with open(self.directory / "load.log", "w", encoding="utf-8") as log:
            self.load = subprocess.Popen(
                [self.trial_program, "load", "--nodes", nodes, "--seed", str(self.random.randrange(1 << 30)),
                 "--workers", workers, "--pause", f"{pause_ms}ms",
                 "--out", str(self.directory / "history.jsonl"), "--limit", f"{self.seconds + 300}s"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        if self.load.stdout.readline() != "ready\n":
            raise clusters.TrialError("the clients do not start: " + self.load_words())

    def end_load(self):
        """All faults are over: every node must do what it is asked within 30 s, and know everything."""
        begun = time.monotonic()
        self.load.stdin.write("stop\n")
        self.load.stdin.flush()
        line = self.load.stdout.readline()
        self.load.wait(timeout=30)
        load, self.load = self.load, None
        if not line:
            raise clusters.TrialError(f"the clients ended with {load.returncode}: " + self.load_words())
        summary = json.loads(line)
        for node in summary["recovered"]:
            if node["Error"]:
                self.problem(f"HANG node {node['Node']} did nothing within {node['Seconds']:.0f} s after all "
                             f"faults were over: {node['Error']}")
        if summary["problem"]:
            self.problem("HANG " + summary["problem"])
        slowest = max(node["Seconds"] for node in summary["recovered"])
        self.say(f"{summary['ok']} ok, {summary['failed']} failed, {summary['unknown']} unknown; recovered in "
                 f"{slowest:.1f} s, looked at all within {time.monotonic() - begun:.1f} s")
        if summary["ok"] < 50:
            self.problem("hardly anything was done")

    def judge(self):
        done = subprocess.run(
            [self.trial_program, "judge", "--drawings", str(self.directory),
             str(self.directory / "history.jsonl")], capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            if line.startswith("judged"):
                continue
            self.problem(line)
        if done.returncode != 0 and not self.problems:
            self.problem("the judge failed: " + done.stderr)
        self.say("longest without a good answer: " + self.longest_gap())
        judged = " ".join(re.findall(r"judged (\w+ +\d+)", done.stdout))
        self.say("judged " + re.sub(r" +", " ", judged))

    def longest_gap(self):
        """How long no client of any node got anything done, while there were faults."""
        with open(self.directory / "history.jsonl", encoding="utf-8") as history:
            ops = [json.loads(line) for line in history if line.endswith("}\n")]
        times = sorted(op["return"] / 1e9 for op in ops if op["outcome"] == "ok" and not op.get("final"))
        gap, begun = max(((b - a, a) for a, b in zip(times, times[1:])), default=(0, 0))
        return f"{gap:.1f} s, from {begun:.1f} s on"

    def compare_replicas(self, state_lines):
        """All nodes are stopped: whoever has an entry has the same, and enough have it."""
        members = self.cluster.members()
        copies = min(3, len(members))
        holders = {}
        for node in members:
            done = subprocess.run([str(state_lines), str(self.cluster.data(node) / "state")],
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                self.problem(f"the state of node {node} cannot be read: {done.stderr.strip()}")
                return
            for line in done.stdout.splitlines():
                holders.setdefault(line, []).append(node)
        apart = [(line, nodes) for line, nodes in holders.items() if len(nodes) < copies]
        if apart:
            self.problem(f"replicas differ in {len(apart)} of {len(holders)} entries, as in {apart[0]}")
        else:
            self.say(f"replicas agree in {len(holders)} entries")

    def read_logs(self):
        for node in self.cluster.members():
            text = self.cluster.log_path(node).read_text(errors="replace")
            for line in text.splitlines():
                if BAD_WORDS.search(line):
                    self.problem(f"log of node {node}: {line[:300]}")
                    break

    def run(self):
        try:
            self.scenario.prepare(self)
            self.cluster.start_first()
            self.start_load(self.scenario.workers, self.scenario.pause_ms)
            self.begun = time.monotonic()
            if self.scenario.each_once:
                for fault in self.scenario.faults:
                    fault(self, self.random)
            while not self.scenario.each_once and time.monotonic() - self.begun < self.seconds:
                self.random.choice(self.scenario.faults)(self, self.random)
            self.look()
            self.end_load()
            self.look()
            self.wait(QUIET_S)
            for node in self.cluster.members():
                self.cluster.stop(node)
            if self.state_lines is not None:
                self.compare_replicas(self.state_lines)
        except clusters.TrialError as error:
            self.problem(str(error))
        finally:
            if self.load is not None:
                self.load.kill()
                self.load.wait()
            self.cluster.close()
        if (self.directory / "history.jsonl").exists():
            self.judge()
        self.read_logs()
        for mount in self.mounts:
            subprocess.run(["umount", str(mount)], check=False)
        return self.problems


def go(*words):
    """Whether Go, which does again only what has changed, did it."""
    program = shutil.which("go")
    try:
        return program is not None and subprocess.run(
            [program, *words], cwd=HERE / "trial", check=False, timeout=GO_S).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def skip():
    print("SKIPPED: the trials' clients and judges need Go (Debian: golang), and its module cache or "
          "network for github.com/anishathalye/porcupine")
    return SKIPPED


def test_judges():
    if not go("vet", "./..."):
        return skip()
    return 0 if go("test", "./...") else 1


def main():
    parser = argparse.ArgumentParser(description="Trials of real processes; README.md beside this.")
    parser.add_argument("--node-program", type=pathlib.Path, help="orochi-kvd")
    parser.add_argument("--test-judges", action="store_true", help="the judges' own tests, nothing else")
    parser.add_argument("--state-lines", type=pathlib.Path, help="the program, to compare replicas with")
    parser.add_argument("--build", help="a directory for programs and records")
    parser.add_argument("--scenario", default="short", help="names, or short, attack, or all: " + scenarios.names())
    parser.add_argument("--seed", type=int, default=0, help="0: drawn, and printed")
    parser.add_argument("--minutes", type=float, default=0, help="of faults in all; 0: each scenario's own")
    parser.add_argument("--keep", action="store_true", help="keep the directories of trials that went well")
    options = parser.parse_args()
    if options.test_judges:
        return test_judges()
    if options.node_program is None or options.build is None:
        parser.error("--node-program and --build are wanted")
    build = pathlib.Path(options.build).resolve()
    build.mkdir(parents=True, exist_ok=True)
    options.node_program = options.node_program.resolve()
    trial_program = build / "trial"
    if not networks.is_inside() and not go("build", "-o", str(trial_program), "."):
        return skip()
    options.inside = networks.run_within_own_namespaces(["--build", str(build)])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 31)
    failed, skipped = [], []
    chosen = scenarios.choose(options.scenario)
    for scenario in chosen:
        missing = scenario.missing(options.inside)
        if missing:
            print(f"SKIPPED {scenario.name}: needs {missing}")
            skipped.append(scenario.name)
            continue
        options.seed = seed
        options.seconds = options.minutes * 60 / len(chosen) or scenario.seconds
        directory = build / f"{scenario.name}-{seed}"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        print(f"{scenario.name} (seed {seed}, {options.seconds:.0f} s): {scenario.what}", flush=True)
        problems = Trial(scenario, options, directory, trial_program).run()
        if problems:
            failed.append(scenario.name)
            print(f"FAILED {scenario.name}: {len(problems)} problems; all of it is in {directory}\n"
                  f"  again: make e2e-kv SCENARIO={scenario.name} SEED={seed}", flush=True)
        elif not options.keep:
            shutil.rmtree(directory)
    if failed:
        print(f"FAILED: {', '.join(failed)}")
        return 1
    print(f"passed (seed {seed})" + (f"; skipped {', '.join(skipped)}" if skipped else ""))
    return SKIPPED if len(skipped) == len(chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
