#!/usr/bin/env python3
"""Goal: the Python client does at a node what it says; what may have happened it never sends twice.

Method: three real nodes, whose addresses are in KV (clients_test.py starts them), and nodes that answer by a
script and count what they read.
"""

import decimal
import json
import os
import socket
import threading
import unittest
import uuid

import orochi_kv
from orochi_kv import Client

NODES = os.environ.get("KV", "").split(",")


class ScriptedNode:
    """Answers requests one after the other: (status, document), None for silence, "close" for no answer."""

    def __init__(self, *script):
        self.script = list(script)
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_one, args=(connection,), daemon=True).start()

    def _serve_one(self, connection):
        with connection, connection.makefile("rb") as stream:
            while True:
                line = stream.readline().decode().strip()
                if not line:
                    return
                length = 0
                while header := stream.readline().decode().strip().lower():
                    if header.startswith("content-length:"):
                        length = int(header.split(":")[1])
                stream.read(length)
                self.requests.append(line)
                act = self.script.pop(0) if self.script else (200, {"timestamp": "1"})
                if act == "close":
                    return
                if act is None:
                    stream.read(1)  # until the client goes
                    return
                status, document, *headers = act
                body = json.dumps(document).encode()
                connection.sendall(
                    f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{''.join(headers)}"
                    f"Content-Length: {len(body)}\r\n\r\n".encode() + body)


def refusal(status, code, *headers):
    return (status, {"code": code, "message": f"it is {code}"}, *headers)


def closed_address():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


class RetryTest(unittest.TestCase):
    def test_a_write_without_an_answer_is_not_sent_again(self):
        for act in ("close", None, refusal(504, "outcome_unknown"), refusal(504, "deadline"),
                    (502, {}), (503, {}), refusal(500, "something_new")):
            first, second = ScriptedNode(act), ScriptedNode()
            client = Client([first.address, second.address], timeout=2)
            with self.assertRaises(orochi_kv.OutcomeUnknown, msg=act):
                client.schema("shop", "item").put({"id": 1})
            self.assertEqual(len(first.requests) + len(second.requests), 1, act)

    def test_what_did_not_happen_is_asked_of_another_node(self):
        for act in (refusal(503, "unavailable"), refusal(429, "overloaded")):
            first, second = ScriptedNode(act), ScriptedNode()
            Client([first.address, second.address]).schema("shop", "item").put({"id": 1})
            self.assertEqual((len(first.requests), len(second.requests)), (1, 1))
        node = ScriptedNode()
        Client([closed_address(), node.address]).put_key("a", "b")
        self.assertEqual(len(node.requests), 1)
        with self.assertRaises(orochi_kv.Unavailable):
            Client([closed_address()], timeout=0.1).put_key("a", "b")

    def test_what_only_reads_is_asked_again(self):
        for act in ("close", None, refusal(504, "deadline")):
            found = [(200, {"record": {"id": 1}})] * 5
            first, second = ScriptedNode(act, *found), ScriptedNode(*found)
            client = Client([first.address, second.address], read_attempt=0.05)
            self.assertEqual(client.schema("shop", "item").get({"id": 1}), {"id": 1})
        with self.assertRaises(orochi_kv.Timeout):
            Client([ScriptedNode(None, None).address], timeout=0.1).get_key("a")

    def test_conflicts_and_unknown_commits_of_transactions(self):
        begun = (201, {"transaction": "t1", "outcome": "open"})
        wrote = (200, {"anchor": "YW5jaG9y"})
        for outcome, runs_expected in (("committed", 1), ("aborted", 2)):
            first = ScriptedNode(begun, wrote, "close", refusal(503, "unavailable"))
            second = ScriptedNode((200, {"outcome": "open"}), (200, {"outcome": outcome}), begun, wrote,
                                  (200, {"outcome": "committed", "timestamp": "7"}))
            runs = []

            def body(transaction):
                runs.append(transaction.schema("shop", "item").put({"id": 1}))

            Client([first.address, second.address]).run_transaction(body)
            self.assertEqual(len(runs), runs_expected)
            self.assertTrue(any("GET /v1/txn/t1?anchor=YW5jaG9y " in one for one in second.requests))
        node = ScriptedNode(begun, wrote, refusal(504, "outcome_unknown"), (200, {"outcome": "unknown"}),
                            (200, {"outcome": "unknown"}))
        with self.assertRaises(orochi_kv.OutcomeUnknown) as caught:
            Client([node.address]).run_transaction(body)
        self.assertEqual((caught.exception.transaction, caught.exception.anchor), ("t1", "YW5jaG9y"))

    def test_before_the_commit_errors_are_certain(self):
        node = ScriptedNode((201, {"transaction": "t1"}), "close")
        with self.assertRaises(orochi_kv.Unavailable):
            with Client([node.address]).begin() as transaction:
                transaction.schema("shop", "item").put({"id": 1})

    def test_addresses_are_checked(self):
        for bad in ("", "host", "host:0", "host:x"):
            with self.assertRaises(orochi_kv.InvalidArgument, msg=bad):
                Client([bad])
        with self.assertRaises(orochi_kv.Unsupported):
            Client(["https://host:1"])
        with self.assertRaises(orochi_kv.InvalidArgument):
            Client(["a:1"], token="a\r\nX: y")


