#!/usr/bin/env python3
"""The key-value store beside etcd: three members of each on this machine, on one disk, with fsync on.

Both are up all the time, and asked in turn: round by round the same shape, by `orochi kv bench` and by
etcd_driver, with the same keys, values and threads. Ratios are of such pairs: the median, and in brackets
the least and the most. Then one node of each, and RocksDB alone with synced writes, which is the limit.
Prints a section for docs/performance.md. Ends by itself within --limit seconds; what was left out then is
said. Nothing but loopback is used; directories are removed.

usage: run.py BUILD [--rounds N] [--seconds S] [--threads N] [--directory D] [--only three,ycsb,one,rocksdb]
needs: Debian's etcd-server, Go; ninja -C BUILD orochi orochi-kvd kv_engine_sync_bench
"""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
START_S = 40
TICKS = os.sysconf("SC_CLK_TCK")

# Shape, which figure, whether more is better, what is wanted of ours by etcd's.
GOALS = {
    "put1": ("p50_us", "at most 0.6"),
    "put": ("per_second", "at least 2.5"),
    "get": ("per_second", "at least 2.5"),
    "txn": ("per_second", "at least 3"),
}


class OutOfTime(Exception):
    pass


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return response.status == 200
    except (OSError, urllib.error.URLError):
        return False


class Store:
    """Some processes that are one cluster."""

    def __init__(self, name, directory):
        self.name = name
        self.directory = directory
        self.processes = []
        self.clients = []  # HOST:PORT

    def spawn(self, command, log):
        with open(os.path.join(self.directory, log), "wb") as output:
            self.processes.append(subprocess.Popen(command, stdout=output, stderr=output))

    def await_all(self, urls):
        until = time.monotonic() + START_S
        for url in urls:
            while not answers(url):
                if time.monotonic() > until or any(p.poll() is not None for p in self.processes):
                    raise RuntimeError(f"{self.name} does not start; see {self.directory}")
                time.sleep(0.05)

    def cpu_seconds(self):
        total = 0
        for process in self.processes:
            with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def start_etcd(directory, count):
    store = Store("etcd", directory)
    ports = free_ports(2 * count)
    peers = [f"http://127.0.0.1:{port}" for port in ports[count:]]
    cluster = ",".join(f"m{index}={peer}" for index, peer in enumerate(peers))
    for index in range(count):
        client = f"http://127.0.0.1:{ports[index]}"
        store.spawn(["etcd", "--name", f"m{index}", "--data-dir", f"{directory}/{index}",
                     "--listen-client-urls", client, "--advertise-client-urls", client,
                     "--listen-peer-urls", peers[index], "--initial-advertise-peer-urls", peers[index],
                     "--initial-cluster", cluster, "--initial-cluster-state", "new",
                     "--log-level", "error"], f"{index}.log")
        store.clients.append(f"127.0.0.1:{ports[index]}")
    store.await_all([f"http://{one}/health" for one in store.clients])
    return store


def start_ours(directory, count, daemon):
    store = Store("orochi", directory)
    ports = free_ports(2 * count)
    peers = []
    for index in range(count):
        peers += ["--peer", f"{index + 1}=127.0.0.1:{ports[count + index]}"]
    for index in range(count):
        store.spawn([daemon, "--data", f"{directory}/{index}", "--node", str(index + 1),
                     "--http", str(ports[index])] + peers, f"{index}.log")
        store.clients.append(f"127.0.0.1:{ports[index]}")
    store.await_all([f"http://{one}/readyz" for one in store.clients])
    return store


class Bench:
    def __init__(self, options):
        self.options = options
        self.orochi = f"{options.build}/cli/orochi"
        self.driver = f"{options.build}/bench/etcd_driver"
        self.until = time.monotonic() + options.limit
        os.makedirs(os.path.dirname(self.driver), exist_ok=True)
        subprocess.run(["go", "build", "-buildvcs=false", "-o", self.driver, "."],
                       cwd=f"{HERE}/etcd_driver", check=True)

    def run(self, store, shape, threads, seconds):
        """The report of one shape, with the processor time of the store's processes for an operation."""
        left = self.until - time.monotonic()
        if left < seconds + 5:
            raise OutOfTime
        arguments = ["--shape", shape, "--threads", str(threads), "--seconds", str(seconds),
                     "--warmup", "0.5", "--rows", "1000", "--value-size", "256"]
        nodes = ",".join(store.clients)
        if store.name == "etcd":
            command = [self.driver, "--nodes", nodes] + arguments
        else:
            command = [self.orochi, "kv", "bench", "-n", nodes, "-o", "lines"] + arguments
        before = store.cpu_seconds()
        ran = subprocess.run(command, stdout=subprocess.PIPE, timeout=left, check=True)
        report = json.loads(ran.stdout.decode().strip().splitlines()[-1])
        report["cpu_us"] = (store.cpu_seconds() - before) * 1e6 / max(1, report["operations"])
        if report["errors"] or report["unknown"]:
            print(f"{store.name} {shape}: {report['errors']} errors, {report['unknown']} unknown: "
                  f"{report.get('first_error')}", file=sys.stderr)
        print(f"{store.name:6} {shape:5} {report['per_second']:9.0f}/s p50 {report['p50_us']:8.0f} us "
              f"p99 {report['p99_us']:9.0f} us", file=sys.stderr)
        return report

    def pairs(self, ours, theirs, shape, threads, seconds, rounds):
        pairs = []
        for index in range(rounds):
            order = (ours, theirs) if index % 2 == 0 else (theirs, ours)
            reports = {store.name: self.run(store, shape, threads, seconds) for store in order}
            pairs.append((reports["orochi"], reports["etcd"]))
        return pairs


