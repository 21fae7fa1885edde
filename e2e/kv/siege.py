"""Attacks as faults of a trial: an attacker at one node, what the node takes of the machine meanwhile,
and whether others are still served, there and elsewhere."""
import pathlib
import subprocess
import sys
import threading
import time

import attack

ATTACKER = pathlib.Path(attack.__file__)
MEMORY_GROWTH_MAX = 700 << 20
LEFT_DESCRIPTORS_MAX = 64
CALM_S = 8
SERVED_MIN = 0.8


class Probe(threading.Thread):
    """Asks a node, over a new connection each time, to write and to read."""

    def __init__(self, trial, node):
        super().__init__(daemon=True)
        self.trial, self.node = trial, node
        self.ended = threading.Event()
        self.good, self.bad, self.slowest, self.last_bad = 0, 0, 0.0, None

    def run(self):
        number = 0
        while not self.ended.wait(0.2):
            number += 1
            begun = time.monotonic()
            path = f"/v1/api/keys/probe-{self.node}-{number % 50}"
            for method, body in (("POST", "value"), ("GET", None)):
                answer = self.trial.cluster.ask(self.node, method, path, body, timeout_s=3)
                if answer is not None and answer[0] in (200, 201):
                    self.good += 1
                else:
                    self.bad, self.last_bad = self.bad + 1, answer
            self.slowest = max(self.slowest, time.monotonic() - begun)

    def share(self):
        return self.good / max(1, self.good + self.bad)


def siege(kind):
    """The attack as a fault."""
    def besiege(trial, random):
        nodes = sorted(trial.cluster.nodes)
        victim = random.choice(nodes)
        seconds = 20 if trial.is_long else 6
        before = trial.cluster.usage(victim)
        probes = [Probe(trial, node) for node in nodes]
        words = [sys.executable, str(ATTACKER), kind, "--http", str(trial.cluster.place.http_port[victim]),
                 "--peer", trial.cluster.place.address(victim),
                 "--source", trial.cluster.place.source(victim), "--seconds", str(seconds),
                 "--seed", str(random.randrange(1 << 30))]
        attacker = subprocess.Popen(trial.cluster.place.within(victim, words), stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)
        try:
            trial.wait(0.5)
            for probe in probes:
                probe.start()
            peak = watch(trial, victim, attacker, seconds)
        finally:
            if attacker.poll() is None:
                attacker.kill()
            done, errors = attacker.communicate()
            for probe in probes:
                probe.ended.set()
            for probe in probes:
                probe.join()
        verdict(trial, kind, victim, before, peak, probes, f"{done.strip()} {errors[-300:]}".strip())
    besiege.__name__ = kind
    return besiege


def watch(trial, victim, attacker, seconds):
    peak = {"memory": 0, "descriptors": 0, "threads": 0}
    until = time.monotonic() + seconds + 30
    while attacker.poll() is None and time.monotonic() < until:
        trial.wait(0.2)
        if not trial.cluster.is_up(victim):
            break
        for name, value in trial.cluster.usage(victim).items():
            peak[name] = max(peak[name], value)
    return peak


def verdict(trial, kind, victim, before, peak, probes, done):
    served = " ".join(f"{probe.node}{'*' if probe.node == victim else ''}:{probe.share():.0%}/{probe.slowest:.1f}s"
                      for probe in probes)
    trial.say(f"{kind} at {victim} ({done}): memory {before['memory'] >> 20} to {peak['memory'] >> 20} MiB, "
              f"descriptors {before['descriptors']} to {peak['descriptors']}, threads {before['threads']} to "
              f"{peak['threads']}; served {served}")
    for probe in probes:
        if probe.share() < SERVED_MIN:
            trial.problem(f"{kind} at {victim}: node {probe.node} served {probe.share():.0%} of others "
                          f"(last: {probe.last_bad})")
    if peak["memory"] - before["memory"] > MEMORY_GROWTH_MAX:
        trial.problem(f"{kind}: memory of node {victim} grew by {(peak['memory'] - before['memory']) >> 20} MiB")
    if not trial.cluster.is_up(victim):
        trial.look()
        trial.cluster.start(victim)
        trial.cluster.await_ready(victim)
        return
    until = time.monotonic() + CALM_S
    while True:
        after = trial.cluster.usage(victim)
        left = after["descriptors"] - before["descriptors"]
        if left <= LEFT_DESCRIPTORS_MAX:
            break
        if time.monotonic() > until:
            trial.problem(f"{kind}: {left} more descriptors of node {victim} {CALM_S} s after the attack")
            break
        trial.wait(0.5)
    trial.say(f"afterwards {after['memory'] >> 20} MiB, {after['descriptors']} descriptors, "
              f"{after['threads']} threads")


ALL = tuple(siege(kind) for kind in attack.KINDS)
