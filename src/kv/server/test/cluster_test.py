#!/usr/bin/env python3
"""Goal: what a cluster of real processes has acknowledged is there, whoever is killed.

Method: three orochi-kvd on loopback; clients write keys over HTTP while one node after the other is
killed with SIGKILL and started again; then every acknowledged value is read from every node, once
more after all were stopped and started. Everything ends by itself.

usage: cluster_test.py OROCHI_KVD
"""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

NODES = (1, 2, 3)
WRITERS = 4
START_S = 30


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Cluster:
    def __init__(self, program, directory):
        ports = free_ports(2 * len(NODES))
        self.program = program
        self.directory = directory
        self.http = dict(zip(NODES, ports))
        self.peers = [f"{node}=127.0.0.1:{port}" for node, port in zip(NODES, ports[3:])]
        self.processes = {}

    def start(self, node):
        command = [self.program, "--data", f"{self.directory}/{node}", "--node", str(node)]
        command += ["--http", str(self.http[node])]
        for peer in self.peers:
            command += ["--peer", peer]
        log = open(f"{self.directory}/{node}.log", "ab")
        self.processes[node] = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self, node):
        self.processes[node].kill()
        self.processes[node].wait()

    def stop(self, node):
        self.processes[node].send_signal(signal.SIGTERM)
        assert self.processes[node].wait(timeout=20) == 0, f"node {node} does not stop in peace"

    def ask(self, node, method, path, body=None, timeout=10):
        """Status and body; no answer is None."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.http[node], timeout=timeout)
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def await_ready(self, node):
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            answer = self.ask(node, "GET", "/readyz", timeout=2)
            if answer is not None and answer[0] == 200:
                return
            assert self.processes[node].poll() is None, f"node {node} ended by itself"
            time.sleep(0.05)
        raise AssertionError(f"node {node} is not ready after {START_S} s")


class Writer(threading.Thread):
    """Writes keys of its own, each once, through one node after the other."""

    def __init__(self, cluster, name):
        super().__init__()
        self.cluster = cluster
        self.name = name
        self.ended = threading.Event()
        self.acknowledged = {}
        self.unanswered = 0

    def run(self):
        number = 0
        while not self.ended.is_set():
            number += 1
            key, value = f"{self.name}-{number}", f"value {number}"
            node = NODES[number % len(NODES)]
            answer = self.cluster.ask(node, "POST", f"/v1/api/keys/{key}", value, timeout=5)
            if answer is not None and answer[0] in (200, 201):
                self.acknowledged[key] = value
            else:
                self.unanswered += 1
                time.sleep(0.02)


def check(cluster, acknowledged, when):
    for node in NODES:
        for key, value in acknowledged.items():
            answer = None
            until = time.monotonic() + START_S
            while time.monotonic() < until:
                answer = cluster.ask(node, "GET", f"/v1/api/keys/{key}")
                if answer is not None and answer[0] in (200, 404):
                    break
                time.sleep(0.05)
            assert answer == (200, value), f"{when}: node {node} says {answer} of {key}"


def main():
    directory = tempfile.mkdtemp(prefix="orochi_kvd_")
    cluster = Cluster(sys.argv[1], directory)
    try:
        for node in NODES:
            cluster.start(node)
        for node in NODES:
            cluster.await_ready(node)
        first = cluster.ask(1, "POST", "/v1/api/keys/first", "one", timeout=30)
        assert first is not None and first[0] == 201, f"the first write: {first}"

        writers = [Writer(cluster, f"writer{index}") for index in range(WRITERS)]
        for writer in writers:
            writer.start()
        for node in (*NODES, *NODES):
            time.sleep(1)
            cluster.kill(node)
            time.sleep(1)
            cluster.start(node)
            cluster.await_ready(node)
        for writer in writers:
            writer.ended.set()
        for writer in writers:
            writer.join()
        acknowledged = {"first": "one"}
        for writer in writers:
            acknowledged.update(writer.acknowledged)
        unanswered = sum(writer.unanswered for writer in writers)
        print(f"{len(acknowledged)} writes acknowledged, {unanswered} not, 6 kills")
        assert len(acknowledged) > 50, "hardly anything was written"
        sample = dict(sorted(acknowledged.items())[:: max(1, len(acknowledged) // 500)])
        check(cluster, sample, "after the kills")

        for node in NODES:
            cluster.stop(node)
        for node in NODES:
            cluster.start(node)
        for node in NODES:
            cluster.await_ready(node)
        check(cluster, dict(list(sample.items())[:50]), "after all were stopped and started")

        # A directory is one node's.
        other = subprocess.run(
            [cluster.program, "--data", f"{directory}/1", "--node", "2", "--http", "0"]
            + [word for peer in cluster.peers for word in ("--peer", peer)],
            capture_output=True, text=True, timeout=20, check=False)
        assert other.returncode == 1 and "is not of node 2" in other.stderr, other.stderr
        for node in NODES:
            cluster.stop(node)
    except BaseException:
        for node in NODES:
            path = f"{directory}/{node}.log"
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as log:
                    print(f"--- node {node}\n{log.read()[-2000:]}", file=sys.stderr)
        raise
    finally:
        for process in cluster.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
