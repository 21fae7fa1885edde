#!/usr/bin/env python3
"""Goal: what the C++ client says of a write is so, whoever is killed.

Method: three orochi-kvd on loopback, killed with SIGKILL one after the other and started again while
kv_client_trial writes and moves money through one client; it checks what it was told.

usage: kill_test.py OROCHI_KVD KV_CLIENT_TRIAL
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../server/test"))
from cluster_test import NODES, Cluster  # noqa: E402

SECONDS = 10


def main():
    directory = tempfile.mkdtemp(prefix="orochi_client_")
    cluster = Cluster(sys.argv[1], directory)
    trial = None
    try:
        for node in NODES:
            cluster.start(node)
        for node in NODES:
            cluster.await_ready(node)
        nodes = ",".join(f"127.0.0.1:{cluster.http[node]}" for node in NODES)
        trial = subprocess.Popen([sys.argv[2], nodes, str(SECONDS)], stdout=subprocess.PIPE, text=True)
        for node in NODES:
            time.sleep(1.5)
            cluster.kill(node)
            time.sleep(0.5)
            cluster.start(node)
            cluster.await_ready(node)
        output, _ = trial.communicate(timeout=120)
        print(output, end="")
        assert trial.returncode == 0, f"the trial ended with {trial.returncode}"
        for node in NODES:
            cluster.stop(node)
    finally:
        if trial is not None and trial.poll() is None:
            trial.kill()
            trial.wait()
        for process in cluster.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
