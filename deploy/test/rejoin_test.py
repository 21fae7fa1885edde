#!/usr/bin/env python3
"""Goal: a node that comes back under its name with another address is heard again by the others,
which were not told anything; nothing that was acknowledged is lost.

Method: three orochi-kvd know each other by names alone, over TLS; the names are in a hosts file that
only this test sees, in a mount namespace of its own. The third node is killed, its name is given
another address of 127.0.0.0/8, and it is started anew with the same command.

usage: rejoin_test.py OROCHI_KVD
"""

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/kv/server/test"))
from certificates import make_certificates  # noqa: E402

NODES = (1, 2, 3)
START_S = 60
INSIDE = "OROCHI_REJOIN_INSIDE"


class Cluster:
    def __init__(self, program, directory):
        self.program = program
        self.directory = directory
        self.last = {node: 10 + node for node in NODES}  # of each node's address
        self.processes = {}

    def name_all(self):
        with open("/etc/hosts", "w", encoding="ascii") as file:
            file.write("127.0.0.1 localhost\n")
            for node, last in self.last.items():
                file.write(f"127.77.0.{last} node-{node}.test\n")

    def start(self, node):
        command = [self.program, "--data", f"{self.directory}/{node}", "--node", str(node),
                   "--http", f"127.77.1.{node}:8000", "--peer-certificate",
                   f"{self.directory}/node.pem", "--peer-key", f"{self.directory}/node.key",
                   "--peer-authority", f"{self.directory}/ca.pem", "--peer-name", "peers.test"]
        for peer in NODES:
            command += ["--peer", f"{peer}=node-{peer}.test:7001"]
        with open(f"{self.directory}/{node}.log", "ab") as log:
            self.processes[node] = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self, node):
        self.processes[node].kill()
        self.processes[node].wait()

    def ask(self, node, method, path, body=None):
        connection = http.client.HTTPConnection(f"127.77.1.{node}", 8000, timeout=5)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def await_answer(self, node, method, path, expected, body=None):
        until = time.monotonic() + START_S
        answer = None
        while time.monotonic() < until:
            answer = self.ask(node, method, path, body)
            if answer is not None and answer[0] in expected:
                return answer[1]
            assert self.processes[node].poll() is None, f"node {node} ended by itself"
            time.sleep(0.1)
        raise AssertionError(f"node {node}: {method} {path} answers {answer}")

    def is_heard(self, node, by):
        answer = self.ask(by, "GET", "/metrics")
        return answer is not None and (
            f'orochi_kv_peer_up{{lane="urgent",peer="{node}"}} 1' in answer[1])


def inside(program, directory):
    cluster = Cluster(program, directory)
    try:
        cluster.name_all()
        for node in NODES:
            cluster.start(node)
        for node in NODES:
            cluster.await_answer(node, "GET", "/readyz", (200,))
        cluster.await_answer(1, "POST", "/v1/api/keys/before", (201,), "one")
        cluster.kill(3)
        cluster.await_answer(1, "POST", "/v1/api/keys/without", (201,), "two")
        cluster.last[3] = 93
        cluster.name_all()
        begin = time.monotonic()
        cluster.start(3)
        cluster.await_answer(3, "GET", "/readyz", (200,))
        for other in (1, 2):
            while not cluster.is_heard(3, other):
                assert time.monotonic() < begin + START_S, f"node {other} does not hear node 3"
                time.sleep(0.1)
        heard_s = time.monotonic() - begin
        # With another node gone, the one that came back is needed.
        cluster.kill(2)
        assert cluster.await_answer(3, "GET", "/v1/api/keys/without", (200,)) == "two"
        assert cluster.await_answer(3, "GET", "/v1/api/keys/before", (200,)) == "one"
        cluster.await_answer(3, "POST", "/v1/api/keys/after", (201,), "three")
        print(f"heard under another address after {heard_s:.1f} s, and counted upon")
    except BaseException:
        for node in NODES:
            with open(f"{directory}/{node}.log", encoding="utf-8", errors="replace") as log:
                print(f"--- node {node}\n{log.read()[-2000:]}", file=sys.stderr)
        raise
    finally:
        for process in cluster.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def main():
    if INSIDE in os.environ:
        inside(sys.argv[1], os.environ[INSIDE])
        return 0
    for needed in ("openssl", "unshare", "mount"):
        if shutil.which(needed) is None:
            print(f"SKIPPED: there is no {needed} here")
            return 0
    directory = tempfile.mkdtemp(prefix="orochi_kvd_")
    try:
        make_certificates(directory, "DNS:peers.test")
        with open(f"{directory}/hosts", "w", encoding="ascii"):
            pass
        # Root needs no user namespace; others may have one.
        namespaces = ["--mount"] if os.geteuid() == 0 else ["--mount", "--map-root-user"]
        tried = subprocess.run(["unshare", *namespaces, "mount", "--bind", f"{directory}/hosts",
                                "/etc/hosts"], capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            print(f"SKIPPED: no mount namespace here: {tried.stderr.strip()}")
            return 0
        script = f'mount --bind "{directory}/hosts" /etc/hosts && exec "$0" "$@"'
        return subprocess.run(
            ["unshare", *namespaces, "/bin/sh", "-c", script, sys.executable, *sys.argv],
            env={**os.environ, INSIDE: directory}, timeout=240, check=False).returncode
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
