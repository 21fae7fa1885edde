#!/usr/bin/env python3
"""Real Cassandra writes gold SSTables and judges ours.

    cassandra.py setup BUILD                 resolves Cassandra's jars by Maven, compiles the harness
    cassandra.py gold BUILD [FORMAT...]      writes BUILD/gold/FORMAT (nb oa da)
    cassandra.py rewrite BUILD BIN [FORMAT[/COMPRESSOR]=FORMAT/COMPRESSOR...]
                                             gold files, written again by us, judged by Cassandra;
                                             without arguments every format as it was
    cassandra.py load BUILD BIN [FORMAT...]  the patterns' statements, written by `orochi sstable write`,
                                             judged by Cassandra
    cassandra.py dump BUILD BIN [FORMAT...]  `orochi sstable dump` of gold files against sstabledump
    cassandra.py lookup BUILD BIN [FORMAT...] every gold file verified, and read through its indexes
    cassandra.py query BUILD BIN [FORMAT...] `orochi sstable query` over gold files against Cassandra's answers
    cassandra.py check BUILD BIN             all of it, gold files made where they are missing

COMPRESSORS and PATTERNS in the environment choose some of them for gold. BUILD is a directory of this
harness's own (build/cassandra), BIN a build directory of Orochi. Needs Java 17 and Maven. Nothing
listens but a node's storage port, on the loopback address, while the command runs.
"""

import json
import os
import shutil
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
COMPRESSORS = ["lz4", "none", "snappy", "deflate", "zstd"]
# From one format and compressor to another, each of both at least once.
CONVERSIONS = ["nb/lz4=oa/zstd", "oa/none=da/lz4", "da/zstd=nb/none", "oa/lz4=nb/deflate", "nb/none=da/snappy",
               "oa/lz4=oa/lz4+", "da/zstd=da/lz4+", "nb/snappy=nb/lz4+"]
# Statements that need what is in the table, or a column that the final schema does not have.
NOT_LOADED = ("collection_edits", "dropped_column")
FORMATS = {
    "nb": "storage_compatibility_mode: CASSANDRA_4\n",
    "oa": "storage_compatibility_mode: NONE\nsstable:\n  selected_format: big\n",
    "da": "storage_compatibility_mode: NONE\nsstable:\n  selected_format: bti\n",
}
YAML = """\
cluster_name: gold
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
commitlog_sync: periodic
commitlog_sync_period: 10s
endpoint_snitch: SimpleSnitch
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
storage_port: {port}
start_native_transport: false
seed_provider: [{{class_name: org.apache.cassandra.locator.SimpleSeedProvider, parameters: [{{seeds: "127.0.0.1:{port}"}}]}}]
auto_snapshot: false
auto_bootstrap: false
num_tokens: 1
initial_token: "0"
column_index_size: 4KiB
uuid_sstable_identifiers_enabled: false
memtable_heap_space: 256MiB
memtable_offheap_space: 64MiB
key_cache_size: 0MiB
counter_cache_size: 0MiB
"""
PROPERTIES = {
    "cassandra-foreground": "yes",
    "cassandra.unsafesystem": "true",
    "cassandra.ring_delay_ms": "100",
    "cassandra.skip_wait_for_gossip_to_settle": "0",
    "cassandra.superuser_setup_delay_ms": "0",
    "cassandra.size_recorder_interval": "0",
    "cassandra.ignore_dc": "true",
    "jdk.attach.allowAttachSelf": "true",
    "io.netty.tryReflectionSetAccessible": "true",
    "chronicle.analytics.disable": "true",
}
EXPORTS = ["java.base/jdk.internal.misc", "java.base/jdk.internal.ref", "java.base/sun.nio.ch",
           "java.management.rmi/com.sun.jmx.remote.internal.rmi", "java.rmi/sun.rmi.registry",
           "java.rmi/sun.rmi.server", "java.sql/java.sql", "java.base/java.lang.ref", "jdk.unsupported/sun.misc",
           "java.management/com.sun.jmx.remote.security"]
OPENS = ["java.base/java.lang", "java.base/java.lang.module", "java.base/java.lang.reflect", "java.base/java.io",
         "java.base/java.util", "java.base/java.nio", "java.base/jdk.internal.loader", "java.base/jdk.internal.ref",
         "java.base/jdk.internal.reflect", "java.base/jdk.internal.math", "java.base/jdk.internal.module",
         "java.base/jdk.internal.util.jar", "java.base/sun.nio.ch",
         "jdk.management/com.sun.management.internal"]


