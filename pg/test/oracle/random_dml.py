#!/usr/bin/env python3
"""Random DML from several sessions at once, applied to a columnar table and to its heap twin.

Each session owns the rows of its number. A transaction runs every statement on the columnar table
and then on the heap table: row counts, RETURNING and SQLSTATEs must agree. Since both tables change
in the same transactions, any snapshot sees the same rows in both: readers compare whole tables all
the time, by every kind of scan, some with old snapshots, while VACUUM, VACUUM FULL, CLUSTER, REINDEX,
index builds and new columns that are rolled back run beside. At the end the
sessions stop, the size is compared with that of the rows freshly compressed, and every path, indexes
too, with the twin.

    random_dml.py --dsn 'host=/tmp/sock port=5433 dbname=postgres' [--seconds 300] [--seed N] [--crash]

--crash kills a server process with signal 9 every few seconds, so that the server recovers.
Prints its seed, which fixes each session's statements but not how they interleave. Exits with 1 at
a difference.
"""

import argparse
import os
import random
import signal
import sys
import threading
import time

import psycopg2

TWINS = ("dml_columnar", "dml_heap")
# What concurrent maintenance may do to a transaction: a deadlock, a serialization failure under
# REPEATABLE READ, a snapshot from before a rewrite.
RETRY = {"40P01", "40001", "55000", "72000"}
# And to one that only reads, however old its snapshot.
RETRY_READ = {"40P01"}
OWN_ROWS_MAX = 6000

SETUP = """
DROP TABLE IF EXISTS dml_columnar, dml_heap;
CREATE TABLE dml_heap (id bigint PRIMARY KEY, owner int NOT NULL, k int, u int, n numeric, v text,
  at timestamptz, UNIQUE (owner, u));
CREATE TABLE dml_columnar (id bigint PRIMARY KEY, owner int NOT NULL, k int, u int, n numeric, v text,
  at timestamptz, UNIQUE (owner, u)) USING columnar;
CREATE INDEX dml_columnar_k ON dml_columnar (k, id);
CREATE INDEX dml_columnar_at ON dml_columnar (at) WHERE k > 50;
CREATE INDEX dml_columnar_hash ON dml_columnar USING hash (k);
CREATE INDEX dml_heap_k ON dml_heap (k, id);
CREATE OR REPLACE FUNCTION noise(size int, seed text) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT left(string_agg(md5(seed || i), ''), size) FROM generate_series(0, size / 32) i $$;
"""

# A whole table in one row; equal sets of rows give equal sums.
DIGEST = ("SELECT count(*), sum(id), sum(k), sum(u), sum(n), "
          "sum(hashtextextended(concat_ws('|', id, owner, k, u, n, v, at), 0)::numeric) FROM {t}{where}")
SCANS = {
    "sequential": "SET LOCAL orochi.enable_columnar_scan = off",
    "columnar scan": "SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off",
    "parallel": "SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; "
                "SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 2",
    "index": "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL orochi.enable_columnar_scan = off",
    "bitmap": "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; "
              "SET LOCAL orochi.enable_columnar_scan = off",
}
WHERE = ("", "", " WHERE k BETWEEN 20 AND 60", " WHERE id > 0", " WHERE k = 7")


class Difference(Exception):
    pass


class Shared:
    """What threads share: when to stop, and the first difference."""

    def __init__(self, arguments, seed):
        self.arguments = arguments
        self.seed = seed
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.failure = None
        self.counts = {}

    def count(self, name):
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + 1

    def fail(self, text):
        with self.lock:
            self.failure = self.failure or text
        self.stop.set()

    def connect(self):
        """Connects; after a crash, once the server is back."""
        deadline = time.monotonic() + 120
        while True:
            try:
                connection = psycopg2.connect(self.arguments.dsn)
                connection.autocommit = True
                return connection
            except psycopg2.OperationalError:
                if not self.arguments.crash or time.monotonic() > deadline:
                    raise
                self.stop.wait(0.1)


def run_thread(shared, body):
    """Calls body(cursor) until the end; over again when the server crashed below it."""
    while not shared.stop.is_set():
        try:
            connection = shared.connect()
            with connection.cursor() as cursor:
                cursor.execute("SET client_min_messages = warning; SET statement_timeout = '120s'; SET jit = off")
                while not shared.stop.is_set():
                    body(cursor)
            connection.close()
        except psycopg2.Error as error:
            if error.pgcode in RETRY:
                shared.count("retried")
            elif shared.arguments.crash and error.pgcode in (None, "57P01", "57P02", "57P03"):
                shared.count("connections lost")
            else:
                shared.fail(f"{type(error).__name__} {error.pgcode}: {error}")
        except Difference as difference:
            shared.fail(str(difference))
        except Exception as error:  # a bug of this program is a failure too, not a thread that is gone
            shared.fail(f"{type(error).__name__}: {error}")


