"""Random column types and literals: ordinary values, repeats, NULLs and the edges of every type."""

import string

TIME_TYPES = ("timestamptz", "timestamp", "date", "bigint", "int", "smallint")


class ColumnType:
    """One SQL type: its name, whether sums make sense, and how to write a random literal."""

    def __init__(self, name, literal, numeric=False, floating=False, ordered=True, groupable=True):
        self.name = name
        self.literal = literal
        self.numeric = numeric
        self.floating = floating
        self.ordered = ordered
        self.groupable = groupable


def _int(low, high):
    def literal(rng):
        kind = rng.random()
        if kind < 0.6:
            return str(rng.randint(-20, 20))
        if kind < 0.95:
            return f"({rng.randint(low // 4, high // 4)})"
        return f"({rng.choice((low, low + 1, high, high - 1, 0))})"
    return literal


def _float(rng):
    kind = rng.random()
    if kind < 0.4:
        return f"({rng.randint(-5000, 5000) / 100})"
    if kind < 0.6:
        return f"({rng.randint(-50, 50)})"
    if kind < 0.95:
        return f"({rng.uniform(-1e6, 1e6)!r})"
    return rng.choice(("'NaN'", "'-0'", "'Infinity'", "'-Infinity'", "1e-30", "(-1e30)"))


def _finite_float(rng):
    return f"({rng.randint(-500000, 500000) / 100})"


def _numeric(rng):
    kind = rng.random()
    if kind < 0.9:
        return f"({rng.randint(-10**6, 10**6)}.{rng.randint(0, 99):02d})"
    return rng.choice(("'NaN'", "0", "0.00", "12345678901234567890.123456789", "(-0.000001)"))


def _text(rng):
    kind = rng.random()
    if kind < 0.6:
        return "'" + rng.choice(("alpha", "beta", "gamma", "delta", "Alpha", "")) + "'"
    if kind < 0.9:
        return "'" + "".join(rng.choices(string.ascii_letters + " %_äß☃", k=rng.randint(0, 30))) + "'"
    if kind < 0.97:
        return f"repeat('{rng.choice(string.ascii_lowercase)}', {rng.randint(100, 4000)})"
    return f"(SELECT string_agg(md5(g::text), '') FROM generate_series(1, {rng.randint(100, 400)}) g)"


def _bool(rng):
    return rng.choice(("true", "false"))


def _date(rng):
    if rng.random() < 0.97:
        return f"(date '2024-01-01' + {rng.randint(-400, 400)})"
    return rng.choice(("date 'infinity'", "date '-infinity'", "date '0044-03-15 BC'"))


def _timestamptz(rng):
    if rng.random() < 0.97:
        return f"(timestamptz '2024-01-01 00:00+00' + {rng.randint(-10**7, 10**7)} * interval '1 second')"
    return rng.choice(("timestamptz 'infinity'", "timestamptz '-infinity'"))


def _interval(rng):
    return f"(interval '1 minute' * {rng.randint(-5000, 5000)} + interval '1 month' * {rng.randint(-3, 3)})"


def _uuid(rng):
    return f"'{rng.getrandbits(128):032x}'::uuid" if rng.random() < 0.5 else f"'{rng.randint(0, 9):032d}'::uuid"


def _jsonb(rng):
    return f"'{{\"k\": {rng.randint(0, 5)}, \"v\": [\"{rng.choice('abc')}\", null]}}'::jsonb"


def _int_array(rng):
    body = ",".join(rng.choice(("NULL", str(rng.randint(-9, 9)))) for _ in range(rng.randint(0, 4)))
    return f"'{{{body}}}'::int[]"


def _bytea(rng):
    return f"'\\x{rng.randbytes(rng.randint(0, 20)).hex()}'::bytea"


COLUMN_TYPES = (
    ColumnType("smallint", _int(-32768, 32767), numeric=True),
    ColumnType("int", _int(-2**31, 2**31 - 1), numeric=True),
    ColumnType("bigint", _int(-2**63, 2**63 - 1), numeric=True),
    ColumnType("float8", _float, numeric=True, floating=True),
    ColumnType("float8", _finite_float, numeric=True, floating=True),
    ColumnType("real", _float, numeric=True, floating=True),
    ColumnType("numeric", _numeric, numeric=True),
    ColumnType("numeric(12,2)", lambda rng: f"({rng.randint(-10**8, 10**8) / 100})", numeric=True),
    ColumnType("text", _text),
    ColumnType("text COLLATE \"C\"", _text),
    ColumnType("varchar(40)", lambda rng: "left(" + _text(rng) + ", 40)"),
    ColumnType("boolean", _bool),
    ColumnType("date", _date),
    ColumnType("timestamptz", _timestamptz),
    ColumnType("interval", _interval, ordered=False, groupable=False),  # 1 month equals 30 days
    ColumnType("uuid", _uuid),
    ColumnType("jsonb", _jsonb),
    ColumnType("int[]", _int_array),
    ColumnType("bytea", _bytea),
)


class TimeColumn:
    """The partitioning column: its type, chunk interval, and literals within a few dozen chunks."""

    def __init__(self, rng):
        self.type = rng.choice(TIME_TYPES)
        self.chunk_count = rng.randint(2, 25)
        if self.type in ("timestamptz", "timestamp"):
            self.chunk_interval = "interval '" + rng.choice(("6 hours", "1 day", "7 days", "1 month")) + "'"
            seconds = {"6 hours": 21600, "1 day": 86400, "7 days": 604800, "1 month": 2629800}
            self.step = seconds[self.chunk_interval.split("'")[1]]
        elif self.type == "date":
            self.chunk_interval = "interval '" + rng.choice(("1 day", "7 days", "1 month")) + "'"
            self.step = {"1 day": 1, "7 days": 7, "1 month": 30}[self.chunk_interval.split("'")[1]]
        else:
            self.step = rng.choice((10, 100, 1000))
            self.chunk_interval = str(self.step)

    def literal(self, rng, low=0.0, high=1.0):
        span = self.step * self.chunk_count
        position = int(span * (low + (high - low) * rng.random()))
        if rng.random() < 0.15:  # exactly on a chunk's edge, or just before it
            position = position // self.step * self.step - rng.randint(0, 1)
        if rng.random() < 0.3:  # the same instants again and again
            position = position // 7 * 7
        if self.type == "timestamptz":
            return f"(timestamptz '2024-01-01 00:00+00' + {position} * interval '1 second')"
        if self.type == "timestamp":
            return f"(timestamp '2024-01-01 00:00' + {position} * interval '1 second')"
        if self.type == "date":
            return f"(date '2024-01-01' + {position})"
        return f"({position - self.step * 2})::{self.type}"