def setup(build):
    for program in ("java", "javac", "mvn"):
        if shutil.which(program) is None:
            sys.exit(f"e2e: {program} not found: install the packages openjdk-17-jdk-headless and maven")
    lib = os.path.join(build, "lib")
    pom = os.path.join(HERE, "pom.xml")
    stamp = os.path.join(lib, ".pom.xml")
    if not os.path.exists(stamp) or open(stamp).read() != open(pom).read():
        shutil.rmtree(lib, ignore_errors=True)
        subprocess.run(["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies",
                        f"-DoutputDirectory={os.path.abspath(lib)}"], check=True)
        shutil.copy(pom, stamp)
    classes = os.path.join(build, "classes")
    os.makedirs(classes, exist_ok=True)
    source_dir = os.path.join(HERE, "src", "main", "java", "orochi", "judge")
    sources = sorted(os.path.join(source_dir, f) for f in os.listdir(source_dir) if f.endswith(".java"))
    subprocess.run(["javac", "-nowarn", "-proc:none", "--release", "17", "-cp", os.path.join(lib, "*"), "-d", classes]
                   + sources, check=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_node(build, fmt, arguments):
    """Runs the harness with a fresh node that writes `fmt`; returns its exit code."""
    build = os.path.abspath(build)
    node = os.path.join(build, f"node_{fmt}_{os.getpid()}")
    shutil.rmtree(node, ignore_errors=True)
    os.makedirs(node)
    with open(os.path.join(node, "cassandra.yaml"), "w", encoding="utf-8") as out:
        out.write(YAML.format(port=free_port()) + FORMATS[fmt])
    with open(os.path.join(node, "logback.xml"), "w", encoding="utf-8") as out:
        out.write("<configuration><appender name='F' class='ch.qos.logback.core.FileAppender'>"
                  f"<file>{node}/cassandra.log</file><encoder><pattern>%d %-5level %logger{{20}} %msg%n"
                  "</pattern></encoder></appender><root level='WARN'><appender-ref ref='F'/></root>"
                  "</configuration>")
    properties = dict(PROPERTIES)
    properties["cassandra.config"] = f"file://{node}/cassandra.yaml"
    properties["cassandra.storagedir"] = node
    properties["logback.configurationFile"] = f"{node}/logback.xml"
    lib = os.path.join(build, "lib")
    jamm = next(f for f in os.listdir(lib) if f.startswith("jamm-"))
    command = ["java", "-Xmx2g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-ea:orochi...",
               f"-javaagent:{lib}/{jamm}"]
    command += [f"-D{k}={v}" for k, v in properties.items()]
    for export in EXPORTS:
        command += ["--add-exports", f"{export}=ALL-UNNAMED"]
    for opened in OPENS:
        command += ["--add-opens", f"{opened}=ALL-UNNAMED"]
    command += ["-cp", f"{build}/classes:{lib}/*", "orochi.judge.Main"] + arguments
    code = subprocess.run(command, check=False).returncode
    if code == 0:
        shutil.rmtree(node, ignore_errors=True)
    else:
        print(f"e2e: exit code {code}, log in {node}/cassandra.log", file=sys.stderr)
    return code


def gold(build, formats):
    build = os.path.abspath(build)
    patterns = os.path.join(build, "patterns")
    shutil.rmtree(patterns, ignore_errors=True)
    subprocess.run([sys.executable, os.path.join(HERE, "patterns.py"), patterns]
                   + os.environ.get("PATTERNS", "").split(), check=True)
    for fmt in formats:
        compressors = os.environ.get("COMPRESSORS", " ".join(COMPRESSORS)).split()
        code = run_node(build, fmt, ["gold", patterns, os.path.join(build, "gold", fmt)] + compressors)
        if code != 0:
            sys.exit(code)


def without_positions(value):
    """A dump without what depends on how rows are stored rather than on what they say."""
    if isinstance(value, dict):
        return {k: without_positions(v) for k, v in value.items() if k != "position"}
    if isinstance(value, list):
        return [without_positions(v) for v in value]
    return value


def first_difference(found, expected, path=""):
    """Empty, or where and how the first difference is."""
    if type(found) is not type(expected):
        return f"{path}: found {found!r:.200}, expected {expected!r:.200}"
    if isinstance(found, dict):
        for key in list(expected) + [k for k in found if k not in expected]:
            if (key in found) != (key in expected):
                return f"{path}: {key} is {'missing' if key in expected else 'too much'}"
            difference = first_difference(found[key], expected[key], f"{path}.{key}")
            if difference:
                return difference
        return ""
    if isinstance(found, list):
        for index, (one, other) in enumerate(zip(found, expected)):
            difference = first_difference(one, other, f"{path}[{index}]")
            if difference:
                return difference
        if len(found) != len(expected):
            return f"{path}: {len(found)} elements, expected {len(expected)}"
        return ""
    return "" if found == expected else f"{path}: found {found!r:.200}, expected {expected!r:.200}"


def load_dump(text, positions=False):
    """Numbers stay text, so that nothing is rounded."""
    dump = json.loads(text, parse_float=str, parse_int=str)
    return dump if positions else without_positions(dump)


def compare_dumps(gold_dir, our_dir):
    """Cassandra's dumps of our files against its dumps of its own. Returns the failures."""
    failures = []
    compared = 0
    for root, _, names in sorted(os.walk(our_dir)):
        for name in sorted(n for n in names if n.endswith(".json")):
            path = os.path.join(root, name)
            gold_root = os.path.join(gold_dir, os.path.relpath(root, our_dir))
            # A copy in another format has another name, but the same generation.
            generation = name.split("-")[1]
            gold_name = next(n for n in os.listdir(gold_root)
                             if n.endswith(".json") and n.split("-")[1] == generation)
            with open(path, encoding="utf-8") as ours, \
                    open(os.path.join(gold_root, gold_name), encoding="utf-8") as gold_file:
                difference = first_difference(load_dump(ours.read()), load_dump(gold_file.read()))
            compared += 1
            if difference:
                failures.append(f"{os.path.relpath(path, our_dir)}: {difference}")
    print(f"dumps: {compared - len(failures)} of {compared} SSTables say the same")
    return failures


def rewrite(build, binaries, conversions):
    """Each conversion is SOURCE=TARGET, both FORMAT[/COMPRESSOR]; with "+" at the end the SSTables of
    a table are merged, and only answers can be compared."""
    failures = []
    for conversion in conversions or [f"{fmt}={fmt}" for fmt in FORMATS]:
        compacts = conversion.endswith("+")
        source, target = conversion.rstrip("+").split("=")
        source_format, _, compressor = source.partition("/")
        target_format, _, target_compressor = target.partition("/")
        gold_dir = os.path.join(build, "gold", source_format)
        ours = os.path.join(build, "ours", conversion.replace("/", "_"))
        shutil.rmtree(ours, ignore_errors=True)
        for name in [compressor] if compressor else COMPRESSORS:
            program = os.path.join(binaries, "e2e", "rewrite_tree")
            command = [program, os.path.join(gold_dir, name), os.path.join(ours, name),
                       target_format, target_compressor or "same"]
            command += ["compact"] if compacts else []
            if subprocess.run(command, check=False).returncode != 0:
                failures.append(f"{conversion}: {name}: not all could be written")
        print(f"judge: {conversion}", flush=True)
        if run_node(build, target_format, ["judge", os.path.abspath(gold_dir), os.path.abspath(ours)]) != 0:
            failures.append(f"{conversion}: Cassandra finds fault")
        if not compacts:
            failures += [f"{conversion}: {f}" for f in compare_dumps(gold_dir, ours)]
    return failures


def load(build, binaries, formats):
    """Orochi makes SSTables of the patterns' statements; they must answer as Cassandra's own."""
    orochi = os.path.join(binaries, "cli", "orochi")
    failures = []
    statements_dir = os.path.join(build, "statements")
    subprocess.run([sys.executable, os.path.join(HERE, "patterns.py"), statements_dir], check=True)
    compressor = COMPRESSORS[0]
    keyspace = f"gold_{compressor}"
    for fmt in formats or list(FORMATS):
        gold_dir = os.path.join(build, "gold", fmt)
        ours = os.path.join(build, "ours", f"load_{fmt}")
        shutil.rmtree(ours, ignore_errors=True)
        for pattern in sorted(os.listdir(os.path.join(gold_dir, compressor))):
            if pattern.startswith("counter_") or pattern in NOT_LOADED:
                continue
            gold_pattern = os.path.join(gold_dir, compressor, pattern)
            (table_dir,) = os.listdir(os.path.join(gold_pattern, keyspace))
            out = os.path.join(ours, compressor, pattern, keyspace, table_dir)
            os.makedirs(out)
            with open(os.path.join(statements_dir, pattern + ".cql"), encoding="utf-8") as source:
                lines = [line for line in source.read().split("\n") if not line.startswith("--")]
            statements = "\n".join(lines).replace("$KS", keyspace).replace("$WITH", "comment = ''")
            done = subprocess.run([orochi, "sstable", "write", "--out", out, "--format", fmt, "--schema",
                                   os.path.join(gold_pattern, "schema.cql"), "-"],
                                  input=statements, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                failures.append(f"load {fmt} {pattern}: {done.stderr.strip()[:300]}")
                shutil.rmtree(os.path.join(ours, compressor, pattern))
        print(f"judge: load {fmt}", flush=True)
        if run_node(build, fmt, ["judge", os.path.abspath(gold_dir), os.path.abspath(ours)]) != 0:
            failures.append(f"load {fmt}: Cassandra finds fault")
    return failures


def dump(build, binaries, formats):
    """What `orochi sstable dump` prints of each gold SSTable against sstabledump's output."""
    orochi = os.path.join(binaries, "cli", "orochi")
    failures = []
    compared = 0
    for fmt in formats or list(FORMATS):
        for root, _, names in sorted(os.walk(os.path.join(build, "gold", fmt))):
            for name in sorted(n for n in names if n.endswith(".json")):
                if "counter_" in root:
                    continue  # sstabledump prints the first bytes of a counter's state, Orochi its value
                data = os.path.join(root, name.replace(".json", "-Data.db"))
                done = subprocess.run([orochi, "sstable", "dump", "--raw-counters", data],
                                      capture_output=True, text=True, check=False)
                compared += 1
                if done.returncode != 0:
                    failures.append(f"{data}: exit code {done.returncode}: {done.stderr.strip()[:300]}")
                    continue
                with open(os.path.join(root, name), encoding="utf-8") as gold_file:
                    expected = gold_file.read()
                try:
                    difference = first_difference(load_dump(done.stdout, positions=True),
                                                  load_dump(expected, positions=True))
                except ValueError as error:
                    difference = f"not JSON: {error}"
                if difference:
                    failures.append(f"{data}: {difference}")
    print(f"dump: {compared - len(failures)} of {compared} SSTables as sstabledump prints them")
    return failures


def lookup(build, binaries, formats):
    """Every gold SSTable verified, and read through its indexes: by key, slice, both ways."""
    failures = []
    for fmt in formats or list(FORMATS):
        program = os.path.join(binaries, "e2e", "lookup_tree")
        if subprocess.run([program, os.path.join(build, "gold", fmt)], check=False).returncode != 0:
            failures.append(f"{fmt}: not all partitions and slices are found")
    return failures


def query(build, binaries, formats):
    """Every kept SELECT, asked of the gold files, against what Cassandra answered."""
    orochi = os.path.join(binaries, "cli", "orochi")
    failures = []
    asked = 0
    compressor = COMPRESSORS[0]
    for fmt in formats or list(FORMATS):
        for pattern in sorted(os.listdir(os.path.join(build, "gold", fmt, compressor))):
            gold_pattern = os.path.join(build, "gold", fmt, compressor, pattern)
            keyspace_dir = os.path.join(gold_pattern, f"gold_{compressor}")
            (table_dir,) = os.listdir(keyspace_dir)
            with open(os.path.join(gold_pattern, "selects.jsonl"), encoding="utf-8") as answers:
                expected = [json.loads(line) for line in answers]
            for answer in expected:
                asked += 1
                done = subprocess.run([orochi, "sstable", "query", answer["query"], "--format", "lines", "--schema",
                                       os.path.join(gold_pattern, "schema.cql"),
                                       os.path.join(keyspace_dir, table_dir)],
                                      capture_output=True, text=True, check=False)
                where = f"{fmt} {answer['query']:.120}"
                if done.returncode != 0:
                    failures.append(f"{where}: exit code {done.returncode}: {done.stderr.strip()[:300]}")
                    continue
                found = [load_dump(line) for line in done.stdout.split("\n") if line]
                difference = first_difference(found, [load_dump(row) for row in answer["rows"]])
                if difference:
                    failures.append(f"{where}: {difference}")
    print(f"query: {asked - len(failures)} of {asked} answers are Cassandra's")
    return failures


def check(build, binaries):
    missing = [fmt for fmt in FORMATS if not os.path.isdir(os.path.join(build, "gold", fmt, COMPRESSORS[-1]))]
    if missing:
        gold(build, missing)
    failures = dump(build, binaries, [])
    failures += query(build, binaries, [])
    failures += load(build, binaries, [])
    failures += lookup(build, binaries, [])
    failures += rewrite(build, binaries, [])
    return failures + rewrite(build, binaries, CONVERSIONS)


CHECKS = {"rewrite": rewrite, "load": load, "dump": dump, "query": query, "lookup": lookup}


def main(arguments):
    command = arguments[0] if arguments else ""
    if command in ("setup", "gold") and len(arguments) >= 2:
        if command == "setup":
            setup(arguments[1])
        else:
            gold(arguments[1], arguments[2:] or list(FORMATS))
        return
    if len(arguments) < 3 or (command != "check" and command not in CHECKS):
        sys.exit(__doc__)
    build, binaries = arguments[1:3]
    failures = check(build, binaries) if command == "check" else CHECKS[command](build, binaries, arguments[3:])
    for failure in failures[:100]:
        print(f"FAILED {failure}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