class Writer:
    def __init__(self, shared, number):
        self.shared = shared
        self.number = number
        self.rng = random.Random(shared.seed * 1000 + number)
        self.next_id = self.number * 10**9

    def new_ids(self, count):
        first = self.next_id
        self.next_id += count
        return first

    def own(self):
        """A condition that picks some of this session's rows."""
        rng = self.rng
        kind = rng.random()
        low = rng.randint(0, 95)
        picked = (f"id = {self.number * 10**9 + rng.randint(0, max(0, self.next_id - self.number * 10**9))}"
                  if kind < 0.4 else f"k BETWEEN {low} AND {low + rng.choice((0, 0, 3, 20))}" if kind < 0.8
                  else f"u % 50 = {rng.randint(0, 49)}" if kind < 0.95 else "true")
        return f"owner = {self.number} AND {picked}"

    def values(self, ids):
        """A query of rows with these ids, a SQL expression over g."""
        rng = self.rng
        size = rng.choice((5, 20, 20, 200, 3000 if rng.random() < 0.1 else 50))
        u = f"(g - {self.number * 10**9}) * {rng.choice((1, 3, 7))} + {rng.randint(0, 5)}" if rng.random() < 0.8 else "NULL::int"
        value = f"noise({size}, g::text)" if rng.random() < 0.3 else f"repeat(chr(97 + (g % 26)::int), {size})"
        return (f"SELECT {ids}, {self.number}, (g % 100)::int, ({u})::int, g / 3.0, {value}, "
                f"timestamptz '2024-01-01' + (g % 100000) * interval '1 minute'")

    def insert(self):
        rng = self.rng
        count = rng.choice((1, 1, 1, 1, 5, 40, 300, 1500))
        first = self.new_ids(count)
        conflict = rng.choice(("", "", " ON CONFLICT DO NOTHING", " ON CONFLICT (owner, u) DO UPDATE SET k = excluded.k + 1"))
        if conflict.endswith("+ 1") and count > 1:
            conflict = " ON CONFLICT DO NOTHING"
        returning = " RETURNING id, k" if rng.random() < 0.3 else ""
        return f"INSERT INTO {{t}} {self.values('g')} FROM generate_series({first}::bigint, {first + count - 1}) g{conflict}{returning}"

    def upsert(self):
        first = max(self.number * 10**9, self.next_id - self.rng.randint(1, 50))
        last = first + self.rng.randint(0, 60)
        self.next_id = max(self.next_id, last + 1)
        change = self.rng.choice(("k = {t}.k + 1", "v = excluded.v, n = {t}.n * 2", "at = now()::date", "u = NULL"))
        where = " WHERE {t}.k < 80" if self.rng.random() < 0.3 else ""
        return (f"INSERT INTO {{t}} {self.values('g')} FROM generate_series({first}::bigint, {last}) g "
                f"ON CONFLICT (id) DO UPDATE SET {change}{where} RETURNING id, k, v, n")

    def update(self):
        rng = self.rng
        # To and fro, which is a conflict or none in whatever order rows come; u + 1 would depend on it.
        toggle = "u = CASE WHEN u < 1000000 THEN u + 1000000 ELSE u - 1000000 END"
        change = rng.choice(("n = n + 1", "v = v || '+'", "k = (k + 13) % 100", toggle, "v = left(v, 3), n = NULL",
                             "v = noise(2500, id::text)", "at = at + interval '1 hour', k = k", "id = id",
                             "k = NULL", "k = coalesce(k, 5)"))
        if change.startswith("v = v") or change.startswith("v = noise"):
            return f"UPDATE {{t}} SET {change} WHERE {self.own()} AND length(v) < 20000 RETURNING id, md5(v)"
        return f"UPDATE {{t}} SET {change} WHERE {self.own()} RETURNING id, k, u, n"

    def delete(self):
        return f"DELETE FROM {{t}} WHERE {self.own()} RETURNING id, k, md5(v)"

    def merge(self):
        first = max(self.number * 10**9, self.next_id - self.rng.randint(1, 30))
        last = first + self.rng.randint(0, 40)
        self.next_id = max(self.next_id, last + 1)
        return (f"MERGE INTO {{t}} t USING ({self.values('g AS id').replace('(g % 100)::int', '(g % 100)::int AS k')} "
                f"FROM generate_series({first}::bigint, {last}) g) s ON s.id = t.id "
                f"WHEN MATCHED AND t.k > {self.rng.randint(0, 100)} THEN DELETE "
                "WHEN MATCHED THEN UPDATE SET k = s.k, n = t.n + 1 "
                f"WHEN NOT MATCHED THEN INSERT (id, owner, k) VALUES (s.id, {self.number}, s.k)")

    def lock(self):
        strength = self.rng.choice(("UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"))
        return f"SELECT id, k, u, n FROM {{t}} WHERE {self.own()} ORDER BY id FOR {strength}"

    def lock_others(self):
        other = self.rng.randint(1, self.shared.arguments.sessions)
        return (f"SELECT 1 FROM {{t}} WHERE owner = {other} AND k = {self.rng.randint(0, 99)} "
                "FOR KEY SHARE SKIP LOCKED")

    def statement(self):
        kinds = ((self.insert, 6), (self.upsert, 3), (self.update, 7), (self.delete, 3), (self.merge, 2), (self.lock, 1))
        return self.rng.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]()

    def both(self, cursor, template):
        """One statement on both twins. A savepoint keeps the transaction when it fails."""
        outcomes = []
        save = self.rng.random() < 0.5
        for twin in TWINS:
            if save:
                cursor.execute("SAVEPOINT one")
            try:
                cursor.execute(template.replace("{t}", twin))
                rows = sorted(map(str, cursor.fetchall())) if cursor.description else None
                outcomes.append((None, cursor.rowcount, rows))
                if save:
                    cursor.execute("RELEASE one")
            except psycopg2.Error as error:
                if error.pgcode is None or error.pgcode in RETRY or error.pgcode[:2] == "57":
                    raise
                outcomes.append((error.pgcode, 0, str(error) if error.pgcode[:2] == "XX" else None))
                # Without the savepoint the twin meets the same fate in a transaction of its own.
                cursor.execute("ROLLBACK TO one" if save else "ROLLBACK")
                if not save:
                    if twin == TWINS[0]:
                        cursor.execute("BEGIN")
        if outcomes[0] != outcomes[1]:
            if not save and outcomes[0][0] and outcomes[1][0] is None:
                # Alone in its transaction heap may succeed where earlier statements had made columnar fail.
                cursor.execute("ROLLBACK")
                self.shared.count("undecided")
                return False
            first = [next((pair for pair in zip(a or [None], b or [None]) if pair[0] != pair[1]), None)
                     for a, b in [(outcomes[0][2], outcomes[1][2])]]
            raise Difference(f"session {self.number}: {template}\ncolumnar {outcomes[0][:2]}, heap {outcomes[1][:2]}, "
                             f"first different row {first[0]}")
        self.shared.count("statements")
        return save or outcomes[0][0] is None

    def transaction(self, cursor):
        rng = self.rng
        cursor.execute(f"SET orochi.columnar_row_page_rows = {rng.choice((0, 10, 1000, 1000))}")
        cursor.execute(rng.choice(("BEGIN", "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ")))
        try:
            for _ in range(rng.choice((1, 1, 1, 3, 8))):
                if rng.random() < 0.15:
                    cursor.execute("SAVEPOINT outer_one")
                    kept = self.both(cursor, self.statement()) and self.both(cursor, self.statement())
                    if not kept:
                        return
                    cursor.execute(rng.choice(("RELEASE outer_one", "ROLLBACK TO outer_one")))
                elif rng.random() < 0.05:
                    for twin in TWINS:
                        cursor.execute(self.lock_others().replace("{t}", twin))
                elif not self.both(cursor, self.statement()):
                    return
            cursor.execute(rng.choice(("COMMIT",) * 6 + ("ROLLBACK",)))
            self.shared.count("transactions")
        except psycopg2.Error as error:
            if error.pgcode not in RETRY:
                raise
            self.shared.count("retried")
            cursor.execute("ROLLBACK")

    def body(self, cursor):
        self.transaction(cursor)
        cursor.execute(f"SELECT count(*) FROM dml_heap WHERE owner = {self.number}")
        if cursor.fetchone()[0] > OWN_ROWS_MAX:
            cursor.execute("BEGIN")
            if self.both(cursor, f"DELETE FROM {{t}} WHERE owner = {self.number} AND id % {self.rng.randint(2, 3)} = 0"):
                cursor.execute("COMMIT")


