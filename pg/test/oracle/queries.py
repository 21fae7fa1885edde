"""Random queries over a Table. Each comes with how its result may be compared."""


class Query:
    """`sql` names SCHEMA where the twin's schema goes.

    ordered: rows must come in the same order. by_value: equal numbers written differently are equal,
    as they are to GROUP BY, min and max. tolerances: per output column None for exact, or the
    index of the output column that holds the bound of its rounding error.
    """

    def __init__(self, sql, ordered=False, tolerances=None):
        self.sql = sql
        self.by_value = " GROUP BY " in sql or "min(" in sql or "max(" in sql
        self.ordered = ordered
        self.tolerances = tolerances or {}


OPERATORS = ("=", "<>", "<", "<=", ">", ">=")


def predicate(rng, table, depth=0):
    kind = rng.random()
    if depth < 2 and kind < 0.2:
        word = rng.choice((" AND ", " OR "))
        return "(" + predicate(rng, table, depth + 1) + word + predicate(rng, table, depth + 1) + ")"
    if kind < 0.25:
        return "NOT " + predicate(rng, table, depth + 1)
    if kind < 0.45:
        return "(" + table.time_window() + ")"
    if kind < 0.5:
        return f"ts {rng.choice(OPERATORS)} {table.time.literal(rng)}"
    column = rng.choice(table.columns)
    if kind < 0.6:
        return f"{column.name} IS {rng.choice(('', 'NOT '))}NULL"
    if kind < 0.7:
        values = ", ".join(column.kind.literal(rng) for _ in range(rng.randint(1, 4)))
        return f"{column.name} {rng.choice(('', 'NOT '))}IN ({values})"
    if kind < 0.75 and column.kind.ordered:
        return f"{column.name} BETWEEN {column.kind.literal(rng)} AND {column.kind.literal(rng)}"
    if kind < 0.8 and column.kind.name.startswith(("text", "varchar")):
        return f"{column.name} LIKE '{rng.choice(('a', 'A', 'be', '', '%a', '_l'))}%'"
    if kind < 0.85 and column.kind.numeric:
        return f"{column.name} + host > {column.kind.literal(rng)}"
    return f"{column.name} {rng.choice(OPERATORS)} {column.kind.literal(rng)}"


def where(rng, table):
    return "" if rng.random() < 0.25 else " WHERE " + predicate(rng, table)


def aggregates(rng, table, count):
    """A select list of aggregates, the tolerances of the floating ones, and the next free column."""
    items, tolerances = [], {}
    for _ in range(count):
        column = rng.choice(table.columns)
        name, kind = column.name, column.kind
        choice = rng.random()
        if choice < 0.15:
            items.append("count(*)")
        elif choice < 0.3:
            items.append(f"count({name})")
        elif choice < 0.5 and kind.ordered and kind.name not in ("boolean", "uuid", "jsonb", "bytea"):
            items.append(f"{rng.choice(('min', 'max'))}({name})")
        elif kind.floating:
            function = rng.choice(("sum", "avg"))
            # The order of additions may differ: |error| <= n * epsilon * sum(|x|), for avg over n.
            epsilon = "1.2e-7" if kind.name == "real" else "2.3e-16"
            divisor = "" if function == "sum" else f" / greatest(count({name}), 1)"
            tolerances[len(items)] = len(items) + 1
            items.append(f"{function}({name})")
            items.append(f"count({name}) * {epsilon} * sum(abs({name}::float8)){divisor}")
            tolerances[len(items) - 1] = -1  # a bound itself: not compared
        elif kind.numeric:
            items.append(f"{rng.choice(('sum', 'avg', 'min', 'max', 'count'))}({name})")
        else:
            items.append(f"count(DISTINCT {name}::text)")
    return items, tolerances


def bucket(rng, table):
    if table.time.type in ("timestamptz", "timestamp"):
        return rng.choice(("date_trunc('day', ts)", "orochi.time_bucket(interval '6 hours', ts)"))
    if table.time.type == "date":
        return "orochi.time_bucket(interval '7 days', ts)"
    return f"orochi.time_bucket({table.time.step}::{table.time.type}, ts)"


def random_query(rng, table):
    shape = rng.random()
    names = ["ts"] + [column.name for column in table.columns]
    groupable = [column.name for column in table.columns if column.kind.groupable]
    if shape < 0.2:
        picked = ", ".join(rng.sample(names, rng.randint(1, len(names))))
        return Query(f"SELECT {picked} FROM SCHEMA.t{where(rng, table)}")
    if shape < 0.4:
        items, tolerances = aggregates(rng, table, rng.randint(1, 5))
        return Query(f"SELECT {', '.join(items)} FROM SCHEMA.t{where(rng, table)}", tolerances=tolerances)
    if shape < 0.6:
        keys = rng.sample(groupable, rng.randint(1, min(2, len(groupable))))
        if rng.random() < 0.4:
            keys = [bucket(rng, table)] + keys[:1]
        items, tolerances = aggregates(rng, table, rng.randint(1, 3))
        offset = len(keys)
        tolerances = {c + offset: (b if b < 0 else b + offset) for c, b in tolerances.items()}
        having = " HAVING count(*) > 2" if rng.random() < 0.3 else ""
        return Query(f"SELECT {', '.join(keys + items)} FROM SCHEMA.t{where(rng, table)} "
                     f"GROUP BY {', '.join(str(i + 1) for i in range(len(keys)))}{having}",
                     tolerances=tolerances)
    everything = ", ".join(names)
    if shape < 0.7:
        direction = rng.choice(("", " DESC"))
        return Query(f"SELECT ts, host FROM SCHEMA.t{where(rng, table)} ORDER BY ts{direction}, host "
                     f"LIMIT {rng.randint(0, 40)} OFFSET {rng.randint(0, 5)}", ordered=True)
    if shape < 0.76:
        return Query(f"SELECT DISTINCT ON (host) host, ts FROM SCHEMA.t{where(rng, table)} "
                     "ORDER BY host, ts DESC", ordered=True)
    if shape < 0.82:
        return Query("SELECT d.label, count(*), min(t.ts), max(t.ts) FROM SCHEMA.t t JOIN dim d "
                     f"ON d.host = t.host{where(rng, table).replace('host', 't.host')} GROUP BY 1")
    if shape < 0.87:
        return Query("SELECT a.ts, a.host, b.host FROM SCHEMA.t a JOIN SCHEMA.t b USING (ts) "
                     f"WHERE a.host < b.host AND {table.time_window().replace('ts', 'a.ts')}")
    if shape < 0.91:
        return Query("SELECT ts, host, count(*) OVER (PARTITION BY host), "
                     "rank() OVER (PARTITION BY host ORDER BY ts) FROM SCHEMA.t" + where(rng, table))
    if shape < 0.94:
        return Query(f"WITH w AS (SELECT host, max(ts) AS m FROM SCHEMA.t{where(rng, table)} GROUP BY host) "
                     "SELECT t.host, count(*) FROM SCHEMA.t t, w WHERE t.host = w.host AND t.ts = w.m GROUP BY 1")
    if shape < 0.97:
        return Query("SELECT d.host, x.ts FROM dim d, LATERAL (SELECT ts FROM SCHEMA.t t "
                     "WHERE t.host = d.host ORDER BY ts DESC LIMIT 2) x")
    return Query(f"SELECT {everything} FROM SCHEMA.t{where(rng, table)} UNION ALL "
                 f"SELECT {everything} FROM SCHEMA.t WHERE EXISTS (SELECT 1 FROM dim d WHERE d.host = t.host "
                 "AND d.host > 3)")
