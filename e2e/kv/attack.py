#!/usr/bin/env python3
"""Clients that mean harm. Run as a program, in the namespace of the node it attacks, it does one thing
until its time is over: attack.py KIND --http PORT --peer HOST:PORT --seconds N --seed N"""
import argparse
import json
import random as random_numbers
import resource
import socket
import struct
import sys
import threading
import time

KINDS = {}


def kind(function):
    KINDS[function.__name__] = function
    return function


class Target:
    def __init__(self, options):
        self.http = ("127.0.0.1", options.http)
        host, _, port = options.peer.rpartition(":")
        self.peer = (host, int(port))
        self.source = (options.source, 0)
        self.until = time.monotonic() + options.seconds
        self.random = random_numbers.Random(options.seed)
        self.done = 0

    def left(self):
        return time.monotonic() < self.until

    def connect(self, address, timeout_s=3):
        connection = socket.create_connection(address, timeout=timeout_s,
                                              source_address=self.source)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def throw(self, address, pieces):
        """Sends pieces until they are refused; what came back, at most a few bytes."""
        try:
            with self.connect(address) as connection:
                for piece in pieces:
                    if not self.left():
                        break
                    connection.sendall(piece)
                    self.done += 1
                connection.settimeout(1)
                return connection.recv(200)
        except OSError:
            return b""

    def post(self, path, body, timeout_s=12, content_type="application/json"):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        try:
            with self.connect(self.http, timeout_s) as connection:
                connection.sendall(
                    f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {content_type}"
                    f"\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                answer = b""
                while piece := connection.recv(65536):
                    answer = (answer + piece)[:4096]
                self.done += 1
                return answer
        except OSError as error:
            return repr(error).encode()


def in_threads(count, body):
    threads = [threading.Thread(target=body, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@kind
def http_bytes(target):
    """Bytes that are no HTTP, and HTTP that is nearly right."""
    good = (b"POST /v1/write HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 20\r\n\r\n{\"collection\": \"a\"}\n\n")
    while target.left():
        choice = target.random.randrange(4)
        if choice == 0:
            target.throw(target.http, [target.random.randbytes(target.random.randrange(1, 5000))])
        elif choice == 1:
            bad = bytearray(good)
            for _ in range(target.random.randrange(1, 6)):
                bad[target.random.randrange(len(bad))] = target.random.randrange(256)
            target.throw(target.http, [bytes(bad)])
        elif choice == 2:
            target.throw(target.http, [good[:target.random.randrange(len(good))]])
        else:
            length = target.random.choice((b"-1", b"18446744073709551616", b"99999999999", b"0x10", b""))
            target.throw(target.http, [good.replace(b"20", length)])


@kind
def giant_headers(target):
    """Headers without an end, and a path of megabytes."""
    def one():
        while target.left():
            start = target.random.choice((b"GET / HTTP/1.1\r\nHost: ", b"GET /", b"GET / HTTP/1.1\r\n"))
            piece = b"a: b\r\n" * 10000 if start.endswith(b"\n") else b"x" * 60000
            target.throw(target.http, [start, *([piece] * 5000)])
    in_threads(4, one)


@kind
def slow_loris(target):
    """200 connections that send a header byte by byte."""
    connections = []
    while target.left():
        while len(connections) < 200 and target.left():
            try:
                connection = target.connect(target.http, 1)
                connection.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
                connections.append(connection)
            except OSError:
                break
        alive = []
        for connection in connections:
            try:
                connection.send(b"x")
                alive.append(connection)
            except OSError:
                connection.close()
        target.done += len(alive)
        connections = alive
        time.sleep(0.5)


@kind
def slow_bodies(target):
    """200 connections whose bodies come byte by byte."""
    head = (b"POST /v1/write HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000000\r\n\r\n")
    connections = []
    while target.left():
        while len(connections) < 200 and target.left():
            try:
                connections.append(target.connect(target.http, 1))
                connections[-1].sendall(head)
            except OSError:
                break
        for connection in list(connections):
            try:
                connection.send(b" ")
            except OSError:
                connections.remove(connection)
                connection.close()
        target.done += len(connections)
        time.sleep(0.5)


@kind
def idle_connections(target):
    """10,000 connections that say nothing, or nothing any more."""
    connections = []
    while target.left():
        while len(connections) < 10000 and target.left():
            try:
                connection = target.connect(target.http, 1)
                if len(connections) % 2 == 0:
                    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                connections.append(connection)
            except OSError:
                time.sleep(0.2)
                break
        target.done = len(connections)
        time.sleep(0.05)


@kind
def deaf_readers(target):
    """Connections that ask for much and never read the answer."""
    ask = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 50
    connections = []
    while target.left():
        while len(connections) < 100 and target.left():
            try:
                connection = target.connect(target.http, 1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connections.append(connection)
            except OSError:
                break
        for connection in list(connections):
            try:
                connection.settimeout(0.01)
                connection.send(ask)
                target.done += 1
            except TimeoutError:
                pass
            except OSError:
                connections.remove(connection)
        time.sleep(0.1)


@kind
def chunked(target):
    """Chunks without an end, of wrong sizes, of one byte."""
    head = (b"POST /v1/api/keys/chunked HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n")
    def one():
        while target.left():
            choice = target.random.randrange(4)
            if choice == 0:
                target.throw(target.http, [head, *([b"100000\r\n" + b"x" * 0x100000 + b"\r\n"] * 4000)])
            elif choice == 1:
                size = target.random.choice((b"FFFFFFFFFFFFFFFF", b"-1", b"zz", b"7FFFFFFFFFFFFFFF", b""))
                target.throw(target.http, [head, size + b"\r\n", b"x" * 100000])
            elif choice == 2:
                target.throw(target.http, [head, b"1\r\nx\r\n" * 200000, b"0\r\n\r\n"])
            else:
                target.throw(target.http, [head, b"1;" + b"e" * 30_000_000])
    in_threads(4, one)


@kind
def deep_documents(target):
    """Documents that are deep or large, in JSON and MessagePack."""
    size = 8_000_000
    bodies = (
        (b"[" * size, "application/json"),
        (b'{"a":' * (size // 5), "application/json"),
        (b'{"collection":"trial","schema":"record","op":"put","record":' + b'{"key":' * 100000, "application/json"),
        (b"[" + b"1," * (size // 2) + b"1]", "application/json"),
        (b'{"x":"' + b"\\u0000" * (size // 6) + b'"}', "application/json"),
        (b"\x91" * size, "application/x-msgpack"),
        (b"\x81\xa1a" * (size // 3), "application/x-msgpack"),
        (b"\xdd\xff\xff\xff\xff", "application/x-msgpack"),
        (b"\xdf\xff\xff\xff\xff\xa1a", "application/x-msgpack"),
        (b"\xc6\xff\xff\xff\xffxx", "application/x-msgpack"),
        (b"\xdb\xff\xff\xff\xffxx", "application/x-msgpack"))
    def one():
        while target.left():
            body, content_type = target.random.choice(bodies)
            path = target.random.choice(("/v1/write", "/v1/txn", "/v1/query", "/v1/collections", "/api/Write"))
            target.post(path, body, content_type=content_type)
    in_threads(4, one)


def deep_filter(depth):
    tree = {"op": "EQ", "args": [{"field": "value"}, {"literal": 1}]}
    for _ in range(depth):
        tree = {"op": "NOT", "args": [tree]}
    return tree


@kind
def huge_requests(target):
    """Batches, queries, filters and names as large as they may be, and larger."""
    sys.setrecursionlimit(100000)
    put = {"collection": "trial", "schema": "list", "op": "put"}
    read = {"collection": "trial", "schema": "list"}
    def one():
        while target.left():
            choice = target.random.randrange(6)
            if choice == 0:
                value = "x" * target.random.choice((7000, 100000, 1000000))
                count = min(1000, 7_000_000 // len(value))
                target.post("/v1/write", {"writes": [
                    {**put, "record": {"key": f"huge-{target.random.randrange(2000)}-{n}", "value": value}}
                    for n in range(count)]})
            elif choice == 1:
                target.post("/v1/txn", {"reads": [{**read, "key": {"key": f"huge-{n}-0"}} for n in range(1000)]})
            elif choice == 2:
                target.post("/v1/query", {**read, "page": {"records": 10**9, "bytes": 10**12, "scanned": 10**12}})
            elif choice == 3:
                target.post("/v1/query", {**read, "filter": deep_filter(target.random.choice((50, 900)))})
            elif choice == 4:
                target.post("/v1/write", {**put, "record": {"key": "k" * 3_000_000, "value": "v"}})
            else:
                target.post("/v1/collections", {"name": "c" * 1000000, "distribution": "hash", "partitions": 1})
    in_threads(4, one)


@kind
def many_collections(target):
    """Collections by the hundred, and of a billion partitions."""
    number = 0
    while target.left():
        number += 1
        partitions = target.random.choice((1, 1, 10**9, 4000, 2**63))
        target.post("/v1/collections", {"name": f"many-{number}", "distribution": "hash",
                                        "partitions": partitions})


@kind
def open_transactions(target):
    """Transactions that are begun, write, and are left."""
    def one():
        while target.left():
            begun = target.post("/v1/txn/begin", b"")
            if b"transaction\":\"" in begun and target.random.random() < 0.3:
                identity = begun.split(b"transaction\":\"")[1].split(b"\"")[0].decode()
                key = f"left-{target.random.randrange(10**9)}"
                target.post(f"/v1/txn/{identity}/write", {
                    "collection": "trial", "schema": "list", "op": "put",
                    "record": {"key": key, "value": "x" * 1000}})
    in_threads(8, one)


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind_of_frame, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes((kind_of_frame, flags)) + struct.pack(">I", stream) + payload


@kind
def peer_bytes(target):
    """Bytes at the port where nodes hear each other: none of HTTP/2, nearly HTTP/2, floods of its frames."""
    settings = PREFACE + frame(4, 0, 0, b"")
    def one():
        while target.left():
            choice = target.random.randrange(7)
            if choice == 0:
                target.throw(target.peer, [target.random.randbytes(target.random.randrange(1, 5000))])
            elif choice == 1:
                target.throw(target.peer, [settings, *([target.random.randbytes(1000)] * 20)])
            elif choice == 2:
                target.throw(target.peer, [settings, *([frame(6, 0, 0, b"12345678") * 1000] * 100)])
            elif choice == 3:
                target.throw(target.peer, [settings, *([frame(4, 0, 0, b"") * 1000] * 100)])
            elif choice == 4:  # headers that go on and on
                target.throw(target.peer, [settings, frame(1, 0, 1, b"\x00\x01a\x01b"),
                                           *([frame(9, 0, 1, b"\x00\x01a\x01b" * 1000) * 10] * 200)])
            elif choice == 5:  # opened and reset at once
                pieces = [frame(1, 4, stream, b"\x83\x86\x84") + frame(3, 0, stream, b"\0\0\0\x08")
                          for stream in range(1, 20001, 2)]
                target.throw(target.peer, [settings, b"".join(pieces)])
            else:
                target.throw(target.peer, [b"GET / HTTP/1.1\r\n\r\n" * 1000])
    in_threads(4, one)


@kind
def peer_connections(target):
    """Thousands of connections at the nodes' port that say nothing."""
    connections = []
    while target.left():
        while len(connections) < 3000 and target.left():
            try:
                connections.append(target.connect(target.peer, 1))
            except OSError:
                break
        target.done = len(connections)
        time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("--http", type=int, required=True)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--source", required=True, help="the address it comes from, not that of others")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    target = Target(options)
    KINDS[options.kind](target)
    print(f"{target.done}", flush=True)


if __name__ == "__main__":
    main()