def compare(cursor, title, where=""):
    digests = []
    for twin in TWINS:
        cursor.execute(DIGEST.format(t=twin, where=where))
        digests.append(cursor.fetchone())
    if digests[0] != digests[1]:
        detail = "nothing by EXCEPT"
        for one, other in (TWINS, TWINS[::-1]):
            cursor.execute(f"SELECT * FROM (TABLE {one} EXCEPT ALL TABLE {other}) d ORDER BY id LIMIT 3")
            rows = cursor.fetchall()
            if rows:
                detail = f"only in {one}: {str(rows)[:600]}"
        raise Difference(f"{title}{where}: columnar {digests[0]}, heap {digests[1]}; {detail}")


class Reader:
    """Compares the twins in one snapshot after the other."""

    def __init__(self, shared):
        self.shared = shared
        self.rng = random.Random(shared.seed + 7)

    def body(self, cursor):
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        try:
            for _ in range(self.rng.choice((1, 1, 4, 20))):
                name = self.rng.choice(sorted(SCANS))
                cursor.execute("SAVEPOINT scan")
                cursor.execute(SCANS[name])
                compare(cursor, f"reader, {name}", self.rng.choice(WHERE))
                cursor.execute("ROLLBACK TO scan")
                self.shared.count("comparisons")
        except psycopg2.Error as error:
            if error.pgcode not in RETRY_READ:
                raise Difference(f"reader: {error.pgcode} {error}") if error.pgcode in RETRY else error
            self.shared.count("reads retried")
        cursor.execute("ROLLBACK")


