"""A cluster of orochi-kvd processes on loopback, for tests of whole nodes."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

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
    """Nodes 1 to `first_count` are the first; more may join. As a context it stops what it started
    and shows the nodes' logs when something failed."""

    def __init__(self, program, first_count=3):
        self.program = program
        self.directory = tempfile.mkdtemp(prefix="orochi_kvd_")
        self.first = tuple(range(1, first_count + 1))
        ports = free_ports(2 * first_count)
        self.http = dict(zip(self.first, ports))
        self.address = {node: f"127.0.0.1:{port}" for node, port in zip(self.first, ports[first_count:])}
        self.processes = {}

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        for name in sorted(os.listdir(self.directory)) if kind else ():
            if name.endswith(".log"):
                with open(f"{self.directory}/{name}", encoding="utf-8", errors="replace") as log:
                    print(f"--- {name}\n{log.read()[-2000:]}", file=sys.stderr)
        shutil.rmtree(self.directory, ignore_errors=True)

    def words(self, node):
        """The command line of a first node."""
        words = [self.program, "--data", f"{self.directory}/{node}", "--node", str(node)]
        words += ["--http", str(self.http[node])]
        for peer in self.first:
            words += ["--peer", f"{peer}={self.address[peer]}"]
        return words

    def run(self, node, words):
        log = open(f"{self.directory}/{node}.log", "ab")
        self.processes[node] = subprocess.Popen(words, stdout=log, stderr=log)

    def start(self, node):
        self.run(node, self.words(node))

    def join(self, node, *more):
        """A node that is none of the first, at new ports; `node` is the number it should get."""
        http_port, port = free_ports(2)
        self.http[node] = http_port
        self.address[node] = f"127.0.0.1:{port}"
        words = [self.program, "--data", f"{self.directory}/{node}", "--http", str(http_port)]
        words += ["--listen", self.address[node]]
        for peer in self.first:
            words += ["--join", self.address[peer]]
        self.run(node, words + list(more))

    def kill(self, node):
        self.processes[node].kill()
        self.processes[node].wait()

    def stop(self, node):
        self.processes[node].send_signal(signal.SIGTERM)
        assert self.processes[node].wait(timeout=20) == 0, f"node {node} does not stop in peace"

    def ask(self, node, method, path, body=None, timeout=10):
        """Status and body; no answer is None."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http[node], timeout=timeout)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def ask_json(self, node, method, path, body=None, timeout=10):
        connection = http.client.HTTPConnection("127.0.0.1", self.http[node], timeout=timeout)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def await_ready(self, *nodes):
        for node in nodes:
            self.until(lambda node=node: (self.ask(node, "GET", "/readyz", timeout=2) or (0,))[0] == 200,
                       f"node {node} is ready", node)

    def until(self, holds, what, node=None, within_s=START_S):
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if holds():
                return
            assert node is None or self.processes[node].poll() is None, f"node {node} ended by itself"
            time.sleep(0.05)
        raise AssertionError(f"not so after {within_s} s: {what}")


class Writer(threading.Thread):
    """Writes keys of its own, each once, through one node after the other."""

    def __init__(self, cluster, name, nodes):
        super().__init__()
        self.cluster = cluster
        self.name = name
        self.nodes = nodes
        self.ended = threading.Event()
        self.acknowledged = {}
        self.refused = 0
        self.unanswered = 0

    def run(self):
        number = 0
        while not self.ended.is_set():
            number += 1
            key, value = f"{self.name}-{number}", f"value {number}"
            node = self.nodes[number % len(self.nodes)]
            answer = self.cluster.ask(node, "POST", f"/v1/api/keys/{key}", value, timeout=5)
            if answer is not None and answer[0] in (200, 201):
                self.acknowledged[key] = value
            else:
                self.refused += 1 if answer is not None and answer[0] == 503 else 0
                self.unanswered += 1
                time.sleep(0.02)

    def end(self):
        self.ended.set()
        self.join()


def check(cluster, nodes, acknowledged, when):
    """Every value is read from every node."""
    for node in nodes:
        for key, value in acknowledged.items():
            answer = None
            until = time.monotonic() + START_S
            while time.monotonic() < until:
                answer = cluster.ask(node, "GET", f"/v1/api/keys/{key}")
                if answer is not None and answer[0] in (200, 404):
                    break
                time.sleep(0.05)
            assert answer == (200, value), f"{when}: node {node} says {answer} of {key}"
