#!/usr/bin/env python3
"""Writes the schema patterns that real Cassandra turns into gold SSTables.

    patterns.py OUT_DIR [NAME...]

One file NAME.cql a pattern: statements that end in ";" at the end of a line, for table $KS.NAME.
$KS is the keyspace, $WITH the table options of the run (compression). Lines that start with "--"
are directives: `--flush` ends an SSTable, `--select <conditions>` and `--ask <SELECT JSON>` ask for
an answer, or the error, to be kept. groups.json says which patterns are about what, partitioners.json
which of them need a node with another partitioner. Timestamps are fixed, so the files of two
runs differ only in local deletion times.
"""

import json
import os
import random
import sys

T0 = 1700000000000000  # the timestamp of the first statement, microseconds

SCALARS = {
    "ascii": ["'a'", "'hello'", "'~ !'", "''", "'it''s'"],
    "bigint": ["0", "1", "-1", "9223372036854775807", "-9223372036854775808", "4711"],
    "blob": ["0x", "0x00", "0xff", "0x0001feff", "0x" + "ab" * 300],
    "boolean": ["true", "false"],
    "date": ["'1970-01-01'", "'2024-02-29'", "'1969-12-31'", "'9999-12-31'", "'0001-01-01'"],
    "decimal": ["0", "1.23", "-1.23", "1E+10", "-0.000001", "12345678901234567890.0987654321",
                "100", "1.10", "-99.5"],
    "double": ["0.0", "-0.0", "1.5", "-1.5e300", "NaN", "Infinity", "-Infinity", "3.141592653589793",
               "1e-5", "12345678.9"],
    "float": ["0.0", "-0.0", "1.5", "-2.25e30", "NaN", "Infinity", "-Infinity", "0.1", "1e-5"],
    "inet": ["'127.0.0.1'", "'255.255.255.255'", "'::1'", "'2001:db8::ff00:42:8329'", "'0.0.0.0'"],
    "int": ["0", "1", "-1", "2147483647", "-2147483648", "42"],
    "smallint": ["0", "1", "-1", "32767", "-32768"],
    "text": ["'a'", "''", "'h\u00e9llo'", "'\u65e5\u672c\u8a9e'", "'\U0001f600'", "'quo\"te \\ back'", "'tab\there'",
             "'" + "x" * 300 + "'"],
    "time": ["'00:00:00'", "'12:00:00.5'", "'23:59:59.999999999'", "'08:30:00.000001'"],
    "timestamp": ["0", "-1", "'2024-02-29T12:34:56.789Z'", "1700000000000", "253402300799999"],
    "timeuuid": ["50554d6e-29bb-11e5-b345-feff819cdc9f", "00000000-0000-1000-8000-000000000000",
                 "ffffffff-ffff-1fff-bfff-ffffffffffff", "50554d6e-29bb-11e5-8000-00000000007f",
                 "50554d6f-29bb-11e5-b345-feff819cdc9f"],
    "tinyint": ["0", "1", "-1", "127", "-128"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "123e4567-e89b-42d3-a456-426614174000",
             "50554d6e-29bb-11e5-b345-feff819cdc9f", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    "varint": ["0", "1", "-1", "127", "128", "-128", "-129", "123456789012345678901234567890",
               "-123456789012345678901234567890", "1180591620717411303424"],
    "duration": ["12mo30d1h", "-64mo", "64mo", "1y2mo3w4d5h6m7s8ms9us10ns", "0s"],
}
EMPTY_PK = ("''", "0x")

PATTERNS = {}
GROUPS = {}
PARTITIONERS = {}


class Pattern:
    """The statements of one table."""

    def __init__(self, name):
        self.name = name
        self.lines = []
        self.clock = T0
        PATTERNS[name] = self

    @property
    def table(self):
        return f"$KS.{self.name}"

    def raw(self, text):
        self.lines.append(text + ";")

    def create(self, columns, options=""):
        """columns: what stands between the parentheses of CREATE TABLE."""
        extra = f" AND {options}" if options else ""
        self.raw(f"CREATE TABLE {self.table} ({columns}) WITH $WITH{extra}")

    def type(self, name, fields):
        self.raw(f"CREATE TYPE IF NOT EXISTS $KS.{name} ({fields})")

    def stamp(self, at=None):
        if at is not None:
            return T0 + at
        self.clock += 1000
        return self.clock

    def insert(self, columns, values, ttl=None, at=None):
        using = f"USING TIMESTAMP {self.stamp(at)}" + (f" AND TTL {ttl}" if ttl else "")
        self.raw(f"INSERT INTO {self.table} ({columns}) VALUES ({values}) {using}")

    def update(self, sets, where, ttl=None, at=None):
        using = f"USING TIMESTAMP {self.stamp(at)}" + (f" AND TTL {ttl}" if ttl else "")
        self.raw(f"UPDATE {self.table} {using} SET {sets} WHERE {where}")

    def delete(self, where, what="", at=None):
        self.raw(f"DELETE {what} FROM {self.table} USING TIMESTAMP {self.stamp(at)} WHERE {where}")

    def flush(self):
        self.lines.append("--flush")

    def select(self, tail):
        self.lines.append(f"--select {tail}")

    def ask(self, columns, tail=""):
        self.lines.append(f"--ask SELECT JSON {columns} FROM {self.table} {tail}".rstrip())


def scalar_types():
    for cql, values in SCALARS.items():
        if cql != "duration":
            p = Pattern(f"pk_{cql}")
            p.create(f"pk {cql} PRIMARY KEY, v {cql}")
            for i, v in enumerate(x for x in values if x not in EMPTY_PK):
                p.insert("pk, v", f"{v}, {values[-1 - i % len(values)]}")
                p.select(f"WHERE pk = {v}")
            for order in ("asc", "desc"):
                p = Pattern(f"ck_{cql}_{order}")
                p.create(f"pk int, ck {cql}, v {cql}, PRIMARY KEY (pk, ck)",
                         f"CLUSTERING ORDER BY (ck {order.upper()})")
                for pk in (1, 2):
                    for v in values:
                        p.insert("pk, ck, v", f"{pk}, {v}, {v}")
                p.select(f"WHERE pk = 1 AND ck > {values[0]}")
                p.select(f"WHERE pk = 1 AND ck <= {values[0]}")
                p.select("WHERE pk = 1 ORDER BY ck ASC")
                p.select("WHERE pk = 1 ORDER BY ck DESC")
        p = Pattern(f"coll_{cql}")
        key = "text" if cql == "duration" else cql
        p.create(f"pk int PRIMARY KEY, l list<{cql}>, s set<{key}>, m map<{key}, {cql}>, "
                 f"fl frozen<list<{cql}>>, fs frozen<set<{key}>>, fm frozen<map<{key}, {cql}>>, "
                 f"t tuple<{cql}, {key}>, vec vector<{cql}, 2>")
        keys = ["'k'", "'b'"] if cql == "duration" else values
        the_list = "[" + ", ".join(values) + "]"
        the_set = "{" + ", ".join(dict.fromkeys(keys)) + "}"
        the_map = "{" + ", ".join(f"{k}: {values[0]}" for k in dict.fromkeys(keys)) + "}"
        vector = f"[{values[0]}, {values[1]}]"
        p.insert("pk, l, s, m, fl, fs, fm, t, vec",
                 f"1, {the_list}, {the_set}, {the_map}, {the_list}, {the_set}, {the_map}, "
                 f"({values[0]}, {keys[-1]}), {vector}")
        p.update(f"l = l + [{values[0]}], s = s + {{{keys[0]}}}, m[{keys[1]}] = {values[1]}", "pk = 2")
        p.update(f"t = ({values[0]}, null)", "pk = 3")


def collections():
    p = Pattern("collection_edits")
    p.create("pk int PRIMARY KEY, l list<int>, s set<text>, m map<text, int>")
    p.insert("pk, l, s, m", "1, [1, 2, 3], {'a', 'b'}, {'x': 1, 'y': 2}")
    p.update("l = l + [4]", "pk = 1")
    p.update("l = [0] + l", "pk = 1")
    p.update("l[1] = 99", "pk = 1")
    p.update("s = s - {'a'}", "pk = 1")
    p.update("s = s + {'c'}", "pk = 1", ttl=100000000)
    p.delete("pk = 1", "m['x']")
    p.update("m['z'] = 3", "pk = 1", ttl=100000000)
    p.insert("pk, l, s, m", "2, [], {}, {}")
    p.insert("pk, l, s, m", "3, null, null, null")
    p.insert("pk, l", "4, [7, 7, 7]", ttl=200000000)
    p.delete("pk = 4", "s")
    p.flush()
    p.delete("pk = 1", "l[0]")
    p.update("m = {'n': 9}", "pk = 1")
    p.select("WHERE pk = 1")

    p = Pattern("nested_frozen")
    p.create("pk int PRIMARY KEY, a frozen<list<frozen<map<text, frozen<set<int>>>>>>, "
             "b map<int, frozen<list<frozen<tuple<int, text>>>>>, "
             "c frozen<map<frozen<list<int>>, frozen<map<int, text>>>>, "
             "d set<frozen<map<text, frozen<list<double>>>>>, e list<frozen<set<frozen<list<text>>>>>")
    p.insert("pk, a, b, c, d, e",
             "1, [{'x': {3, 1, 2}, 'a': {}}, {}], {1: [(1, 'one'), (2, null)], -1: []}, "
             "{[1, 2]: {1: 'a'}, []: {}}, {{'q': [1.5, 2.5]}, {}}, [{['a', 'b'], []}, {}]")
    p.update("b[5] = [(5, 'five')], d = d + {{'z': []}}", "pk = 1")

    p = Pattern("frozen_keys")
    p.create("pk frozen<list<int>>, c1 frozen<set<text>>, c2 frozen<map<int, text>>, "
             "c3 frozen<tuple<int, text>>, v int, PRIMARY KEY (pk, c1, c2, c3)")
    for i in range(6):
        p.insert("pk, c1, c2, c3, v",
                 f"[{i % 2}, 2], {{'a', 'b{i}'}}, {{{i}: 'x'}}, ({-i}, 'n{i}'), {i}")
    p.insert("pk, c1, c2, c3, v", "[], {}, {}, (null, null), 0")

    p = Pattern("frozen_keys_desc")
    p.create("pk int, c1 frozen<set<text>>, c2 frozen<tuple<int, text>>, v int, PRIMARY KEY (pk, c1, c2)",
             "CLUSTERING ORDER BY (c1 DESC, c2 DESC)")
    for i in range(8):
        p.insert("pk, c1, c2, v", f"1, {{'a', 'b{i // 2}'}}, ({-i}, 'n{i}'), {i}")
    p.insert("pk, c1, c2, v", "1, {}, (null, 'x'), 0")

    p = Pattern("big_collections")
    p.create("pk int PRIMARY KEY, l list<int>, s set<text>, m map<int, text>")
    for pk in range(3):
        p.insert("pk, l, s, m", "%d, [%s], {%s}, {%s}" % (
            pk, ", ".join(str(i) for i in range(300)),
            ", ".join(f"'element {i:04d}'" for i in range(300)),
            ", ".join(f"{i}: 'value {i}'" for i in range(300))))


def user_types():
    p = Pattern("udts")
    p.type("address", "street text, zip int, tags frozen<set<text>>")
    p.type("person", "name text, home frozen<address>, phones list<text>")
    p.create("pk int, ck frozen<address>, a address, fa frozen<address>, p frozen<person>, "
             "l list<frozen<address>>, m map<text, frozen<person>>, PRIMARY KEY (pk, ck)")
    home = "{street: 'Main', zip: 1234, tags: {'x', 'y'}}"
    person = f"{{name: 'Ann', home: {home}, phones: ['1', '2']}}"
    p.insert("pk, ck, a, fa, p, l, m",
             f"1, {home}, {home}, {home}, {person}, [{home}, {{street: null, zip: 1}}], {{'k': {person}}}")
    p.insert("pk, ck, a", "1, {street: 'B'}, {zip: 5}")
    p.update("a.street = 'New', a.zip = null", "pk = 1 AND ck = {street: 'B'}")
    p.update("a.zip = 77", "pk = 2 AND ck = {zip: 3}", ttl=100000000)
    p.delete("pk = 1 AND ck = {street: 'B'}", "a.zip")
    p.select("WHERE pk = 1")

    p = Pattern("udt_static")
    p.type("pair", "x int, y double")
    p.create("pk int, ck int, s pair STATIC, fs frozen<pair> STATIC, v pair, PRIMARY KEY (pk, ck)")
    p.insert("pk, s, fs", "1, {x: 1, y: 1.5}, {x: 2}")
    p.insert("pk, ck, v", "1, 1, {x: 3, y: -0.0}")
    p.update("s.x = 5", "pk = 2")

    p = Pattern("udt_evolution")
    p.type("growing", "a int")
    p.create("pk int PRIMARY KEY, f frozen<growing>, u growing")
    p.insert("pk, f, u", "1, {a: 1}, {a: 1}")
    p.flush()
    p.raw("ALTER TYPE $KS.growing ADD b text")
    p.insert("pk, f, u", "2, {a: 2, b: 'two'}, {a: 2, b: 'two'}")
    p.update("u.b = 'late'", "pk = 1")

    p = Pattern("vectors")
    p.create("pk int PRIMARY KEY, f vector<float, 3>, t vector<text, 2>, l vector<frozen<list<int>>, 2>, "
             "big vector<float, 100>, vv vector<vector<int, 2>, 2>")
    p.insert("pk, f, t, l, big, vv", "1, [1.5, -2.0, 0.25], ['a', ''], [[1, 2], []], [%s], [[1, 2], [3, 4]]"
             % ", ".join(f"{i}.5" for i in range(100)))

    p = Pattern("tuples")
    p.create("pk int PRIMARY KEY, a tuple<int, text, tuple<double, boolean>>, "
             "b list<frozen<tuple<int, frozen<set<text>>>>>")
    p.insert("pk, a, b", "1, (1, 'x', (1.5, true)), [(1, {'a'}), (null, null)]")
    p.insert("pk, a", "2, (null, null, null)")
    p.insert("pk, a", "3, (1, '', (null, false))")


def keys_and_clusterings():
    p = Pattern("composite_pk")
    p.create("a int, b text, c uuid, v int, PRIMARY KEY ((a, b, c))")
    for i in range(20):
        text = "" if i % 5 == 0 else "t" * i
        p.insert("a, b, c, v", f"{i}, '{text}', 123e4567-e89b-42d3-a456-4266141740{i:02x}, {i}")
    p.select("WHERE a = 0 AND b = '' AND c = 123e4567-e89b-42d3-a456-426614174000")

    p = Pattern("composite_pk_ck")
    p.create("a text, b bigint, c int, d text, v text, PRIMARY KEY ((a, b), c, d)",
             "CLUSTERING ORDER BY (c DESC, d ASC)")
    for i in range(60):
        p.insert("a, b, c, d, v", f"'p{i % 3}', {i % 2}, {i % 5}, 'd{i}', 'v{i}'")
    p.select("WHERE a = 'p0' AND b = 0 AND c = 2")
    p.select("WHERE a = 'p0' AND b = 0 AND c > 1 ORDER BY c ASC, d DESC")

    shapes = ["ASC ASC ASC", "DESC DESC DESC", "ASC DESC ASC", "DESC ASC DESC"]
    for n, shape in enumerate(shapes):
        orders = shape.split()
        p = Pattern(f"clustering_shape_{n}")
        p.create("pk int, a int, b text, c timeuuid, v blob, PRIMARY KEY (pk, a, b, c)",
                 "CLUSTERING ORDER BY (a %s, b %s, c %s)" % tuple(orders))
        for i in range(100):
            p.insert("pk, a, b, c, v", f"{i % 2}, {i % 4 - 2}, 'b{i % 3}', "
                     f"50554d6e-29bb-11e5-b345-feff819cdc{i:02x}, 0x{i:04x}")
        p.delete("pk = 0 AND a = 1 AND b = 'b0'")
        p.delete("pk = 0 AND a = 0 AND b > 'b1'")
        p.delete("pk = 1 AND a >= -1 AND a < 1")
        p.delete("pk = 1 AND a = 1 AND b = 'b0' AND c <= 50554d6e-29bb-11e5-b345-feff819cdc20")
        p.select("WHERE pk = 0 AND a = 1")
        p.select("WHERE pk = 0 AND (a, b) > (0, 'b0')")

    p = Pattern("clustering_35_columns")
    names = [f"c{i:02d}" for i in range(35)]
    p.create("pk int, " + ", ".join(f"{n} text" for n in names) + ", v int, PRIMARY KEY (pk, "
             + ", ".join(names) + ")")
    for i in range(12):
        values = ["''" if (i + j) % 4 == 0 else f"'{j % 3}{i}'" for j in range(35)]
        p.insert("pk, " + ", ".join(names) + ", v", "1, " + ", ".join(values) + f", {i}")

    p = Pattern("keys_only")
    p.create("a int, b int, c text, PRIMARY KEY (a, b, c)")
    for i in range(30):
        p.insert("a, b, c", f"{i % 4}, {i}, 'c{i}'")

    p = Pattern("empty_values")
    p.create("pk text, ck text, i int, t text, b blob, u uuid, bi bigint, d double, "
             "PRIMARY KEY (pk, ck)")
    p.insert("pk, ck, i, t, b, u, bi, d", "'k', '', blob_as_int(0x), '', 0x, blob_as_uuid(0x), "
             "blob_as_bigint(0x), blob_as_double(0x)")
    p.insert("pk, ck, t", "'k', 'a', ''")
    p.select("WHERE pk = 'k' AND ck = ''")

    p = Pattern("empty_clustering_desc")
    p.create("pk int, a text, b blob, v int, PRIMARY KEY (pk, a, b)",
             "CLUSTERING ORDER BY (a DESC, b ASC)")
    for a in ("''", "'x'", "'y'"):
        for b in ("0x", "0x00", "0xff"):
            p.insert("pk, a, b, v", f"1, {a}, {b}, 1")
    p.delete("pk = 1 AND a = '' AND b > 0x")

    p = Pattern("long_keys")
    p.create("pk text PRIMARY KEY, v int")
    for i, size in enumerate((1, 127, 128, 1000, 16383, 60000)):
        p.insert("pk, v", f"'{'k' * size}', {i}")

    p = Pattern("names")
    p.create('"Pk" int, "select" int, "\u00fcml" text, "With Space" set<int>, "A" int, a int, '
             'PRIMARY KEY ("Pk", "select")')
    p.insert('"Pk", "select", "\u00fcml", "With Space", "A", a', "1, 2, 'x', {3}, 4, 5")


def columns():
    p = Pattern("columns_70")
    names = [f"v{i:02d}" for i in range(70)]
    p.create("pk int, ck int, " + ", ".join(f"{n} int" for n in names) + ", PRIMARY KEY (pk, ck)")
    rnd = random.Random(70)
    for ck, count in enumerate((70, 1, 2, 34, 35, 36, 60, 69, 0)):
        chosen = sorted(rnd.sample(names, count))
        p.insert(", ".join(["pk", "ck"] + chosen), ", ".join(["1", str(ck)] + [str(ck)] * count))

    p = Pattern("columns_70_static")
    p.create("pk int, ck int, " + ", ".join(f"{n} text STATIC" for n in names) + ", v int, PRIMARY KEY (pk, ck)")
    for pk, count in enumerate((70, 1, 34, 36, 69)):
        chosen = sorted(rnd.sample(names, count))
        p.insert(", ".join(["pk"] + chosen), ", ".join([str(pk)] + [f"'s{pk}'"] * count))
        p.insert("pk, ck, v", f"{pk}, 1, 1")

    p = Pattern("columns_mixed_order")
    p.create("pk int PRIMARY KEY, zz int, aa list<int>, mm text, bb set<text>, \"ZZ\" int, ab map<int, int>")
    p.insert("pk, zz, aa, mm, bb, \"ZZ\", ab", "1, 1, [1], 'm', {'b'}, 2, {1: 1}")
    p.insert("pk, aa, mm", "2, [2], 'm'")

    p = Pattern("sparse")
    p.create("pk int, ck int, a int, b text, c set<int>, d double, PRIMARY KEY (pk, ck)")
    for i in range(16):
        chosen = [n for j, n in enumerate(["a", "b", "c", "d"]) if i >> j & 1]
        values = {"a": "1", "b": "'b'", "c": "{1, 2}", "d": "2.5"}
        p.insert(", ".join(["pk", "ck"] + chosen), ", ".join(["1", str(i)] + [values[c] for c in chosen]))

    p = Pattern("updates_only")
    p.create("pk int, ck int, a int, b text, PRIMARY KEY (pk, ck)")
    for i in range(10):
        p.update(f"a = {i}", f"pk = {i % 3} AND ck = {i}")
        p.update(f"b = 'b{i}'", f"pk = {i % 3} AND ck = {i}")
    p.update("a = null", "pk = 0 AND ck = 0")
    p.select("WHERE pk = 0")

    p = Pattern("statics")
    p.create("pk int, ck int, s1 text STATIC, s2 set<int> STATIC, v int, PRIMARY KEY (pk, ck)")
    p.insert("pk, s1, s2", "1, 'only static', {1, 2}")
    p.insert("pk, ck, s1, v", "2, 1, 'both', 1")
    p.insert("pk, ck, v", "3, 1, 1")
    p.insert("pk, s1", "4, 'ttl'", ttl=100000000)
    p.delete("pk = 5", "s1")
    p.delete("pk = 2", "s2")
    p.insert("pk, ck, v", "4, 9, 9")
    p.insert("pk, s1", "6, null")
    p.select("WHERE pk = 1")


def tombstones_and_ttls():
    p = Pattern("partition_deletes")
    p.create("pk int, ck int, v int, PRIMARY KEY (pk, ck)")
    for pk in range(6):
        p.insert("pk, ck, v", f"{pk}, 1, 1", at=10)
    p.delete("pk = 0", at=5)
    p.delete("pk = 1", at=20)
    p.delete("pk = 2", at=10)
    p.delete("pk = 99", at=10)
    p.insert("pk, ck, v", "1, 2, 2", at=30)

    p = Pattern("row_deletes")
    p.create("pk int, ck int, v int, s int STATIC, PRIMARY KEY (pk, ck)")
    for ck in range(6):
        p.insert("pk, ck, v", f"1, {ck}, {ck}", at=10)
    p.delete("pk = 1 AND ck = 1", at=20)
    p.delete("pk = 1 AND ck = 2", at=5)
    p.delete("pk = 1 AND ck = 77", at=20)
    p.insert("pk, s", "1, 1", at=10)
    p.update("v = 100", "pk = 1 AND ck = 1", at=30)
    p.delete("pk = 2 AND ck = 5", at=20)

    p = Pattern("cell_deletes")
    p.create("pk int PRIMARY KEY, a int, b text, c set<int>, d list<text>")
    p.insert("pk, a, b, c, d", "1, 1, 'b', {1}, ['x']", at=10)
    p.delete("pk = 1", "a, c", at=20)
    p.delete("pk = 2", "b, d", at=20)
    p.insert("pk, a, b", "3, null, null", at=20)

    p = Pattern("range_deletes")
    p.create("pk int, a int, b int, v int, PRIMARY KEY (pk, a, b)")
    for a in range(8):
        for b in range(3):
            p.insert("pk, a, b, v", f"1, {a}, {b}, {a}", at=10)
    for n, where in enumerate(("a = 0", "a > 6", "a >= 5 AND a < 6", "a > 1 AND a <= 3", "a = 4 AND b > 0",
                               "a = 4 AND b < 0", "(a, b) > (4, 1) AND (a, b) <= (5, 0)", "a < -5")):
        p.delete(f"pk = 1 AND {where}", at=20 + n)
    p.delete("pk = 2 AND a > 1 AND a < 5", at=30)
    p.delete("pk = 2 AND a >= 3 AND a < 8", at=40)
    p.delete("pk = 2 AND a = 5", at=50)
    p.delete("pk = 3 AND a < 0", at=1)
    p.delete("pk = 3", at=0)
    p.delete("pk = 3 AND a > 10", at=2)
    p.select("WHERE pk = 1 ORDER BY a DESC, b DESC")

    p = Pattern("range_deletes_desc")
    p.create("pk int, a int, b text, v int, PRIMARY KEY (pk, a, b)", "CLUSTERING ORDER BY (a DESC, b DESC)")
    for a in range(8):
        for b in "xyz":
            p.insert("pk, a, b, v", f"1, {a}, '{b}', {a}", at=10)
    for n, where in enumerate(("a = 0", "a > 6", "a >= 5 AND a < 6", "a > 1 AND a <= 3", "a = 4 AND b > 'x'",
                               "(a, b) >= (4, 'a') AND (a, b) < (5, 'y')")):
        p.delete(f"pk = 1 AND {where}", at=20 + n)
    p.select("WHERE pk = 1 ORDER BY a ASC, b ASC")

    p = Pattern("boundaries")
    p.create("pk int, ck int, v int, PRIMARY KEY (pk, ck)")
    for n in range(30):
        p.delete(f"pk = 1 AND ck >= {n * 10} AND ck < {n * 10 + 15}", at=n)
        p.delete(f"pk = 2 AND ck > {n * 10} AND ck <= {n * 10 + 10}", at=n)
        p.insert("pk, ck, v", f"1, {n * 10 + 3}, {n}", at=100)

    p = Pattern("expiring")
    p.create("pk int, ck int, a int, b text, c set<int>, s int STATIC, PRIMARY KEY (pk, ck)")
    p.insert("pk, ck, a, b, c", "1, 1, 1, 'b', {1}", ttl=100000000)
    p.insert("pk, ck, a, b", "1, 2, 1, 'gone'", ttl=1)
    p.insert("pk, ck, a", "1, 3, 1")
    p.update("b = 'cell ttl'", "pk = 1 AND ck = 3", ttl=200000000)
    p.update("s = 5", "pk = 1", ttl=300000000)
    p.insert("pk, ck, a", "2, 1, 1", ttl=1)
    p.insert("pk, ck, a, b", "1, 4, 1, 'both'", ttl=100000000)
    p.update("a = 2", "pk = 1 AND ck = 4")

    p = Pattern("default_ttl")
    p.create("pk int PRIMARY KEY, v text, l list<int>", "default_time_to_live = 300000000")
    for i in range(5):
        p.insert("pk, v, l", f"{i}, 'v{i}', [1, 2]")
    p.update("v = 'none'", "pk = 2")

    p = Pattern("timestamps")
    p.create("pk int, ck int, a int, b int, PRIMARY KEY (pk, ck)")
    for n, stamp in enumerate((1, 0, -1000000, 9000000000000000, 1442880000000000, -9000000000000000)):
        p.raw(f"INSERT INTO {p.table} (pk, ck, a) VALUES (1, {n}, 1) USING TIMESTAMP {stamp}")
        p.raw(f"UPDATE {p.table} USING TIMESTAMP {stamp + 5} SET b = 2 WHERE pk = 1 AND ck = {n}")


def volume():
    p = Pattern("wide")
    p.create("pk int, ck int, v text, PRIMARY KEY (pk, ck)")
    for pk in (1, 2):
        for ck in range(600):
            p.insert("pk, ck, v", f"{pk}, {ck * 2}, '{'w%04d' % ck * 15}'")
    p.select("WHERE pk = 1 AND ck >= 500 AND ck < 520")
    p.select("WHERE pk = 1 AND ck > 1190")
    p.select("WHERE pk = 2 AND ck < 600 ORDER BY ck DESC LIMIT 7")
    p.select("WHERE pk = 2 AND ck = 601")
    p.select("WHERE pk = 1 ORDER BY ck DESC")

    p = Pattern("wide_desc_static")
    p.create("pk text, a text, b int, s text STATIC, v text, PRIMARY KEY (pk, a, b)",
             "CLUSTERING ORDER BY (a DESC, b ASC)")
    p.insert("pk, s", "'p', 'a static'")
    for n in range(600):
        p.insert("pk, a, b, v", f"'p', 'group {n // 50:03d}', {n}, '{'v%03d' % n * 20}'")
    p.insert("pk, a, b, v", "'small', 'x', 1, 'y'")
    p.select("WHERE pk = 'p' AND a = 'group 005'")
    p.select("WHERE pk = 'p' AND a < 'group 003' ORDER BY a ASC, b DESC")

    p = Pattern("wide_ranges")
    p.create("pk int, ck int, v text, PRIMARY KEY (pk, ck)")
    for ck in range(400):
        p.insert("pk, ck, v", f"1, {ck}, '{'r%03d' % ck * 25}'", at=10)
    p.delete("pk = 1 AND ck >= 50 AND ck < 250", at=5)
    p.delete("pk = 1 AND ck > 100 AND ck <= 150", at=20)
    p.delete("pk = 1 AND ck > 390", at=7)
    p.delete("pk = 2", at=20)
    for ck in range(200):
        p.insert("pk, ck, v", f"2, {ck}, '{'q%03d' % ck * 25}'", at=30)
    p.delete("pk = 2 AND ck > 20", at=25)
    p.select("WHERE pk = 1 AND ck >= 90 AND ck < 160")
    p.select("WHERE pk = 1 AND ck > 140 ORDER BY ck DESC LIMIT 20")

    p = Pattern("large_values")
    p.create("pk int, ck int, v blob, PRIMARY KEY (pk, ck)")
    for pk in range(2):
        for ck, size in enumerate((10, 70000, 1, 20000, 4096, 16384, 65536)):
            p.insert("pk, ck, v", f"{pk}, {ck}, 0x{'%02x' % (ck + 65) * size}")

    rnd = random.Random(5)
    p = Pattern("incompressible")
    p.create("pk int PRIMARY KEY, v blob")
    for pk in range(20):
        p.insert("pk, v", f"{pk}, 0x{rnd.randbytes(5000).hex()}")

    p = Pattern("many_int_keys")
    p.create("pk int PRIMARY KEY, v int")
    for pk in range(2500):
        p.insert("pk, v", f"{pk}, {pk * 2}")
    p.select("WHERE pk = 1234")
    p.select("WHERE pk = 99999")

    p = Pattern("many_text_keys")
    p.create("pk text PRIMARY KEY, v text")
    for pk in range(1000):
        p.insert("pk, v", f"'a common prefix of keys {pk}', 'v{pk}'")
    p.select("WHERE pk = 'a common prefix of keys 777'")

    p = Pattern("megabytes")
    p.create("pk int, ck int, v blob, PRIMARY KEY (pk, ck)")
    for pk in range(100):
        for ck in range(3):
            p.insert("pk, ck, v", f"{pk}, {ck}, 0x{rnd.randbytes(10000).hex()}")
    p.select("WHERE pk = 50 AND ck >= 1")

    p = Pattern("indexed_and_small_mixed")
    p.create("pk int, ck timeuuid, v text, PRIMARY KEY (pk, ck)", "CLUSTERING ORDER BY (ck DESC)")
    for pk in range(40):
        for n in range(40 if pk % 4 == 0 else 1):
            p.insert("pk, ck, v", f"{pk}, {n:08x}-29bb-11e5-b345-feff819cdc{pk:02x}, '{'z' * 300}'")
    p.select("WHERE pk = 4 ORDER BY ck ASC")


def counters():
    p = Pattern("counter_simple")
    p.create("pk text PRIMARY KEY, c counter, d counter")
    for i in range(10):
        p.raw(f"UPDATE {p.table} SET c = c + {i * 1000003} WHERE pk = 'k{i % 4}'")
        p.raw(f"UPDATE {p.table} SET d = d - {i} WHERE pk = 'k{i % 3}'")
    p.raw(f"DELETE d FROM {p.table} WHERE pk = 'k1'")

    p = Pattern("counter_clustered")
    p.create("pk int, ck text, c counter, s counter STATIC, PRIMARY KEY (pk, ck)")
    for i in range(30):
        p.raw(f"UPDATE {p.table} SET c = c + {i} WHERE pk = {i % 2} AND ck = 'ck{i % 7}'")
    p.raw(f"UPDATE {p.table} SET s = s + 5 WHERE pk = 0")
    p.flush()
    for i in range(10):
        p.raw(f"UPDATE {p.table} SET c = c - {i} WHERE pk = {i % 2} AND ck = 'ck{i % 7}'")
    p.raw(f"DELETE FROM {p.table} WHERE pk = 1 AND ck = 'ck3'")


def evolution():
    p = Pattern("added_column")
    p.create("pk int, ck int, a int, PRIMARY KEY (pk, ck)")
    p.insert("pk, ck, a", "1, 1, 1")
    p.flush()
    p.raw(f"ALTER TABLE {p.table} ADD aa text")
    p.insert("pk, ck, a, aa", "1, 2, 2, 'two'")
    p.flush()
    p.raw(f"ALTER TABLE {p.table} ADD zs set<int>")
    p.insert("pk, ck, zs", "1, 3, {3}")

    p = Pattern("dropped_column")
    p.create("pk int, ck int, a int, b text, l list<int>, PRIMARY KEY (pk, ck)")
    p.insert("pk, ck, a, b, l", "1, 1, 1, 'dropped', [1]")
    p.insert("pk, ck, b", "1, 2, 'only dropped'")
    p.flush()
    p.raw(f"ALTER TABLE {p.table} DROP b USING TIMESTAMP {T0 + 500000}")
    p.raw(f"ALTER TABLE {p.table} DROP l USING TIMESTAMP {T0 + 500000}")
    p.insert("pk, ck, a", "1, 3, 3")

    p = Pattern("readded_column")
    p.create("pk int PRIMARY KEY, a int, b int")
    p.insert("pk, a, b", "1, 1, 1")
    p.flush()
    p.raw(f"ALTER TABLE {p.table} DROP b USING TIMESTAMP {T0 + 500000}")
    p.raw(f"ALTER TABLE {p.table} ADD b int")
    p.insert("pk, b", "2, 2", at=600000)

    p = Pattern("overwrites")
    p.create("pk int, ck int, v text, s set<text>, PRIMARY KEY (pk, ck)")
    for round_index in range(3):
        for i in range(30):
            p.insert("pk, ck, v, s", f"{i % 5}, {i}, 'round {round_index}', {{'{round_index}', 'x'}}")
            if i % 7 == round_index:
                p.delete(f"pk = {i % 5} AND ck = {i}")
            if i % 11 == round_index:
                p.delete(f"pk = {i % 5} AND ck > {i}")
            if i % 13 == round_index:
                p.update("s = s + {'added'}", f"pk = {i % 5} AND ck = {i}")
        p.flush()
    p.delete("pk = 3")
    p.select("WHERE pk = 2")


def options():
    for name, option in (("no_bloom", "bloom_filter_fp_chance = 1.0"),
                         ("bloom_tenth", "bloom_filter_fp_chance = 0.1"),
                         ("index_interval_32", "min_index_interval = 32")):
        p = Pattern(f"option_{name}")
        p.create("pk text PRIMARY KEY, v int", option)
        for i in range(300):
            p.insert("pk, v", f"'key {i}', {i}")
        p.select("WHERE pk = 'key 250'")


def expressions():
    p = Pattern("expressions")
    p.create("k int, c timestamp, i int, b bigint, f float, d double, vi varint, dc decimal, ti tinyint, "
             "si smallint, dt date, tx text, PRIMARY KEY (k, c)")
    p.insert("k, c, i, b, f, d, vi, dc, ti, si, dt, tx", "1, '2024-01-31 10:59:00+0000', 7, 2, 1.5, 0.25, "
             "12345678901234567890, 1.50, 127, -32768, '2024-01-31', 'a'")
    p.insert("k, c, i, b, f, d", "1, '2024-01-31 11:01:00+0000', 2147483647, -9223372036854775808, -0.0, 1e300")
    p.insert("k, c, i, d, f, vi, dc", "1, '2024-01-31 11:59:59.999+0000', 0, NaN, Infinity, -1, 1E+10")
    p.insert("k, c", "1, '2024-03-01 00:00:00+0000'")
    p.insert("k, c, i, b, ti, si, dt", "2, '1969-12-31 23:59:59+0000', -7, 3, -128, 32767, '1969-12-31'")
    numbers = ("i", "b", "f", "d", "vi", "dc", "ti", "si")
    for left in numbers:
        for right in numbers:
            p.ask(f"c, {left} + {right}, {left} - {right}, {left} * {right}")
            if not {left, right} & {"dc", "vi"}:
                p.ask(f"{left} / {right}, {left} % {right}", "WHERE k = 1 LIMIT 1")
    for number in numbers:
        minus = f"-({number})" if number == "i" else f"-{number}"  # "-i" begins "-Infinity" there
        p.ask(f"{minus}, {number} + 1, {number} * 2.5, 10 - {number}, ({number} + 1) * 2 - {number}")
    for columns in ("ti + 128, si * 100000, i + 2147483648, b + 9223372036854775808, f * 0.1, dc * 0.1, dc + 0.1",
                    "f + dc, f * vi, d * dc, i * dc, dc * i", "i * 0.10000000000000000000000001", "1 + 1",
                    "k, (int) 1 + (tinyint) 2, (bigint) 1 + i, (float) 1.5 * 2"):
        p.ask(columns, "WHERE k = 1 LIMIT 1")
    p.ask("i + b * 2 - 1, (i + b) * 2, i - b - 1, -(i + 1), i / 2 * 2, i % 3 + 1", "WHERE k = 1")
    p.ask("i / 2, i / -2, i % 4, i % -4, b / 2, b % 5", "WHERE k = 2")
    p.ask("d / 0, f / 0, d % 2, f % 2", "WHERE k = 1")
    p.ask("i / 0", "WHERE k = 1 LIMIT 1")
    p.ask("b % 0", "WHERE k = 1 LIMIT 1")
    p.ask("tx + 1")
    p.ask("tx - tx")
    p.ask("nothing + 1")
    p.ask("c + 1mo, c - 1d, c + 90m, c - 1y2mo3w4d5h6m7s8ms, dt + 2d, dt - 1mo")
    p.ask("dt + 1h", "WHERE k = 1 LIMIT 1")
    p.ask("c + 1ns", "WHERE k = 1 LIMIT 1")
    for unit in ("1h", "90m", "1d", "10d", "1w", "1mo", "5mo", "1y", "13s", "1h30m"):
        p.ask(f"floor(c, {unit})")
    for unit in ("1d", "10d", "1w", "1mo", "5mo", "1y"):
        p.ask(f"floor(dt, {unit})")
    p.ask("floor(dt, 1h)", "WHERE k = 1 LIMIT 1")
    p.ask("floor(c, -1h)", "WHERE k = 1 LIMIT 1")
    p.ask("floor(c, 1ns)", "WHERE k = 1 LIMIT 1")
    p.ask("floor(c, 1mo1d)", "WHERE k = 1 LIMIT 1")
    p.ask("floor(tx, 1h)")
    p.ask("k, floor(c, 1h), count(*), max(i), sum(b)", "WHERE k = 1 GROUP BY k, floor(c, 1h)")
    p.ask("k, floor(c, 1mo), count(i)", "WHERE k = 1 GROUP BY k, floor(c, 1mo)")
    p.ask("count(*)", "GROUP BY floor(c, 1h)")
    for function in ("to_date", "to_timestamp", "to_unix_timestamp", "min_timeuuid"):
        p.ask("count(*)", f"WHERE k = 1 GROUP BY k, {function}(c)")
    p.ask("count(*)", "GROUP BY k, to_date(c)")
    p.ask("sum(i) / 2, max(i) - min(i), avg(d), sum(vi), avg(dc), min(dt), count(*) * 2", "WHERE k = 2")
    p.ask("sum(b), sum(ti), sum(si), avg(i), avg(b), avg(ti), sum(f)")
    p.ask("to_date(c), to_timestamp(dt), to_unix_timestamp(c), to_unix_timestamp(dt), toDate(c), toUnixTimestamp(dt)")
    p.ask("min_timeuuid(c), max_timeuuid(c), minTimeuuid('2013-01-01 00:05+0000'), to_date(max_timeuuid(c))")
    # The same whenever it is asked: the moment itself is not.
    for now in ("now()", "current_timeuuid()", "current_timestamp()", "current_date()", "currentTimestamp()"):
        p.ask(f"floor({now}, 12000mo) AS age", "LIMIT 1")
    p.ask("to_unix_timestamp(now()) - to_unix_timestamp(current_timestamp()) AS age", "WHERE k = 5")
    p.ask("floor(to_timestamp(now()), 12000mo), floor(toTimestamp(current_date()), 12000mo)", "LIMIT 1")
    p.ask("now(1)")
    for target in ("int", "bigint", "double", "float", "decimal", "varint", "text", "ascii", "smallint", "tinyint"):
        for source in ("i", "b", "ti", "si"):
            p.ask(f"cast({source} AS {target})", "WHERE k = 1")
    p.ask("cast(f AS text), cast(d AS text), cast(dc AS text), cast(vi AS text), cast(dc AS double), cast(vi AS decimal)")
    p.ask("cast(d AS int), cast(f AS bigint), cast(dc AS int), cast(d AS varint)", "WHERE k = 1 LIMIT 1")
    p.ask("cast(c AS date), cast(c AS text), cast(dt AS timestamp), cast(dt AS text)")
    p.ask("token(k), token(k) + 1, token(k) - token(k)")
    p.ask("*", "WHERE c > '2024-01-31 11:00:00+0000' ALLOW FILTERING")

    p = Pattern("insert_json")
    p.create("k int, c text, t timestamp, l list<int>, s set<text>, m map<text, double>, tu tuple<int, text>, "
             "b blob, u uuid, dc decimal, vi varint, dt date, tm time, bo boolean, i inet, \"Case\" int, st text STATIC, "
             "PRIMARY KEY (k, c)")
    for n, (text, default) in enumerate((
            ('{"k": 1, "c": "a", "l": [1, 2, 3], "s": ["y", "x", "x"], "m": {"p": 1.5, "q": 2}}', ""),
            ('{"k": "1", "c": "b", "t": "2024-02-29T12:34:56.789Z", "tu": [5, "five"], "b": "0x00ff"}', ""),
            ('{"k": 1, "c": "c", "t": 1700000000000, "u": "123e4567-e89b-42d3-a456-426614174000"}', ""),
            ('{"k": 2, "c": "", "dc": 1.5, "vi": 123456789012345678901234567890, "dt": "2024-02-29"}', ""),
            ('{"k": 2, "c": "d", "tm": "08:30:00.000001", "bo": "true", "i": "::1", "\\"Case\\"": 4}', ""),
            ('{"k": 2, "c": "\\u00e9\\n\\"q\\"", "dc": "1E+3", "vi": "-7", "bo": false}', ""),
            ('{"k": 1, "c": "a", "m": {"r": 3}}', " DEFAULT UNSET"),
            ('{"k": 1, "c": "b", "tu": null, "l": []}', " DEFAULT NULL"),
            ('{"K": 3, "C": "case", "st": "static", "tu": [null, "half"]}', ""))):
        p.raw(f"INSERT INTO {p.table} JSON '{text}'{default} USING TIMESTAMP {p.stamp()}")
        if n == 5:
            p.flush()
    for k in (1, 2, 3):
        p.select(f"WHERE k = {k}")
    p.ask("toJson(l), to_json(m), to_json(tu), to_json(t), to_json(dc)")


def partitioners():
    for name, partitioner in (("ring_random", "RandomPartitioner"), ("ring_byte_ordered", "ByteOrderedPartitioner")):
        PARTITIONERS[name] = partitioner
        p = Pattern(name)
        p.create("a text, b int, c int, v text, s text STATIC, PRIMARY KEY ((a, b), c)")
        for n in range(40):
            for c in range(3):
                p.insert("a, b, c, v", f"'key {n % 13}', {n - 20}, {c}, 'value {n}'")
            if n == 20:
                p.flush()
        p.delete("a = 'key 3' AND b = -17")
        p.select("WHERE a = 'key 5' AND b = -2")
        p.select("WHERE a = 'key 5' AND b = -2 AND c > 0 ORDER BY c DESC")
        p.ask("token(a, b), a, b, c")
        p.ask("DISTINCT a, b, token(a, b)")
        for bound in (("-1", "0", "1", "85070591730234615865843651857942052864", "170141183460469231731687303715884105727",
                       "170141183460469231731687303715884105728") if name == "ring_random" else
                      ("0x", "0x00", "0x0005", "0x00056b65792035", "0x00056b65792035000004ffffffee00", "0xff")):
            for compared in (">", "<=", "="):
                p.ask("a, b, c", f"WHERE token(a, b) {compared} {bound}")
        middle = "85070591730234615865843651857942052864" if name == "ring_random" else "0x00056b65792035"
        p.ask("count(*)", f"WHERE token(a, b) > {middle} AND token(a, b) <= {middle}")
        p.ask("count(*)", "WHERE token(a, b) > 'text'")

        p = Pattern(f"{name}_single")
        PARTITIONERS[p.name] = partitioner
        p.create("k text PRIMARY KEY, v int")
        for n, key in enumerate(("a", "b", "ab", "\u00e9", "test", "k" * 300, "zz", "0", "~")):
            p.insert("k, v", f"'{key}', {n}")
        p.select("WHERE k = 'test'")
        p.ask("k, token(k), v")
        p.ask("min(token(k)), max(token(k))")
    p = Pattern("ring_murmur3")
    p.create("k int PRIMARY KEY, v int")
    for n in range(50):
        p.insert("k, v", f"{n}, {n}")
    p.ask("k, token(k)")
    for tail in ("> -9223372036854775808", "<= -9223372036854775808", "> 0", "<= 0", "= -9223372036854775808",
                 ">= 9223372036854775807", "> 0 AND token(k) <= -9223372036854775808", "> 5 AND token(k) < 5",
                 "> 5 AND token(k) <= 3", "> 1.5"):
        p.ask("k", f"WHERE token(k) {tail}")


def write_all(out_dir, names):
    for group in (scalar_types, collections, user_types, keys_and_clusterings, columns, tombstones_and_ttls,
                  volume, counters, evolution, options, expressions, partitioners):
        before = set(PATTERNS)
        group()
        GROUPS[group.__name__] = [name for name in PATTERNS if name not in before and (not names or name in names)]
    os.makedirs(out_dir, exist_ok=True)
    chosen = [p for p in PATTERNS.values() if not names or p.name in names]
    for pattern in chosen:
        with open(os.path.join(out_dir, pattern.name + ".cql"), "w", encoding="utf-8") as out:
            out.write("\n".join(pattern.lines) + "\n")
    with open(os.path.join(out_dir, "groups.json"), "w", encoding="utf-8") as out:
        json.dump(GROUPS, out)
    with open(os.path.join(out_dir, "partitioners.json"), "w", encoding="utf-8") as out:
        json.dump(PARTITIONERS, out)
    print(f"patterns: {len(chosen)} written to {out_dir}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    write_all(sys.argv[1], sys.argv[2:])
