#!/usr/bin/env python3
"""The differential oracle: a result through any place equals the result from plain heap.

Random tables live twice in one database, as plain.t (a heap table) and as places.t (a hypertable
whose chunks move between heap and columnar). The same random DML goes to both; the same random
queries must give equal results: exactly, but for sums and averages of floats, which may differ by
n * epsilon * sum(|x|). Errors must agree in their SQLSTATE.

    oracle.py --dsn 'host=/tmp/sock port=5433 dbname=postgres' [--seconds 60] [--seed N] [--log FILE]

Prints its seed; --seed replays a run. On a difference it prints the statement, both results and the
file with everything executed so far, and exits with 1.
"""

import argparse
import io
import math
import random
import re
import sys
import time
from decimal import Decimal, InvalidOperation

import psycopg2
import psycopg2.extensions

from queries import Query, random_query
from schema import Table

# What a place may refuse that heap does not: the statement is then skipped on both sides.
UNSUPPORTED = "0A000"


class Difference(Exception):
    pass


class Twins:
    """One connection, both schemas, and the log of what ran."""

    def __init__(self, dsn, log_path):
        self.connection = psycopg2.connect(dsn)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.log_path = log_path
        self.log = open(log_path, "w")
        self.cursor.execute("SELECT oid FROM pg_type")
        oids = tuple(row[0] for row in self.cursor.fetchall())
        as_text = psycopg2.extensions.new_type(oids, "AS_TEXT", lambda value, cursor: value)
        psycopg2.extensions.register_type(as_text, self.connection)

    def run(self, sql):
        """Returns (rows or None, SQLSTATE or None)."""
        self.log.write(sql + ";\n")
        self.log.flush()
        try:
            self.cursor.execute(sql)
            rows = self.cursor.fetchall() if self.cursor.description else None
            return rows, None
        except psycopg2.Error as error:
            if error.pgcode is None:
                raise
            self.log.write(f"-- {error.pgcode}: {str(error).strip().splitlines()[0]}\n")
            return None, error.pgcode

    def must(self, sql):
        rows, code = self.run(sql)
        if code is not None:
            raise Difference(f"{sql}\nfailed with {code}; see the end of {self.log_path}")
        return rows

    def copy_in(self, table, text):
        try:
            self.log.write(f"-- COPY {table} FROM STDIN, {len(text)} bytes\n")
            self.cursor.copy_expert(f"COPY {table} FROM STDIN", io.StringIO(text))
            return None
        except psycopg2.Error as error:
            return error.pgcode

    def copy_out(self, query):
        out = io.StringIO()
        self.cursor.copy_expert(f"COPY ({query}) TO STDOUT", out)
        return out.getvalue()


def as_number(text):
    return None if text is None else float(text)


def close_enough(plain, places, bound):
    if plain == places:
        return True
    a, b = as_number(plain), as_number(places)
    if a is None or b is None or not (math.isfinite(a) and math.isfinite(b)):
        # Infinities meet infinities of the other sign in an order of their own: NaN either way.
        return a is not None and b is not None and math.isnan(a) and math.isnan(b)
    limit = as_number(bound)
    return limit is not None and abs(a - b) <= limit + 1e-300


def equal(plain, places, by_value):
    """Equal text; of grouped queries equal numbers, since any of 0, 0.00 and -0 may stand for a group."""
    if plain == places or plain is None or places is None or not by_value:
        return plain == places
    try:
        return Decimal(plain) == Decimal(places)
    except InvalidOperation:
        return False


def sort_key(row, skipped, by_value):
    return tuple((value is None, canonical(value) if by_value else value or "")
                 for i, value in enumerate(row) if i not in skipped)


def canonical(value):
    """Sorts 0, 0.00 and -0 alike."""
    return "0" if value is not None and re.fullmatch(r"-?0(\.0+)?", value) else value or ""


