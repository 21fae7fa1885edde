"""A network of its own for each node: namespaces whose only way out is the wire of `trial wire`, which
loses, delays and repeats packets by rule. Needs root; run_within_own_namespaces() first."""
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys

SUBNET = "127.77.0"
HTTP_PORT = 8000
PEER_PORT = 7000
PR_SET_PDEATHSIG = 1
INSIDE = "OROCHI_TRIAL_INSIDE"  # set in the namespaces that run_within_own_namespaces makes


def is_inside():
    return INSIDE in os.environ


def run_within_own_namespaces(more_words):
    """Starts this command, with more words, again where it sees no network but loopback, no other processes and mounts
    that nobody else sees: when it ends, by whatever, all its processes and mounts end. Returns whether
    this is there already; says why not when it cannot be."""
    if is_inside():
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "trial", "/run"], check=True)
        pathlib.Path("/run/netns").mkdir()
        return True
    if os.geteuid() != 0:
        return False
    words = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
        return False
    die_with_parent = ctypes.CDLL(None).prctl
    child = subprocess.Popen([*words, sys.executable, *sys.argv, *more_words], env={**os.environ, INSIDE: "1"},
                             preexec_fn=lambda: die_with_parent(PR_SET_PDEATHSIG, signal.SIGKILL))
    while True:
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:
            continue  # the child heard it as well and ends its way


class Namespaces:
    """Each node hears others at 127.77.0.NUMBER, clients at 127.0.0.1, in a namespace of its own."""

    def __init__(self, trial_program, nodes, seed):
        self.nodes = list(nodes)
        self.http_port = {node: HTTP_PORT for node in nodes}
        self.wire = None
        for node in self.nodes:
            name = self.name(node)
            self.run("ip", "netns", "add", name)
            self.run("ip", "-n", name, "link", "set", "lo", "up")
            # 127/8 is the only network that nodes take without TLS: all but one address of it go over
            # the wire.
            self.run("ip", "-n", name, "address", "del", "127.0.0.1/8", "dev", "lo")
            self.run("ip", "-n", name, "address", "add", "127.0.0.1/32", "dev", "lo")
        self.wire = subprocess.Popen(
            [str(trial_program), "wire", "--seed", str(seed)]
            + [f"{node}={self.namespace(node)}" for node in self.nodes],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.wire.stdout.readline() != "ready\n":
            raise RuntimeError("the wire does not start")
        for node in self.nodes:
            name = self.name(node)
            for scope in ("all", "wire"):
                self.run("ip", "netns", "exec", name, "sysctl", "-qw",
                         f"net.ipv4.conf.{scope}.route_localnet=1")
            self.run("ip", "-n", name, "address", "add", f"{SUBNET}.{node}/24", "scope", "global",
                     "dev", "wire")
            self.run("ip", "-n", name, "link", "set", "wire", "up")

    @staticmethod
    def run(*words):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")

    @staticmethod
    def name(node):
        return f"node{node}"

    def namespace(self, node):
        return f"/run/netns/{self.name(node)}"

    def address(self, node):
        return f"{SUBNET}.{node}:{PEER_PORT}"

    def source(self, node):
        return f"{SUBNET}.{node}"

    def within(self, node, command):
        return ["ip", "netns", "exec", self.name(node), *command]

    def rule(self, rules):
        """In place of all rules before: [{"from": 1, "to": 2, "loss": 1.0}]; 0 is every node."""
        self.wire.stdin.write(json.dumps(rules) + "\n")
        self.wire.stdin.flush()
        if self.wire.stdout.readline() != "done\n":
            raise RuntimeError("the wire has ended")

    def heal(self):
        self.rule([])

    def close(self):
        if self.wire is not None:
            self.wire.stdin.close()
            self.wire.wait(timeout=10)
        for node in self.nodes:
            self.run("ip", "netns", "del", self.name(node))
