"""Random tables, and the DML that fills and changes both twins alike."""

from values import COLUMN_TYPES, TimeColumn


class Column:
    def __init__(self, name, kind, nullable):
        self.name = name
        self.kind = kind
        self.nullable = nullable

    def literal(self, rng):
        if self.nullable and rng.random() < 0.15:
            return "NULL"
        return self.kind.literal(rng)


class Table:
    """One table in two guises: plain.t, a heap table; places.t, a hypertable."""

    def __init__(self, rng):
        self.rng = rng
        self.time = TimeColumn(rng)
        self.columns = [Column("host", COLUMN_TYPES[1], False)]
        for index in range(rng.randint(1, 7)):
            self.columns.append(Column(f"c{index}", rng.choice(COLUMN_TYPES), rng.random() < 0.7))
        self.next_column = len(self.columns)
        self.unique = rng.random() < 0.4
        self.index = rng.random() < 0.6

    def create(self, schema, hypertable):
        """The statements that make the twin; `hypertable` says whether places.t becomes one."""
        columns = [f"ts {self.time.type} NOT NULL"]
        for column in self.columns:
            columns.append(f"{column.name} {column.kind.name}" + ("" if column.nullable else " NOT NULL"))
        if self.unique:
            columns.append("UNIQUE (host, ts)")
        statements = [f"CREATE TABLE {schema}.t ({', '.join(columns)})"]
        if self.index:
            statements.append(f"CREATE INDEX ON {schema}.t (host, ts DESC)")
        if schema == "places" and hypertable:
            statements.append(
                "SELECT orochi.create_hypertable('places.t', 'ts', chunk_time_interval => "
                f"{self.time.chunk_interval})")
        return statements

    def host(self):
        return str(self.rng.randint(0, 6))

    def row(self, low=0.0, high=1.0):
        rng = self.rng
        values = [self.time.literal(rng, low, high), self.host()]
        values += [column.literal(rng) for column in self.columns[1:]]
        return "(" + ", ".join(values) + ")"

    def column_list(self):
        return ", ".join(["ts"] + [column.name for column in self.columns])

    def conflict(self):
        """A conflict clause for a table with a unique key, else nothing."""
        if not self.unique or self.rng.random() < 0.15:
            return ""
        if len(self.columns) < 2 or self.rng.random() < 0.5:
            return " ON CONFLICT DO NOTHING"
        column = self.rng.choice(self.columns[1:])
        return f" ON CONFLICT (host, ts) DO UPDATE SET {column.name} = excluded.{column.name}"

    def insert(self):
        rng = self.rng
        if rng.random() < 0.4:
            return self.insert_select(rng.randint(50, 1500))
        rows = list({self.row() for _ in range(rng.choice((1, 1, 3, 20, 60)))})
        returning = " RETURNING host" if rng.random() < 0.2 else ""
        return f"INSERT INTO SCHEMA.t ({self.column_list()}) VALUES {', '.join(rows)}{self.conflict()}{returning}"

    def insert_select(self, rows):
        """Many rows, few distinct values: time from a series, the rest picked from arrays."""
        rng = self.rng
        span = self.time.step * self.time.chunk_count
        step = max(1, span // rows)
        rows = min(rows, span // step)
        base = {"timestamptz": "timestamptz '2024-01-01 00:00+00' + g * STEP * interval '1 second'",
                "timestamp": "timestamp '2024-01-01' + g * STEP * interval '1 second'",
                "date": "date '2024-01-01' + g * STEP"}.get(self.time.type, f"(g * STEP)::{self.time.type}")
        picks = []
        for column in self.columns[1:]:
            choices = ", ".join(column.literal(rng) for _ in range(rng.randint(1, 6)))
            base_type = column.kind.name.split(" COLLATE")[0]
            if base_type == "int[]":
                picks.append(column.literal(rng))
            else:
                picks.append(f"pick(g, ARRAY[{choices}]::{base_type}[])")
        values = ", ".join([base.replace("STEP", str(step)), "g % 7"] + picks)
        conflict = " ON CONFLICT DO NOTHING" if self.unique else ""
        return (f"INSERT INTO SCHEMA.t ({self.column_list()}) SELECT {values} "
                f"FROM generate_series({rng.randint(-5, 5)}, {rows}) g{conflict}")

    def time_window(self):
        rng = self.rng
        low = rng.random() * 0.9
        high = min(1.0, low + rng.choice((0.02, 0.1, 0.4)))
        return (f"ts >= {self.time.literal(rng, low, low)} AND ts < {self.time.literal(rng, high, high)}")

    def update(self):
        rng = self.rng
        where = self.time_window() if rng.random() < 0.7 else f"host = {self.host()}"
        if len(self.columns) > 1 and rng.random() < 0.75:
            column = rng.choice(self.columns[1:])
            return f"UPDATE SCHEMA.t SET {column.name} = {column.literal(rng)} WHERE {where}"
        shift = {"timestamptz": "interval '1 day'", "timestamp": "interval '1 day'", "date": "3"}.get(
            self.time.type, f"{self.time.step // 3}::{self.time.type}")
        host = self.host()
        if self.unique:  # several rows might meet on the way, depending on the order they move in
            where = f"ts = (SELECT max(ts) FROM SCHEMA.t WHERE host = {host})"
        return f"UPDATE SCHEMA.t SET ts = ts + {shift} WHERE {where} AND host = {host}"

    def delete(self):
        return f"DELETE FROM SCHEMA.t WHERE {self.time_window()} AND host = {self.host()}"

    def merge(self):
        """Rows of a small series meet those of the table; what becomes of one depends on its values."""
        rng = self.rng
        rows = [self.row() for _ in range(rng.randint(1, 12))]
        if self.unique:  # one row of the source for each of the target
            rows = list({row.split(", ")[0] + row.split(", ")[1]: row for row in rows}.values())
        columns = ["ts"] + [column.name for column in self.columns]
        types = [self.time.type] + [column.kind.name.split(" COLLATE")[0] for column in self.columns]
        source = ", ".join(f"column{i + 1}::{kind} AS {name}" for i, (name, kind) in enumerate(zip(columns, types)))
        join = f"t.host = s.host AND t.ts {'=' if self.unique else '<'} s.ts AND {self.time_window().replace('ts', 't.ts')}"
        if not self.unique:  # at most one source row for a target row
            rows = rows[:1]
        changed = rng.choice(self.columns[1:]).name if len(self.columns) > 1 else "host"
        matched = [f"WHEN MATCHED AND t.{changed} IS NULL THEN DELETE",
                   f"WHEN MATCHED AND t.host > {self.host()} THEN UPDATE SET {changed} = s.{changed}",
                   f"WHEN MATCHED AND s.host = {self.host()} THEN DO NOTHING",
                   "WHEN MATCHED THEN DELETE"]
        rng.shuffle(matched)
        clauses = matched[:rng.randint(1, 3)]
        if rng.random() < 0.6:
            clauses.append(f"WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}) "
                           f"VALUES ({', '.join('s.' + name for name in columns)})")
        # A clause without a condition makes those behind it unreachable, which is an error.
        clauses.sort(key=lambda clause: clause == "WHEN MATCHED THEN DELETE")
        return (f"MERGE INTO SCHEMA.t t USING (SELECT {source} FROM (VALUES {', '.join(rows)}) v) s "
                f"ON {join} {' '.join(clauses)}")

    def lock(self):
        """A query that locks the rows it returns."""
        rng = self.rng
        strength = rng.choice(("UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"))
        return (f"SELECT {self.column_list()} FROM SCHEMA.t WHERE {self.time_window()} AND host = {self.host()} "
                f"ORDER BY 1, 2 FOR {strength}{rng.choice(('', ' SKIP LOCKED', ' NOWAIT'))}")

    def change(self):
        """Any statement that may change or lock rows."""
        kinds = ((self.insert, 5), (self.update, 4), (self.delete, 2), (self.merge, 2), (self.lock, 1))
        return self.rng.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]()

    def index_change(self):
        """Makes or remakes indexes; both twins get it."""
        rng = self.rng
        ordered = [column.name for column in self.columns if column.kind.ordered and column.kind.name != "jsonb"]
        kind = rng.random()
        if kind < 0.3:
            return "REINDEX TABLE SCHEMA.t"
        condition = f" WHERE host > {self.host()}" if rng.random() < 0.3 else ""
        return f"CREATE INDEX ON SCHEMA.t ({', '.join(rng.sample(['ts'] + ordered, rng.randint(1, min(2, len(ordered)))))}){condition}"

    def alter(self):
        rng = self.rng
        if len(self.columns) > 2 and rng.random() < 0.4:
            column = self.columns.pop(rng.randrange(1, len(self.columns)))
            return f"ALTER TABLE SCHEMA.t DROP COLUMN {column.name}"
        column = Column(f"c{self.next_column}", rng.choice(COLUMN_TYPES), True)
        self.next_column += 1
        default = ""
        if rng.random() < 0.6:
            default = f" DEFAULT {column.kind.literal(rng)}"
            if "SELECT" in default:
                default = ""
        self.columns.append(column)
        return f"ALTER TABLE SCHEMA.t ADD COLUMN {column.name} {column.kind.name}{default}"
