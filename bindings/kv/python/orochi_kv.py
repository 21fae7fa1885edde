"""Client of Orochi's key-value store, over HTTP/1.1. One file, standard library only, Python 3.9 or later.

    import orochi_kv
    client = orochi_kv.Client(["127.0.0.1:8001", "127.0.0.1:8002"])
    client.put_key("greeting", b"hello")
    client.get_key("greeting")                      # b"hello"

    item = client.schema("shop", "item")
    item.put({"shelf": "a", "place": 1, "count": 5})
    item.get({"shelf": "a", "place": 1})

What becomes of a request:
  - It goes to one node until that fails, then to the next. What certainly did not happen (the node could not
    be reached or was not sent the whole request, or said unavailable or overloaded) is tried again until the
    timeout. What only reads is always tried again.
  - A write whose outcome is not known is never sent again: OutcomeUnknown is raised. Only of a transaction
    the outcome can be asked for (Client.ask); run_transaction does so by itself.

Values: None, bool, int, float, str. Of bytes (sent as base64), decimal.Decimal and uuid.UUID the JSON form is
sent; what comes back is that form, text (bytes_of() undoes base64). Timestamps of the store are text.

No TLS: let a local proxy speak it. A Client may be used by several threads; a Transaction by one at a time.
"""

import base64
import decimal
import http.client
import json
import math
import random
import select
import socket
import threading
import time
import urllib.parse
import uuid

__all__ = [
    "Client", "Records", "Transaction", "KvError", "InvalidArgument", "NotFound", "AlreadyExists",
    "FailedPrecondition", "ConditionFailed", "Conflict", "TransactionGone", "TooOld", "Forbidden",
    "Unsupported", "Unavailable", "OutcomeUnknown", "Timeout", "StoreError", "bytes_of",
]

_IDLE_S = 15  # nodes close a connection after 30
_PAUSE_S_MIN, _PAUSE_S_MAX = 0.005, 0.5


class KvError(Exception):
    """What all errors of this module are. `code` is the store's, or the client's own."""

    def __init__(self, message, code="", hint="", answer=None):
        super().__init__(message if not hint else f"{message} ({hint})")
        self.code = code
        self.answer = answer or {}


class InvalidArgument(KvError):
    """It can never succeed."""


class NotFound(KvError):
    """A collection, schema or record that does not exist."""


class AlreadyExists(KvError):
    """A collection or schema of this name exists."""


class FailedPrecondition(KvError):
    """Not in the state that the store is in."""


class ConditionFailed(KvError):
    """A condition did not hold, and nothing was written.

    `reason` is absent, present, filter, changed or forgotten; `failed` which write; `record` its record, where
    that was asked for.
    """

    def __init__(self, message, answer):
        super().__init__(message, "condition_failed", answer=answer)
        self.reason = answer.get("reason", "")
        self.failed = answer.get("failed", 0)
        self.record = answer.get("record")


class Conflict(KvError):
    """Lost a conflict: run the transaction again from its beginning."""


class TransactionGone(KvError):
    """The transaction ended, or was idle too long."""


class TooOld(KvError):
    """Of a state that the store has forgotten."""


class Forbidden(KvError):
    """No token, or one without the right."""


class Unsupported(KvError):
    """The node does not know this request."""


class Unavailable(KvError):
    """Nothing happened, at no node, until the timeout."""


class OutcomeUnknown(KvError):
    """It may or may not have happened, now or later. Look what is there before you repeat it.

    Of a commit, `transaction` and `anchor` are what Client.ask takes.
    """

    transaction = ""
    anchor = ""


class Timeout(KvError):
    """What only reads got no answer in time."""


class StoreError(KvError):
    """The store is damaged or has a bug."""


_ERRORS = {
    "invalid_argument": InvalidArgument, "bad_request": InvalidArgument, "unsupported": InvalidArgument,
    "not_found": NotFound, "no_such_route": Unsupported, "method_not_allowed": Unsupported,
    "conflict": Conflict, "already_exists": AlreadyExists, "failed_precondition": FailedPrecondition,
    "transaction_gone": TransactionGone, "too_old": TooOld, "forbidden": Forbidden,
    "unauthenticated": Forbidden, "overloaded": Unavailable, "unavailable": Unavailable,
    "outcome_unknown": OutcomeUnknown, "deadline": OutcomeUnknown, "corruption": StoreError,
    "internal": StoreError,
}