@unittest.skipUnless(NODES[0], "KV names no nodes")
class NodeTest(unittest.TestCase):
    def setUp(self):
        self.client = Client(NODES, timeout=30)
        self.addCleanup(self.client.close)
        self.name = f"py_{uuid.uuid4().hex[:8]}"
        self.client.create_collection(self.name, partitions=2)
        self.addCleanup(self.client.drop_collection, self.name)
        self.client.create_schema(self.name, {
            "name": "item", "version": 1,
            "fields": [{"name": "shelf", "type": "text"}, {"name": "place", "type": "int64"},
                       {"name": "price", "type": "decimal25"}, {"name": "data", "type": "bytes"}],
            "partition_key": ["shelf"], "range_key": ["place"]})
        self.item = self.client.schema(self.name, "item")

    def record(self, place, price="1.5"):
        return {"shelf": "a", "place": place, "price": decimal.Decimal(price), "data": b"\0\xff"}

    def test_simple_keys(self):
        key = f"{self.name}/with?all #of% it"
        self.assertIsNone(self.client.get_key(key))
        self.client.put_key(key, b"\0\r\n\xff")
        self.assertEqual(self.client.get_key(key), b"\0\r\n\xff")
        self.assertTrue(self.client.delete_key(key))
        self.assertFalse(self.client.delete_key(key))

    def test_records_and_conditions(self):
        self.item.put(self.record(2 ** 62))
        found = self.item.get({"shelf": "a", "place": 2 ** 62})
        self.assertEqual((found["place"], found["price"]), (2 ** 62, "1.5"))
        self.assertEqual(orochi_kv.bytes_of(found["data"]), b"\0\xff")
        self.assertIsNone(self.item.get({"shelf": "a", "place": 0}))
        with self.assertRaises(orochi_kv.ConditionFailed) as caught:
            self.item.insert(self.record(2 ** 62))
        self.assertEqual(caught.exception.reason, "present")
        with self.assertRaises(orochi_kv.NotFound):
            self.client.schema(self.name, "other").get({"id": 1})
        with self.assertRaises(orochi_kv.AlreadyExists):
            self.client.create_collection(self.name)
        self.item.delete({"shelf": "a", "place": 2 ** 62})

    def test_batches_and_scans(self):
        self.client.write_all(self.item.write("put", record=self.record(place)) for place in range(25))
        places = [one["place"] for one in self.item.scan(["a"], page=10)]
        self.assertEqual(places, list(range(25)))
        end = {"fields": ["a", 5], "inclusive": False}
        self.assertEqual(len(list(self.item.scan(end=end))), 5)
        answer = self.client.batch([self.item.read({"shelf": "a", "place": 1})],
                                   [self.item.write("delete", key={"shelf": "a", "place": 1})])
        self.assertEqual(answer["reads"][0]["place"], 1)

    def test_transactions(self):
        with self.client.begin() as transaction:
            transaction.schema(self.name, "item").put(self.record(1))
            self.assertTrue(transaction.anchor)
        self.assertEqual(transaction.ask()["outcome"], "committed")
        self.assertEqual(self.client.ask(transaction.id, transaction.anchor)["outcome"], "committed")

        def add(transaction):
            item = transaction.schema(self.name, "item")
            price = decimal.Decimal(item.get({"shelf": "a", "place": 1})["price"])
            item.update({"shelf": "a", "place": 1}, {"price": price + 1})

        threads = [threading.Thread(target=self.client.run_transaction, args=(add,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.item.get({"shelf": "a", "place": 1})["price"], "4.5")


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # connections that are open at the end