def median(pairs, side, figure):
    return statistics.median(pair[side][figure] for pair in pairs)


def ratio(pairs, figure):
    ratios = [ours[figure] / theirs[figure] for ours, theirs in pairs if theirs[figure] > 0]
    if not ratios:
        return "none"
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def table(title, rows):
    print(f"\n{title}\n")
    print("| shape | threads | ops/s | etcd | ratio | p50 us | etcd | ratio | p99 us | etcd | ratio "
          "| server CPU us/op | etcd | wanted |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for shape, threads, pairs, wanted in rows:
        cells = [shape, str(threads)]
        for figure in ("per_second", "p50_us", "p99_us"):
            cells += [f"{median(pairs, 0, figure):,.0f}", f"{median(pairs, 1, figure):,.0f}",
                      ratio(pairs, figure)]
        cells += [f"{median(pairs, 0, 'cpu_us'):,.0f}", f"{median(pairs, 1, 'cpu_us'):,.0f}", wanted]
        print("| " + " | ".join(cells) + " |")


def compare(bench, title, count, shapes, threads, seconds, rounds, with_goals):
    directory = tempfile.mkdtemp(prefix="orochi_bench_", dir=bench.options.directory)
    stores = []
    rows = []
    left_out = []
    try:
        for name in ("etcd", "ours"):
            os.mkdir(f"{directory}/{name}")
        stores.append(start_etcd(f"{directory}/etcd", count))
        stores.append(start_ours(f"{directory}/ours", count,
                                 f"{bench.options.build}/src/kv/server/orochi-kvd"))
        for shape in shapes:
            try:
                pairs = bench.pairs(stores[1], stores[0], shape, threads, seconds, rounds)
            except OutOfTime:
                left_out.append(shape)
                continue
            goal = GOALS.get(shape) if with_goals else None
            wanted = f"{goal[0]} {goal[1]}" if goal else ""
            rows.append((shape, 1 if shape == "put1" else threads, pairs, wanted))
    finally:
        for store in stores:
            store.stop()
        shutil.rmtree(directory, ignore_errors=True)
    table(title, rows)
    if left_out:
        print(f"\nLeft out, since the time was over: {', '.join(left_out)}.")


def rocksdb_limit(bench):
    program = f"{bench.options.build}/src/kv/engine/kv_engine_sync_bench"
    print("\nRocksDB alone, every write synced:\n\n| threads | ops/s | p50 us | p99 us |\n|---|---|---|---|")
    for threads in (1, bench.options.threads):
        directory = tempfile.mkdtemp(prefix="orochi_bench_", dir=bench.options.directory)
        try:
            ran = subprocess.run([program, directory, str(threads), str(bench.options.seconds)],
                                 stdout=subprocess.PIPE, timeout=60, check=True)
            report = json.loads(ran.stdout)
            print(f"| {threads} | {report['per_second']:,.0f} | {report['p50_us']:,.0f} "
                  f"| {report['p99_us']:,.0f} |")
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def version(command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--directory", default="/tmp")
    parser.add_argument("--limit", type=float, default=340, help="seconds after which nothing begins")
    parser.add_argument("--only", default="three,ycsb,one,rocksdb")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    if shutil.which("etcd") is None or shutil.which("go") is None:
        sys.exit("run.py needs etcd (apt install etcd-server) and Go")
    parts = options.only.split(",")
    bench = Bench(options)
    commit = version(["git", "-C", HERE, "rev-parse", "--short", "HEAD"])
    load = os.getloadavg()[0]
    print(f"Three orochi-kvd and three etcd members ({version(['etcd', '--version'])}) on one disk, fsync on, "
          f"256-byte values; medians of {options.rounds} rounds of {options.seconds:g} s that alternate; ratios "
          f"are ours by etcd's, of pairs, with the least and the most. `bench/kv/run.py "
          f"{' '.join(sys.argv[1:])}`, commit {commit}, {os.cpu_count()} cores, load at the beginning "
          f"{load:.2f}.")
    if "rocksdb" in parts:
        rocksdb_limit(bench)
    if "three" in parts:
        compare(bench, "Three nodes:", 3, ("put1", "put", "get", "txn"), options.threads, options.seconds,
                options.rounds, True)
    if "one" in parts:
        compare(bench, "One node beside one member:", 1, ("put1", "put", "get"), options.threads,
                options.seconds, options.rounds, False)
    if "ycsb" in parts:
        compare(bench, "Three nodes, the shapes of YCSB:", 3, ("a", "b", "c", "d", "e", "f"), 16,
                min(2, options.seconds), min(2, options.rounds), False)


if __name__ == "__main__":
    main()