def bytes_of(text):
    """The bytes of a field of type bytes as it comes back; None of None."""
    return None if text is None else base64.b64decode(text, validate=True)


def _plain(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Node:
    def __init__(self, address):
        self.address = address
        self.down_until = 0.0
        if address.startswith("unix:"):
            self.path = address[5:]
            return
        self.path = None
        if address.startswith("https://"):
            raise Unsupported(f"node address {address!r}: this client has no TLS")
        rest = address[7:] if address.startswith("http://") else address
        host, colon, port = rest.rstrip("/").rpartition(":")
        if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise InvalidArgument(f"node address {address!r}: expected HOST:PORT or unix:PATH")
        self.host, self.port = host.strip("[]"), int(port)

    def connect(self, timeout):
        connection = (_UnixConnection(self.path, timeout) if self.path
                      else http.client.HTTPConnection(self.host, self.port, timeout=timeout))
        connection.connect()
        if not self.path:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


class _NotSent(Exception):
    """Not all of the request was taken: nodes begin none before they have it in full."""


class _Answer:
    def __init__(self, status, headers, body, node):
        self.status, self.headers, self.body, self.node = status, headers, body, node
        self.document = {}
        if headers.get("Content-Type", "").startswith("application/json"):
            self.document = json.loads(body)


class Client:
    """Asks the nodes of a cluster. `timeout` is of each call with all its attempts, in seconds."""

    def __init__(self, nodes, token=None, timeout=10.0, read_attempt=3.0):
        if isinstance(nodes, str):
            nodes = nodes.split(",")
        self._nodes = [_Node(node.strip()) for node in nodes]
        if not self._nodes:
            raise InvalidArgument("no address of a node is given")
        if token is not None and not all(" " < letter <= "~" for letter in token):
            raise InvalidArgument("the token has a byte that cannot stand in a header")
        self._token = token
        self.timeout = timeout
        self._read_attempt = read_attempt
        self._preferred = 0
        self._idle = {index: [] for index in range(len(self._nodes))}
        self._lock = threading.Lock()

    # Simple keys

    def get_key(self, key):
        """The bytes under a name; None: there are none."""
        try:
            return self._call("GET", self._key_path(key), reads=True).body
        except NotFound:
            return None

    def put_key(self, key, value):
        """Writes bytes, or text in UTF-8."""
        body = value.encode() if isinstance(value, str) else bytes(value)
        self._call("POST", self._key_path(key), body, "application/octet-stream", whole=True)

    def delete_key(self, key):
        """False: there was none."""
        try:
            self._call("DELETE", self._key_path(key), whole=True)
            return True
        except NotFound:
            return False

    # Collections and schemas

    def create_collection(self, name, distribution="hash", partitions=None):
        """distribution: "hash", or "range" for records in the order of keys."""
        body = {"name": name, "distribution": distribution}
        if partitions is not None:
            body["partitions"] = partitions
        return self._post("/v1/collections", body)

    def collections(self):
        return self._get("/v1/collections")["collections"]

    def collection(self, name):
        return self._get(f"/v1/collections/{_quoted(name)}")

    def drop_collection(self, name):
        self._call("DELETE", f"/v1/collections/{_quoted(name)}")

    def create_schema(self, collection, definition):
        """`definition` as docs/formats/kv-wire.md has it: name, version, fields, partition_key, range_key."""
        return self._post(f"/v1/collections/{_quoted(collection)}/schemas", definition)

    def schemas(self, collection):
        return self._get(f"/v1/collections/{_quoted(collection)}/schemas")["schemas"]

    def find_schema(self, collection, schema, version=None):
        tail = "" if version is None else f"?version={int(version)}"
        return self._get(f"/v1/collections/{_quoted(collection)}/schemas/{_quoted(schema)}{tail}")

    def schema(self, collection, schema, version=None):
        """The records of a schema, each call a transaction of its own."""
        return Records(self, None, collection, schema, version)

    # Several at once

    def write_all(self, writes):
        """All or none of what Records.write made. Raises ConditionFailed."""
        return self._post("/v1/write", {"writes": list(writes)}, whole=True)

    def batch(self, reads=(), writes=()):
        """Reads, then writes, as one transaction; the answer's "reads" are records or None."""
        body = {"reads": list(reads), "writes": list(writes)}
        return self._post("/v1/txn", body, reads=not body["writes"], whole=True)

    # Transactions

    def begin(self, isolation="serializable"):
        """A Transaction; as a context it commits, or aborts when an exception leaves it."""
        answer = self._call("POST", "/v1/txn/begin", _json({"isolation": isolation}), reads=True)
        return Transaction(self, answer.node, answer.document["transaction"])

    def run_transaction(self, body, isolation="serializable", attempts=20):
        """Begins, runs body(transaction), commits, and answers what body did. After a conflict, and only
        then, all of it again: so body may run several times. An unknown commit is asked about;
        OutcomeUnknown is raised when that stays unknown until the timeout."""
        until = time.monotonic() + self.timeout
        for attempt in range(attempts):
            try:
                transaction = self.begin(isolation)
                try:
                    result = body(transaction)
                except BaseException:
                    transaction.abort_quietly()
                    raise
                self._commit_surely(transaction, until)
                return result
            except Conflict:
                if attempt + 1 == attempts or time.monotonic() >= until:
                    raise
                _pause(attempt, until)
        raise InvalidArgument("attempts must be 1 or more")

    def _commit_surely(self, transaction, until):
        try:
            transaction.commit()
            return
        except OutcomeUnknown as error:
            unknown = error
        attempt = 0
        while True:
            try:
                outcome = transaction.ask()["outcome"]
            except KvError:
                outcome = "open"
            if outcome == "committed":
                return
            if outcome == "aborted":
                raise Conflict(f"transaction {transaction.id} was aborted", "conflict") from unknown
            if outcome == "unknown" or time.monotonic() >= until:
                raise unknown
            _pause(attempt, until)
            attempt += 1

    def ask(self, transaction, anchor=""):
        """What became of a transaction: {"outcome": "committed", "timestamp": ...}, or aborted, open,
        unknown. Any node knows when it is given the anchor."""
        return self._ask(transaction, anchor, None)

    def _ask(self, transaction, anchor, node):
        path = f"/v1/txn/{_quoted(transaction)}"
        if anchor:
            path += f"?anchor={_quoted(anchor)}"
        try:
            answer = self._call("GET", path, reads=True, only=node).document
        except NotFound:
            return {"transaction": transaction, "outcome": "unknown"}
        if "outcome" not in answer:
            raise StoreError(f"the answer about transaction {transaction} has no outcome")
        return answer

    # The wire

    @staticmethod
    def _key_path(key):
        if not key:
            raise InvalidArgument("a key has one byte or more")
        return f"/v1/api/keys/{_quoted(key)}"

    def _get(self, path):
        return self._call("GET", path, reads=True).document

    def _post(self, path, body, reads=False, whole=False):
        return self._call("POST", path, _json(body), reads=reads, whole=whole).document

    def _call(self, method, path, body=None, content_type="application/json", reads=False, whole=False,
              only=None):
        until = time.monotonic() + self.timeout
        count = len(self._nodes)
        node = self._first() if only is None else only
        not_before = [0.0] * count
        attempt = 0
        while True:
            attempt_until = until
            if reads and count > 1:
                attempt_until = min(until, time.monotonic() + self._read_attempt)
            try:
                return self._ask_node(node, method, path, body, content_type, attempt_until)
            except Unavailable as error:
                failed, retries = error, True
            except OutcomeUnknown as error:
                failed, retries = error, reads
            except Conflict as error:
                failed, retries = error, whole
            if only is not None or not retries:
                raise failed
            not_before[node] = time.monotonic() + getattr(failed, "retry_after", 0)
            if not isinstance(failed, Conflict):
                node = (node + 1) % count
            if isinstance(failed, Conflict) or (attempt + 1) % count == 0:
                _pause(attempt // count, until)
            time.sleep(max(0, min(not_before[node], until) - time.monotonic()))
            if time.monotonic() >= until:
                if isinstance(failed, OutcomeUnknown):
                    raise Timeout(str(failed), "timeout") from failed
                raise failed
            attempt += 1

    def _ask_node(self, node, method, path, body, content_type, until):
        where = self._nodes[node].address
        try:
            answer = self._exchange(node, method, path, body, content_type, until)
        except _NotSent as error:
            self._mark(node, False)
            raise Unavailable(f"{where}: {error}", "unavailable") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._mark(node, False)
            raise OutcomeUnknown(
                f"{method} {path} at {where}: {error or type(error).__name__}; it may or may not have "
                "happened", "outcome_unknown") from error
        if answer.status < 400:
            self._mark(node, True)
            return answer
        document = answer.document if isinstance(answer.document, dict) else {}
        message = document.get("message") or f"{where} answered HTTP {answer.status}"
        code = document.get("code", "")
        if answer.status == 412:
            raise ConditionFailed(message, document)
        kind = _ERRORS.get(code)
        if kind is None:
            kind = (Forbidden if answer.status in (401, 403)
                    else InvalidArgument if answer.status < 500 else OutcomeUnknown)
        error = kind(message, code, document.get("hint", ""), document)
        retry_after = answer.headers.get("Retry-After", "0")
        error.retry_after = int(retry_after) if retry_after.isdigit() else 0
        self._mark(node, not isinstance(error, (Unavailable, OutcomeUnknown)))
        raise error

    def _exchange(self, node, method, path, body, content_type, until):
        try:
            connection = self._take(node, max(0.001, until - time.monotonic()))
        except OSError as error:
            raise _NotSent(error) from error
        try:
            headers = {"Accept": "application/json"}
            if self._token:
                headers["Authorization"] = f"Bearer {self._token}"
            if body is not None:
                headers["Content-Type"] = content_type
            elif method == "POST":
                headers["Content-Length"] = "0"
            connection.sock.settimeout(max(0.001, until - time.monotonic()))
            try:
                connection.request(method, path, body, headers)
            except OSError as error:
                raise _NotSent(error) from error
            connection.sock.settimeout(max(0.001, until - time.monotonic()))
            response = connection.getresponse()
            answer = _Answer(response.status, response.headers, response.read(), node)
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle[node].append((connection, time.monotonic()))
        return answer

    def _take(self, node, timeout):
        while True:
            with self._lock:
                idle = self._idle[node].pop() if self._idle[node] else None
            if idle is None:
                return self._nodes[node].connect(min(timeout, 1.0))
            connection, since = idle
            # One that the node has closed, or soon may, is not used: nobody could tell what became of a write.
            quiet = not select.select([connection.sock], [], [], 0)[0]
            if quiet and time.monotonic() - since < _IDLE_S:
                return connection
            connection.close()

    def _first(self):
        with self._lock:
            now = time.monotonic()
            for step in range(len(self._nodes)):
                node = (self._preferred + step) % len(self._nodes)
                if self._nodes[node].down_until <= now:
                    self._preferred = node
                    return node
            return self._preferred

    def _mark(self, node, up):
        with self._lock:
            self._nodes[node].down_until = 0.0 if up else time.monotonic() + 0.5

    def close(self):
        """Closes idle connections; the client may be used again."""
        with self._lock:
            idle = [pair for pairs in self._idle.values() for pair in pairs]
            for pairs in self._idle.values():
                pairs.clear()
        for connection, _since in idle:
            connection.close()


class Records:
    """The records of one schema; of a client, or within a transaction."""

    def __init__(self, client, transaction, collection, schema, version=None):
        self._client, self._transaction = client, transaction
        self._names = {"collection": collection, "schema": schema}
        if version is not None:
            self._names["version"] = version

    def get(self, key):
        """The record, with all its fields; None: there is none."""
        try:
            return self._post("read", self.read(key), True)["record"]
        except NotFound as error:
            if "timestamp" in error.answer:
                return None
            raise

    def put(self, record, **options):
        """Writes a whole record. Options of all writes: condition, returning. Raises ConditionFailed."""
        return self._write("put", record=record, **options)

    def insert(self, record, **options):
        """The same, if there is none."""
        return self._write("insert", record=record, **options)

    def update(self, key, changes, **options):
        """Changes some fields of a record that is there."""
        return self._write("update", key=key, set=changes, **options)

    def delete(self, key, **options):
        return self._write("delete", key=key, **options)

    def check(self, key, condition):
        """Writes nothing, but the condition holds until the transaction ends."""
        return self._write("check", key=key, condition=condition)

    def scan(self, prefix=None, page=1000, **query):
        """All records, page by page, of one state. `query` as docs/guide/kv-http.md has it: start and end for
        its from and to, filter, projection, reverse, limit."""
        body = {**self._names, "page": {"records": page}}
        if prefix is not None:
            body["prefix"] = list(prefix)
        for name, value in query.items():
            body[{"start": "from", "end": "to"}.get(name, name)] = value
        while True:
            answer = self._post("query", body, True)
            yield from answer["records"]
            if not answer.get("token"):
                return
            body["token"] = answer["token"]

    def read(self, key):
        """A read, for Client.batch."""
        return {**self._names, "key": key}

    def write(self, op, condition=None, returning=False, **parts):
        """A write, for Client.batch and write_all: op, and record, or key (and set)."""
        body = {**self._names, "op": op, **parts}
        if condition:
            body["if"] = condition
        if returning:
            body["return"] = True
        return body

    def _write(self, op, **parts):
        return self._post("write", self.write(op, **parts), False)

    def _post(self, what, body, reads):
        if self._transaction is None:
            return self._client._post(f"/v1/{what}", body, reads=reads, whole=True)
        return self._transaction._post(what, body)


class Transaction:
    """A transaction that lives between calls, at the node that began it. Before commit() nothing of it can
    come to be, so all errors before that are certain."""

    def __init__(self, client, node, identity):
        self._client, self._node = client, node
        self.id = identity
        self.anchor = ""
        self._ended = False

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if kind is not None:
            self.abort_quietly()
        elif not self._ended:
            self.commit()

    def schema(self, collection, schema, version=None):
        return Records(self._client, self, collection, schema, version)

    def heartbeat(self):
        """It is not idle; idle for a minute it is aborted."""
        self._control("heartbeat")

    def commit(self):
        """The commit's timestamp. Raises Conflict, and OutcomeUnknown with what ask() needs."""
        self._ended = True
        try:
            return self._control("commit").get("timestamp")
        except OutcomeUnknown as error:
            error.transaction = self.id
            error.anchor = self.anchor = error.answer.get("anchor") or self.anchor
            raise

    def abort(self):
        self._ended = True
        self._control("abort")

    def abort_quietly(self):
        """Aborts; when that fails, it is aborted once it is idle."""
        if not self._ended:
            try:
                self.abort()
            except KvError:
                pass

    def ask(self):
        """What became of it: its own node is asked first."""
        try:
            answer = self._client._ask(self.id, self.anchor, self._node)
            if answer["outcome"] != "unknown":
                return answer
        except KvError:
            pass
        return self._client.ask(self.id, self.anchor)

    def _control(self, what):
        return self._client._call("POST", f"/v1/txn/{self.id}/{what}", only=self._node).document

    def _post(self, what, body):
        try:
            answer = self._client._call("POST", f"/v1/txn/{self.id}/{what}", _json(body),
                                        only=self._node).document
        except OutcomeUnknown as error:
            raise Unavailable(f"{what} of transaction {self.id} was not answered; nothing of the "
                              "transaction is committed", "unavailable") from error
        self.anchor = answer.get("anchor") or self.anchor
        return answer


def _quoted(text):
    return urllib.parse.quote(text, safe="")


def _json(body):
    return json.dumps(_plain(body), allow_nan=False).encode()


def _pause(attempt, until):
    most = min(_PAUSE_S_MAX, _PAUSE_S_MIN * 2 ** min(attempt, 10))
    time.sleep(max(0, min(most * random.uniform(0.5, 1), until - time.monotonic())))