def compare(query, plain, places):
    if len(plain) != len(places):
        return f"{len(plain)} rows on heap, {len(places)} through places"
    inexact = set(query.tolerances)
    if not query.ordered:
        plain = sorted(plain, key=lambda row: sort_key(row, inexact, query.by_value))
        places = sorted(places, key=lambda row: sort_key(row, inexact, query.by_value))
    for index, (a, b) in enumerate(zip(plain, places)):
        for column, (x, y) in enumerate(zip(a, b)):
            bound = query.tolerances.get(column)
            if bound == -1:
                continue
            same = equal(x, y, query.by_value) if bound is None else close_enough(x, y, a[bound])
            if not same:
                return f"row {index}, column {column}: heap {x!r}, places {y!r}\n  heap   {a}\n  places {b}"
    return None


class Round:
    """One random table and its life."""

    def __init__(self, rng, twins, twin="places", plant=False):
        self.rng = rng
        self.twins = twins
        self.twin = twin
        self.plant = plant
        self.table = Table(rng)
        self.statements = 0
        self.queries = 0
        self.refused = 0

    def set_up(self):
        for sql in ("DROP SCHEMA IF EXISTS plain CASCADE", "DROP SCHEMA IF EXISTS places CASCADE",
                    "CREATE SCHEMA plain", "CREATE SCHEMA places"):
            self.twins.must(sql)
        for schema in ("plain", "places"):
            for sql in self.table.create(schema, self.twin == "places"):
                self.twins.must(sql)

    def plant_a_wrong_row(self):
        """What the oracle must find: one host of one row differs between the twins."""
        self.twins.must("UPDATE places.t SET host = 77 WHERE ctid = (SELECT min(ctid) FROM places.t)")

    def both(self, template):
        """Runs DML on places, then on plain; both in one transaction, or neither."""
        self.statements += 1
        self.twins.must("BEGIN")
        rows_places, code_places = self.twins.run(template.replace("SCHEMA", "places"))
        if code_places == UNSUPPORTED:
            self.refused += 1
            self.twins.must("ROLLBACK")
            return
        if code_places is not None:
            self.twins.must("ROLLBACK")
            self.twins.must("BEGIN")
        count_places = self.twins.cursor.rowcount if code_places is None else None
        rows_plain, code_plain = self.twins.run(template.replace("SCHEMA", "plain"))
        count_plain = self.twins.cursor.rowcount if code_plain is None else None
        if code_plain != code_places:
            raise Difference(f"{template}\nheap: {code_plain or 'ok'}, places: {code_places or 'ok'}")
        if code_plain is None:
            if count_plain != count_places:
                raise Difference(f"{template}\nheap: {count_plain} rows, places: {count_places} rows")
            if rows_plain is not None and sorted(rows_plain, key=str) != sorted(rows_places, key=str):
                raise Difference(f"{template}\nRETURNING differs: {rows_plain} and {rows_places}")
        end = "ROLLBACK" if code_plain is not None or self.rng.random() < 0.1 else "COMMIT"
        self.twins.must(end)

    def copy(self):
        """The same rows through COPY: from a query over the plain twin, shifted in time."""
        names = self.table.column_list()
        text = self.twins.copy_out(
            f"SELECT {names} FROM plain.t WHERE {self.table.time_window()} LIMIT 300")
        self.twins.must("BEGIN")
        code_places = self.twins.copy_in(f"places.t ({names})", text)
        if code_places is not None:
            self.twins.must("ROLLBACK")
            self.twins.must("BEGIN")
        code_plain = self.twins.copy_in(f"plain.t ({names})", text)
        if code_plain != code_places:
            raise Difference(f"COPY of {len(text)} bytes: heap {code_plain or 'ok'}, "
                             f"places {code_places or 'ok'}")
        self.twins.must("COMMIT" if code_plain is None else "ROLLBACK")
        self.statements += 1

    def several(self):
        """A transaction with savepoints, some rolled back."""
        self.twins.must("BEGIN")
        for number in range(self.rng.randint(2, 5)):
            template = self.table.change()
            codes = []
            for schema in ("places", "plain"):
                self.twins.must(f"SAVEPOINT s{number}")
                if codes == [UNSUPPORTED]:
                    self.refused += 1
                    break
                _, code = self.twins.run(template.replace("SCHEMA", schema))
                codes.append(code)
                if code is not None:
                    self.twins.must(f"ROLLBACK TO s{number}")
            if codes == [UNSUPPORTED]:
                continue
            if codes[0] != codes[1]:
                raise Difference(f"{template}\nheap: {codes[1] or 'ok'}, places: {codes[0] or 'ok'}")
            if self.rng.random() < 0.3:
                # The older of the two savepoints of this name takes back both twins' rows.
                self.twins.must(f"RELEASE s{number}")
                self.twins.must(f"ROLLBACK TO s{number}")
            self.check(random_query(self.rng, self.table))
        self.twins.must(self.rng.choice(("COMMIT", "COMMIT", "ROLLBACK")))
        self.statements += 1

    def move(self):
        if self.twin != "places":
            return
        chunks = self.twins.must(
            "SELECT inhrelid::regclass::text, amname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid "
            "JOIN pg_am a ON a.oid = c.relam WHERE inhparent = 'places.t'::regclass ORDER BY 1")
        if not chunks:
            return
        chunk, place = self.rng.choice(chunks)
        if place == "columnar":
            action = f"SELECT orochi.decompress_chunk('{chunk}')"
            if self.rng.random() < 0.3:
                action = f"ALTER TABLE {chunk} SET ACCESS METHOD heap"
        else:
            action = f"SELECT orochi.compress_chunk('{chunk}')"
            if self.rng.random() < 0.3:
                action = f"ALTER TABLE {chunk} SET ACCESS METHOD columnar"
        self.twins.must(f"SET orochi.columnar_stripe_rows = {self.rng.choice((1000, 5000, 131072))}")
        self.twins.must(f"SET orochi.columnar_row_group_rows = {self.rng.choice((64, 500, 8192))}")
        self.twins.must(f"SET orochi.columnar_compression = {self.rng.choice(('none', 'lz4', 'zstd'))}")
        self.twins.must(action)
        if self.rng.random() < 0.2:
            self.vacuum(chunk)

    def vacuum(self, table):
        self.twins.must(f"VACUUM {self.rng.choice(('', '', 'ANALYZE', 'FULL'))} {table}")

    def check(self, query):
        self.queries += 1
        rows_places, code_places = self.run_query(query, "places")
        rows_plain, code_plain = self.run_query(query, "plain")
        if code_plain != code_places:
            # A query that fails on some row may be spared it by another plan, on either side.
            if code_plain is None or code_places is None:
                if (code_plain or code_places or "")[:2] == "22":
                    return
            raise Difference(f"{query.sql}\nheap: {code_plain or 'ok'}, places: {code_places or 'ok'}")
        if code_plain is None:
            problem = compare(query, rows_plain, rows_places)
            if problem:
                plan = self.twins.must("EXPLAIN " + query.sql.replace("SCHEMA", "places"))
                raise Difference(f"{query.sql}\n{problem}\n" + "\n".join(row[0] for row in plan))

    def run_query(self, query, schema):
        sql = query.sql.replace("SCHEMA", schema)
        in_transaction = (self.twins.connection.get_transaction_status()
                          != psycopg2.extensions.TRANSACTION_STATUS_IDLE)
        if in_transaction:
            self.twins.must("SAVEPOINT q")
        rows, code = self.twins.run(sql)
        if in_transaction:
            self.twins.must("ROLLBACK TO q" if code else "RELEASE q")
        return rows, code

    def settings(self):
        for name in ("orochi.enable_columnar_scan", "orochi.enable_vectorized_execution",
                     "enable_indexscan", "enable_seqscan", "enable_hashagg", "enable_partitionwise_aggregate"):
            value = "off" if self.rng.random() < 0.2 else "on"
            self.twins.must(f"SET {name} = {value}")
        self.twins.must(f"SET orochi.columnar_row_page_rows = {self.rng.choice((0, 5, 1000))}")
        workers = self.rng.choice((0, 0, 2))
        self.twins.must(f"SET max_parallel_workers_per_gather = {workers}")
        self.twins.must(f"SET parallel_setup_cost = {0 if workers else 1000}")
        self.twins.must(f"SET min_parallel_table_scan_size = {0 if workers else 1024}")

    def change_schema(self, template):
        codes = [self.twins.run(template.replace("SCHEMA", schema))[1] for schema in ("places", "plain")]
        if codes[0] != codes[1]:
            raise Difference(f"{template}\nheap: {codes[1] or 'ok'}, places: {codes[0] or 'ok'}")

    def live(self, steps):
        self.set_up()
        for step in range(steps):
            if self.plant and step == steps // 2:
                self.plant_a_wrong_row()
            action = self.rng.random()
            if action < 0.35:
                self.both(self.table.insert())
            elif action < 0.43:
                self.both(self.table.update())
            elif action < 0.47:
                self.both(self.table.delete())
            elif action < 0.5:
                self.both(self.table.merge())
            elif action < 0.52:
                self.both(self.table.lock())
            elif action < 0.55:
                self.copy()
            elif action < 0.61:
                self.several()
            elif action < 0.65:
                self.change_schema(self.table.alter() if self.rng.random() < 0.6 else self.table.index_change())
            elif action < 0.78:
                self.move()
            elif action < 0.82:
                self.vacuum(self.rng.choice(("places.t", "plain.t", "places.t, plain.t")))
            else:
                self.settings()
            for _ in range(3):
                self.check(random_query(self.rng, self.table))
        self.check(Query(f"SELECT {self.table.column_list()} FROM SCHEMA.t"))


