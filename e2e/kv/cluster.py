"""Nodes of a cluster as processes, each in a place of its own: a data directory, an address, and
perhaps a network namespace."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

START_S = 30
STOP_S = 30


class TrialError(Exception):
    """Something that must not happen did, with what is known about it."""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Loopback:
    """All nodes share this machine's loopback. No faults of the network."""

    def __init__(self, nodes):
        ports = free_ports(2 * len(nodes))
        self.http_port = dict(zip(nodes, ports))
        self.peer_port = dict(zip(nodes, ports[len(nodes):]))

    def address(self, node):
        return f"127.0.0.1:{self.peer_port[node]}"

    def source(self, node):
        """Another address for clients of the node to come from than they do by themselves."""
        return "127.0.0.2"

    def within(self, node, command):
        return command

    def namespace(self, node):
        return ""

    def close(self):
        pass


class Node:
    def __init__(self, number):
        self.number = number
        self.process = None
        self.expected_up = False
        self.paused = False
        self.environment = {}  # more variables


class Cluster:
    """Starts and ends orochi-kvd; says loudly when one ends that nobody ended."""

    def __init__(self, program, directory, place, first, joiners, log):
        self.program = str(program)
        self.directory = pathlib.Path(directory)
        self.place = place
        self.first = list(first)
        self.joiners = list(joiners)  # are let in later, in this order
        self.nodes = {number: Node(number) for number in [*self.first, *self.joiners]}
        self.log = log
        self.surprises = []  # nodes that ended by themselves

    def data(self, number):
        return self.directory / f"node{number}"

    def log_path(self, number):
        return self.directory / f"node{number}.log"

    def words(self, number, data=None):
        words = [self.program, "--data", str(data or self.data(number))]
        words += ["--http", str(self.place.http_port[number])]
        if number in self.joiners:
            words += ["--listen", self.place.address(number)]
            for peer in self.first:
                words += ["--join", self.place.address(peer)]
            return words
        words += ["--node", str(number)]
        for peer in self.first:
            words += ["--peer", f"{peer}={self.place.address(peer)}"]
        return words

    def start(self, number, data=None):
        node = self.nodes[number]
        if node.process is not None and node.process.poll() is None:
            raise TrialError(f"node {number} runs already")
        with open(self.log_path(number), "ab") as log:
            log.write(f"--- started at {time.time():.3f}\n".encode())
            log.flush()
            node.process = subprocess.Popen(
                self.place.within(number, self.words(number, data)), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={**os.environ, **node.environment})
        node.expected_up, node.paused = True, False

    def start_first(self):
        for number in self.first:
            self.start(number)
        for number in self.first:
            self.await_ready(number)

    def members(self):
        """Those that were started ever."""
        return [number for number, node in self.nodes.items() if node.process is not None]

    def kill(self, number):
        node = self.nodes[number]
        node.expected_up = False
        if node.process is not None:
            node.process.kill()
            node.process.wait()

    def stop(self, number, within_s=STOP_S):
        """SIGTERM, and the code it ends with; the seconds it took."""
        node = self.nodes[number]
        node.expected_up = False
        begun = time.monotonic()
        node.process.terminate()
        try:
            code = node.process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            self.kill(number)
            raise TrialError(f"node {number} did not stop within {within_s} s of SIGTERM") from None
        if code != 0:
            raise TrialError(f"node {number} ended with {code} after SIGTERM")
        return time.monotonic() - begun

    def pause(self, number):
        self.nodes[number].process.send_signal(signal.SIGSTOP)
        self.nodes[number].paused = True

    def resume(self, number):
        self.nodes[number].process.send_signal(signal.SIGCONT)
        self.nodes[number].paused = False

    def is_up(self, number):
        process = self.nodes[number].process
        return process is not None and process.poll() is None

    def await_ready(self, number, within_s=START_S):
        until = time.monotonic() + within_s
        answer = None
        while time.monotonic() < until:
            if not self.is_up(number):
                raise TrialError(f"node {number} ended by itself with "
                                 f"{self.nodes[number].process.returncode}: {self.last_words(number)}")
            answer = self.ask(number, "GET", "/readyz", timeout_s=2)
            if answer is not None and answer[0] == 200:
                return
            time.sleep(0.05)
        raise TrialError(f"node {number} is not ready after {within_s} s: {answer}")

    def ask(self, number, method, path, body=None, timeout_s=10):
        """Status and body of one request; None when there was no answer. Through curl, which can be
        started in a namespace."""
        words = ["curl", "-s", "-m", str(timeout_s), "-X", method, "-w", "\n%{http_code}"]
        if isinstance(body, (dict, list)):
            words += ["-H", "Content-Type: application/json", "--data-binary", json.dumps(body)]
        elif body is not None:
            words += ["-H", "Content-Type: text/plain", "--data-binary", body]
        words.append(f"http://127.0.0.1:{self.place.http_port[number]}{path}")
        done = subprocess.run(self.place.within(number, words), capture_output=True, text=True,
                              errors="replace", check=False)
        content, _, status = done.stdout.rpartition("\n")
        return (int(status), content) if done.returncode == 0 else None

    def last_words(self, number, size=1500):
        try:
            return self.log_path(number).read_text(errors="replace")[-size:]
        except OSError:
            return "(no log)"

    def look_for_surprises(self):
        """Notes nodes that ended though nobody ended them, once each."""
        for number, node in self.nodes.items():
            if node.expected_up and not self.is_up(number):
                node.expected_up = False
                self.surprises.append(f"node {number} ended by itself with {node.process.returncode}: "
                                      f"{self.last_words(number)}")

    def usage(self, number):
        """Resident bytes, descriptors and threads of a node's process."""
        process = pathlib.Path("/proc") / str(self.nodes[number].process.pid)
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        return {"memory": int(status["VmRSS"].split()[0]) * 1024,
                "descriptors": len(list((process / "fd").iterdir())),
                "threads": int(status["Threads"])}

    def close(self):
        for number, node in self.nodes.items():
            if node.process is not None and node.process.poll() is None:
                self.kill(number)
        self.place.close()