class Maintainer:
    # Dead rows, and stubs, with columns that the table never got.
    UNDONE_COLUMNS = (
        "BEGIN; ALTER TABLE dml_columnar ADD COLUMN spare text, ADD COLUMN more int DEFAULT 7; "
        "UPDATE dml_columnar SET spare = 'undone ' || id, more = NULL WHERE id % 17 = 0; "
        "INSERT INTO dml_columnar SELECT -g, 0, g, -g, g, 'undone', NULL, 'undone', g FROM generate_series(1, 50) g; "
        "ROLLBACK")

    def __init__(self, shared):
        self.shared = shared
        self.rng = random.Random(shared.seed + 11)

    def body(self, cursor):
        command = self.rng.choice((
            "VACUUM dml_columnar", "VACUUM dml_columnar", "VACUUM dml_columnar", "VACUUM (FREEZE) dml_columnar",
            "VACUUM ANALYZE dml_columnar, dml_heap", "ANALYZE dml_columnar", "VACUUM FULL dml_columnar",
            "CLUSTER dml_columnar USING dml_columnar_pkey", "CLUSTER dml_columnar USING dml_columnar_k",
            self.UNDONE_COLUMNS, self.UNDONE_COLUMNS, "SELECT problem FROM orochi.columnar_check('dml_columnar')",
            "REINDEX INDEX dml_columnar_k", "REINDEX TABLE CONCURRENTLY dml_columnar", "CHECKPOINT",
            "DROP INDEX IF EXISTS extra; CREATE INDEX extra ON dml_columnar (n, id)",
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS extra_live ON dml_columnar (u) WHERE k < 50",
            "DROP INDEX CONCURRENTLY IF EXISTS extra_live"))
        try:
            for part in command.split("; "):
                cursor.execute(part)
            if command.startswith("SELECT") and (problems := cursor.fetchall()):
                raise Difference(f"columnar_check beside writers: {problems[:5]}")
            self.shared.count("undone" if command == self.UNDONE_COLUMNS else command.split(" ")[0].lower())
        except psycopg2.Error as error:
            if error.pgcode not in RETRY:
                raise
            self.shared.count("retried")
            if command == self.UNDONE_COLUMNS:
                cursor.execute("ROLLBACK")
        self.shared.stop.wait(self.rng.random())


def kill_some(shared):
    """Ends one server process as a crash would."""
    rng = random.Random(shared.seed + 13)
    while not shared.stop.wait(3 + 5 * rng.random()):
        connection = shared.connect()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND state <> 'idle' "
                           "AND pid <> pg_backend_pid() ORDER BY pid")
            pids = [row[0] for row in cursor.fetchall()]
        connection.close()
        if pids:
            os.kill(rng.choice(pids), signal.SIGKILL)
            shared.count("crashes")


