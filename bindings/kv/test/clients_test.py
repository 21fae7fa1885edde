#!/usr/bin/env python3
"""Goal: the Python and JavaScript clients, and the examples of their guide, work against real nodes.

Method: three orochi-kvd on loopback; each client's own tests with their addresses in KV; then the guide's
blocks as programs, which print what their comments say. Without Node the half of it is skipped, loudly.

usage: clients_test.py OROCHI_KVD
"""

import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
sys.path.insert(0, f"{ROOT}/src/kv/server/test")
from cluster import Cluster  # noqa: E402

PYTHON = f"{ROOT}/bindings/kv/python"
JAVASCRIPT = f"{ROOT}/bindings/kv/javascript"


def blocks(language):
    with open(f"{ROOT}/docs/guide/kv-clients.md", encoding="utf-8") as guide:
        return re.findall(rf"```{language}\n(.*?)```", guide.read(), re.DOTALL)


def said(code, comment):
    """What the comments behind print and console.log say is printed."""
    return [found.group(1) for found in
            re.finditer(rf"(?:print|console\.log)\(.*\);? +{comment} (.*)$", code, re.MULTILINE)]


def run(command, environment, **more):
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, timeout=120, check=False, **more)
    assert ran.returncode == 0, f"{' '.join(command)} ended with {ran.returncode}\n{ran.stdout.decode()}"
    return ran.stdout.decode()


def run_example(directory, name, code, command, comment, environment):
    path = f"{directory}/{name}"
    with open(path, "w", encoding="utf-8") as program:
        program.write(code)
    printed = run(command + [path], environment).splitlines()
    expected = said(code, comment)
    assert len(expected) >= 4, "the guide's example says too little"
    assert printed == expected, f"{name} printed {printed}, the guide says {expected}"


def main():
    has_node = shutil.which("node") is not None
    with Cluster(sys.argv[1]) as cluster:
        for node in cluster.first:
            cluster.start(node)
        for node in cluster.first:
            cluster.await_ready(node)
        environment = dict(os.environ, PYTHONPATH=PYTHON, PYTHONDONTWRITEBYTECODE="1",
                           KV=",".join(f"127.0.0.1:{cluster.http[node]}" for node in cluster.first))
        run([sys.executable, f"{PYTHON}/orochi_kv_test.py"], environment)
        (python,) = blocks("python")
        run_example(cluster.directory, "guide.py", python, [sys.executable], "#", environment)
        print("Python: the client's tests and the guide's example pass")
        if not has_node:
            print("SKIPPED: there is no node, so JavaScript was not tested")
            return
        run(["node", "--test", f"{JAVASCRIPT}/orochi_kv_test.mjs"], environment)
        shutil.copy(f"{JAVASCRIPT}/orochi_kv.mjs", cluster.directory)
        (javascript,) = blocks("javascript")
        run_example(cluster.directory, "guide.mjs", javascript, ["node"], "//", environment)
        print("JavaScript: the client's tests and the guide's example pass")


if __name__ == "__main__":
    main()
