#!/usr/bin/env python3
"""Goal: a node serves clients over TLS to whom its tokens name, says what it does in lines of JSON
with the ids of requests, and refuses what would leave it open.

Method: one orochi-kvd on loopback with certificates that openssl makes; requests by Python's own
client; what the process wrote is read line by line.

usage: face_test.py OROCHI_KVD
"""

import hashlib
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

from certificates import make_certificates
from cluster import free_ports

START_S = 30


def write_tokens(directory, rights):
    tokens = [{"name": name, "sha256": hashlib.sha256(f"token of {name}".encode()).hexdigest(),
               "rights": right} for name, right in rights.items()]
    with open(f"{directory}/tokens.new", "w", encoding="ascii") as file:
        json.dump({"tokens": tokens}, file)
    os.rename(f"{directory}/tokens.new", f"{directory}/tokens")


class Node:
    def __init__(self, program, directory):
        self.directory = directory
        self.port, peer = free_ports(2)
        self.command = [
            program, "--config", f"{directory}/kvd.toml", "--node", "1", "--peer",
            f"1=127.0.0.1:{peer}", "--http", f"0.0.0.0:{self.port}"]
        with open(f"{directory}/kvd.toml", "w", encoding="ascii") as file:
            file.write(f'data = "{directory}/data"\ncluster = "faces"\n'
                       f'http-certificate = "{directory}/node.pem"\n'
                       f'http-key = "{directory}/node.key"\n'
                       f'tokens = "{directory}/tokens"\nlog-slow-ms = 0\n')
        self.context = ssl.create_default_context(cafile=f"{directory}/ca.pem")
        self.process = None

    def start(self):
        with open(f"{self.directory}/log", "wb") as log:
            self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=log)
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            try:
                if self.ask(None, "GET", "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            assert self.process.poll() is None, "the node ended by itself"
            time.sleep(0.05)
        raise AssertionError("the node is not ready")

    def ask(self, user, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20,
                                                 context=self.context)
        headers = dict(headers or {})
        if user is not None:
            headers["Authorization"] = f"Bearer token of {user}"
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        return response.status, body, dict(response.getheaders())

    def lines(self):
        with open(f"{self.directory}/log", encoding="ascii") as log:
            return [json.loads(line) for line in log]


def check_refusals(program, directory):
    """Each is refused before anything is made."""
    def refused(*more, says):
        ended = subprocess.run(
            [program, "--data", f"{directory}/none", "--node", "1", "--peer", "1=127.0.0.1:1", *more],
            capture_output=True, text=True, timeout=20, check=False)
        assert ended.returncode == 2 and says in ended.stderr, (more, ended)
        assert not os.path.exists(f"{directory}/none"), more

    refused("--http", "0.0.0.0:0", says="need TLS and tokens")
    refused("--http", "0.0.0.0:0", "--tokens", f"{directory}/tokens", says="need TLS and tokens")
    tls = ["--http-certificate", f"{directory}/node.pem", "--http-key", f"{directory}/node.key"]
    refused("--http", "0.0.0.0:0", *tls, says="need TLS and tokens")
    refused("--check-config", "--tokens", f"{directory}/missing", says="missing")
    refused("--check-config", *tls[:2], "--http-key", f"{directory}/ca.key",
            says="the key is not that of")
    refused("--config", f"{directory}/node.pem", says="not able to parse")
    good = subprocess.run(
        [program, "--data", f"{directory}/none", "--node", "1", "--peer", "1=127.0.0.1:1",
         "--check-config", *tls, "--tokens", f"{directory}/tokens"],
        capture_output=True, text=True, timeout=20, check=False)
    assert good.returncode == 0, good.stderr


def check_clients(node):
    assert node.ask(None, "GET", "/healthz")[0] == 200
    assert node.ask(None, "GET", "/metrics")[0] == 401
    assert node.ask("nobody", "POST", "/v1/api/keys/k", "v")[0] == 401
    assert node.ask("app", "POST", "/v1/api/keys/k", "v")[0] == 201
    assert node.ask("app", "GET", "/v1/api/keys/k")[:2] == (200, "v")
    assert node.ask("reader", "GET", "/v1/api/keys/k")[:2] == (200, "v")
    assert node.ask("reader", "POST", "/v1/api/keys/k", "w")[0] == 403
    assert node.ask("app", "GET", "/metrics")[0] == 200
    write_tokens(node.directory, {"reader": {"keys": "write"}})
    until = time.monotonic() + START_S
    while node.ask("app", "GET", "/v1/api/keys/k")[0] == 200:
        assert time.monotonic() < until, "a token that is gone is still somebody's"
        time.sleep(0.05)
    assert node.ask("reader", "POST", "/v1/api/keys/k", "w")[0] == 201
    headers = {"X-Request-Id": "mine-7",
               "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    answer = node.ask("reader", "GET", "/v1/api/keys/k", headers=headers)
    assert answer[2]["X-Request-Id"] == "mine-7", answer


def check_lines(lines):
    for line in lines:
        for member in ("time", "level", "message", "node", "cluster"):
            assert member in line, line
        assert line["cluster"] == "faces" and line["node"] == 1, line
    messages = [line["message"] for line in lines]
    assert messages[0] == "the node serves" and messages[-1] == "the node has stopped", messages
    own = [line for line in lines if line.get("request_id") == "mine-7"]
    assert len(own) == 1, own
    assert own[0]["trace_id"] == "0af7651916cd43dd8448eb211c80319c", own
    assert own[0]["route"] == "/v1/api/keys/{}" and own[0]["user"] == "reader", own


def main():
    if shutil.which("openssl") is None:
        print("SKIPPED: there is no openssl command here")
        return
    directory = tempfile.mkdtemp(prefix="orochi_kvd_")
    node = None
    try:
        make_certificates(directory, "IP:127.0.0.1")
        write_tokens(directory, {"app": {"*": "admin"}, "reader": {"keys": "read"}})
        check_refusals(sys.argv[1], directory)
        node = Node(sys.argv[1], directory)
        node.start()
        check_clients(node)
        node.process.terminate()
        assert node.process.wait(timeout=20) == 0
        lines = node.lines()
        check_lines(lines)
        print(f"{len(lines)} lines of JSON, tokens and TLS as asked for, 7 refusals")
    except BaseException:
        if os.path.exists(f"{directory}/log"):
            with open(f"{directory}/log", encoding="utf-8", errors="replace") as log:
                print(log.read()[-3000:], file=sys.stderr)
        raise
    finally:
        if node is not None and node.process is not None and node.process.poll() is None:
            node.process.kill()
            node.process.wait()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