def compare_at_rest(shared):
    connection = shared.connect()
    with connection.cursor() as cursor:
        cursor.execute("SET client_min_messages = warning; SET jit = off")
        for _ in range(2):
            for name, settings in SCANS.items():
                for where in sorted(set(WHERE)):
                    cursor.execute("BEGIN")
                    cursor.execute(settings)
                    compare(cursor, f"at rest, {name}", where)
                    cursor.execute("COMMIT")
            cursor.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
            cursor.execute("SELECT bt_index_check(indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = indexrelid "
                           "JOIN pg_am a ON a.oid = c.relam AND amname = 'btree' "
                           "WHERE indrelid = 'dml_columnar'::regclass AND indisvalid")
            cursor.execute("SELECT * FROM orochi.columnar_check('dml_columnar', indexes => true) LIMIT 5")
            if problems := cursor.fetchall():
                raise Difference(f"columnar_check: {problems}")
            cursor.execute("VACUUM dml_columnar")
    connection.close()


# What the table may take over its rows freshly compressed, and the pages that VACUUM never moves
# rows for: 4 of rows, 4 of slack at the file's end, 2 of waste in stripes, a directory of stubs.
SIZE_RATIO_MAX = 1.1
SIZE_PAGES_MAX = 11


def compare_size(shared):
    """Two VACUUMs after the last change the file has the size of a fresh one."""
    connection = shared.connect()
    with connection.cursor() as cursor:
        cursor.execute("SET client_min_messages = warning")
        # A worker's snapshot keeps rows from being dead to everybody.
        cursor.execute("ALTER SYSTEM SET autovacuum = off")
        cursor.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                           "AND (backend_xmin IS NOT NULL OR backend_type = 'autovacuum worker')")
            if cursor.fetchone()[0] == 0:
                break
            threading.Event().wait(0.1)
        sizes = []

        def measure(table):
            cursor.execute(f"SELECT pg_relation_size('{table}') / 8192")
            sizes.append(int(cursor.fetchone()[0]))

        measure("dml_columnar")
        for _ in range(2):
            cursor.execute("VACUUM dml_columnar")
            measure("dml_columnar")
        cursor.execute("DROP TABLE IF EXISTS dml_fresh; CREATE TABLE dml_fresh (LIKE dml_columnar) USING columnar; "
                       "SET orochi.columnar_row_page_rows = 0; INSERT INTO dml_fresh TABLE dml_columnar")
        measure("dml_fresh")
        measure("dml_heap")
        compare(cursor, "after the last VACUUM")
        before, once, twice, fresh, heap = sizes
        ratio = twice / fresh
        print(f"pages: {before} before the last VACUUMs, {once}, {twice}; fresh {fresh}, heap {heap}; "
              f"ratio {ratio:.3f}")
        cursor.execute("ALTER SYSTEM RESET autovacuum")
        cursor.execute("SELECT pg_reload_conf()")
        if twice > SIZE_RATIO_MAX * fresh + SIZE_PAGES_MAX:
            raise Difference(f"{twice} pages after VACUUM, {fresh} when freshly compressed")
    connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--crash", action="store_true")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().getrandbits(31)
    print(f"seed {seed}", flush=True)
    shared = Shared(arguments, seed)
    connection = shared.connect()
    with connection.cursor() as cursor:
        cursor.execute("SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS orochi")
        cursor.execute(SETUP)
    connection.close()
    bodies = [Writer(shared, number).body for number in range(1, arguments.sessions + 1)]
    bodies += [Reader(shared).body, Maintainer(shared).body]
    threads = [threading.Thread(target=run_thread, args=(shared, body)) for body in bodies]
    if arguments.crash:
        threads.append(threading.Thread(target=kill_some, args=(shared,)))
    for thread in threads:
        thread.start()
    shared.stop.wait(arguments.seconds)
    shared.stop.set()
    for thread in threads:
        thread.join()
    if shared.failure is None:
        try:
            compare_size(shared)
            compare_at_rest(shared)
        except (Difference, psycopg2.Error) as error:
            shared.failure = str(error)
    print(", ".join(f"{count} {name}" for name, count in sorted(shared.counts.items())))
    if shared.failure is not None:
        print(f"DIFFERENCE with --seed {seed}\n{shared.failure}")
        return 1
    print("columnar equals heap")
    return 0


if __name__ == "__main__":
    sys.exit(main())
