"""The check of what goes through PostgreSQL: gold tables imported as foreign tables, and exported from them."""

import atexit
import glob
import os
import shutil
import subprocess
import tempfile

from gold import keyspace_of

TIMEOUT_S = 300
# What PostgreSQL does not hold: NaN in a map (jsonb), nanoseconds, 1E+10 as other than 10000000000, empty
# values beside null.
NOT_HELD = ("coll_float", "coll_double", "pk_time", "ck_time_asc", "ck_time_desc", "coll_time", "coll_duration",
            "pk_decimal", "ck_decimal_asc", "ck_decimal_desc", "coll_decimal", "empty_values", "expressions",
            "insert_json")


class Server:
    """A PostgreSQL of its own with the extension of a build, on a socket of its own; as user postgres where
    this is root. Stops when Python ends."""

    running = {}

    def __init__(self, binaries):
        (self.bindir,) = glob.glob(os.path.join(os.path.abspath(binaries), "pgroot/usr/lib/postgresql/*/bin"))
        self.home = tempfile.mkdtemp(prefix="orochi-e2e-")
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.give(self.home)
        atexit.register(self.stop)
        data = os.path.join(self.home, "data")
        self.run("initdb", "-D", data, "-E", "UTF8", "--no-locale", "-A", "trust", check=True)
        with open(os.path.join(data, "postgresql.conf"), "a", encoding="utf-8") as conf:
            conf.write(f"shared_preload_libraries = 'orochi'\nlisten_addresses = ''\nfsync = off\ntimezone = 'UTC'\n"
                       f"unix_socket_directories = '{self.home}'\n")
        self.run("pg_ctl", "-D", data, "-l", os.path.join(self.home, "log"), "-w", "start", check=True)
        self.sql("CREATE EXTENSION orochi")

    @classmethod
    def of(cls, binaries):
        if binaries not in cls.running:
            cls.running[binaries] = cls(binaries)
        return cls.running[binaries]

    def give(self, path):
        """Lets the server write there."""
        if self.prefix:
            shutil.chown(path, "postgres")

    def run(self, program, *arguments, check=False):
        # Output goes to a file: a server that pg_ctl starts would keep a pipe open.
        with tempfile.TemporaryFile("w+", dir=self.home) as output:
            done = subprocess.run(self.prefix + [os.path.join(self.bindir, program), *arguments], check=check,
                                  cwd=self.home, stdout=output, stderr=output, timeout=TIMEOUT_S)
            output.seek(0)
            return done.returncode, output.read().strip()

    def sql(self, text):
        """Empty, or what went wrong."""
        code, output = self.run("psql", "-X", "-q", "-h", self.home, "-U", "postgres", "-d", "postgres", "-v",
                                "ON_ERROR_STOP=1", "-c", text)
        return "" if code == 0 else output[:300] or f"exit code {code}"

    def stop(self):
        self.run("pg_ctl", "-D", os.path.join(self.home, "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.home, ignore_errors=True)


def make_foreign(context, case):
    """IMPORT FOREIGN SCHEMA of the gold files, and orochi.export_sstable of all rows."""
    # What is exported is for Murmur3Partitioner.
    if case[2].startswith("counter_") or case[2] in NOT_HELD or case[2] in context.gold.partitioners:
        return None
    server = Server.of(context.binaries)
    source = os.path.abspath(context.gold.table_directory(case))
    table = os.path.basename(source)
    made = {"id": ["foreign"] + list(case), "check": "foreign", "gold": context.gold.directory(case),
            "ours": context.ours("foreign", case, keyspace_of(case), table)}
    shutil.rmtree(made["ours"], ignore_errors=True)
    os.makedirs(made["ours"])
    server.give(made["ours"])
    schema = os.path.abspath(context.gold.schema(case))
    keyspace = keyspace_of(case)
    why = server.sql(f"""
        BEGIN;
        CREATE SERVER gold FOREIGN DATA WRAPPER orochi_sstable
          OPTIONS (data_dir '{os.path.dirname(os.path.dirname(source))}', schema_file '{schema}');
        CREATE SCHEMA gold;
        IMPORT FOREIGN SCHEMA "{keyspace}" FROM SERVER gold INTO gold;
        SELECT orochi.export_sstable('SELECT * FROM gold."{table.rsplit("-", 1)[0]}"',
                                     '{os.path.abspath(made["ours"])}', pg_read_file('{schema}'), '{case[0]}',
                                     '{case[1]}');
        ROLLBACK""")
    return why or [made]
