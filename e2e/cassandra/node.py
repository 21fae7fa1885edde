"""Cassandra's jars, and processes that run its code: bounded in time, ended with the one who asked."""

import os
import shutil
import signal
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FORMATS = {
    "nb": "storage_compatibility_mode: CASSANDRA_4\n",
    "oa": "storage_compatibility_mode: NONE\nsstable:\n  selected_format: big\n",
    "da": "storage_compatibility_mode: NONE\nsstable:\n  selected_format: bti\n",
}
DEFAULT_PARTITIONER = "Murmur3Partitioner"
YAML = """\
cluster_name: gold
partitioner: org.apache.cassandra.dht.{partitioner}
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
    # Cassandra's programs may be called many times in one process, which must not end with them.
    "cassandra.test.allow_tool_reinit": "true",
    "java.security.manager": "allow",
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
NODE_FLAGS = ["-Xmx2g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-ea:orochi..."]


def setup(build):
    """Resolves the jars by Maven, if that has not been done, and compiles the harness."""
    for program in ("java", "javac", "mvn"):
        if shutil.which(program) is None:
            sys.exit(f"e2e: {program} not found: install the packages openjdk-17-jdk-headless and maven")
    lib = os.path.join(build, "lib")
    pom = os.path.join(HERE, "pom.xml")
    stamp = os.path.join(lib, ".pom.xml")
    if not os.path.exists(stamp) or open(stamp).read() != open(pom).read():
        shutil.rmtree(lib, ignore_errors=True)
        run_bounded(["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies",
                     f"-DoutputDirectory={os.path.abspath(lib)}"], 1800)
        shutil.copy(pom, stamp)
    classes = os.path.join(build, "classes")
    compiled = os.path.join(classes, ".compiled")
    if os.path.exists(compiled) and all(os.path.getmtime(source) < os.path.getmtime(compiled)
                                        for source in java_sources() + [stamp]):
        return
    os.makedirs(classes, exist_ok=True)
    subprocess.run(["javac", "-nowarn", "-proc:none", "--release", "17", "-cp", os.path.join(lib, "*"), "-d", classes]
                   + java_sources(), check=True)
    open(compiled, "w", encoding="utf-8").close()


def java_sources():
    directory = os.path.join(HERE, "src", "main", "java", "orochi", "judge")
    return sorted(os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(".java"))


def cassandra_version(build):
    return next(name[len("cassandra-all-"):-len(".jar")] for name in os.listdir(os.path.join(build, "lib"))
                if name.startswith("cassandra-all-"))


def run_bounded(command, timeout_s):
    """Runs a command in a process group of its own; returns its exit code. Whatever ends this function (the
    command's end, the time, Ctrl-C, an error) ends the whole group; and the kernel ends the command with us."""
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL"] + command, start_new_session=True)
    try:
        return process.wait(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        print(f"e2e: ended after {timeout_s} s: {' '.join(command)[-200:]}", file=sys.stderr)
        return 124
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Home:
    """A directory with the configuration of a node, and its data; removed in the end unless something failed."""

    def __init__(self, build, fmt, partitioner=DEFAULT_PARTITIONER):
        self.build = os.path.abspath(build)
        self.path = os.path.join(self.build, f"node_{fmt}_{os.getpid()}")
        shutil.rmtree(self.path, ignore_errors=True)
        os.makedirs(self.path)
        with open(os.path.join(self.path, "cassandra.yaml"), "w", encoding="utf-8") as out:
            out.write(YAML.format(port=free_port(), partitioner=partitioner) + FORMATS[fmt])
        with open(os.path.join(self.path, "logback.xml"), "w", encoding="utf-8") as out:
            out.write("<configuration><appender name='F' class='ch.qos.logback.core.FileAppender'>"
                      f"<file>{self.path}/cassandra.log</file><encoder><pattern>%d %-5level %logger{{20}} %msg%n"
                      "</pattern></encoder></appender><root level='WARN'><appender-ref ref='F'/></root>"
                      "</configuration>")
        self.good = True

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.good:
            shutil.rmtree(self.path, ignore_errors=True)

    def java(self, arguments, flags=None, main="orochi.judge.Main"):
        """The command that runs the harness, or another class, with this home."""
        properties = dict(PROPERTIES)
        properties["cassandra.config"] = f"file://{self.path}/cassandra.yaml"
        properties["cassandra.storagedir"] = self.path
        properties["logback.configurationFile"] = f"{self.path}/logback.xml"
        lib = os.path.join(self.build, "lib")
        jamm = next(f for f in os.listdir(lib) if f.startswith("jamm-"))
        command = ["java"] + (NODE_FLAGS if flags is None else flags) + [f"-javaagent:{lib}/{jamm}"]
        command += [f"-D{name}={value}" for name, value in properties.items()]
        for export in EXPORTS:
            command += ["--add-exports", f"{export}=ALL-UNNAMED"]
        for opened in OPENS:
            command += ["--add-opens", f"{opened}=ALL-UNNAMED"]
        return command + ["-cp", f"{self.build}/classes:{lib}/*", main] + arguments

    def run(self, arguments, timeout_s):
        """Runs the harness; returns its exit code."""
        code = run_bounded(self.java(arguments), timeout_s)
        if code != 0:
            self.good = False
            print(f"e2e: {arguments[0]}: exit code {code}, log in {self.path}/cassandra.log", file=sys.stderr)
        return code