def prepare(twins):
    for sql in ("SET timezone = 'UTC'", "SET client_min_messages = warning",
                "SET statement_timeout = '120s'",
                "SET jit = off",  # with enable_seqscan = off it compiles every small plan
                "CREATE EXTENSION IF NOT EXISTS orochi",
                "CREATE OR REPLACE FUNCTION pick(g int, choices anyarray) RETURNS anyelement LANGUAGE sql "
                "IMMUTABLE AS 'SELECT choices[1 + abs(g) % cardinality(choices)]'",
                "CREATE TABLE IF NOT EXISTS dim (host int PRIMARY KEY, label text)",
                "INSERT INTO dim SELECT g, 'host ' || g / 2 FROM generate_series(0, 8) g ON CONFLICT DO NOTHING"):
        twins.must(sql)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--steps", type=int, default=25, help="actions in the life of one table")
    parser.add_argument("--twin", choices=("places", "heap"), default="places",
                        help="heap: both twins are plain tables, which judges the oracle itself")
    parser.add_argument("--plant", action="store_true", help="make one row wrong: it must be found")
    parser.add_argument("--log", default="oracle.log.sql")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().getrandbits(32)
    twins = Twins(arguments.dsn, arguments.log)
    prepare(twins)
    deadline = time.monotonic() + arguments.seconds
    rounds = statements = queries = refused = 0
    while rounds == 0 or time.monotonic() < deadline:
        print(f"seed {seed}", flush=True)
        current = Round(random.Random(seed), twins, arguments.twin, arguments.plant)
        try:
            current.live(arguments.steps)
        except Difference as difference:
            print(f"DIFFERENCE with --seed {seed} --steps {arguments.steps}\n{difference}\n"
                  f"everything executed: {arguments.log}")
            return 1
        rounds += 1
        statements += current.statements
        queries += current.queries
        refused += current.refused
        if arguments.seed is not None:
            break
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**32
        twins.log.seek(0)
        twins.log.truncate()
    print(f"{rounds} tables, {statements} statements ({refused} refused as unsupported), "
          f"{queries} queries: all equal")
    return 0


if __name__ == "__main__":
    sys.exit(main())
